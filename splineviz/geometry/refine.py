"""Refine a subdivision so that no unit changes sign inside a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from splineviz.errors import SplinevizError
from splineviz.geometry import cutting
from splineviz.geometry.chords import Given
from splineviz.geometry.crossings import EdgeCrossings, cross_edges
from splineviz.geometry.csr import Csr
from splineviz.geometry.cutting import Pieces, cut_faces, face_signs
from splineviz.geometry.predicates import Signs
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
    ends: np.ndarray
    """(new vertices, 2) the edge or chord on which each was born; earlier vertices both"""
    t: np.ndarray
    """(new vertices,) where between its ends"""
    bound: np.ndarray
    """(new vertices,) bound of the error of ``t``"""
    vanish: tuple[np.ndarray, np.ndarray]
    """Pairs (new vertex, unit): the units that are zero there by construction"""
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
        signs.positive, signs.negative, cut, crossed.offsets, crossed.unit, crossed.vertex, crossed.first_part,
        crossed.ends, crossed.t, crossed.bound,
    )  # fmt: skip
    out, n = _room(subdivision, crossed, n_cut, words)
    cut_faces(given, n_cut, on, out, n)
    if n[cutting.BROKEN]:
        raise SplinevizError(
            f"{n[cutting.BROKEN]} face(s) of stage {stage} could not be arranged consistently",
            hint="please report this network; a slightly different window avoids the coincidence",
        )
    n_faces, n_edges, n_parts = n[cutting.FACES], n[cutting.EDGES], len(crossed.parts)
    source = np.empty((n_edges, 2), np.int32)
    source[:n_parts] = np.repeat(subdivision.edge_source, np.diff(crossed.first_part), axis=0)
    source[n_parts:, 0] = stage
    source[n_parts:, 1] = out.edge_unit[n_parts:n_edges]
    ends, t = out.ends[: n[cutting.VERTICES]], out.t[: n[cutting.VERTICES]]
    refined = Subdivision(
        vertices=_extend_points(subdivision.vertices, ends, t),
        faces=Csr(out.offsets[: n_faces + 1], out.side_vertex[: n[cutting.SIDES]]),
        side_edges=out.side_edge[: n[cutting.SIDES]],
        edges=out.edges[:n_edges],
        edge_source=source,
        shared=_shared(subdivision, crossed, signs, on, out, n, stage),
    )
    n_vanish = n[cutting.VANISH]
    return Refinement(
        subdivision=refined,
        parent=out.parent[:n_faces],
        on=out.on[:n_faces],
        ends=ends,
        t=t,
        bound=out.bound[: len(t)],
        vanish=(
            np.concatenate([crossed.vertex, out.vanish_vertex[:n_vanish]]),
            np.concatenate([crossed.unit, out.vanish_unit[:n_vanish]]),
        ),
        decisions=z.size + int(crossed.offsets[-1]) + int(n_vanish),
        open=int(signs.open + crossed.merged + n[cutting.OPEN] + n[cutting.DROPPED]),
        zeros=int(signs.zeros),
    )


def _room(subdivision: Subdivision, crossed: EdgeCrossings, n_cut: np.ndarray, words: int) -> tuple[Pieces, np.ndarray]:
    """Arrays for the most that can come, all chords of a face crossing each other; untouched memory costs nothing."""
    n_old, n_parts, n_faces = len(crossed.ends), len(crossed.parts), len(n_cut)
    chords = int(n_cut.sum())
    pairs = int((n_cut * (n_cut - 1) // 2).sum())
    sides = len(subdivision.side_edges) + 2 * len(crossed.ends) + 2 * chords + 4 * pairs
    faces = n_faces + chords + pairs
    out = Pieces(
        offsets=np.empty(faces + 1, np.int64),
        side_vertex=np.empty(sides, np.int64),
        side_edge=np.empty(sides, np.int64),
        parent=np.empty(faces, np.int64),
        on=np.empty((faces, words), np.uint64),
        edges=np.empty((n_parts + chords + 2 * pairs, 2), np.int64),
        edge_unit=np.empty(n_parts + chords + 2 * pairs, np.int64),
        ends=np.empty((n_old + pairs, 2), np.int64),
        t=np.empty(n_old + pairs),
        bound=np.empty(n_old + pairs),
        vanish_vertex=np.empty(2 * pairs, np.int64),
        vanish_unit=np.empty(2 * pairs, np.int64),
        shared_edge=np.empty(chords + pairs, np.int64),
        shared_unit=np.empty(chords + pairs, np.int64),
    )
    out.edges[:n_parts] = crossed.parts
    out.ends[:n_old], out.t[:n_old], out.bound[:n_old] = crossed.ends, crossed.t, crossed.bound
    n = np.zeros(9, np.int64)
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
    drawn = out.shared_edge[: n[cutting.SHARED]], out.shared_unit[: n[cutting.SHARED]]
    return np.concatenate([rows, np.column_stack([drawn[0], np.full(len(drawn[0]), stage), drawn[1]])]).astype(np.int64)


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
def _extend_points(points: Any, ends: Any, t: Any) -> Any:
    n_old = len(points)
    result = np.empty((n_old + len(t), 2))
    result[:n_old] = points
    for k in range(len(t)):
        a, b = ends[k, 0], ends[k, 1]
        for i in range(2):
            result[n_old + k, i] = result[a, i] + t[k] * (result[b, i] - result[a, i])
    return result
