"""Draw what training does to the cells: ``python gallery/draw_training.py FOLDER``, with runs of
`train_runs.py` in FOLDER/NAME.

Makes `training.webp` (the slice of the run ``plain`` through three of its training digits, over its
checkpoints), `training.png` (four runs at four steps each, and their courses) and `training.json` (the
numbers of `training.md`). Some minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from train_runs import N_TRAIN, RUNS, digits

import splineviz as sv
from splineviz.files import atomic_path
from splineviz.neighbourhoods.counts import exact_local_complexity

HERE = Path(__file__).parent
NAMES = ("plain", "batchnorm", "random-labels", "grokking")
CLASSES = (3, 5, 8)
POINTS = 200
"""Training digits, and test digits, at which local complexity is counted"""
RADIUS = 0.05
NEAR = 1.0
"""Input distance within which a place is near the decision boundary, or near an anchor; the three digits are
10 to 12 apart"""
SAMPLES = 4000
SHOWN = 4
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def place(x: np.ndarray, y: np.ndarray) -> tuple[sv.Plane, sv.Window, np.ndarray]:
    """The plane through the first training digit of each class, the window around them, and the digits."""
    chosen = np.array([x[np.flatnonzero(y[:N_TRAIN] == label)[0]] for label in CLASSES])
    plane = sv.Plane.through(*chosen)
    return plane, sv.Window.around(plane), chosen


def gathered(arr: sv.Arrangement) -> tuple[float | None, float]:
    """How much denser edges are near the decision boundary than in the whole window, and near the anchors;
    None without a boundary.

    Of ``SAMPLES`` places on edges, drawn by length, and as many in the window, the shares that lie within
    ``NEAR`` are compared.
    """
    made = np.random.default_rng(0)
    inner = np.flatnonzero(arr.edge_cells.min(1) >= 0)
    a, b = arr.vertices[arr.edges[inner, 0]], arr.vertices[arr.edges[inner, 1]]
    length = np.linalg.norm(b - a, axis=1)
    rows = made.choice(len(inner), SAMPLES, p=length / length.sum())
    share = made.random((SAMPLES, 1))
    x0, x1, y0, y1 = arr.windows[0].bounds
    places = (1 - share) * a[rows] + share * b[rows], made.uniform((x0, y0), (x1, y1), (SAMPLES, 2))
    to_anchor = [np.linalg.norm(uv[:, None] - arr.planes[0].anchors, axis=-1).min(1) for uv in places]
    at_anchors = float((to_anchor[0] < NEAR).mean() / (to_anchor[1] < NEAR).mean())
    segments = arr.decision_boundary()
    if not len(segments):
        return None, at_anchors
    boundary = shapely.union_all(shapely.linestrings(segments))
    on_edges, anywhere = (
        float((shapely.distance(shapely.points(uv), boundary) < NEAR).mean()) for uv in places
    )
    return on_edges / anywhere if anywhere else None, at_anchors


def numbers(runs: sv.Checkpoints, plane: sv.Plane, window: sv.Window, x: np.ndarray) -> dict[str, Any]:
    """The course of one run."""
    course: dict[str, list[Any]] = {
        name: []
        for name in (
            "cells",
            "edge_length",
            "near_boundary",
            "near_anchors",
            "lc_train",
            "lc_test",
            "proxy_train",
        )
    }
    for program in runs:
        arr = sv.arrange(program, plane, window)
        inner = arr.edge_cells.min(1) >= 0
        ends = arr.vertices[arr.edges[inner]]
        course["cells"].append(arr.n_cells)
        course["edge_length"].append(
            float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum() / window.area)
        )
        for name, ratio in zip(("near_boundary", "near_anchors"), gathered(arr), strict=True):
            course[name].append(ratio)
        for name, first in (("train", 0), ("test", N_TRAIN)):
            found = exact_local_complexity(program, x[first : first + POINTS], radius=RADIUS)
            course[f"lc_{name}"].append(float(found.totals.mean()))
        proxy = sv.local_complexity(program, x[:POINTS], radius=RADIUS, directions=2)
        course["proxy_train"].append(float(proxy.totals.mean()))
    return {
        "steps": list(runs.steps),
        **course,
        **{name: values.tolist() for name, values in runs.metrics.items()},
    }


def draw_slices(
    axes: np.ndarray,
    name: str,
    runs: sv.Checkpoints,
    course: dict[str, Any],
    plane: sv.Plane,
    window: sv.Window,
) -> None:
    """A row of slices: the first checkpoint, the low near training digits, the peak after it, the last
    checkpoint."""
    near = course["lc_train"]
    peak = 6 + int(np.argmax(near[6:]))
    for ax, k in zip(axes, (0, 1 + int(np.argmin(near[1:peak])), peak, len(runs) - 1), strict=True):
        sv.draw(sv.arrange(runs[k], plane, window), ax, legend=False, scale_bar=False)
        ax.set_title(
            f"{name}, step {runs.steps[k]:,}: test {course['test_accuracy'][k]:.0%}", loc="left", fontsize=8
        )


def draw_course(ax: Axes, courses: dict[str, dict[str, Any]], key: str, title: str) -> None:
    for (name, course), color in zip(courses.items(), COLORS, strict=True):
        values = np.array(course[key], dtype=np.float64)
        ax.plot(1 + np.array(course["steps"]), values, ".-", color=color, linewidth=1, label=name)
    ax.set_xscale("log")
    ax.set_xlabel("1 + step", fontsize=8)
    ax.set_title(title, loc="left", fontsize=8)
    if key == "lc_train":
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        ax.set_ylim(0, None)
    ax.tick_params(labelsize=7)


def draw_all(
    runs: dict[str, sv.Checkpoints], courses: dict[str, dict[str, Any]], plane: sv.Plane, window: sv.Window
) -> None:
    figure = Figure(figsize=(10, 12.4), layout="constrained")
    rows = figure.subplots(len(NAMES) + 1, SHOWN, height_ratios=[1] * len(NAMES) + [0.85])
    for row, name in zip(rows, NAMES, strict=False):
        draw_slices(row, name, runs[name], courses[name], plane, window)
    titles = {
        "cells": "cells in the window",
        "lc_train": "cells near training digits",
        "near_boundary": "edges near the boundary, ratio",
        "near_anchors": "edges near the anchors, ratio",
    }
    for ax, (key, title) in zip(rows[-1], titles.items(), strict=True):
        draw_course(ax, courses, key, title)
    rows[-1][3].legend(fontsize=7, frameon=False, loc="lower left")
    with atomic_path(HERE / "training.png") as temporary:
        figure.savefig(temporary, dpi=110, metadata={"Software": None})
        Image.open(temporary).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            temporary, "PNG", optimize=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoints", type=Path, help="folder with the checkpoints of each run")
    parser.add_argument("--jobs", type=int, help="checkpoints of the animation at a time")
    parser.add_argument("--cache", type=Path, help="folder for what the animation computes")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    pixels, labels = digits()
    x = pixels.double().numpy()
    plane, window, anchors = place(x, labels.numpy())
    runs = {name: sv.Checkpoints(RUNS[name].network().eval(), chosen.checkpoints / name) for name in NAMES}
    look: dict[str, Any] = {
        "images": anchors.reshape(-1, 28, 28),
        "labels": [str(label) for label in CLASSES],
        "points": x[:POINTS],
    }
    how: dict[str, Any] = {"radius": RADIUS, "jobs": chosen.jobs, "cache": chosen.cache}
    print(sv.animate(runs["plain"], plane, window, HERE / "training.webp", **look, **how))
    courses = {name: numbers(runs[name], plane, window, x) for name in NAMES}
    with atomic_path(HERE / "training.json") as temporary:
        content = {"points": POINTS, "radius": RADIUS, "near": NEAR, "runs": courses}
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draw_all(runs, courses, plane, window)


if __name__ == "__main__":
    main()
