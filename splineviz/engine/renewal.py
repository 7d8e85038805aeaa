"""Values at vertices taken anew where they are known too badly: errors start from one rounding again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float64

from splineviz.engine.stage_state import StageState
from splineviz.exact.digits import InexactError
from splineviz.exact.face_corners import Corners
from splineviz.exact.face_maps import FaceMaps, Known
from splineviz.geometry.places import places_of
from splineviz.geometry.predicates import TINY
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.values.vertex_values import VertexValues

__all__ = ["renew", "worn"]

_PAST_USE = 2.0**-12
"""Bound as a share of the norm of a tensor: with thousands of entries, the signs of many are open"""

_WORTHWHILE = 2.0**-36
"""Bound as a share of the norm of a tensor from which on a better one tells more signs"""

_NEAR = 2.0**-40
"""Distance from the exact place, as a share of the largest numbers between uv and input space, up to which a
place is taken over: it counts as rounding, which is that of all vertices"""


def renew(state: StageState, maps: FaceMaps, vertices: np.ndarray) -> None:
    """Take values at vertices from the maps of faces there, at the places where their lines cross, as far as
    two lines are known and values or places were not; signs can be open because they are zero.

    The tensors that are alive then err by one rounding, and the exact places of these vertices are their
    nominal ones, too: no line passes them.
    """
    sub, exact, rounding = state.subdivision, np.zeros(len(state.subdivision.vertices), bool), 0.0
    places = places_of(sub.arrays())
    unknown = places.shares[:, 2] + places.shares[:, 3] >= 1.0
    vertices = vertices[(_bounds(state) > _WORTHWHILE)[vertices] | unknown[vertices]]
    points, told, near = sub.vertices.copy(), places.distance[:, 1], np.zeros(len(sub.vertices))
    near[sub.faces.values] = _NEAR * np.repeat(state.reach[state.window_of], sub.faces.lengths)
    for corners, tensors in _known_values(maps, vertices):
        vertex, rounded = corners.vertex, UNIT_ROUNDOFF * np.abs(corners.uv).sum(1)
        taken = corners.distance <= np.maximum(np.minimum(told, near)[vertex], rounded)
        for slot, live in state.live.items():
            taken &= _no_worse(live, vertex, tensors[slot])
        rows = np.flatnonzero(taken)
        vertex = vertex[rows]
        points[vertex], exact[vertex] = corners.uv[rows], True
        rounding = max(rounding, SAFE * float((corners.distance + rounded)[rows].max(initial=0.0)))
        for slot, live in state.live.items():
            _set(live, vertex, tensors[slot], rows)
    stray = np.where(exact[sub.edges][:, [0, 1, 0, 1]], 0.0, sub.stray)
    rounding = max(rounding, sub.rounding)
    state.subdivision = replace(sub, vertices=points, stray=stray, rounding=rounding)


def _known_values(maps: FaceMaps, vertices: np.ndarray) -> Iterator[tuple[Corners, dict[int, Known]]]:
    """Vertices at which two lines are known to cross, as corners of faces, with the tensors there; some at a
    time."""
    with suppress(InexactError):
        for part in maps.in_parts(vertices):
            _, corners = maps.corners(part)
            for which, tensors in maps.values(corners):
                yield corners.only(which), tensors


def worn(state: StageState, left: float) -> np.ndarray:
    """Vertices of faces at which the bounds of a tensor will have grown past use, if they go on growing for
    ``left`` times the stages that are behind."""
    used = np.unique(state.subdivision.faces.values)
    # By their logarithms: what has grown for few stages may not be a number at the end.
    bounds = np.log2(np.maximum(_bounds(state)[used], UNIT_ROUNDOFF))
    found: np.ndarray = used[bounds + left * (bounds - np.log2(UNIT_ROUNDOFF)) > np.log2(_PAST_USE)]
    return found


def _bounds(state: StageState) -> Float64[np.ndarray, "vertex"]:
    """Proven errors as shares of the norms of tensors, the worst of those that are alive."""
    worst = np.zeros(len(state.subdivision.vertices))
    for live in state.live.values():
        if live.proof is not None:
            np.maximum(worst, live.proof / np.maximum(live.norms(), TINY), out=worst)
    return worst


def _no_worse(live: VertexValues, vertices: np.ndarray, known: Known) -> np.ndarray:
    """Whether the values of each row are known no worse than those at its vertex, but for a few roundings."""
    if live.proof is None:
        return np.ones(len(vertices), bool)
    result: np.ndarray = known.error <= np.maximum(live.proof[vertices], 4.0 * UNIT_ROUNDOFF * known.norm)
    return result


def _set(live: VertexValues, vertices: np.ndarray, known: Known, rows: np.ndarray) -> None:
    """Put some rows of values at vertices."""
    if not len(rows):
        return
    norm, error, likely = known.norm[rows], known.error[rows], UNIT_ROUNDOFF * known.norm[rows]
    live.values[torch.from_numpy(vertices)], live.passed = known.values[torch.from_numpy(rows)], None
    live.error[vertices] = likely
    if live.norm is not None:
        live.norm[vertices] = norm
    if live.proof is not None:
        live.proof[vertices] = error
    if live.scale is not None and live.slack is not None:
        least = live.scale[live.scale > 0.0].min(initial=np.inf)
        live.slack[vertices] = likely / least
        if live.proven_slack is not None:
            live.proven_slack[vertices] = error / least
