"""A window of about so many cells: shrunk about a point of it until it holds them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np

from splineviz.engine.arrange import arrange, program_on
from splineviz.engine.budget import Limits
from splineviz.errors import InputError
from splineviz.inputs import numbers_of, real_number, whole_number
from splineviz.neighbourhoods.reach import least_scale
from splineviz.plane import Plane, Window
from splineviz.program.models import Model
from splineviz.program.program import Program

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["fit_window"]

_FIRST, _STEP = 2.0**-10, 8.0
_SMALLEST = 2.0**-40
_ROOM = 8
"""Cells that are arranged, as a multiple of those that are asked for, before a scale counts as too large"""
_AIM = 1.2
"""Cells that the next scale is to hold, over those that are asked for: more, since a window tells of smaller
ones"""


def fit_window(
    program: Model | Program,
    plane: Plane,
    window: Window,
    cells: int,
    *,
    about: Sequence[float] | np.ndarray | None = None,
    largest: float = 1.0,
    stage: int | None = None,
    **limits: Unpack[Limits],
) -> Window:
    """The window, scaled about a point until it holds a number of cells.

    Smaller ones are arranged, each about as large as the one before tells, until one holds so many; its cells
    tell the scale at which the last of them comes in.

    Parameters
    ----------
    cells
        Number of cells. The result holds so many, up to what rounding and decisions that rest on estimates
        do; more where several come in at once.
    about
        uv of the point that stays where it is, inside the window; by default the mean of its corners.
    largest
        Largest scale. The window of this scale is the result where it holds no more cells.
    stage, **limits
        As for :func:`splineviz.arrange`, ``seconds`` for all of it; decisions rest on estimates unless
        ``certify`` says otherwise.

    Raises
    ------
    InputError
        If ``cells`` is less than 1, the point does not lie inside the window, every scale holds more cells,
        or ``seconds`` end before the scale is known.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> _ = torch.manual_seed(0)
    >>> program = sv.load_program(torch.nn.Sequential(torch.nn.Linear(2, 99), torch.nn.ReLU()))
    >>> plane, window = sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9)
    >>> sv.arrange(program, plane, sv.fit_window(program, plane, window, 200)).n_cells
    200
    """
    cells, program = whole_number(cells, "cells", 1), program_on(program, plane)
    point = window.centre if about is None else numbers_of(about, "about")
    largest = real_number(largest, "largest", above=0.0)
    _check_inside(window, point)
    most = _ROOM * cells + 64
    how: Limits = {"certify": "off", **limits, "max_cells": most}
    if (seconds := limits.get("seconds")) is not None:
        seconds = real_number(seconds, "seconds", above=0.0, infinite=True)
    deadline = None if seconds is None else time.monotonic() + seconds
    scale, low, high = min(_FIRST, largest), 0.0, math.inf
    while True:
        if deadline is not None:
            how["seconds"] = max(1e-9, deadline - time.monotonic())
        arr = arrange(program, plane, window.scaled(scale, point), stage=stage, **how)
        if not arr.status.covers and arr.n_cells < most:
            raise InputError(
                f"time was up before a window of {cells:,} cells was found",
                hint="more seconds, or a window of your own",
                command_hint="more --seconds, or a window of your own: --radius, --box",
            )
        if arr.status.covers and arr.n_cells >= cells:
            return window.scaled(scale * _scale_of(arr, point, cells), point)
        if arr.status.covers and scale >= largest:
            return window.scaled(scale, point)
        low, high = (scale, high) if arr.status.covers else (low, scale)
        if high < _SMALLEST:
            raise InputError(
                f"all windows round this point hold more than {cells:,} cells: as many lines pass through it",
                hint="points moved a little off the data by noise leave the lines that ties make",
                command_hint="--jitter J moves the points off the data, and so off the lines that ties make",
            )
        if math.isfinite(high):
            scale = math.sqrt(low * high) if low else high / _STEP**2
        else:
            scale *= min(_STEP, max(1.1, math.sqrt(_AIM * cells / arr.n_cells)))
        scale = min(scale, largest)


def _check_inside(window: Window, point: np.ndarray) -> None:
    if point.shape != (2,) or not np.isfinite(point).all():
        raise InputError(f"about must be a finite point (u, v) of the plane, got {point.tolist()}")
    corners = window.vertices
    along, towards = np.roll(corners, -1, 0) - corners, point - corners
    if not (along[:, 0] * towards[:, 1] > along[:, 1] * towards[:, 0]).all():
        u, v = point
        raise InputError(
            f"the window is scaled about a point inside it, got ({u:g}, {v:g})",
            hint="about=None for its middle",
        )


def _scale_of(arr: Arrangement, point: np.ndarray, cells: int) -> float:
    """The scale, of the window of an arrangement, that holds so many of its cells: they come in one after the
    other, each where its nearest edge does."""
    nearest = least_scale(arr.windows[0], point, *arr.vertices[arr.edges].transpose(1, 0, 2))
    comes = np.full(arr.n_cells, np.inf)
    for side in (0, 1):
        of = arr.edge_cells[:, side]
        np.minimum.at(comes, of[of >= 0], nearest[of >= 0])
    comes[arr.locate(point[None])] = 0.0
    comes = np.sort(comes)
    if cells == len(comes) or (comes[cells - 1] == 0.0 and not (comes > 0.0).any()):
        return 1.0
    later = comes[cells:][comes[cells:] > comes[cells - 1]]
    return 1.0 if not len(later) else 0.5 * float(comes[cells - 1] + later[0])
