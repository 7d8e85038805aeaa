"""Diamonds round many points, on planes through them: the neighbourhoods in which local complexity is
counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from splineviz.choices import Certify
from splineviz.engine.arrange import arrange_with
from splineviz.engine.budget import Budget, Resources
from splineviz.errors import InputError
from splineviz.estimators.frames import frames, shared_frame
from splineviz.estimators.request import checked_points
from splineviz.inputs import real_number
from splineviz.plane import Plane, Window
from splineviz.program.program import Program
from splineviz.values.propagation import Propagator

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["arranged", "plane_frames", "planes_through", "whole"]

_TOGETHER = 512
"""Windows in one walk, at most: enough for its fixed costs not to count."""
_ROUNDING = 1e-9
"""Generous share of the sum of the areas of cells that cover a window, for its rounding."""
_CELLS = 20_000
"""Cells in one walk, about: what is counted is kept, and not the cells themselves."""


def plane_frames(dim: int, n_points: int, planes: int, frame: str, seed: int, first: int = 0) -> np.ndarray:
    """(plane, 2, D), or (plane, point, 2, D) where each point has its own: the first two axes of the proxy's
    frames of seed + j."""
    if frame not in ("shared", "per-point"):
        raise InputError(f"frame must be 'shared' or 'per-point', got {frame!r}")
    if dim < 2:
        raise InputError(
            "a plane needs an input space of at least two dimensions, got 1",
            hint="sv.segment(model, a, b), in Python, for the cells along a line",
        )
    if frame == "shared":
        return np.stack([shared_frame(dim, 2, seed + j) for j in range(planes)])
    return np.stack([frames(dim, 2, seed + j, first, n_points) for j in range(planes)])


def planes_through(program: Program, points: Any, axes: Any) -> tuple[list[Plane], int]:
    """Planes through all points, point after point for each, and the number of planes of a point."""
    if not program.stages:
        raise InputError(
            "the network has no unit whose state could change", hint="a linear network is one cell everywhere"
        )
    x = checked_points(points, program.input_shape).flatten(1).cpu().numpy()
    pairs = np.asarray(axes, dtype=np.float64)
    fitting = (2, x.shape[1]), (len(x), 2, x.shape[1])
    if pairs.shape[1:] not in fitting or not len(pairs):
        wanted = f"(planes, 2, {x.shape[1]}) or (planes, {len(x)}, 2, {x.shape[1]})"
        raise InputError(f"axes must have shape {wanted}, got {pairs.shape}")
    shape, anchor = program.input_shape, np.zeros((1, 2))
    # Planes with one basis share the array, by which a walk knows them to be parallel.
    of_points = ([pair] * len(x) if pair.ndim == 2 else pair for pair in pairs)
    return [
        Plane(p, pair, shape, anchor) for of_plane in of_points for p, pair in zip(x, of_plane, strict=True)
    ], len(pairs)


def arranged(
    program: Program,
    planes: list[Plane],
    window: Window,
    seconds: float | None,
    certify: Certify = "fast",
    **resources: Unpack[Resources],
) -> Iterator[tuple[int, Arrangement]]:
    """Arrangements of one window on all planes, as many at once as will have about the cells that may be
    held; each with its first plane."""
    if seconds is not None:
        seconds = real_number(seconds, "seconds", above=0.0, infinite=True)
    start, together, deadline = (
        0,
        min(64, len(planes)),
        None if seconds is None else time.monotonic() + seconds,
    )
    propagator = Propagator()
    while start < len(planes):
        some = planes[start : start + together]
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return
        budget = Budget.of(seconds=left, **resources)
        arr = arrange_with(propagator, budget, program, some, [window] * len(some), certify=certify)
        yield start, arr
        start += len(some)
        together = max(1, min(_TOGETHER, _CELLS * len(some) // max(1, arr.n_cells)))


def whole(arr: Arrangement) -> np.ndarray:
    """(window,) whether its cells cover it, which they may not where time was up."""
    if arr.status.covers:
        return np.ones(len(arr.windows), dtype=bool)
    covered: np.ndarray = np.bincount(arr.cell_window, arr.areas, len(arr.windows))
    return covered >= (1.0 - _ROUNDING) * arr.windows[0].area
