"""A small study that is computed, neighbourhood by neighbourhood, with what a user has."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import numpy as np

import splineviz as sv
from splineviz.estimators.baselines import distinct_patterns, first_order, mean_distance
from splineviz.estimators.deformation import deformation
from splineviz.estimators.frames import shared_frame
from splineviz.estimators.precision import sign_disagreements
from splineviz.validation.study import Example, Study
from tests.estimators.nets import perceptron

POINTS = np.random.default_rng(0).standard_normal((12, 8))
RADII, DIRECTIONS, FRAMES, PLANES = (0.3, 1.2), (2, 5), 4, 3


def splits(arr: sv.Arrangement) -> list[np.ndarray]:
    """For each stage, how many cells each unit splits when units are inserted in order.

    Sorted patterns that are neighbours part at one unit: there the cells that they are in were one.
    """
    bits = [arr.pattern_bits(stage.index) for stage in arr.info.stages]
    rows = np.unique(np.concatenate(bits, 1), axis=0)
    parted = (rows[1:] != rows[:-1]).argmax(1)
    counts = np.bincount(parted, minlength=rows.shape[1])
    return np.split(counts, np.cumsum([part.shape[1] for part in bits])[:-1])


def exact(
    program: sv.Program, point: np.ndarray, frame: np.ndarray, radius: float
) -> tuple[sv.Arrangement, dict[str, Any]]:
    arr = sv.arrange(program, sv.Plane.at(point, frame), sv.Window.diamond(radius))
    bits = [arr.pattern_bits(stage.index) for stage in program.stages]
    counts = {
        "cells": arr.stats.cells_per_stage,
        "cut": [(b != b[:1]).any(0).sum() for b in bits],
        "first": [(s > 0).sum() for s in splits(arr)],
        "regions": arr.n_linear_regions,
    }
    return arr, counts


@cache
def computed() -> Study:
    programs = [sv.load_program(perceptron(8, 20, 20, 20, 3, seed=seed)) for seed in range(4)]
    rows, shape = [_one(program) for program in programs], (len(programs), len(RADII))
    joined = {
        name: np.stack([row[name] for row in rows]) for name in rows[0] if name not in ("examples", "seconds")
    }
    examples = [
        Example(
            kind,
            place,
            *where,
            n_sep=int(row["n_sep"][where[0], 0, where[1], where[2]].sum()),
            cut=int(row["cut"][where].sum()),
            arrangement=arr,
        )
        for place, (row, kind) in enumerate(zip(rows[:2], ("best", "worst"), strict=True))
        for where, arr in [row["examples"]]
    ]
    return Study(
        design={
            "frame": "shared",
            "seed": 0,
            "dtype": "float64",
            "data": "normal deviates",
            "versions": {"splineviz": "test"},
        }
        | {"command": "splineviz validate toy --data x.npz --radius 0.3,1.2 -o x.html"},
        model="toy",
        digest=programs[0].digest,
        stages=programs[0].stages,
        steps=np.array([0, 10, 100, 1000], dtype=np.int64),
        names=tuple(f"step-{i}.pt" for i in range(4)),
        metrics={
            "train_accuracy": np.array([0.1, 0.5, 0.9, 1.0]),
            "test_accuracy": np.array([0.1, np.nan, 0.8, 0.9]),
        },
        radii=np.array(RADII),
        radius_labels=("r = 0.3", "median 5 cuts"),
        directions=DIRECTIONS,
        seconds={
            name: np.array([row["seconds"][name] for row in rows]).reshape(shape)
            for name in rows[0]["seconds"]
        },
        examples=tuple(examples),
        **joined,
    )


def _one(program: sv.Program) -> dict[str, Any]:
    """The arrays of one checkpoint."""
    estimates = [
        sv.local_complexity(program, POINTS, radius=RADII, directions=DIRECTIONS, seed=f)
        for f in range(FRAMES)
    ]
    n_stages, began = len(program.stages), time.perf_counter()
    shape = (len(RADII), PLANES, len(POINTS))
    made: dict[str, Any] = {
        name: np.zeros((*shape, n_stages), dtype=np.int32) for name in ("cells", "cut", "first")
    }
    made["regions"] = np.zeros(shape, dtype=np.int32)
    arranged = {}
    for where in np.ndindex(shape):
        arranged[where], counts = exact(
            program, POINTS[where[2]], shared_frame(8, 2, where[1]), RADII[where[0]]
        )
        for name, value in counts.items():
            made[name][where] = value
    seconds = {
        "exact": [(time.perf_counter() - began) / len(RADII)] * len(RADII),
        "proxy": [estimates[0].seconds / len(RADII)] * 2,
    }
    sizes = [deformation(program, POINTS, radius=r, directions=5) for r in RADII]
    signs = [sign_disagreements(program, POINTS, dtype="float32", radius=r, directions=5) for r in RADII]
    decisions = [
        [sum(getattr(a.stats, n) for w, a in arranged.items() if w[0] == r) for r in range(len(RADII))]
        for n in ("decisions", "undecided")
    ]
    return made | {
        "n_sep": np.stack([e.counts for e in estimates], 2).astype(np.int32),
        "zeros": np.stack([e.zeros.sum(-1) for e in estimates], 2).astype(np.int32),
        "decisions": np.array(decisions[0], dtype=np.int64),
        "undecided": np.array(decisions[1], dtype=np.int64),
        "in_doubt": np.zeros(len(RADII), dtype=np.int64),
        "first_order": np.stack([first_order(program, POINTS, radius=r).sum(-1) for r in RADII]).astype(
            np.int32
        ),
        "patterns": np.stack([distinct_patterns(program, POINTS, radius=r) for r in RADII]).astype(np.int32),
        "distance": mean_distance(program, POINTS).mean(1),
        "eccentricity": np.stack([s.eccentricity.mean(0)[:n_stages] for s in sizes]),
        "diameter": np.stack([s.diameter.mean(0)[:n_stages] for s in sizes]),
        "disagreements": np.stack([s.differing.sum(0) for s in signs]).astype(np.int64),
        "compared": np.stack([s.compared * len(POINTS) for s in signs]).astype(np.int64),
        "seconds": seconds,
        "examples": ((1, 0, 3), arranged[1, 0, 3]),
    }
