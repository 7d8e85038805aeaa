"""Line segments as one artist, which takes them block by block while it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.backend_bases import RendererBase
from matplotlib.path import Path

__all__ = ["Segments"]

_PER_PATH = 2000


class Segments(Artist):
    """Line segments of one colour and width, drawn as compound paths of 2,000: within one, transparent lines
    do not add up where they meet.

    Parameters
    ----------
    blocks
        Makes the segments, some (n, 2, 2) data coordinates at a time, whenever they are drawn.
    color, alpha
        Colour as matplotlib takes it, and its opacity.
    width
        Points.
    """

    def __init__(
        self,
        blocks: Callable[[], Iterable[Float64[np.ndarray, "segment 2 2"]]],
        *,
        color: Any,
        width: float,
        alpha: float = 1.0,
        zorder: float,
    ) -> None:
        super().__init__()
        self.blocks, self.color, self.width, self.alpha = blocks, color, width, alpha
        self.set_zorder(zorder)

    @allow_rasterization  # type: ignore[untyped-decorator]
    def draw(self, renderer: RendererBase) -> None:
        """Draw all segments."""
        if not self.get_visible():
            return
        gc = renderer.new_gc()
        self._set_gc_clip(gc)  # type: ignore[attr-defined]
        gc.set_alpha(self.alpha)
        gc.set_foreground(self.color)
        gc.set_linewidth(self.width)
        gc.set_capstyle("round")
        renderer.open_group("segments", self.get_gid())
        to_pixels = self.get_transform()
        codes = np.tile(np.array([Path.MOVETO, Path.LINETO], dtype=Path.code_type), _PER_PATH)
        for block in self.blocks():
            points = block.reshape(-1, 2)
            for first in range(0, len(points), len(codes)):
                some = points[first : first + len(codes)]
                path = Path(some, codes[: len(some)])
                path.should_simplify = False
                renderer.draw_path(gc, path, to_pixels)
        renderer.close_group("segments")
        gc.restore()
        self.stale = False
