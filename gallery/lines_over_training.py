"""Lines of units over training: 784-200-200-200-10 on 1,000 digits, 20 checkpoints of each of ten seeds.

``python gallery/lines_over_training.py`` trains the networks as ``train_runs.py`` does, for 1,000 steps each,
follows their lines on the plane through three digits, and writes lines-over-training.png and
lines-over-training.json, with the processor time that it took.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from train_demo import CLASSES
from train_runs import N_TRAIN, Run, digits, train

import splineviz as sv

HERE = Path(__file__).parent
RUN = Run((200, 200, 200), 1000)
COLORS = ("#1f5fa8", "#d1771f", "#2a8c5a")
"""Of the stages"""
COLUMNS = (
    *("step", "stage", "units with a line", "length", "moved", "median distance of points"),
    *("points farther", "points p", "points adjusted p"),
    *("boundary farther", "boundary p", "boundary adjusted p"),
)
"""What is kept of each seed"""


def measured(seed: int) -> dict[str, Any]:
    """Columns by checkpoint and stage of one seed, and the processor seconds of following the lines."""
    x, y = digits()
    data = x[:N_TRAIN].numpy().astype(np.float64)
    first = [int(torch.nonzero(y[:N_TRAIN] == label)[0]) for label in CLASSES]
    plane = sv.Plane.through(*data[first])
    with tempfile.TemporaryDirectory() as folder:
        train(RUN, Path(folder), seed)
        runs = sv.Checkpoints(RUN.network().eval(), folder, input_shape=(784,))
        began = time.process_time()
        found = sv.lines_over_training(runs, plane, sv.Window.around(plane), data, jobs=1)
        seconds = time.process_time() - began
    cells = [card["cells"] for card in found.provenance["checkpoints"]]
    print(
        f"seed {seed}: {len(found.steps)} checkpoints, {min(cells):,} to {max(cells):,} cells, "
        f"{found.inside.sum()} digits in the window, {seconds:.1f} s",
        flush=True,
    )
    columns = {name: [float(f"{x:.6g}") for x in found.by_stage[name]] for name in COLUMNS}
    return {"seed": seed, "seconds": round(seconds, 2), "cells": cells, **columns}


def curves(ax: Axes, seeds: list[dict[str, Any]], name: str, middle: float | None = None) -> None:
    """The median over the seeds at every checkpoint and stage, and the range of all of them."""
    steps = np.array(seeds[0]["step"])
    stages = np.array(seeds[0]["stage"])
    values = np.array([one[name] for one in seeds], dtype=np.float64)
    for stage, color in enumerate(COLORS):
        own = (stages == stage) & np.isfinite(values).any(0)
        ax.fill_between(
            np.maximum(steps[own], 0.7),
            np.nanmin(values[:, own], axis=0),
            np.nanmax(values[:, own], axis=0),
            color=color,
            alpha=0.18,
            linewidth=0,
        )
        ax.plot(
            np.maximum(steps[own], 0.7),
            np.nanmedian(values[:, own], axis=0),
            color=color,
            linewidth=1.4,
            label=f"stage {stage}",
        )
    if middle is not None:
        ax.axhline(middle, color="#777777", linewidth=0.8, linestyle=":")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.tick_params(labelsize=7)
    ax.spines[["top", "right"]].set_visible(False)


def draw(seeds: list[dict[str, Any]], path: Path) -> None:
    """Four panels over the steps."""
    figure = Figure(figsize=(7.4, 4.9))
    FigureCanvasAgg(figure)
    panels = (
        ("length", "length of the lines in the window", None),
        ("moved", "how far lines moved since the checkpoint before", None),
        ("points farther", "P(digit farther from lines than uniform point)", 0.5),
        ("boundary farther", "P(boundary farther from lines than uniform point)", 0.5),
    )
    for ax, (name, title, middle) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        curves(ax, seeds, name, middle)
        ax.set_title(title, fontsize=8.5)
        ax.set_xlabel("step", fontsize=7.5)
    figure.axes[0].legend(fontsize=7, frameon=False)
    figure.axes[1].set_yscale("log")
    figure.axes[1].set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    figure.axes[1].minorticks_off()
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description="Follow the lines of units over training.")
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first of them")
    parser.add_argument("-o", "--output", type=Path, default=HERE, metavar="FOLDER")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    path = chosen.output / "lines-over-training.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if chosen.first and path.exists() else []
    seeds = kept[: chosen.first] + [measured(chosen.first + k) for k in range(chosen.seeds)]
    path.write_text(json.dumps(seeds) + "\n", encoding="utf-8")
    print(f"{len(seeds)} seeds: {sum(one['seconds'] for one in seeds):.0f} s of processor time")
    draw(seeds, chosen.output / "lines-over-training.png")


if __name__ == "__main__":
    main()
