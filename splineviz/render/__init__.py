"""Pictures of an arrangement: :func:`draw` on Axes, :func:`save_figure` to PNG, SVG or PDF. Knows no
torch."""

from __future__ import annotations

from splineviz.render.figure import draw
from splineviz.render.save import save_figure

__all__ = ["draw", "save_figure"]
