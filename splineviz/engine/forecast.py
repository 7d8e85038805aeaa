"""Forecast of an arrangement: cells, time and memory from small copies of its window, arranged exactly."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.result import Arrangement
from splineviz.choices import Certify
from splineviz.engine.arrange import arrange_with, program_on
from splineviz.engine.budget import Budget, Effort, Resources
from splineviz.errors import InputError
from splineviz.inputs import real_number
from splineviz.plane import Plane, Window
from splineviz.program.models import Model
from splineviz.program.program import Program
from splineviz.values.propagation import Device, Propagator

__all__ = ["Forecast", "NoForecastError", "forecast"]

_COPIES = 32
_FIRST = 2.0**-11
_ENOUGH = 2_000
"""Cells in all copies from which on more copies, and not larger ones, tell more"""
_GOOD = 0.15
"""Error that is good enough, as a share of the cells"""
_PROVEN_COPIES = 8
_WHOLE = 0.2
"""Share of the window in all copies from which on the window itself costs no more"""
_ERRORS = 2.0
"""Standard errors on each side of the number of cells"""
_STEP = 1.324717957244746 ** -np.arange(1.0, 3.0)
"""Step from one copy to the next, as a share of the sides of the window's bounds"""


class NoForecastError(InputError):
    """Not even small copies of the window were arranged in the time that there was."""


@dataclass(frozen=True)
class Forecast:
    """Cells, time and memory of an arrangement, from a sample of its window."""

    cells: float
    """Expected number of cells"""
    low: float
    high: float
    """Two standard errors below and above it, over the copies"""
    seconds: float
    """Time of the arrangement, from that of the copies: of the right order, on an idle machine"""
    at_least: bool
    """Whether it takes longer than that: proofs did not come to an end even in a few copies"""
    memory: float
    """Bytes of the result; the work takes ``max_memory`` on top"""
    sampled: int
    """Cells of the copies"""
    scale: float
    """Side of a copy, as a share of the window's; 1 where the window itself was arranged, and all is exact"""
    spent: float
    """Seconds that the forecast took"""

    @property
    def exact(self) -> bool:
        """Whether the window itself was arranged."""
        return self.scale == 1.0


def forecast(
    program: Model | Program,
    plane: Plane,
    window: Window,
    *,
    stage: int | None = None,
    seconds: float = 5.0,
    device: Device = None,
    **effort: Unpack[Effort],
) -> Forecast:
    """Forecast of :func:`splineviz.arrange`: about how many cells, how long, how much memory.

    Small copies of the window, evenly spread over it, are arranged exactly, larger and then more of them,
    until they tell the number of cells to 15 % or ``seconds`` are over. By Euler's formula a window has
    1 + sum (d / 2 - 1) cells, over all vertices of degree d: those inside grow with its area, those on the
    rim with its length, and so each is extrapolated.

    Parameters
    ----------
    seconds
        Time for the forecast, about: no copies are arranged that are expected to take longer.
    stage, device, **effort
        As they will be for :func:`splineviz.arrange`.

    Raises
    ------
    InputError
        As for :func:`splineviz.arrange`; or if copies were not done in ten times the time.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> program = sv.load_program(torch.nn.Sequential(torch.nn.Linear(2, 9), torch.nn.ReLU()))
    >>> window = sv.Window.box(-9, 9, -9, 9)
    >>> ahead = sv.forecast(program, sv.Plane.identity(), window)
    >>> ahead.exact, ahead.cells == sv.arrange(program, sv.Plane.identity(), window).n_cells
    (True, True)
    """
    seconds = real_number(seconds, "seconds", above=0.0)
    began, certify = time.perf_counter(), effort.pop("certify", "fast")
    probe = _Probe(program_on(program, plane), plane, window, stage, Propagator.on(device), effort)
    longest = 10.0 * max(1.0, seconds)
    n, scale, before = _COPIES, _FIRST, (0, 0.0)
    while True:
        arr, took = probe.arrange(n, scale, "off", longest)
        if not arr.status.covers:
            raise NoForecastError(
                f"windows of {scale:.1g} of this one were not arranged in {longest:g} s",
                hint="a smaller window, or fewer stages",
            )
        sampled, counts = scale, _extrapolated(arr, scale)
        cells, pace = float(np.mean(counts)), _pace(before, (arr.n_cells, took))
        error = _ERRORS * float(np.std(counts)) / math.sqrt(max(1, n - 1))
        if scale == 1.0 or (arr.n_cells >= _ENOUGH and error <= _GOOD * cells):
            break
        left, known = seconds - (time.perf_counter() - began), before[0] > 0
        before = arr.n_cells, took
        if arr.n_cells < _ENOUGH:
            scale *= 2.0 if arr.n_cells > 8 * n else 4.0
        else:
            n *= 4
        if n * scale**2 > _WHOLE:
            n, scale = 1, 1.0
        if known and (pace * cells if scale == 1.0 else 4.0 * took) > left:
            break
    factor, at_least = (1.0, False) if certify == "off" else probe.proofs(sampled, certify, seconds)
    return Forecast(
        cells=cells,
        low=max(1.0, cells - error),
        high=cells + error,
        seconds=factor * pace * cells,
        at_least=at_least,
        memory=_size(arr) / max(1, arr.n_cells) * cells,
        sampled=arr.n_cells,
        scale=sampled,
        spent=time.perf_counter() - began,
    )


