"""Axes and figures of our own, which pyplot does not know and so would not show."""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from splineviz.render.style import styled

__all__ = ["PictureAxes", "PictureFigure"]

_DPI = 144


class PictureFigure(Figure):
    """A figure that a notebook shows."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        with styled():
            self.savefig(buffer, format="png", dpi=_DPI, facecolor="white")
        return buffer.getvalue()


class PictureAxes(Axes):
    """Axes that a notebook shows as the picture they are on."""

    def _repr_png_(self) -> bytes:
        figure = self.get_figure(root=True)
        assert isinstance(figure, PictureFigure)
        return figure._repr_png_()
