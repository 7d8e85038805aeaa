"""At equal cost, what ranks points better: the exact count on k random planes, or the proxy with P
directions?

Both are held against the limit of many planes: the mean number of cells over 48 planes that neither of them
uses. 300 training digits at a checkpoint of ``train_runs.py``, for several radii. ``python
gallery/exact_against_proxy.py --runs FOLDER`` writes ``exact-against-proxy.png`` and ``.json`` beside this
script; some minutes on one core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from scipy.stats import kendalltau
from train_runs import RUNS, digits

import splineviz as sv
from splineviz.files import atomic_path
from splineviz.neighbourhoods.counts import local_counts
from splineviz.neighbourhoods.diamonds import plane_frames

HERE = Path(__file__).parent
NAME, STEP = "plain", 654
PLANES, LIMIT = (1, 2, 4, 8), 48
DIRECTIONS = (1, 2, 5, 10, 25, 50, 100)
RADII = (0.02, 0.1, 0.3)
N_POINTS = 300
RESAMPLES = 400


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--runs", type=Path, required=True, help="folder with the checkpoints of each run, from train_runs.py"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs = sv.Checkpoints(sv.load_program(RUNS[NAME].network().eval(), input_shape=(784,)), given.runs / NAME)
    step = min(runs.steps, key=lambda s: abs(s - STEP))
    program = runs[runs.steps.index(step)]
    x = digits()[0][:N_POINTS].double().numpy()
    found = {
        "run": NAME,
        "step": step,
        "points": len(x),
        "limit": LIMIT,
        "radii": [compared(program, x, r) for r in RADII],
    }
    with atomic_path(HERE / "exact-against-proxy.json") as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    with atomic_path(HERE / "exact-against-proxy.png") as temporary:
        drawn(found).savefig(temporary, dpi=150, metadata={"Software": None})


def compared(program: sv.Program, x: np.ndarray, radius: float) -> dict[str, Any]:
    """Kendall's tau-b with the limit, and seconds, of each estimate at one radius."""
    axes = plane_frames(x.shape[1], len(x), max(PLANES) + LIMIT, "shared", 0)
    counts = local_counts(program, x, radius=radius, axes=axes, jobs=1)
    cells = counts.cells[0, ..., -1]
    truth = cells[max(PLANES) :].mean(0)
    rows = []
    for k in PLANES:
        timed = local_counts(program, x, radius=radius, axes=axes[:k], jobs=1)
        rows.append(_row("exact", k, float(timed.seconds[0]), cells[:k].mean(0), truth))
    for p in DIRECTIONS:
        proxy = sv.local_complexity(program, x, radius=radius, directions=p)
        rows.append(_row("proxy", p, proxy.seconds, proxy.totals[0, 0], truth))
    return {"radius": radius, "mean_cells": float(truth.mean()), "estimates": rows}


def _row(kind: str, size: int, seconds: float, estimate: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    again = [rng.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES)]
    low, high = np.percentile([kendalltau(estimate[i], truth[i]).statistic for i in again], (2.5, 97.5))
    tau = float(kendalltau(estimate, truth).statistic)
    return {"kind": kind, "size": size, "seconds": seconds, "tau": tau, "interval": [float(low), float(high)]}


def drawn(found: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9.0, 3.2), layout="constrained")
    panels = figure.subplots(1, len(found["radii"]), sharey=True)
    for ax, at in zip(panels, found["radii"], strict=True):
        for kind, color, letter in (("exact", "#0072b2", "k"), ("proxy", "#d55e00", "P")):
            rows = [row for row in at["estimates"] if row["kind"] == kind]
            seconds, tau = [row["seconds"] for row in rows], np.array([row["tau"] for row in rows])
            spread = np.abs(np.array([row["interval"] for row in rows]).T - tau)
            ax.errorbar(
                seconds, tau, spread, color=color, marker="o", markersize=4, linewidth=1.2, label=kind
            )
            for row in rows:
                where = (0, 7) if kind == "exact" else (0, -13)
                ax.annotate(
                    f"{letter}={row['size']}",
                    (row["seconds"], row["tau"]),
                    where,
                    textcoords="offset points",
                    fontsize=6,
                    ha="center",
                )
        ax.set(
            xscale="log",
            xlabel="seconds",
            title=f"r = {at['radius']:g}, {at['mean_cells']:.1f} cells a plane",
        )
        ax.spines[["top", "right"]].set_visible(False)
        ax.xaxis.set_minor_formatter(NullFormatter())
    panels[0].set_ylabel(f"tau-b with the mean of {found['limit']} other planes")
    panels[0].legend(frameon=False, loc="lower right")
    return figure


if __name__ == "__main__":
    main()
