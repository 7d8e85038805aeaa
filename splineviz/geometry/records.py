"""Rows of the small tables that kernels work with, each written down once."""

from __future__ import annotations

import numpy as np

__all__ = [
    "BIRTH",
    "CHORD",
    "CHORD_CROSSING",
    "CROSSING",
    "DEVIATION",
    "HALF_EDGE",
    "NODE",
    "PAIR",
    "SHARED",
    "SIDE",
    "SPOKE",
    "VANISHING",
]


def _record(*names: str, floats: tuple[str, ...] = ()) -> np.dtype[np.void]:
    return np.dtype([(name, np.float64 if name in floats else np.int64) for name in names])


BIRTH = _record(
    "a",
    "b",
    "unit",
    "along",
    "t",
    "bound",
    "proof",
    "nominal",
    "nominal_proof",
    "moved",
    "share",
    floats=("t", "bound", "proof", "nominal", "nominal_proof", "moved", "share"),
)
"""A new vertex: where a unit vanishes on the edge or chord from vertex a to b, at t in (0, 1).

``along`` is the unit whose chord it lies on, -1 on an edge. ``bound`` estimates the error of t between the
exact ends (`places`), ``proof`` bounds it where there are proofs; ``nominal`` and ``nominal_proof`` likewise
between the nominal ends, 1 where that is not known. Values of units that are as good as zero
here are taken as zero: ``moved`` is the norm of all that is changed so, ``share`` the largest single change
over the scale of its unit.
"""
DEVIATION = _record("entry", "off", floats=("off",))
"""An entry of a vertex's activations, and how far it is off the straight line between those of two others."""
CROSSING = _record("unit", "vertex")
"""A unit that vanishes inside an edge, and the vertex made there."""
VANISHING = _record("vertex", "unit")
"""A unit that is zero at a new vertex by construction."""
SHARED = _record("edge", "unit")
"""A further unit that changes state across an edge drawn by another."""

SIDE = _record("vertex", "edge")
"""A position on the ring round a face: its vertex, and the edge to the next position."""
CHORD = _record(
    "unit",
    "p",
    "q",
    "rising",
    "twin",
    "next_twin",
    "first",
    "fill",
    "pairs",
    "drawn",
    "drawn_end",
    "through",
    "asked",
    "late",
    floats=("late",),
)
"""The segment along which a unit cuts a face.

It runs from ring position p to q > p; ``rising`` tells whether the unit is positive on the ring between.
Units that vanish on one segment are twins: ``twin`` is the first of them, ``next_twin`` the next or -1. Its
crossings are ``first`` to the next chord's ``first``, its pairs with later chords are ``pairs`` to the next
chord's; its edges are ``drawn`` to ``drawn_end``. ``through`` is one of the crossings that several chords
share in one point, -1 for none; ``asked`` says whether the chord is in a question that was asked just now.
``late`` is by how much a crossing on it lies behind where the values at the ends have it, at most.
"""
CHORD_CROSSING = _record(
    "other",
    "pair",
    "t",
    "bound",
    "proof",
    "nominal",
    "nominal_proof",
    "quotient",
    "span",
    floats=("t", "bound", "proof", "nominal", "nominal_proof", "quotient", "span"),
)
"""Where a chord crosses another: at t from its p to its q, with its errors as in `BIRTH`.

``quotient`` is t as the values at the ends have it, before it is changed for an order that is known
otherwise, and ``span`` the difference of these values.
"""
PAIR = _record("c", "d", "root", "member", "node")
"""Two chords c < d that cross; pairs that cross in one point have one ``root`` (union-find), whose ``node``
is that point.

``member`` leads from each of them to the next, in a circle.
"""

HALF_EDGE = _record("following", "origin", "edge", "chord", "face")
SPOKE = _record("key", "arriving", "leaving")
"""An end of an edge at a node: its place in the counter-clockwise order, and the half-edges in and out, -1
for none."""
NODE = _record("start", "n_spokes")
