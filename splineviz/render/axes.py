"""Axes on a figure of our own, which pyplot does not know and so would not show."""

from __future__ import annotations

import io

from matplotlib.axes import Axes

from splineviz.render.style import styled

__all__ = ["PictureAxes"]

_DPI = 144


class PictureAxes(Axes):
    """Axes that a notebook shows as the picture they are on."""

    def _repr_png_(self) -> bytes:
        figure = self.get_figure(root=True)
        assert figure is not None
        buffer = io.BytesIO()
        with styled():
            figure.savefig(buffer, format="png", dpi=_DPI, facecolor="white")
        return buffer.getvalue()
