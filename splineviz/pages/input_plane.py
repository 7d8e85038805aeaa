"""The inputs of a plane in the scale and the layout of the data, for a page that draws the one at a point."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from splineviz.plane import Plane, Window
from splineviz.render.anchors import as_picture, is_pictured

__all__ = ["input_plane"]

_TABLE = 16
"""Numbers up to which an input is a table, and no curve"""
_MOST = 1_000_000
"""Numbers up to which an input is kept: twelve bytes each"""


def input_plane(
    plane: Plane, window: Window, images: Sequence[Any] | bool | None, data_scale: tuple[Any, Any]
) -> dict[str, Any] | None:
    """Origin and directions of a plane as an image, (H, W) or (H, W, 3), a curve or a table: an input is
    origin + u * U + v * V. None where it has more than a million numbers.

    Parameters
    ----------
    plane, window
        Where.
    images
        As for :func:`splineviz.draw`: pictures of the anchors, whose shape is that of the data; False where
        inputs are no pictures.
    data_scale
        Entries of an input that stand for 0 and for 1 in the scale of the data.
    """
    if plane.dim > _MOST:
        return None
    low, high = (np.asarray(bound, dtype=np.float64) for bound in data_scale)
    origin = (plane.origin.reshape(plane.input_shape) - low) / (high - low)
    rows = [origin, *(row.reshape(plane.input_shape) / (high - low) for row in plane.basis)]
    layout = None if images is False else _pictured_shape(plane, images)
    if layout is None:
        kind, rows = "table" if plane.dim <= _TABLE else "curve", [row.ravel() for row in rows]
    else:
        kind, rows = "image", [as_picture(row.reshape(layout)) for row in rows]
    colored = kind == "image" and rows[0].ndim == 3
    least, most = _range(_inputs(rows, plane.anchors), colored=colored)
    if not most > least:  # no anchors, or points of one value
        least, most = _range(_inputs(rows, window.vertices), colored=colored)
    names = ("origin", "u", "v")
    return {
        "kind": kind,
        "shape": list(rows[0].shape),
        **{name: _singles(row) for name, row in zip(names, rows, strict=True)},
        "low": least,
        "high": most,
    }


def _pictured_shape(plane: Plane, images: Sequence[Any] | bool | None) -> tuple[int, ...] | None:
    """Shape in which inputs are images: the network's own, or that of the pictures of the anchors."""
    if is_pictured(plane.input_shape):
        return plane.input_shape
    if images is None or isinstance(images, bool) or not len(images):
        return None
    shape = tuple(np.shape(images[0]))
    return shape if math.prod(shape) == plane.dim else None


def _inputs(rows: Sequence[np.ndarray], uv: Float64[np.ndarray, "point 2"]) -> list[np.ndarray]:
    return [rows[0] + u * rows[1] + v * rows[2] for u, v in uv.tolist()]


def _range(inputs: Sequence[np.ndarray], *, colored: bool) -> tuple[float, float]:
    """Values from the darkest to the brightest; of colours all that a screen shows, where they fit."""
    low = min((float(x.min()) for x in inputs), default=0.0)
    high = max((float(x.max()) for x in inputs), default=0.0)
    if colored:
        for whole in (1.0, 255.0):
            if low >= 0 and high <= whole:
                return 0.0, whole
    return low, high


def _singles(array: np.ndarray) -> str:
    """Numbers in single precision, little-endian, as base64."""
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode("ascii")
