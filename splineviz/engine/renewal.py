"""Values at vertices taken anew where they are known too badly: errors start from one rounding again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from splineviz.engine.stage_state import StageState
from splineviz.exact.digits import InexactError
from splineviz.exact.face_maps import FaceMaps, Known
from splineviz.geometry.places import places_of
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.values.vertex_values import VertexValues

__all__ = ["renew"]


def renew(state: StageState, maps: FaceMaps, vertices: np.ndarray) -> None:
    """Take values at vertices from the maps of faces there, at the places where their lines cross, as far as
    two lines are known.

    The tensors that are alive then err by one rounding, and the lines of these vertices pass them nominally,
    too.
    """
    try:
        corners = maps.corners(vertices.tolist())
    except InexactError:
        return
    sub, moved = state.subdivision, np.full(len(state.subdivision.vertices), np.nan)
    points, told = sub.vertices.copy(), places_of(sub.arrays()).distance[:, 1]
    found = [(vertex, corner) for vertex, corner in zip(vertices.tolist(), corners, strict=True) if corner]
    for which, places, tensors in maps.values([corner for _, corner in found]):
        for i, (row, place) in enumerate(zip(which.tolist(), places, strict=True)):
            vertex = found[row][0]
            if place.distance < told[vertex] and _better(state, vertex, tensors, i):
                points[vertex], moved[vertex] = place.uv, place.distance
                for slot, live in state.live.items():
                    _set(live, vertex, tensors[slot], i)
    ends = moved[sub.edges]
    stray = np.where(np.isnan(ends)[:, [0, 1, 0, 1]], sub.stray, ends[:, [0, 1, 0, 1]])
    state.subdivision = replace(sub, vertices=points, stray=stray)


def _better(state: StageState, vertex: int, tensors: dict[int, Known], i: int) -> bool:
    """Whether no tensor is known worse than it is in its i-th row, but for a few roundings."""
    return all(
        live.proof is None
        or tensors[slot].error[i] <= max(live.proof[vertex], 4.0 * UNIT_ROUNDOFF * tensors[slot].norm[i])
        for slot, live in state.live.items()
    )


def _set(live: VertexValues, vertex: int, known: Known, i: int) -> None:
    """Put the i-th row of values into one row."""
    norm, error = float(known.norm[i]), float(known.error[i])
    live.values[vertex] = known.values[i]
    likely = UNIT_ROUNDOFF * norm
    live.error[vertex] = likely
    if live.norm is not None:
        live.norm[vertex] = norm
    if live.proof is not None:
        live.proof[vertex] = error
    if live.scale is not None and live.slack is not None:
        least = live.scale[live.scale > 0.0].min(initial=np.inf)
        live.slack[vertex] = likely / least
        if live.proven_slack is not None:
            live.proven_slack[vertex] = error / least
