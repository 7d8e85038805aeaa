"""Look of all figures of a report: size for a phone's width, colours, axes over training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.render.palette import class_colors
from splineviz.validation.measured import Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "EXACT",
    "PROXY",
    "SAME",
    "WIDTH",
    "band",
    "bare",
    "label_colors",
    "new_figure",
    "over_training",
    "radius_color",
    "term_color",
    "whiskers",
]

WIDTH = 3.5
"""Inches: two stand side by side on a page, one fills a phone, with letters of the same size as the text."""

EXACT, PROXY, SAME = "#0072b2", "#d55e00", "#e69f00"
"""Okabe and Ito's: the exact count, the proxy as it is used, the proxy on the same set."""

_TERMS = {"n_sep": SAME, "missed": "#cc79a7", "crossings": EXACT, "coincident": "#999999"}


def term_color(term: str) -> str:
    """The colour of a term of R - 1."""
    return _TERMS[term]


def radius_color(radius: int) -> Any:
    """The colour of a radius, by its place."""
    return class_colors(np.array([(4, 1, 2, 5, 0, 7)[radius % 6]]))[0]


def new_figure(height: float = 2.6, width: float = WIDTH) -> Figure:
    """A figure that pyplot does not know, laid out when it is drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def bare(ax: Axes) -> Axes:
    """No box: only the axes that are read."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(visible=True, axis="y", color="#e6e6e6", linewidth=0.5)
    ax.set_axisbelow(True)
    return ax


def band(
    ax: Axes, x: np.ndarray, mean: np.ndarray, resampled: np.ndarray, color: Any, label: str, **how: Any
) -> Any:
    """A curve with the pointwise 95 % interval of its resamples, where it is defined."""
    there = ~np.isnan(mean)
    if there.any():
        low, high = np.nanquantile(resampled[:, there], [0.025, 0.975], axis=0)
        ax.fill_between(x[there], low, high, color=color, alpha=0.18, linewidth=0)
    (line,) = ax.plot(
        x[there], mean[there], color=color, linewidth=1.2, marker="o", markersize=2.2, label=label, **how
    )
    return line


def over_training(ax: Axes, steps: Sequence[int] | np.ndarray) -> np.ndarray:
    """Set up the axis of training steps, logarithmic where they span decades; returns where each checkpoint
    stands.

    Steps that are no order (all the same, as of models that tell none) stand by their number.
    """
    x = np.asarray(steps, dtype=np.float64)
    if (np.diff(x) <= 0).any():
        x = np.arange(len(x), dtype=np.float64)
        ax.set_xlabel("checkpoint")
        return x
    if x[-1] > 20 * max(1.0, x[x > 0].min(initial=np.inf)):
        first = x[x > 0].min()
        ax.set_xscale("symlog", linthresh=first, linscale=0.3) if x[0] <= 0 else ax.set_xscale("log")
    ax.set_xlabel("training step")
    return x


def label_colors(ax: Axes, color: Any) -> None:
    """A vertical axis in the colour of its curve."""
    ax.yaxis.label.set_color(color)
    ax.tick_params(axis="y", colors=color)


def whiskers(
    ax: Axes,
    x: Sequence[float],
    values: Sequence[Measured],
    color: Any,
    label: str,
    *,
    scale: float = 1.0,
    **how: Any,
) -> None:
    """A line of those numbers that are defined, with their intervals."""
    there = [(at, value) for at, value in zip(x, values, strict=True) if value.value is not None]
    triples = [(v.value, v.value, v.value) if v.low is None else (v.value, v.low, v.high) for _, v in there]
    height, low, high = scale * np.array(triples, dtype=np.float64).reshape(-1, 3).T
    reach = np.clip([height - low, high - height], 0.0, None)
    style: dict[str, Any] = {"marker": "o", "markersize": 3, "linewidth": 1.1, "elinewidth": 0.7} | how
    ax.errorbar([at for at, _ in there], height, reach, color=color, label=label, **style)
