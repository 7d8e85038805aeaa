"""Figures over training: the curves of the proxy and of the exact count, and how they rank within each
checkpoint."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.render.legends import write_labels
from splineviz.render.style import MUTED, styled
from splineviz.report.look import (
    EXACT,
    PROXY,
    SAME,
    band,
    bare,
    label_colors,
    new_figure,
    over_training,
    radius_color,
    term_color,
    whiskers,
)
from splineviz.validation.decomposition import TERMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from splineviz.validation.findings import Findings
    from splineviz.validation.study import Study
    from splineviz.validation.training_curves import Course

__all__ = ["agreement_over_training", "terms_over_training", "trajectories"]


def trajectories(study: Study, found: Findings, radius: int) -> Figure:
    """Means of the proxy and of R at each checkpoint, on twin axes as in [LC, figure 14]; below what was told
    of the training.

    Bands are pointwise 95 % intervals over points. Larger dots are the ends of significant moves.
    """
    curves = {course.quantity: course for course in found.courses if course.radius == radius}
    told = {name: series for name, series in study.metrics.items() if np.isfinite(series).any()}
    accuracies = {name: series for name, series in told.items() if "accuracy" in name} or told
    with styled():
        figure = new_figure(3.1 if accuracies else 2.5)
        if accuracies:
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
            bare(lower)
        else:
            upper = lower = figure.subplots()
        x = over_training(lower, study.steps)
        right = upper.twinx()
        upper.spines[["top", "right"]].set_visible(False)
        right.spines[["top", "left"]].set_visible(False)
        lines = [
            _curve(upper, x, curves["R"], EXACT, "R, exact"),
            _curve(right, x, curves[found.headline], PROXY, found.headline),
        ]
        if found.same_set != found.headline:
            lines.append(_curve(right, x, curves[found.same_set], SAME, f"{found.same_set}, same set"))
        for ax, color, name in ((upper, EXACT, "cells R, mean"), (right, PROXY, "proxy n_sep, mean")):
            ax.set_ylabel(name)
            label_colors(ax, color)
        upper.set_title(found.radius_labels[radius])
        figure.legend(
            handles=lines, frameon=False, loc="outside lower center", ncols=len(lines), handlelength=1.2
        )
        shades = (MUTED, "#aaaaaa", "#cccccc")
        handles = [
            lower.plot(x, series, color=shade, linewidth=1)[0]
            for shade, series in zip(shades, accuracies.values(), strict=False)
        ]
        if handles:
            blank = ["-"] * len(handles)
            legend = lower.legend(handles, blank, frameon=False, loc="best", handlelength=1.2)
            write_labels(legend, [name.replace("_", " ") for name in accuracies][: len(handles)])
    return figure


def _curve(ax: Axes, x: np.ndarray, course: Course, color: str, label: str) -> object:
    line = band(ax, x, course.mean, course.resampled, color, label)
    ends = sorted({place for move in course.moves for place in (move.start, move.end)})
    ax.plot(x[ends], course.mean[ends], linestyle="none", marker="o", markersize=4.5, color=color)
    return line


def agreement_over_training(study: Study, found: Findings) -> Figure:
    """Kendall's tau-b of the proxy with R within each checkpoint: filled for the most directions, open for P
    = 2 on the same set.

    Checkpoints where it is undefined have no mark.
    """
    with styled():
        figure = new_figure(2.6 + 0.3 * study.n_radii)
        ax = bare(figure.subplots())
        x = over_training(ax, study.steps)
        for radius, estimate in product(
            range(study.n_radii), dict.fromkeys((found.headline, found.same_set))
        ):
            taus = {
                w.checkpoint: w.tau
                for w in found.within
                if (w.radius, w.estimate, w.exact) == (radius, estimate, "R")
            }
            used = estimate == found.headline
            style: dict[str, Any] = {
                "fillstyle": "full" if used else "none",
                "linestyle": "-" if used else ":",
            }
            label = f"{found.radius_labels[radius]}, {estimate}"
            whiskers(
                ax,
                list(x),
                [taus[c] for c in range(study.n_checkpoints)],
                radius_color(radius),
                label,
                **style,
            )
        ax.set_ylabel("tau-b with R")
        ax.set_ylim(min(0.0, ax.get_ylim()[0]), 1.02)
        figure.legend(frameon=False, loc="outside lower center", ncols=1, handlelength=1.8)
    return figure


def terms_over_training(study: Study, found: Findings, radius: int) -> Figure:
    """The mean of R - 1 at each checkpoint, as the terms that it is the sum of; what is negative stands below
    zero."""
    rows = {
        (t.checkpoint, t.term): t.mean.value for t in found.terms if t.radius == radius and t.stage is None
    }
    means = {
        term: np.array([rows[c, term] for c in range(study.n_checkpoints)], dtype=np.float64)
        for term in TERMS
    }
    with styled():
        figure = new_figure()
        ax = bare(figure.subplots())
        x, up, down = (
            over_training(ax, study.steps),
            np.zeros(study.n_checkpoints),
            np.zeros(study.n_checkpoints),
        )
        for term, mean in means.items():
            low, high = down + np.minimum(mean, 0.0), up + np.maximum(mean, 0.0)
            ax.fill_between(x, up, high, color=term_color(term), linewidth=0, label=term)
            ax.fill_between(x, low, down, color=term_color(term), linewidth=0)
            up, down = high, low
        ax.set_ylabel("mean of R - 1")
        ax.set_title(found.radius_labels[radius])
        figure.legend(
            frameon=False, loc="outside lower center", ncols=len(TERMS), handlelength=1, columnspacing=1.2
        )
    return figure
