"""Figures of the counts: R against the proxy with its calibration, and where the cells come from."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from splineviz.render.style import INK, SMALL, styled
from splineviz.report.look import PROXY, SAME, bare, new_figure, radius_color, term_color, whiskers
from splineviz.validation.calibration import zaslavsky
from splineviz.validation.decomposition import TERMS
from splineviz.validation.frame_effects import largest_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from splineviz.validation.findings import Findings
    from splineviz.validation.study import Study

__all__ = ["decomposition_bars", "direction_sweep", "misses_by_deformation", "misses_by_radius", "scatter"]

_WIDE = 15
"""Counts above this are drawn on logarithmic axes."""


def scatter(study: Study, found: Findings, radius: int, directions: int) -> Figure:
    """R against the proxy, a dot for each neighbourhood of every checkpoint, and the calibration: means by
    bins with intervals.

    Dots are moved by up to 0.3 to the side, so that ties can be seen.
    """
    counted = study.counted[:, radius]
    n = study.proxy(directions)[:, radius, : study.n_planes][counted].astype(np.float64)
    cells = study.exact("cells")[:, radius][counted]
    bins = [b for b in found.calibration if (b.radius, b.directions) == (radius, directions)]
    with styled():
        figure = new_figure(2.9)
        ax = bare(figure.subplots())
        x, y = np.stack([n, cells]) + np.random.default_rng(0).uniform(-0.3, 0.3, (2, len(n)))
        ax.plot(x, y, ".", color="#8a8a8a", markersize=2, alpha=0.5, markeredgewidth=0, rasterized=True)
        most, highest = float(n.max(initial=2.0)), float(cells.max(initial=2.0))
        line = np.linspace(0, most, 200)
        ax.plot(line, line + 1, color=INK, linewidth=0.8, linestyle="--", label="n + 1")
        ax.plot(line, zaslavsky(line), color=INK, linewidth=0.8, linestyle=":", label="1 + n + n(n - 1)/2")
        whiskers(
            ax,
            [b.n_sep for b in bins],
            [b.cells for b in bins],
            SAME if directions == 2 else PROXY,
            "mean of R",
        )
        if max(most, highest) > _WIDE:
            least = float(n.min(initial=most))
            ax.set_xscale("symlog", linthresh=1, linscale=0.5)
            ax.set_yscale("log")
            ax.set_xlim(0.8 * least if least > 1 else -0.5, 1.3 * most)
            ax.set_ylim(0.6 * cells.min(initial=highest), 1.6 * highest)
        else:
            ax.set_ylim(0.4, highest + 1)
        ax.set_xlabel(f"proxy n_sep, P = {directions}" + (", same set" if directions == 2 else ""))
        ax.set_ylabel("cells R")
        ax.set_title(found.radius_labels[radius])
        ax.legend(frameon=False, loc="upper left", handlelength=1.6)
    return figure


def decomposition_bars(study: Study, found: Findings) -> Figure:
    """The terms of R - 1 by radius and stage, all checkpoints together, as shares of the whole of each
    radius.

    The number above a bar is that of its stage.
    """
    n_stages = len(study.stages)
    rows = {(t.radius, t.stage, t.term): t for t in found.terms if t.checkpoint is None}
    with styled():
        figure = new_figure(2.7)
        ax = bare(figure.subplots())
        width = 0.8 / n_stages
        for radius, stage in product(range(study.n_radii), range(n_stages)):
            at, up, down = radius - 0.4 + (stage + 0.5) * width, 0.0, 0.0
            for term in TERMS:
                height = 100 * (rows[radius, stage, term].share.value or 0.0)
                name = term if radius == stage == 0 else None
                ax.bar(
                    at,
                    height,
                    0.9 * width,
                    up if height >= 0 else down,
                    color=term_color(term),
                    label=name,
                    linewidth=0,
                )
                up, down = (up + height, down) if height >= 0 else (up, down + height)
            ax.annotate(
                str(stage), (at, up), (0, 1.5), textcoords="offset points", ha="center", fontsize=SMALL
            )
        whole = [sum(rows[r, None, term].mean.value or 0.0 for term in TERMS) for r in range(study.n_radii)]
        names = [
            f"{_folded(label)}\nmean R - 1: {mean:.3g}"
            for label, mean in zip(found.radius_labels, whole, strict=True)
        ]
        ax.set_xticks(range(study.n_radii), names)
        ax.set_xlim(-0.5, study.n_radii - 0.5)
        ax.set_ylabel("% of R - 1, by stage")
        figure.legend(frameon=False, loc="outside upper center", ncols=4, handlelength=1, columnspacing=1.2)
    return figure


def misses_by_radius(study: Study, found: Findings) -> Figure:
    """The share of cuts that the proxy misses on the same set against the radius, by stage, all checkpoints
    together."""
    with styled():
        figure = new_figure()
        ax = bare(figure.subplots())
        order = np.argsort(study.radii)
        for stage in range(len(study.stages)):
            rates = [found.miss_rate(int(radius), stage) for radius in order]
            whiskers(ax, list(study.radii[order]), rates, radius_color(stage), f"stage {stage}", scale=100)
        ax.set_xscale("log")
        ax.set_xticks(study.radii, [f"{r:.3g}" for r in study.radii])
        ax.minorticks_off()
        ax.set_xlabel("radius r")
        _label_misses(ax)
    return figure


def misses_by_deformation(study: Study, found: Findings) -> Figure:
    """The miss rate of each stage but the first, at each checkpoint and radius, against the unevenness of
    what enters it.

    Unevenness is the diameter over the mean eccentricity of the embedded vertices: 1 if nothing is deformed.
    """
    unevenness = study.diameter / study.eccentricity
    with styled():
        figure = new_figure()
        ax = bare(figure.subplots())
        for radius, label in enumerate(found.radius_labels):
            rows = [m for m in found.missed if m.radius == radius and m.stage and m.rate.value is not None]
            rows = [m for m in rows if m.checkpoint is not None or study.n_checkpoints == 1]
            x = [unevenness[m.checkpoint or 0, radius, m.stage] for m in rows]
            y = [100 * (m.rate.value or 0.0) for m in rows]
            ax.plot(x, y, "o", color=radius_color(radius), markersize=3, alpha=0.8, label=label)
        ax.set_xlabel("diameter / mean eccentricity of what enters the stage")
        _label_misses(ax)
    return figure


def direction_sweep(study: Study, found: Findings) -> Figure:
    """The mean proxy with P directions over that with 2, beside m_P / m_2, which it is for small r."""
    with styled():
        figure = new_figure()
        ax = bare(figure.subplots())
        p = np.unique(np.geomspace(study.directions[0], study.directions[-1], 60).round().astype(int))
        ax.plot(
            p,
            [largest_of(int(q)) / largest_of(2) for q in p],
            color=INK,
            linewidth=0.8,
            linestyle="--",
            label="m_P / m_2",
        )
        for radius, label in enumerate(found.radius_labels):
            rows = [s for s in found.sweep if s.radius == radius]
            whiskers(ax, [s.directions for s in rows], [s.ratio for s in rows], radius_color(radius), label)
        ax.set_xscale("log")
        ax.set_xticks(study.directions, [str(q) for q in study.directions])
        ax.minorticks_off()
        ax.set_xlabel("directions P")
        ax.set_ylabel("mean n_sep(P) / mean n_sep(2)")
        ax.legend(frameon=False, loc="best")
    return figure


def _label_misses(ax: Axes) -> None:
    """The axis of miss rates, of one per cent at least, so that next to nothing looks like it."""
    ax.set_ylabel("% of n_cut missed, P = 2")
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.0), max(high, 1.0))
    ax.legend(frameon=False, loc="best")


def _folded(label: str) -> str:
    return label.replace(" (", "\n(")
