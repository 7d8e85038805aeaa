"""Does counting exactly cost less than a plain forward pass over the vertices that the proxy looks at?

500 digits, one plane through each, P = 25 for the proxy; all three in turn, one thread, one process.
``estimators.py`` runs it.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import splineviz as sv
from splineviz.estimators.frames import shared_frame
from splineviz.neighbourhoods.counts import local_counts
from splineviz.neighbourhoods.diamonds import plane_frames

__all__ = ["measure_exact"]

DIRECTIONS, BATCH = 25, 1024
REPETITIONS = 5
BARS: dict[float, float | None] = {0.001: 0.15, 0.005: 0.15, 0.05: 0.15, 0.2: 0.5, 0.5: 2.0, 1.0: None}
"""Radius -> most time over the plain pass, be it over all vertices at once or in batches, which fit into
caches."""


def measure_exact(x: np.ndarray, make: Callable[[], nn.Module]) -> dict[str, Any]:
    """For each radius: times, cells a point, and the ratios to the plain pass and to our own proxy; x is (n,
    784)."""
    print("exact counts ...", flush=True)
    torch.manual_seed(0)
    module = make().double().eval()
    program = sv.load_program(module, input_shape=(784,))
    axes = plane_frames(784, len(x), 1, "shared", 0)
    frame = torch.from_numpy(shared_frame(784, DIRECTIONS, 0))
    rows = []
    for radius, bar in BARS.items():
        vertices = (torch.from_numpy(x)[:, None] + radius * torch.cat([frame, -frame])).flatten(0, 1)
        runs: dict[str, list[float]] = {"exact": [], "whole": [], "batched": [], "proxy": []}
        for _ in range(REPETITIONS):
            counts = local_counts(program, x, radius=radius, axes=axes, jobs=1)
            runs["exact"].append(float(counts.seconds[0]))
            runs["whole"].append(_pass(module, vertices, len(vertices)))
            runs["batched"].append(_pass(module, vertices, BATCH))
            runs["proxy"].append(
                sv.local_complexity(program, x, radius=radius, directions=DIRECTIONS).seconds
            )
        over = {
            name: statistics.median(e / other for e, other in zip(runs["exact"], runs[name], strict=True))
            for name in ("whole", "batched", "proxy")
        }
        rows.append(
            {
                "radius": radius,
                "cells_per_point": float(counts.cells[..., -1].mean()),
                "undecided": int(counts.undecided.sum()),
                "seconds": {name: statistics.median(times) for name, times in runs.items()},
                "over": over,
                "bar": bar,
                "passed": None if bar is None else {name: over[name] <= bar for name in ("whole", "batched")},
            }
        )
    return {"points": len(x), "directions": DIRECTIONS, "repetitions": REPETITIONS, "radii": rows}


def digits() -> np.ndarray:
    """(500, 784) real digits in [0, 1], of all classes."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "gallery"))
    from train_demo import read_digits

    pixels, _ = read_digits()
    return np.random.default_rng(0).permutation(pixels)[:500] / 255.0


def exact_table(found: dict[str, Any]) -> list[str]:
    """The measurements as lines of a page."""
    lines = [
        "",
        "## Exact counts",
        "",
        f"{found['points']} digits of MNIST, 784-200-200-200-10 with torch's initial weights, one "
        f"plane through each digit: all"
        " cells of the diamond conv{x ± r u, x ± r v}, with proofs, against a plain float64 forward "
        "pass over the"
        f" {2 * found['directions']} vertices of each digit that the proxy with P = "
        f"{found['directions']} looks at, and against"
        f" our proxy. At once, or in batches of {BATCH:,} vertices, which fit into caches. Medians of"
        f" {found['repetitions']} runs in turn.",
        "",
        "| r | cells a point | exact | plain, at once | exact over it | plain, batched | exact over "
        "it | bar | proxy"
        " | exact over it | undecided |",
        "| --- " + "| ---: " * 10 + "|",
    ]
    for row in found["radii"]:
        cells = [
            f"{row['radius']:g}",
            f"{row['cells_per_point']:,.2f}",
            f"{1e3 * row['seconds']['exact']:,.0f} ms",
        ]
        for name in ("whole", "batched", "proxy"):
            met = (
                ""
                if name == "proxy" or row["bar"] is None
                else ", met"
                if row["passed"][name]
                else ", missed"
            )
            cells += [f"{1e3 * row['seconds'][name]:,.0f} ms", f"{row['over'][name]:.2f}{met}"]
            if name == "batched":
                cells.append("" if row["bar"] is None else f"<= {row['bar']:g}")
        lines.append("| " + " | ".join([*cells, f"{row['undecided']:,}"]) + " |")
    return lines


def _pass(module: nn.Module, vertices: torch.Tensor, rows: int) -> float:
    with torch.inference_mode():
        began = time.perf_counter()
        for batch in torch.split(vertices, rows):
            module(batch)
        return time.perf_counter() - began
