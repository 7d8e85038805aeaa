"""The column at the right of the data: thumbnails, colour bar and legends, stacked downwards in inches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from splineviz.render.cellcolor import CellColors
from splineviz.render.style import INK, MUTED, PANEL_GAP, PANEL_WIDTH, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

__all__ = ["Panel"]

_ROW = SMALL * 1.5 / 72
_SPACE = 0.13


class Panel:
    """Places things beside ``ax``, so that nothing covers the data; keeps its place when the figure is
    resized.

    ``height`` is what has been used so far, in inches from the upper edge of the axes.
    """

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        self.height = 0.0

    def frame(self) -> Transform:
        """Inches to the right of and above the upper right corner of the axes."""
        from matplotlib.transforms import ScaledTranslation

        return self._inches() + ScaledTranslation(1, 1, self.ax.transAxes)  # type: ignore[arg-type]

    def _inches(self) -> Transform:
        figure = self.ax.get_figure(root=True)
        assert figure is not None
        return figure.dpi_scale_trans

    def heading(self, text: str, *, math: bool = False) -> None:
        """A line of small type, in which dollars enclose formulas only with ``math``."""
        self.ax.text(
            PANEL_GAP,
            -self.height,
            text,
            transform=self.frame(),
            size=SMALL,
            color=INK,
            va="top",
            ha="left",
            clip_on=False,
            parse_math=math,
        )
        self.height += _ROW * (text.count("\n") + 1)

    def space(self) -> None:
        """A gap before the next thing."""
        self.height += _SPACE

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
            self.height += _ROW
            for column, k in enumerate(range(start, min(start + 3, len(images)))):
                left = PANEL_GAP + column * (side + gap)
                inset = self.ax.inset_axes((left, -self.height - side, side, side), transform=self.frame())
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
                    middle, -self.height + 0.02, letters[k], va="bottom", weight="bold", color=INK, **place
                )
                self.ax.text(middle, -self.height - side - 0.03, captions[k], va="top", color=MUTED, **place)
            self.height += side + caption_height + 0.03
        self.height += _SPACE

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
        self.height += 0.03
        inset = self.ax.inset_axes(
            (PANEL_GAP, -self.height - 0.09, PANEL_WIDTH, 0.09), transform=self.frame()
        )
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
        self.height += 0.09 + 0.15 + _SPACE

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
            [labels[k] for k in by_row],
            loc="upper left",
            bbox_to_anchor=(PANEL_GAP, -self.height),
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
        for text in legend.get_texts():
            text.set_parse_math(False)
        self.ax.add_artist(legend)
        legend.set_clip_on(False)
        rows = -(-len(handles) // columns)
        self.height += rows * _ROW + _SPACE


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
