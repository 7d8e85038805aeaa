"""Refine a subdivision so that no unit changes sign inside a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from splineviz.geometry import cutting
from splineviz.geometry.chords import Given
from splineviz.geometry.crossings import EdgeCrossings, cross_edges
from splineviz.geometry.csr import Csr
from splineviz.geometry.cutting import Pieces, cut_faces, face_signs
from splineviz.geometry.predicates import Signs
from splineviz.geometry.records import BIRTH, SHARED, VANISHING
from splineviz.geometry.subdivision import Subdivision

__all__ = ["Refinement", "refine"]


@dataclass(frozen=True, eq=False)
class Refinement:
    """A refined subdivision and how it came from the one before. New vertices follow the old ones."""

    subdivision: Subdivision
    parent: np.ndarray
    """(F,) the face that each face was cut from"""
    on: np.ndarray
    """(F, words) bit set of the units that are positive on each face"""
    birth: np.ndarray
    """(new vertices,) `records.BIRTH`: between which earlier vertices each lies, and where"""
    vanishing: tuple[np.ndarray, np.ndarray]
    """(vertex, unit) of the units that are zero at a new vertex by construction"""
    decisions: int
    open: int
    """Decisions that the bounds left open, taken as coincidences"""
    zeros: int
    """Signs at vertices taken as zero"""


def refine(subdivision: Subdivision, z: np.ndarray, scale: np.ndarray, slack: np.ndarray, stage: int) -> Refinement:
    """Cut every face along the zero sets of all units.

    Parameters
    ----------
    z
        (V, units) float64, C-contiguous: value of each unit at each vertex, affine on every face. Values within their
        bound of zero are set to zero.
    scale, slack
        (units,) and (V,): the error of ``z[v, u]`` is at most ``scale[u] * slack[v]``.
    stage
        Recorded as the origin of new edges.
    """
    signs = Signs(z, scale, slack)
    n_faces, words = len(subdivision.faces), signs.positive.shape[1]
    on, cut = np.empty((n_faces, words), np.uint64), np.empty((n_faces, words), np.uint64)
    n_cut = np.empty(n_faces, np.int64)
    face_signs(subdivision.faces.offsets, subdivision.faces.values, signs.positive, signs.negative, on, cut, n_cut)
    crossed = cross_edges(subdivision, z, scale, slack, signs)
    given = Given(
        subdivision.faces.offsets, subdivision.faces.values, subdivision.side_edges, subdivision.edges, z, scale, slack,
        signs.positive, signs.negative, cut, crossed.offsets, crossed.crossing, crossed.first_part, crossed.birth,
    )  # fmt: skip
    out, n = _room(subdivision, crossed, n_cut, words)
    cut_faces(given, n_cut, on, out, n)
    n_faces, n_edges, n_parts = n[cutting.FACES], n[cutting.EDGES], len(crossed.parts)
    source = np.empty((n_edges, 2), np.int32)
    source[:n_parts] = np.repeat(subdivision.edge_source, np.diff(crossed.first_part), axis=0)
    source[n_parts:, 0] = stage
    source[n_parts:, 1] = out.edge_unit[n_parts:n_edges]
    birth = out.birth[: n[cutting.VERTICES]]
    refined = Subdivision(
        vertices=_extend_points(subdivision.vertices, birth),
        faces=Csr(out.offsets[: n_faces + 1], out.side_vertex[: n[cutting.SIDES]]),
        side_edges=out.side_edge[: n[cutting.SIDES]],
        edges=out.edges[:n_edges],
        edge_source=source,
        shared=_shared(subdivision, crossed, signs, on, out, n, stage),
    )
    vanishing = out.vanishing[: n[cutting.VANISH]]
    return Refinement(
        subdivision=refined,
        parent=out.parent[:n_faces],
        on=out.on[:n_faces],
        birth=birth,
        vanishing=tuple(np.concatenate([crossed.crossing[name], vanishing[name]]) for name in ("vertex", "unit")),
        decisions=z.size + len(crossed.crossing) + len(vanishing),
        open=int(signs.open + crossed.merged + n[cutting.OPEN] + n[cutting.DROPPED]),
        zeros=int(signs.zeros),
    )


def _room(subdivision: Subdivision, crossed: EdgeCrossings, n_cut: np.ndarray, words: int) -> tuple[Pieces, np.ndarray]:
    """Arrays for the most that can come, all chords of a face crossing each other; untouched memory costs nothing."""
    n_old, n_parts, n_faces = len(crossed.birth), len(crossed.parts), len(n_cut)
    chords = int(n_cut.sum())
    pairs = int((n_cut * (n_cut - 1) // 2).sum())
    sides = len(subdivision.side_edges) + 2 * n_old + 2 * chords + 4 * pairs
    faces = n_faces + chords + pairs
    out = Pieces(
        offsets=np.empty(faces + 1, np.int64),
        side_vertex=np.empty(sides, np.int64),
        side_edge=np.empty(sides, np.int64),
        parent=np.empty(faces, np.int64),
        on=np.empty((faces, words), np.uint64),
        edges=np.empty((n_parts + chords + 2 * pairs, 2), np.int64),
        edge_unit=np.empty(n_parts + chords + 2 * pairs, np.int64),
        birth=np.empty(n_old + pairs, BIRTH),
        vanishing=np.empty(2 * pairs, VANISHING),
        shared=np.empty(chords + pairs, SHARED),
    )
    out.edges[:n_parts] = crossed.parts
    out.birth[:n_old] = crossed.birth
    n = np.zeros(8, np.int64)
    n[cutting.EDGES], n[cutting.VERTICES] = n_parts, n_old
    return out, n


def _shared(
    before: Subdivision, crossed: EdgeCrossings, signs: Signs, on: np.ndarray, out: Pieces, n: np.ndarray, stage: int
) -> np.ndarray:
    """Edges that further units share: those known before, chords drawn by several units, old edges along which units vanish."""
    known = before.shared
    if signs.zeros:
        found = _vanishing_edges(before.edges, before.edge_faces(), signs.positive, signs.negative, on)
        known = np.concatenate([known, np.column_stack([found[:, 0], np.full(len(found), stage), found[:, 1]])])
    n_parts = np.diff(crossed.first_part)[known[:, 0]]
    rows = np.repeat(known, n_parts, axis=0)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    rows[:, 0] = crossed.first_part[rows[:, 0]] + within
    drawn = out.shared[: n[cutting.SHARED]]
    return np.concatenate([rows, np.column_stack([drawn["edge"], np.full(len(drawn), stage), drawn["unit"]])])


@njit(cache=True, nogil=True)
def _vanishing_edges(edges: Any, edge_faces: Any, positive: Any, negative: Any, on: Any) -> Any:
    """Pairs (edge, unit): the unit is zero at both ends and its state differs between the two faces."""
    found = []
    for e in range(len(edges)):
        left, right = edge_faces[e, 0], edge_faces[e, 1]
        if left < 0 or right < 0:
            continue
        a, b = edges[e, 0], edges[e, 1]
        for w in range(positive.shape[1]):
            word = (on[left, w] ^ on[right, w]) & ~(positive[a, w] | negative[a, w] | positive[b, w] | negative[b, w])
            for bit in range(64):
                if (word >> np.uint64(bit)) & np.uint64(1):
                    found.append((e, 64 * w + bit))
    result = np.empty((len(found), 2), np.int64)
    for i in range(len(found)):
        result[i, 0], result[i, 1] = found[i]
    return result


@njit(cache=True, nogil=True)
def _extend_points(points: Any, birth: Any) -> Any:
    n_old = len(points)
    result = np.empty((n_old + len(birth), 2))
    for v in range(n_old):
        result[v, 0], result[v, 1] = points[v, 0], points[v, 1]
    for k in range(len(birth)):
        a, b, t = birth[k].a, birth[k].b, birth[k].t
        for i in range(2):
            result[n_old + k, i] = result[a, i] + t * (result[b, i] - result[a, i])
    return result