@dataclass(frozen=True, eq=False)
class _Probe:
    """Small copies of a window, to be arranged."""

    program: Program
    plane: Plane
    window: Window
    stage: int | None
    propagator: Propagator
    resources: Resources

    def arrange(self, n: int, scale: float, certify: Certify, seconds: float) -> tuple[Arrangement, float]:
        """The arrangement of so many copies of a scale, and the seconds it took."""
        began = time.perf_counter()
        places = [None] if scale == 1.0 else list(_places(self.window, n))
        copies = [self.window.scaled(scale, place) for place in places]
        arr = arrange_with(
            self.propagator,
            Budget.of(seconds=seconds, **self.resources),
            self.program,
            [self.plane] * len(copies),
            copies,
            stage=self.stage,
            certify=certify,
        )
        return arr, time.perf_counter() - began

    def proofs(self, scale: float, certify: Certify, seconds: float) -> tuple[float, bool]:
        """How many times as long a few copies take with proofs, and whether time was up before that was
        known."""
        few = _PROVEN_COPIES, min(scale, 1.0 / _PROVEN_COPIES)
        _, plain = self.arrange(*few, "off", seconds)
        arr, proven = self.arrange(*few, certify, seconds)
        return max(1.0, proven / plain), not arr.status.covers


def _places(window: Window, n: int) -> Float64[np.ndarray, "copy 2"]:
    """(copy, 2) uv of points inside the window, evenly spread: fractions of the multiples of 1/p and 1/p^2 in
    its bounds, p^3 = p + 1 (a Kronecker sequence of the plastic ratio)."""
    low, high = window.vertices.min(0), window.vertices.max(0)
    points = low + np.arange(1, 64 * n + 1)[:, None] * _STEP % 1.0 * (high - low)
    along = np.roll(window.vertices, -1, 0) - window.vertices
    towards = points[:, None] - window.vertices
    inside = (along[:, 0] * towards[..., 1] > along[:, 1] * towards[..., 0]).all(1)
    found: np.ndarray = points[inside][:n]
    return np.resize(found if len(found) else window.centre, (n, 2))


def _extrapolated(arr: Arrangement, scale: float) -> Float64[np.ndarray, "copy"]:
    """For each copy the number of cells that the window would have if it were like the copy throughout."""
    n = len(arr.windows)
    degree = np.bincount(arr.edges.ravel(), minlength=arr.n_vertices)
    rim = np.zeros(arr.n_vertices, bool)
    rim[arr.edges[(arr.edge_cells < 0).any(1)]] = True
    window_of = np.zeros(arr.n_vertices, np.int64)
    window_of[arr.cells.values] = np.repeat(arr.cell_window, arr.cells.lengths)
    share = np.where(rim, 1.0 / scale, 1.0 / scale**2) * (0.5 * degree - 1.0)
    counts: np.ndarray = 1.0 + np.bincount(window_of, share, n)
    return counts


def _pace(before: tuple[int, float], this: tuple[int, float]) -> float:
    """Seconds a cell, from what the cells took that larger copies have more: fixed costs, and compiling,
    cancel."""
    more, longer = this[0] - before[0], this[1] - before[1]
    return longer / more if more > 0 and longer > 0 else this[1] / max(1, this[0])


def _size(arr: Arrangement) -> int:
    """Bytes of the arrays of an arrangement."""
    arrays = [arr.vertices, arr.cells.offsets, arr.cells.values, arr.cell_edges, arr.edges, arr.edge_cells]
    arrays += [arr.edge_units.offsets, arr.edge_units.values, arr.pattern_hash]
    return sum(array.nbytes for array in [*arrays, *(array for pair in arr.patterns for array in pair)])
