"""Where is the proxy good? Untrained networks of many widths and depths: ``python
gallery/sweep_networks.py``.

784 inputs, ReLU, torch's initial weights, three seeds each; 200 digits, radii that cut a median of 5 and of
20 units in each network, P = 2 on the very plane that is counted. Rank agreement with the number of cells,
the share of R - 1 that is cuts found, cuts missed and crossings, all over width (three hidden layers) and
over depth (width 100). Writes ``sweep-networks.png`` and ``.json`` beside this script; a few minutes on one
core.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn
from train_runs import digits

import splineviz as sv
from splineviz.files import atomic_path
from splineviz.validation import Study, findings
from splineviz.validation.decomposition import decompose

HERE = Path(__file__).parent
WIDTHS, DEPTHS = (20, 50, 100, 200, 500), (1, 2, 4, 8, 12)
"""Units of each of three hidden layers; hidden layers of 100 units."""
MEDIANS = (5, 20)
SEEDS = 3
N_POINTS = 200
TERMS = ("n_sep", "missed", "crossings")
COLORS = ("#0072b2", "#d55e00")


def main() -> None:
    torch.set_num_threads(1)
    x = digits()[0][:N_POINTS].double().numpy()
    found = {
        "points": N_POINTS,
        "seeds": SEEDS,
        "medians": MEDIANS,
        "width": {"values": WIDTHS, "rows": [measured((width,) * 3, x) for width in WIDTHS]},
        "depth": {"values": DEPTHS, "rows": [measured((100,) * depth, x) for depth in DEPTHS]},
    }
    with atomic_path(HERE / "sweep-networks.json") as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    with atomic_path(HERE / "sweep-networks.png") as temporary:
        drawn(found).savefig(temporary, dpi=150, metadata={"Software": None})


def measured(hidden: tuple[int, ...], x: np.ndarray) -> list[list[dict[str, Any]]]:
    """For each median and seed: rank agreement and the terms of R - 1."""
    print(hidden, flush=True)
    studies = [study_of(hidden, seed, x) for seed in range(SEEDS)]
    return [[_row(study, radius) for study in studies] for radius in range(len(MEDIANS))]


def study_of(hidden: tuple[int, ...], seed: int, x: np.ndarray) -> Study:
    torch.manual_seed(seed)
    layers = [
        layer for n_in, n_out in pairwise((784, *hidden)) for layer in (nn.Linear(n_in, n_out), nn.ReLU())
    ]
    program = sv.load_program(nn.Sequential(*layers, nn.Linear(hidden[-1], 10)))
    how: dict[str, Any] = {"frames": 2, "planes": 2, "seed": seed, "jobs": 1, "examples": 0}
    return sv.validate(program, x, radii=(), medians=MEDIANS, **how)


def _row(study: Study, radius: int) -> dict[str, Any]:
    found, parts = findings(study, resamples=200), decompose(study)
    taus = {
        "tau": found.agreement(radius, found.headline).tau.value,
        "tau_same": found.agreement(radius, found.same_set).tau.value,
    }
    total = float((study.exact("cells")[:, radius] - 1).sum())
    shares = {term: float(getattr(parts, term)[:, radius].sum()) / total for term in TERMS}
    return (
        {"radius": float(study.radii[radius]), "mean_cells": float(study.exact("cells")[:, radius].mean())}
        | taus
        | shares
    )


def drawn(found: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9.0, 5.4), layout="constrained")
    panels = figure.subplots(2, 2, sharex="col", sharey=True)
    panels[0, 0].set_ylim(-0.02, 1)
    for column, sweep in enumerate(("width", "depth")):
        values = found[sweep]["values"]
        for radius, color in enumerate(COLORS):
            cells = [rows[radius] for rows in found[sweep]["rows"]]
            for key, style in (("tau_same", "-"), ("tau", ":")):
                label = (
                    f"{'P = 2, same plane' if key == 'tau_same' else 'P = 25'}; median {MEDIANS[radius]} cuts"
                )
                _line(
                    panels[0, column], values, [[row[key] for row in of] for of in cells], color, style, label
                )
            for key, style in (("crossings", "-"), ("missed", ":")):
                label = f"{key}; median {MEDIANS[radius]} cuts"
                _line(
                    panels[1, column], values, [[row[key] for row in of] for of in cells], color, style, label
                )
        axis = "units a layer, three layers" if sweep == "width" else "hidden layers of 100 units"
        panels[1, column].set(xlabel=axis, xscale="log", xticks=values, xticklabels=values)
        panels[1, column].minorticks_off()
    panels[0, 0].set_ylabel("tau-b with the number of cells")
    panels[1, 0].set_ylabel("share of R - 1")
    for row in (0, 1):
        panels[row, 0].legend(frameon=False, fontsize=7)
    for ax in panels.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _line(ax: Any, values: Any, cells: list[list[float]], color: str, style: str, label: str) -> None:
    table = np.array(cells, dtype=float)
    ax.plot(values, table.mean(1), style, color=color, marker="o", markersize=4, linewidth=1.2, label=label)
    ax.fill_between(values, table.min(1), table.max(1), color=color, alpha=0.12, linewidth=0)


if __name__ == "__main__":
    main()
