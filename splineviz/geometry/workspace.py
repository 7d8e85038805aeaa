"""Tables that cutting reads, works in and fills, and the room for them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64, UInt64

from splineviz.geometry.compiled import part
from splineviz.geometry.predicates import Units
from splineviz.geometry.records import (
    BIRTH,
    CHORD,
    CHORD_CROSSING,
    HALF_EDGE,
    NODE,
    PAIR,
    SHARED,
    SIDE,
    SPOKE,
    VANISHING,
)

__all__ = ["Given", "Links", "Pieces", "Scratch", "copy_birth", "make_room"]


FACES, SIDES, EDGES, VERTICES, VANISH, SHARE, OPEN, DROPPED = range(8)
"""Counters of what cutting has filled and found, as indices of `Pieces.n`."""


class Given(NamedTuple):
    """Tables before the faces are cut: the subdivision, the units at its vertices, the crossings on
    its edges."""

    offsets: Int64[np.ndarray, "face+1"]
    side_vertex: Int64[np.ndarray, "side"]
    side_edge: Int64[np.ndarray, "side"]
    edges: Int64[np.ndarray, "edge 2"]
    units: Units
    positive: UInt64[np.ndarray, "vertex word"]
    negative: UInt64[np.ndarray, "vertex word"]
    on: UInt64[np.ndarray, "face word"]
    """The units that are positive somewhere on the face"""
    cut: UInt64[np.ndarray, "face word"]
    """The units with strict signs of both kinds on the face"""
    first_crossing: Int64[np.ndarray, "edge+1"]
    """CSR offsets of the crossings on each edge"""
    crossing: np.ndarray
    """`records.CROSSING` on edges"""
    first_part: Int64[np.ndarray, "edge+1"]
    """First of the consecutive new edges into which an edge falls"""
    birth: np.ndarray
    """`records.BIRTH` of the new vertices on edges"""


class Scratch(NamedTuple):
    """Work space for one face, reused for all: sized by the largest. See `records` for the rows."""

    ring: np.ndarray
    """`records.SIDE` of the boundary, with the new vertices on it"""
    chord_of: Int64[np.ndarray, "unit"]
    """Chord of a unit on this face, -1 without"""
    chord: np.ndarray
    """`records.CHORD`"""
    crossing: np.ndarray
    """`records.CHORD_CROSSING`, chord by chord; the last row is spare"""
    pair: np.ndarray
    """`records.PAIR`"""


class Links(NamedTuple):
    """Half-edges of one face: the ring first, then two for each part of a chord, twins differing in the last
    bit."""

    half: np.ndarray
    """`records.HALF_EDGE`"""
    spoke: np.ndarray
    """`records.SPOKE`"""
    node: np.ndarray
    """`records.NODE`: ring positions first, then crossing points"""
    stack: Int64[np.ndarray, "half_edge"]
    """Work space"""


class Pieces(NamedTuple):
    """Tables that cutting fills. Arrays have room to spare: ``n`` says how much of each is filled."""

    offsets: Int64[np.ndarray, "face+1"]
    side_vertex: Int64[np.ndarray, "side"]
    side_edge: Int64[np.ndarray, "side"]
    parent: Int64[np.ndarray, "face"]
    """The face that each was cut from"""
    on: UInt64[np.ndarray, "face word"]
    """The units that are positive on the face"""
    edges: Int64[np.ndarray, "edge 2"]
    """Vertices; parts of older edges first, then parts of chords"""
    edge_unit: Int64[np.ndarray, "edge"]
    """Unit of the chord; only beyond the parts of older edges"""
    birth: np.ndarray
    """`records.BIRTH` of the new vertices: on edges, then inside faces"""
    vanishing: np.ndarray
    """`records.VANISHING` of the new vertices inside faces"""
    shared: np.ndarray
    """`records.SHARED` of the parts of chords"""
    n: Int64[np.ndarray, "counter"]
    """Counters: `FACES` and those that follow"""


@part(forceinline=True)
def copy_birth(source: Any, target: Any) -> None:
    """Copy a row of `records.BIRTH`."""
    target.a, target.b, target.unit, target.along = source.a, source.b, source.unit, source.along
    target.t, target.bound, target.proof = source.t, source.bound, source.proof
    target.nominal, target.nominal_proof = source.nominal, source.nominal_proof
    target.moved, target.share = source.moved, source.share


@part()
def make_room(
    given: Given, n_cut: Int64[np.ndarray, "face"], parts: Int64[np.ndarray, "part 2"]
) -> tuple[Scratch, Links, Pieces]:
    """Tables for `cut_faces`; pieces begin with the parts of edges and the vertices on edges."""
    chords, ring, n_chords, n_pairs = 0, 0, 0, 0
    for f in range(len(n_cut)):
        chords = max(chords, n_cut[f])
        positions = 0
        for k in range(given.offsets[f], given.offsets[f + 1]):
            e = given.side_edge[k]
            # Counted, not taken as two for each unit: where rounding left a face not convex, a unit may cross
            # its ring more often.
            positions += given.first_part[e + 1] - given.first_part[e]
        ring = max(ring, positions)
        n_chords += n_cut[f]
        n_pairs += n_cut[f] * (n_cut[f] - 1) // 2
    pieces = _make_pieces(given, parts, n_chords, n_pairs)
    pairs = max(1, chords * (chords - 1) // 2)
    return (
        _make_scratch(given.units.z.shape[1], ring, chords, pairs),
        _make_links(ring, chords, pairs),
        pieces,
    )


@part()
def _make_scratch(n_units: int, ring: int, chords: int, pairs: int) -> Scratch:
    """Work space for faces of at most that many ring positions, chords and crossing pairs."""
    return Scratch(
        np.empty(ring, SIDE),
        np.full(n_units, -1, np.int64),
        np.empty(chords + 1, CHORD),
        np.empty(2 * pairs + 1, CHORD_CROSSING),
        np.empty(pairs, PAIR),
    )


@part()
def _make_links(ring: int, chords: int, pairs: int) -> Links:
    """Half-edges for faces of at most that many ring positions, chords and crossing pairs."""
    half_edges = ring + 2 * chords + 4 * pairs + 2
    return Links(
        np.empty(half_edges, HALF_EDGE),
        np.empty(2 * ring + 2 * chords + 4 * pairs, SPOKE),
        np.empty(ring + pairs + 2, NODE),
        np.empty(half_edges, np.int64),
    )


@part()
def _make_pieces(given: Given, parts: Int64[np.ndarray, "part 2"], n_chords: int, n_pairs: int) -> Pieces:
    """Arrays for the most that can come, all chords of a face crossing each other; untouched memory costs
    nothing."""
    n_born, n_parts = len(given.birth), len(parts)
    faces = len(given.offsets) - 1 + n_chords + n_pairs
    sides = len(given.side_edge) + 2 * n_born + 2 * n_chords + 4 * n_pairs
    edges = n_parts + n_chords + 2 * n_pairs
    pieces = Pieces(
        np.empty(faces + 1, np.int64),
        np.empty(sides, np.int64),
        np.empty(sides, np.int64),
        np.empty(faces, np.int64),
        np.empty((faces, given.cut.shape[1]), np.uint64),
        np.empty((edges, 2), np.int64),
        np.empty(edges, np.int64),
        np.empty(n_born + n_pairs, BIRTH),
        np.empty(2 * n_pairs, VANISHING),
        np.empty(n_chords + n_pairs, SHARED),
        np.zeros(8, np.int64),
    )
    for e in range(n_parts):
        pieces.edges[e, 0], pieces.edges[e, 1] = parts[e, 0], parts[e, 1]
    for k in range(n_born):
        source, target = given.birth[k], pieces.birth[k]
        copy_birth(source, target)
    pieces.n[EDGES], pieces.n[VERTICES] = n_parts, n_born
    return pieces
