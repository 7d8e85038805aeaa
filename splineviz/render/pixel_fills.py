"""Fills as pixels: an artist that finds the polygon of each pixel once the size of pixels is known."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float64, UInt8
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase

from splineviz.arrangement.blocks import blocks, by_blocks
from splineviz.render.raster import Polygons, mean_colors, raster

__all__ = ["PixelFills"]

_PIXELS = 1 << 21
"""That are worked on at a time"""


class PixelFills(Artist):
    """Fills of polygons, in data coordinates of linear axes, as one image.

    Each pixel has the colour of the polygon at its middle, so that no seam shows between neighbours; or the
    mean colour of what it shows, for fills whose sides no line covers.

    Parameters
    ----------
    polygons
        Those that are shown.
    rgb
        The colour of each, from 0 to 1.
    smooth
        Whether colours are mixed.
    """

    def __init__(self, polygons: Polygons, rgb: Float64[np.ndarray, "shown 3"], *, smooth: bool) -> None:
        super().__init__()
        self.set_zorder(1.0)
        self.polygons, self.smooth = polygons, smooth
        self.rgb: UInt8[np.ndarray, "shown 3"] = by_blocks(
            lambda part: np.rint(255 * rgb[part]).astype(np.uint8), len(rgb)
        )

    def image(
        self, bounds: tuple[float, float, float, float], shape: tuple[int, int]
    ) -> UInt8[np.ndarray, "row column 4"]:
        """Colours and opacity of pixels between some bounds (u0, u1, v0, v1), the upper row first."""
        (height, width), (u0, u1, v0, v1) = shape, bounds
        image = np.zeros((height, width, 4), dtype=np.uint8)
        for part in blocks(height, max(1, _PIXELS // width)):
            above, below = (v1 - (v1 - v0) * row / height for row in (part.start, part.stop))
            where = (u0, u1, below, above), (part.stop - part.start, width)
            if self.smooth:
                image[part] = mean_colors(self.polygons, self.rgb, *where)
                continue
            shown = raster(self.polygons, np.arange(len(self.rgb)), *where)
            image[part][shown >= 0, :3] = self.rgb[shown[shown >= 0]]
            image[part][..., 3] = np.where(shown >= 0, 255, 0)
        return image

    def draw(self, renderer: RendererBase) -> None:
        """Draw the image, pixel for pixel of the renderer, or of the images that a vector file holds."""
        if not self.get_visible() or self.axes is None:
            return
        left, low, right, high = self.axes.bbox.extents
        x, y = math.floor(left), math.floor(low)
        scale = renderer.get_image_magnification()
        width, height = (max(1, round(scale * n)) for n in (math.ceil(right) - x, math.ceil(high) - y))
        corners = [(x, y), (x + width / scale, y + height / scale)]
        (u0, v0), (u1, v1) = self.axes.transData.inverted().transform(corners)
        gc = renderer.new_gc()
        self._set_gc_clip(gc)  # type: ignore[attr-defined]
        renderer.draw_image(gc, x, y, self.image((u0, u1, v0, v1), (height, width))[::-1])
        gc.restore()
        self.stale = False
