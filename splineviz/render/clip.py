"""Convex clipping on the plane: the part of a window whose input coordinates all lie in a range. No
sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.plane import Plane, Window

__all__ = ["clip_half_plane", "valid_polygon"]

_SLACK = 1e-9  # of the range; coordinates equal at all anchors are constant on the plane only up to rounding


def valid_polygon(plane: Plane, window: Window, low: Any, high: Any) -> Float64[np.ndarray, "corner 2"]:
    """The convex part of the window where every input coordinate lies in [low, high]; (0, 2) if there is
    none.

    Each input coordinate is affine in uv, so this is the window cut by 2 D half planes. A coordinate may pass
    a bound by a billionth of its range.

    Parameters
    ----------
    plane, window
        Where.
    low, high
        Numbers, or arrays that broadcast to the plane's input shape.

    Raises
    ------
    InputError
        If a range is empty or not finite, or the bounds do not fit the input.

    Examples
    --------
    >>> valid_polygon(Plane.identity(), Window.box(-1, 3, -1, 3), 0.0, 1.0).round(6).tolist()
    [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    """
    low, high = _bounds(plane, low, high)
    above = np.column_stack([plane.basis.T, plane.origin - low])
    below = np.column_stack([-plane.basis.T, high - plane.origin])
    with np.errstate(over="ignore"):
        rows = np.vstack([above, below]) / np.tile(high - low, 2)[:, None]
    if not np.isfinite(rows).all():
        raise InputError(
            "the range is too narrow or too wide to be told apart from its bounds",
            hint="low < high, of the size that the data have",
        )
    polygon = np.asarray(window.vertices, dtype=np.float64)
    while len(polygon) >= 3:
        # Only the half plane that is violated most can matter next; each is used once, so this ends.
        values = rows[:, :2] @ polygon.T + rows[:, 2:]
        worst = values.min(1)
        row = int(worst.argmin()) if len(worst) else 0
        if len(worst) == 0 or worst[row] >= -_SLACK:
            break
        polygon = clip_half_plane(polygon, values[row])
        rows = np.delete(rows, row, axis=0)
    return polygon if len(polygon) >= 3 else np.zeros((0, 2))


def _bounds(plane: Plane, low: Any, high: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both bounds of each input coordinate, (D,)."""
    try:
        lower, upper = (
            np.broadcast_to(np.asarray(b, dtype=np.float64), plane.input_shape).ravel() for b in (low, high)
        )
    except ValueError as error:
        raise InputError(
            f"the bounds of the valid range must be numbers or arrays that broadcast to the input shape "
            f"{plane.input_shape}, "
            f"got shapes {np.shape(low)} and {np.shape(high)}"
        ) from error
    if not (np.isfinite(lower).all() and np.isfinite(upper).all() and (lower < upper).all()):
        got = (
            f", got ({low:g}, {high:g})"
            if np.ndim(low) == np.ndim(high) == 0
            else " for every input coordinate"
        )
        raise InputError(f"the valid range must be two finite numbers low < high{got}")
    return lower, upper


def clip_half_plane(polygon: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The part of a convex polygon (k, 2) where the affine function with these corner ``values`` (k,) is >=
    0."""
    following, after = np.roll(polygon, -1, 0), np.roll(values, -1)
    crosses = ((values < 0) & (after > 0)) | ((values > 0) & (after < 0))
    t = np.divide(values, values - after, out=np.zeros_like(values), where=crosses)
    cuts = polygon + t[:, None] * (following - polygon)
    both = np.stack([polygon, cuts], 1).reshape(-1, 2)
    return both[np.stack([values >= 0, crosses], 1).ravel()]
