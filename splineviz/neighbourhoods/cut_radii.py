"""The radius from which on each unit cuts the neighbourhood of a point: n_cut for all radii, from one
arrangement."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from jaxtyping import Float64

from splineviz.engine.budget import Effort
from splineviz.errors import InputError
from splineviz.neighbourhoods.diamonds import arranged, planes_through, whole
from splineviz.neighbourhoods.reach import least_scale
from splineviz.plane import Window
from splineviz.program.program import Program

__all__ = ["cut_radii"]


def cut_radii(
    program: Program,
    points: Any,
    axes: np.ndarray,
    radius: float,
    seconds: float | None = None,
    **effort: Unpack[Effort],
) -> Float64[np.ndarray, "point unit"]:
    """The radius from which on the diamond round each point is cut by each unit; inf where that is above
    ``radius``.

    Units are numbered stage after stage, and ``axes`` are those of one plane. The number of units with a
    radius below r is n_cut at r: one arrangement tells it for all r.

    Raises
    ------
    InputError
        If ``seconds`` end before, or points and axes do not fit the program.
    """
    planes, _ = planes_through(program, points, axes)
    number = np.cumsum([0, *(stage.n_units for stage in program.stages)])
    unit = Window.diamond(1.0)  # its scale is the radius
    found = np.full((len(planes), number[-1]), np.inf)
    n_done = 0
    for start, arr in arranged(program, planes, Window.diamond(radius), seconds, **effort):
        n_done += int(whole(arr).sum())
        reach = least_scale(unit, np.zeros(2), *arr.vertices[arr.edges].transpose(1, 0, 2))
        units, lengths = arr.edge_units.values, arr.edge_units.lengths
        window = np.repeat(arr.cell_window[arr.edge_cells.max(1)], lengths)
        np.minimum.at(found, (start + window, number[units[:, 0]] + units[:, 1]), np.repeat(reach, lengths))
    if n_done < len(planes):
        raise InputError(
            "time was up before it was known at which radius units cut", hint="more time, or a radius"
        )
    return found
