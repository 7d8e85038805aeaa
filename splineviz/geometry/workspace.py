"""The tables that cutting reads, works in and fills, and the room for them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from splineviz.geometry.compiled import part
from splineviz.geometry.records import (
    BIRTH,
    CHORD,
    HALF_EDGE,
    MEETING,
    NODE,
    PAIR,
    SHARED,
    SIDE,
    SPOKE,
    VANISHING,
)

__all__ = ["Given", "Links", "Pieces", "Scratch", "copy_birth", "make_room"]


FACES, SIDES, EDGES, VERTICES, VANISH, SHARE, OPEN, DROPPED = range(8)
"""Counters of what cutting has filled and found, as indices of one array."""


class Given(NamedTuple):
    """What is known before the faces are cut: the subdivision, the units at its vertices, the crossings on
    its edges."""

    offsets: np.ndarray
    side_vertex: np.ndarray
    side_edge: np.ndarray
    edges: np.ndarray
    z: np.ndarray
    scale: np.ndarray
    slack: np.ndarray
    proof: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    cut: np.ndarray
    """(F, words) the units with strict signs of both kinds on the face"""
    first_crossing: np.ndarray
    """(E + 1,) CSR offsets of the crossings on each edge"""
    crossing: np.ndarray
    first_part: np.ndarray
    """(E + 1,) first of the consecutive new edges into which an edge falls"""
    birth: np.ndarray
    """(new vertices,) on edges"""


class Scratch(NamedTuple):
    """Work space for one face, reused for all: sized by the largest. See `records` for the rows."""

    ring: np.ndarray
    chord_of: np.ndarray
    """(units,) chord of a unit on this face, -1 without"""
    chord: np.ndarray
    meeting: np.ndarray
    pair: np.ndarray


class Links(NamedTuple):
    """Half-edges of one face: the ring first, then two for each part of a chord, twins differing in the last
    bit."""

    half: np.ndarray
    spoke: np.ndarray
    node: np.ndarray
    """Ring positions first, then crossing points"""
    stack: np.ndarray


class Pieces(NamedTuple):
    """What cutting leaves. Arrays have room to spare: the counters of `cut_faces` say how much of each is
    filled."""

    offsets: np.ndarray
    side_vertex: np.ndarray
    side_edge: np.ndarray
    parent: np.ndarray
    """(faces,) the face it was cut from"""
    on: np.ndarray
    """(faces, words) the units that are positive on the face"""
    edges: np.ndarray
    """(edges, 2) vertices; parts of older edges first, then parts of chords"""
    edge_unit: np.ndarray
    """(edges,) unit of the chord; only beyond the parts of older edges"""
    birth: np.ndarray
    vanishing: np.ndarray
    shared: np.ndarray


@part(forceinline=True)
def copy_birth(source: Any, target: Any) -> None:
    target.a, target.b, target.unit = source.a, source.b, source.unit
    target.t, target.bound, target.proof = source.t, source.bound, source.proof


@part()
def make_room(given: Any, n_cut: Any, parts: Any) -> Any:
    """(scratch, links, pieces, n) for `cut_faces`; pieces begin with the parts of edges and the vertices on
    edges."""
    chords, ring, n_chords, n_pairs = 0, 0, 0, 0
    for f in range(len(n_cut)):
        chords = max(chords, n_cut[f])
        positions = 0
        for k in range(given.offsets[f], given.offsets[f + 1]):
            e = given.side_edge[k]
            # Counted, not taken as two for each unit: where rounding bent a face, a unit may cross its ring
            # more often.
            positions += given.first_part[e + 1] - given.first_part[e]
        ring = max(ring, positions)
        n_chords += n_cut[f]
        n_pairs += n_cut[f] * (n_cut[f] - 1) // 2
    pieces, n = _make_pieces(given, parts, n_chords, n_pairs)
    pairs = max(1, chords * (chords - 1) // 2)
    return _make_scratch(given.z.shape[1], ring, chords, pairs), _make_links(ring, chords, pairs), pieces, n


@part()
def _make_scratch(n_units: Any, ring: Any, chords: Any, pairs: Any) -> Any:
    """Work space for faces of at most that many ring positions, chords and crossing pairs."""
    return Scratch(
        np.empty(ring, SIDE),
        np.full(n_units, -1, np.int64),
        np.empty(chords + 1, CHORD),
        np.empty(2 * pairs, MEETING),
        np.empty(pairs, PAIR),
    )


@part()
def _make_links(ring: Any, chords: Any, pairs: Any) -> Any:
    half_edges = ring + 2 * chords + 4 * pairs + 2
    return Links(
        np.empty(half_edges, HALF_EDGE),
        np.empty(2 * ring + 2 * chords + 4 * pairs, SPOKE),
        np.empty(ring + pairs + 2, NODE),
        np.empty(half_edges, np.int64),
    )


@part()
def _make_pieces(given: Any, parts: Any, n_chords: Any, n_pairs: Any) -> Any:
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
    )
    for e in range(n_parts):
        pieces.edges[e, 0], pieces.edges[e, 1] = parts[e, 0], parts[e, 1]
    for k in range(n_born):
        source, target = given.birth[k], pieces.birth[k]
        copy_birth(source, target)
    n = np.zeros(8, np.int64)
    n[EDGES], n[VERTICES] = n_parts, n_born
    return pieces, n
