"""The radius from which on each unit cuts the neighbourhood of a point: n_cut for all radii, from one
arrangement."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from jaxtyping import Float64

from splineviz.engine.budget import Effort
from splineviz.neighbourhoods.diamonds import arranged, planes_through
from splineviz.plane import Window
from splineviz.program.program import Program

__all__ = ["cut_radii"]


def cut_radii(
    program: Program,
    points: Any,
    axes: np.ndarray,
    radius: float,
    **effort: Unpack[Effort],
) -> Float64[np.ndarray, "point unit"]:
    """The radius from which on the diamond round each point is cut by each unit; inf where that is above
    ``radius``.

    Units are numbered stage after stage, and ``axes`` are those of one plane. The number of units with a
    radius below r is n_cut at r: one arrangement tells it for all r.
    """
    planes, _ = planes_through(program, points, axes)
    number = np.cumsum([0, *(stage.n_units for stage in program.stages)])
    found = np.full((len(planes), number[-1]), np.inf)
    for start, arr in arranged(program, planes, Window.diamond(radius), None, **effort):
        reach = _least_l1(*arr.vertices[arr.edges].transpose(1, 0, 2))
        units, lengths = arr.edge_units.values, arr.edge_units.lengths
        window = np.repeat(arr.cell_window[arr.edge_cells.max(1)], lengths)
        np.minimum.at(found, (start + window, number[units[:, 0]] + units[:, 1]), np.repeat(reach, lengths))
    return found


def _least_l1(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) the least |u| + |v| on the segments from a to b, (n, 2): at an end, or where u or v is 0."""
    least = np.minimum(np.abs(a).sum(1), np.abs(b).sum(1))
    for i in (0, 1):
        step = a[:, i] - b[:, i]
        t = np.clip(np.divide(a[:, i], step, out=np.zeros(len(a)), where=step != 0), 0.0, 1.0)[:, None]
        least = np.minimum(least, np.abs(a + t * (b - a)).sum(1))
    shortest: np.ndarray = least
    return shortest
