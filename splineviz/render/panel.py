"""Thumbnails, colour bar and legends beside or below the data, placed in inches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from splineviz.render.cellcolor import CellColors
from splineviz.render.legends import write_labels
from splineviz.render.style import COLUMN_GAP, INK, MUTED, PANEL_GAP, PANEL_WIDTH, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

__all__ = ["Panel"]

_ROW = SMALL * 1.5 / 72
_SPACE = 0.13


class Panel:
    """Places things beside ``ax``, or below it in columns, so that nothing covers the data; keeps its place
    when the figure is resized.

    ``below`` is how far under the axes, in inches, the first row begins; None is for one column at the right.
    """

    def __init__(self, ax: Axes, *, below: float | None = None, columns: int = 1) -> None:
        self.ax = ax
        self._below, self._columns, self._column = below is not None, columns, 0
        self._left = 0.0 if self._below else PANEL_GAP
        self._first = self._row = self._y = self._deepest = below or 0.0

    @property
    def height(self) -> float:
        """Inches that have been used so far."""
        return max(self._deepest, self._y) - self._first

    def frame(self) -> Transform:
        """Inches to the right of and above the upper right corner of the axes; or the lower left one."""
        from matplotlib.transforms import ScaledTranslation

        x, y = (0, 0) if self._below else (1, 1)
        return self._inches() + ScaledTranslation(x, y, self.ax.transAxes)  # type: ignore[arg-type]

    def _inches(self) -> Transform:
        figure = self.ax.get_figure(root=True)
        assert figure is not None
        return figure.dpi_scale_trans

    def heading(self, text: str, *, math: bool = False) -> None:
        """A line of small type, in which dollars enclose formulas only with ``math``."""
        self.ax.text(
            self._left,
            -self._y,
            text,
            transform=self.frame(),
            size=SMALL,
            color=INK,
            va="top",
            ha="left",
            clip_on=False,
            parse_math=math,
        )
        self._y += _ROW * (text.count("\n") + 1)

    def space(self) -> None:
        """A gap before the next thing, or the next column."""
        self._y += _SPACE
        self._deepest = max(self._deepest, self._y)
        if self._columns > 1:
            self._column = (self._column + 1) % self._columns
            self._row = self._row if self._column else self._deepest
            self._left, self._y = self._column * (PANEL_WIDTH + COLUMN_GAP), self._row

    def images(
        self,
        images: Sequence[Any],
        letters: Sequence[str],
        captions: Sequence[str],
        limits: tuple[float, float],
    ) -> None:
        """A row (or several) of three square pictures with a letter above and a caption below each."""
        gap = 0.07
        side = (PANEL_WIDTH - 2 * gap) / 3
        caption_height = max((caption.count("\n") + 1 if caption else 0) for caption in captions) * _ROW
        for start in range(0, len(images), 3):
            self._y += _ROW
            for column, k in enumerate(range(start, min(start + 3, len(images)))):
                left = self._left + column * (side + gap)
                inset = self.ax.inset_axes((left, -self._y - side, side, side), transform=self.frame())
                inset.set_label(f"thumbnail {letters[k]}")
                inset.imshow(
                    images[k],
                    cmap="gray",
                    vmin=limits[0],
                    vmax=limits[1],
                    interpolation="nearest",
                    aspect="equal",
                )
                inset.set_xticks([])
                inset.set_yticks([])
                middle = left + side / 2
                place: dict[str, Any] = {
                    "transform": self.frame(),
                    "ha": "center",
                    "clip_on": False,
                    "size": SMALL,
                    "parse_math": False,
                }
                self.ax.text(
                    middle, -self._y + 0.02, letters[k], va="bottom", weight="bold", color=INK, **place
                )
                self.ax.text(middle, -self._y - side - 0.03, captions[k], va="top", color=MUTED, **place)
            self._y += side + caption_height + 0.03
        self.space()

    def scale(self, colors: CellColors) -> None:
        """What the colours of the fills say: a bar, a sentence, or nothing where they say nothing."""
        if colors.norm is not None:
            self.colorbar(colors)
        elif colors.label:
            self.heading(colors.label)
            self.space()

    def colorbar(self, colors: CellColors) -> None:
        """A horizontal bar with its label above."""
        from matplotlib.cm import ScalarMappable

        self.heading(colors.label, math=True)
        self._y += 0.03
        inset = self.ax.inset_axes((self._left, -self._y - 0.09, PANEL_WIDTH, 0.09), transform=self.frame())
        inset.set_label("colour bar")
        figure = self.ax.get_figure(root=True)
        assert figure is not None
        bar = figure.colorbar(
            ScalarMappable(colors.norm, colors.cmap),
            cax=inset,
            orientation="horizontal",
            extend=colors.extend,
            extendfrac=0.04,
        )
        bar.outline.set_linewidth(0.5)
        if colors.ticks is not None:
            bar.set_ticks(list(colors.ticks), labels=[_stage_tick(t) for t in colors.ticks])
        else:
            _few_ticks(bar)
        inset.tick_params(labelsize=SMALL, length=2, pad=1.5, which="major")
        inset.tick_params(length=1.2, which="minor", labelbottom=False)
        self._y += 0.09 + 0.15
        self.space()

    def legend(
        self, handles: Sequence[Any], labels: Sequence[str], *, columns: int = 1, title: str = ""
    ) -> None:
        """A frameless legend, read row by row; its height follows from the number of rows."""
        from matplotlib.legend import Legend

        if not handles:
            return
        if title:
            self.heading(title)
        by_row = [k for column in range(columns) for k in range(column, len(handles), columns)]
        legend = Legend(
            self.ax,
            [handles[k] for k in by_row],
            ["-"] * len(by_row),
            loc="upper left",
            bbox_to_anchor=(self._left, -self._y),
            bbox_transform=self.frame(),
            frameon=False,
            fontsize=SMALL,
            labelcolor=INK,
            ncols=columns,
            handlelength=1.5,
            handletextpad=0.5,
            columnspacing=0.9,
            labelspacing=0.5,
            borderpad=0.0,
            borderaxespad=0.0,
        )
        legend.set_in_layout(True)
        write_labels(legend, [labels[k] for k in by_row])
        self.ax.add_artist(legend)
        legend.set_clip_on(False)
        rows = -(-len(handles) // columns)
        self._y += rows * _ROW
        self.space()


def _stage_tick(value: float) -> str:
    return f"{value:.0f}" if value >= 0 else "none"


def _few_ticks(bar: Any) -> None:
    """About four round ticks, also on a logarithmic bar that spans less than a decade."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, MaxNLocator, NullLocator

    if not isinstance(bar.norm, LogNorm):
        bar.locator = MaxNLocator(4)
        bar.update_ticks()
        return
    low, high = bar.norm.vmin, bar.norm.vmax
    assert low is not None
    assert high is not None
    spread = high / low
    if spread < 20:
        bar.locator = MaxNLocator(4)
        bar.formatter = FuncFormatter(lambda x, _: f"{x:.3g}")
    elif spread < 500:
        bar.locator = LogLocator(subs=(1.0, 2.0, 5.0) if spread < 100 else (1.0, 3.0))
        bar.formatter = FuncFormatter(lambda x, _: f"{x:.3g}")
    else:
        bar.locator = LogLocator(numticks=5)
        bar.formatter = LogFormatterMathtext()
    bar.minorlocator = NullLocator()
    bar.update_ticks()
