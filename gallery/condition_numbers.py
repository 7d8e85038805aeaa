"""Condition numbers of the local maps between stages, with and without skip connections.

The squared error is piecewise quadratic in the weights of a stage, with a local Hessian governed by the singular
values of the Jacobian of the stages behind it: of products of D W (a ConvNet) or of D W + I (a ResNet, equation 7
of the survey), where D holds the slopes of the activations on a cell (Riedi, Balestriero and Baraniuk, 2023). Here D
is that of cells of a slice through three digits, as many from each seed, drawn by area.

``python gallery/condition_numbers.py`` trains two networks for each of five seeds and writes condition-numbers.png
and condition-numbers.json; ``--quick`` takes one seed and few cells.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor, nn

import splineviz as sv

HERE = Path(__file__).parent
CHANNELS, STAGES, SLOPE = 4, 3, 0.1
KINDS = {"ConvNet": False, "ResNet": True}
COLORS = {"ConvNet": "tab:orange", "ResNet": "tab:blue"}


class Network(nn.Module):
    """3x3 convolutions with leaky ReLUs, each added to what enters it where ``skips``; a linear head."""

    def __init__(self, skips: bool) -> None:
        super().__init__()
        self.skips = skips
        self.stem = nn.Conv2d(1, CHANNELS, 3, padding=1)
        self.stages = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(STAGES))
        self.head = nn.Linear(CHANNELS * 64, 10)

    def stage(self, number: int, z: Tensor) -> Tensor:
        """z -> a(W z + b), and z itself where there are skips."""
        after = nn.functional.leaky_relu(self.stages[number](z), SLOPE)
        return after + z if self.skips else after

    def forward(self, x: Tensor) -> Tensor:
        z = nn.functional.leaky_relu(self.stem(x), SLOPE)
        for number in range(STAGES):
            z = self.stage(number, z)
        logits: Tensor = self.head(z.flatten(1))
        return logits


def trained(net: Network, x: Tensor, y: Tensor, steps: int) -> None:
    """Adam on the squared error to one-hot classes, 64 digits at a time."""
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    generator = torch.Generator().manual_seed(0)
    wanted = nn.functional.one_hot(y, 10).to(x.dtype)
    for _ in range(steps):
        rows = torch.randint(len(x), (64,), generator=generator)
        optimiser.zero_grad()
        torch.autograd.backward(nn.functional.mse_loss(net(x[rows]), wanted[rows]))
        optimiser.step()


def conditions(net: Network, anchors: Tensor, n_points: int, seed: int) -> tuple[np.ndarray, int]:
    """((points, stages) condition numbers of the Jacobian of the stages from each on, the number of cells that
    the points are in): uniform points of a slice, which draw its cells by area."""
    plane = sv.Plane.through(*anchors.numpy())
    window = sv.Window.around(plane)
    arr = sv.arrange(sv.load_program(net, input_shape=(1, 8, 8)), plane, window)
    low, high = np.reshape(window.bounds, (2, 2)).T
    uv = np.random.default_rng(seed).uniform(low, high, (n_points, 2))
    result = np.empty((n_points, STAGES))
    for row, x in enumerate(torch.from_numpy(plane.lift(uv))):
        z = nn.functional.leaky_relu(net.stem(x.reshape(1, 1, 8, 8)), SLOPE).detach()
        behind = torch.eye(z.numel(), dtype=z.dtype)
        local = []
        for number in range(STAGES):
            jacobian = torch.func.jacrev(partial(net.stage, number))(z)
            local.append(jacobian.detach().reshape(z.numel(), z.numel()))
            z = net.stage(number, z).detach()
        for number in reversed(range(STAGES)):
            behind = behind @ local[number]
            sigma = torch.linalg.svdvals(behind)
            result[row, number] = float(sigma[0] / sigma[-1])
    return result, len(np.unique(arr.locate(uv)))


def measured(seeds: int, n_points: int, steps: int) -> list[dict[str, object]]:
    """One row for each kind, seed and moment, with the condition numbers of all points."""
    digits = load_digits()
    x = torch.from_numpy(digits.data.reshape(-1, 1, 8, 8) / 16.0)
    y = torch.from_numpy(digits.target)
    rows: list[dict[str, object]] = []
    for seed in range(seeds):
        anchors = x[np.random.default_rng(seed).choice(len(x), 3, replace=False)]
        for kind, skips in KINDS.items():
            torch.manual_seed(seed)
            net = Network(skips).double()
            for step in (0, steps):
                trained(net, x, y, step)
                found, n_cells = conditions(net, anchors, n_points, seed)
                with torch.no_grad():
                    right = float((net(x).argmax(1) == y).double().mean())
                row = {"kind": kind, "seed": seed, "step": step, "accuracy": right, "cells": n_cells}
                rows.append(row | {"conditions": [[float(f"{c:.4g}") for c in point] for point in found]})
                print(f"{kind}, seed {seed}, step {step}: medians {np.median(found, axis=0)}", flush=True)
    return rows


def drawn(rows: list[dict[str, object]], steps: int) -> Figure:
    """Share of points whose condition number is at most that, for one, two and three stages behind."""
    figure = Figure(figsize=(9.6, 3.2), layout="constrained")
    for axes, step in zip(figure.subplots(1, 2, sharex=True, sharey=True), (0, steps), strict=True):
        for kind in KINDS:
            own = [row for row in rows if (row["kind"], row["step"]) == (kind, step)]
            found = np.concatenate([np.array(row["conditions"]) for row in own])
            for number in range(STAGES):
                behind = STAGES - number
                axes.plot(
                    np.sort(found[:, number]),
                    np.arange(1, len(found) + 1) / len(found),
                    color=COLORS[kind],
                    alpha=(0.3, 0.6, 1.0)[behind - 1],
                    label=f"{kind}, {behind} stage{'s' * (behind > 1)}",
                )
        axes.set(xscale="log", title="as initialised" if step == 0 else f"after {step:,} steps")
        axes.set_xlabel("condition number of the Jacobian")
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("share of the slice")
    handles, labels = figure.axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=8)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description="Condition numbers with and without skip connections.")
    parser.add_argument("--quick", action="store_true", help="one seed and few points")
    parser.add_argument("-o", "--output", type=Path, default=HERE, metavar="FOLDER")
    given = parser.parse_args()
    torch.set_num_threads(1)
    seeds, n_points, steps = (1, 4, 20) if given.quick else (5, 40, 1000)
    rows = measured(seeds, n_points, steps)
    given.output.mkdir(parents=True, exist_ok=True)
    drawn(rows, steps).savefig(given.output / "condition-numbers.png", dpi=110)
    report = {"points": n_points, "slope": SLOPE, "channels": CHANNELS, "rows": rows}
    text = json.dumps(report) + "\n"
    (given.output / "condition-numbers.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
