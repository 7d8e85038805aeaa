"""Refine a subdivision so that no unit changes sign inside a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from splineviz.geometry import workspace
from splineviz.geometry.compiled import kernel
from splineviz.geometry.crossings import EdgeCrossings, cross_edges
from splineviz.geometry.csr import Csr
from splineviz.geometry.cutting import cut_faces, face_signs
from splineviz.geometry.predicates import Signs, classify
from splineviz.geometry.subdivision import Subdivision
from splineviz.geometry.workspace import Given, make_room

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
    """Rows with ``vertex`` and ``unit``, on edges and inside faces: units that are zero at a new vertex by construction"""
    decisions: int
    open: int
    """Decisions that the error estimates left open, taken as coincidences"""
    zeros: int
    """Signs at vertices taken as zero"""


def refine(subdivision: Subdivision, z: np.ndarray, scale: np.ndarray, slack: np.ndarray, stage: int) -> Refinement:
    """Cut every face along the zero sets of all units.

    Parameters
    ----------
    z
        (V, units) float64, C-contiguous: value of each unit at each vertex, affine on every face. Values too
        close to zero to tell their sign are set to zero.
    scale, slack
        (units,) and (V,): the error of ``z[v, u]`` is estimated as ``scale[u] * slack[v]``.
    stage
        Recorded as the origin of new edges.
    """
    faces = subdivision.faces
    given, n_cut, on, scratch, links, cut, n, signs, crossed = _prepare(
        faces.offsets, faces.values, subdivision.side_edges, subdivision.edges, z, scale, slack
    )
    cut_faces(given, n_cut, on, scratch, links, cut, n)
    born, vanished, n_edges, n_sides = n[workspace.VERTICES], n[workspace.VANISH], n[workspace.EDGES], n[workspace.SIDES]
    birth, vanishing = cut.birth[:born], cut.vanishing[:vanished]
    refined = Subdivision(
        vertices=_extend_points(subdivision.vertices, birth),
        faces=Csr(cut.offsets[: n[workspace.FACES] + 1], cut.side_vertex[:n_sides]),
        side_edges=cut.side_edge[:n_sides],
        edges=cut.edges[:n_edges],
        edge_source=_sources(subdivision.edge_source, crossed.first_part, cut.edge_unit, n_edges, stage),
        shared=_shared(subdivision, crossed, signs, on, cut.shared[: n[workspace.SHARE]], stage),
    )
    return Refinement(
        subdivision=refined,
        parent=cut.parent[: n[workspace.FACES]],
        on=cut.on[: n[workspace.FACES]],
        birth=birth,
        vanishing=(crossed.crossing, vanishing),
        decisions=z.size + len(crossed.crossing) + len(vanishing),
        open=int(signs.open + crossed.merged + n[workspace.OPEN] + n[workspace.DROPPED]),
        zeros=signs.zeros,
    )


@kernel()
def _prepare(offsets: Any, side_vertex: Any, side_edge: Any, edges: Any, z: Any, scale: Any, slack: Any) -> Any:
    """All that comes before faces are cut, in one compiled call: signs, crossings on edges, and room for the pieces."""
    signs = classify(z, scale, slack)
    on, cut, n_cut = face_signs(offsets, side_vertex, signs.positive, signs.negative)
    crossed = cross_edges(edges, z, scale, slack, signs)
    given = Given(
        offsets, side_vertex, side_edge, edges, z, scale, slack, signs.positive, signs.negative, cut,
        crossed.offsets, crossed.crossing, crossed.first_part, crossed.birth,
    )  # fmt: skip
    scratch, links, pieces, n = make_room(given, n_cut, crossed.parts)
    return given, n_cut, on, scratch, links, pieces, n, signs, crossed


@kernel()
def _sources(before: Any, first_part: Any, unit: Any, n_edges: Any, stage: Any) -> Any:
    """(n_edges, 2) the stage and unit of every edge: parts of an older edge keep its."""
    out = np.empty((n_edges, 2), np.int32)
    for e in range(len(before)):
        for part in range(first_part[e], first_part[e + 1]):
            out[part, 0], out[part, 1] = before[e, 0], before[e, 1]
    for e in range(first_part[-1], n_edges):
        out[e, 0], out[e, 1] = stage, unit[e]
    return out


def _shared(before: Subdivision, crossed: EdgeCrossings, signs: Signs, on: np.ndarray, drawn: np.ndarray, stage: int) -> np.ndarray:
    """Edges that further units share: those known before, chords drawn by several units, old edges along which units vanish."""
    known = before.shared
    if not (len(known) or len(drawn) or signs.zeros):
        return known
    if signs.zeros:
        found = _vanishing_edges(before.edges, before.edge_faces(), signs.positive, signs.negative, on)
        known = np.concatenate([known, np.column_stack([found[:, 0], np.full(len(found), stage), found[:, 1]])])
    n_parts = np.diff(crossed.first_part)[known[:, 0]]
    rows = np.repeat(known, n_parts, axis=0)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    rows[:, 0] = crossed.first_part[rows[:, 0]] + within
    return np.concatenate([rows, np.column_stack([drawn["edge"], np.full(len(drawn), stage), drawn["unit"]])])


@kernel()
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


@kernel()
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
