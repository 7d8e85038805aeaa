"""Mean colours of the polygons in each pixel.

A side that leads down adds the colour of its polygon to the pixels on the right of it, and one that leads up
takes it away again.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from splineviz.arrangement.raster import Bounds, Polygons, crossings, row_blocks

__all__ = ["mean_colors"]

_LINES = 4
"""In a row of pixels"""
_LEAST = 1e-3
"""Share of a pixel; sums in float32 leave less where there is nothing"""


def mean_colors(
    polygons: Polygons, rgb: UInt8[np.ndarray, "shown 3"], bounds: Bounds, shape: tuple[int, int]
) -> UInt8[np.ndarray, "row column 4"]:
    """Mean colour of the polygons in each pixel, and the share of it that they fill, the upper row first.

    Means are exact along four lines through each row of pixels. Arguments as for :func:`raster`.
    """
    height, width = shape
    sums = np.zeros((4, height * (width + 2)), dtype=np.float32)
    for part in crossings(polygons, bounds, (_LINES * height, width)):
        column = part.x.astype(np.int64)
        place, beyond = part.row // _LINES * (width + 2) + column, (part.x - column).astype(np.float32)
        sign = part.sign.astype(np.float32) / _LINES
        for k, channel in enumerate(sums):
            step = sign if k == 3 else sign * rgb[part.shown, k]
            np.add.at(channel, place, step * (1 - beyond))
            np.add.at(channel, place + 1, step * beyond)
    mixed = np.empty((height, width, 4), dtype=np.uint8)
    lines = sums.reshape(4, height, width + 2)[:, ::-1, :width]
    for some in row_blocks(shape):
        totals = lines[:, some].cumsum(2)
        totals[:3] /= np.where(totals[3] > _LEAST, totals[3], np.inf)
        totals[3] *= 255
        mixed[some] = np.rint(totals).clip(0, 255).transpose(1, 2, 0)
    return mixed
