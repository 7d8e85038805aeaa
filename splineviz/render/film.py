"""The picture of one frame of an animation: a slice on a sheet whose size and places are the same for all
frames."""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from splineviz.render.figure import draw
from splineviz.render.figure_layout import beside_frame, frame, ratio, side_for, under_frame
from splineviz.render.style import BOUNDARY, SMALL, styled
from splineviz.showing import in_line, in_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from splineviz.arrangement.result import Arrangement
    from splineviz.plane import Window

__all__ = ["Sheet", "new_figure", "save_film_figure", "save_picture"]

_MARGIN = 0.06
_ABOVE = 0.24
_PANEL = 2.6
"""Height that the column at the right has at least"""


@dataclass(frozen=True)
class Sheet:
    """The size of all frames, and what stands around the slice: ``width`` in inches, the column of the
    ``legend`` included; ``dpi`` pixels per inch; ``ticks`` on the axes; letters in SVG as ``text``."""

    bounds: tuple[float, float, float, float]
    width: float
    dpi: float
    legend: bool = True
    ticks: bool = False
    text: bool = False

    def __post_init__(self) -> None:
        _ = self.side  # refuses a width that leaves no room for the slice

    @property
    def side(self) -> float:
        """Width of the slice in inches."""
        return side_for(self.bounds, self.width - sum(self._beside), self.legend)

    @property
    def height(self) -> float:
        """Height in inches of the slice with its title and its footer, in which a warning has a line."""
        return self._tall + _ABOVE + under_frame(self.ticks, 1) + _MARGIN

    @property
    def _tall(self) -> float:
        tall = self.side * ratio(self.bounds)
        return max(tall, _PANEL) if self.legend else tall

    @property
    def _beside(self) -> tuple[float, float]:
        return beside_frame(self.ticks, self.legend)

    def axes(self, figure: Figure) -> Axes:
        """Add the axes that the slice is drawn on."""
        tall = self.side * ratio(self.bounds)
        left, bottom = _MARGIN + self._beside[0], self.height - _ABOVE - tall
        return figure.add_axes(
            (left / self.width, bottom / self.height, self.side / self.width, tall / self.height)
        )


def new_figure(width: float, height: float, dpi: float) -> Figure:
    """A figure of our own, which pyplot does not know."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save_picture(
    path: str | os.PathLike[str],
    sheet: Sheet,
    window: Window,
    arr: Arrangement | None,
    *,
    title: str,
    message: str = "",
    **style: Any,
) -> None:
    """Draw the slice of one checkpoint as .png or .svg; without an arrangement, a marked sheet that says why
    there is none.

    ``style`` holds options of :func:`splineviz.draw`.
    """
    with styled(text=sheet.text):
        figure = new_figure(sheet.width, sheet.height, sheet.dpi)
        ax = sheet.axes(figure)
        if arr is not None:
            draw(
                arr,
                ax,
                title=title,
                legend=sheet.legend,
                ticks=sheet.ticks,
                fill="raster" if os.fspath(path).endswith(".png") else "vector",
                **style,
            )
        else:
            _mark(ax, sheet, window, message)
            ax.set_title(in_picture(title), loc="left", pad=4, parse_math=False)
        save_film_figure(figure, path)


def save_film_figure(figure: Figure, target: Any, salt: str = "") -> None:
    """Identical bytes for identical content. ``salt`` keeps the names within an SVG apart from those of
    another one beside it."""
    import matplotlib as mpl

    suffix = os.fspath(target).rpartition(".")[2] if isinstance(target, (str, os.PathLike)) else "svg"
    metadata = {"Software": None} if suffix == "png" else {"Date": None, "Creator": None}
    with mpl.rc_context({"svg.hashsalt": f"splineviz{salt}"}):
        figure.savefig(target, format=suffix, dpi=figure.dpi, metadata=metadata, facecolor="white")


def _mark(ax: Axes, sheet: Sheet, window: Window, message: str) -> None:
    from matplotlib.patches import Polygon

    frame(ax, window.bounds, sheet.ticks)
    style: dict[str, Any] = {"closed": True, "facecolor": "0.96", "edgecolor": "0.75", "linewidth": 0.8}
    ax.add_patch(Polygon(window.vertices, hatch="//", **style))
    text = "\n".join(textwrap.wrap(in_line(message), int(14 * sheet.side)))
    box = {"facecolor": "white", "edgecolor": BOUNDARY, "linewidth": 0.8, "boxstyle": "round,pad=0.6"}
    ax.text(
        0.5,
        0.5,
        text,
        transform=ax.transAxes,
        ha="center",
        va="center",
        size=SMALL,
        color=BOUNDARY,
        bbox=box,
        parse_math=False,
    )
