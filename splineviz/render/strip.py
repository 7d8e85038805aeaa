"""The strip below the frames of an animation: what goes on over the steps, with a cursor at the frame's
own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8

from splineviz.render.film import Sheet, new_figure, save_film_figure
from splineviz.render.legends import write_labels
from splineviz.render.style import INK, MUTED, SMALL, styled

__all__ = ["Chart", "Strip", "on_log_axis"]

_HEIGHT = 1.15
_LEFT, _RIGHT, _GAP, _BOTTOM, _TOP = 0.4, 0.1, 0.42, 0.3, 0.2  # inches
_COLORS = ("#0072b2", "#d55e00")
_STYLES = ("-", "--")


@dataclass(frozen=True, eq=False)
class Chart:
    """One curve, or two that belong together: (label, (checkpoint,) values)."""

    title: str
    lines: tuple[tuple[str, Float64[np.ndarray, "checkpoint"]], ...]
    top: float | None = None
    """Upper end of the axis; by default what the values need. The lower is 0."""

    def take(self, checkpoints: Sequence[int]) -> Chart:
        """The chart of some checkpoints."""
        return replace(self, lines=tuple((label, values[checkpoints]) for label, values in self.lines))


class Strip:
    """Charts side by side over the logarithm of the step; drawn once, only the cursor moves."""

    def __init__(self, sheet: Sheet, steps: Sequence[int], charts: Sequence[Chart]) -> None:
        self._x, self._text = on_log_axis(steps), sheet.text
        self._charts = charts
        self._figure = new_figure(sheet.width, _HEIGHT, sheet.dpi)
        self._cursors = []
        wide = (sheet.width - _LEFT - _RIGHT - _GAP * (len(charts) - 1)) / len(charts)
        with styled():
            for k, chart in enumerate(charts):
                left = _LEFT + k * (wide + _GAP)
                box = (
                    left / sheet.width,
                    _BOTTOM / _HEIGHT,
                    wide / sheet.width,
                    (_HEIGHT - _BOTTOM - _TOP) / _HEIGHT,
                )
                self._cursors.append(self._add(chart, box, steps))

    def _add(self, chart: Chart, box: tuple[float, float, float, float], steps: Sequence[int]) -> list:  # type: ignore[type-arg]
        from matplotlib.ticker import MaxNLocator

        ax = self._figure.add_axes(box)
        cursor = [ax.axvline(0.0, color=MUTED, linewidth=0.8, zorder=1)]
        handles = []
        for (_, values), color, style in zip(chart.lines, _COLORS, _STYLES, strict=False):
            handles += ax.plot(self._x, values, style, color=color, linewidth=1.0, marker=".", markersize=2.5)
            cursor += ax.plot(
                [], [], "o", color=color, markersize=4.5, markeredgecolor="white", markeredgewidth=0.6
            )
        highest = max((float(np.nanmax(v)) for _, v in chart.lines if np.isfinite(v).any()), default=1.0)
        keyed = len(chart.lines) > 1 and chart.top is None  # room for the key above the curves
        ax.set_ylim(0, chart.top or (1.5 if keyed else 1.08) * highest or 1.0)
        pad = 0.03 * max(float(self._x[-1] - self._x[0]), 1.0)
        ax.set_xlim(self._x[0] - pad, self._x[-1] + pad)
        ticks = step_ticks(steps)
        ax.set_xticks(on_log_axis(ticks).tolist(), [short(t) for t in ticks])
        ax.yaxis.set_major_locator(MaxNLocator(3, integer=highest >= 3))
        ax.yaxis.set_major_formatter(lambda value, _: short(value))
        ax.tick_params(labelsize=SMALL, pad=1.5, length=2)
        for spine in ("top", "right"):
            ax.spines[spine].set_visible(False)
        ax.set_title(chart.title, loc="left", size=SMALL, color=INK, pad=3)
        if len(chart.lines) > 1:
            look: dict[str, Any] = {
                "facecolor": "white",
                "edgecolor": "none",
                "framealpha": 0.8,
                "fontsize": SMALL,
                "labelcolor": INK,
                "handlelength": 1.4,
                "handletextpad": 0.4,
            }
            close = {"borderpad": 0, "borderaxespad": 0.1, "labelspacing": 0.2, "columnspacing": 0.9}
            labels = [label for label, _ in chart.lines]
            blank, columns = ["-"] * len(labels), 2 if keyed else 1
            legend = ax.legend(
                handles, blank, loc="upper right" if keyed else "lower right", ncols=columns, **look, **close
            )
            write_labels(legend, labels)
        return cursor

    def _to(self, index: int) -> None:
        x = float(self._x[index])
        for chart, (line, *dots) in zip(self._charts, self._cursors, strict=True):
            line.set_xdata([x, x])
            for (_, values), dot in zip(chart.lines, dots, strict=True):
                dot.set_data([x], [values[index]])

    def image(self, index: int) -> UInt8[np.ndarray, "row column 3"]:
        """The strip with its cursor at one checkpoint, in pixels."""
        self._to(index)
        with styled():
            self._figure.canvas.draw()
        return np.asarray(self._figure.canvas.buffer_rgba())[..., :3].copy()  # type: ignore[attr-defined]

    def svg(self, index: int) -> str:
        """Strip of a checkpoint as SVG text."""
        self._to(index)
        buffer = io.BytesIO()
        with styled(text=self._text):
            save_film_figure(self._figure, buffer, salt=" strip")
        return buffer.getvalue().decode()


def on_log_axis(steps: Sequence[int]) -> Float64[np.ndarray, "checkpoint"]:
    """Where steps stand on their axis: log10 (1 + step); those below 0, as far to the left.

    Examples
    --------
    >>> on_log_axis([-9, 0, 9, 99]).tolist()
    [-1.0, 0.0, 1.0, 2.0]
    """
    x = np.asarray(steps, dtype=np.float64)
    return np.copysign(np.log10(1.0 + np.abs(x)), x)


def step_ticks(steps: Sequence[int]) -> list[int]:
    """0 and powers of ten as far as the steps go, without the 1 where it would be too near the 0; the ends
    where there are too few.

    Examples
    --------
    >>> step_ticks([0, 7, 70]), step_ticks([0, 7, 1200]), step_ticks([200, 300])
    ([0, 1, 10], [0, 10, 100, 1000], [200, 300])
    """
    first, last = steps[0], steps[-1]
    ticks = [
        t
        for t in (0, *(10**k for k in range(len(str(last)))))
        if first <= t <= last and (t != 1 or last < 1000 or first)
    ]
    return ticks if len(ticks) > 1 else sorted({first, last})


def short(number: float) -> str:
    """A number in four letters or so.

    Examples
    --------
    >>> [short(x) for x in (0, 0.25, 950, 10000, 12500, 3e6)]
    ['0', '0.25', '950', '10k', '12.5k', '3M']
    """
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"
