"""Studies of which the truth is known, and a small one that is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from splineviz.neighbourhoods.counts import UNCOUNTED
from splineviz.stage import Stage
from splineviz.validation.study import Study

ARRIVAL = np.array([0.79788, 1.12838, 1.56983, 1.88072, 2.16657, 2.25353])
"""m_P for P = 1, 2, 5, 10, 20, 25."""


def synthetic(
    agreement: str = "noisy",
    *,
    checkpoints: int = 4,
    radii: tuple[float, ...] = (0.01, 0.1),
    frames: int = 3,
    planes: int = 2,
    points: int = 60,
    stages: int = 2,
    directions: tuple[int, ...] = (2, 25),
    mean: float = 4.0,
    course: np.ndarray | None = None,
    seed: int = 0,
) -> Study:
    """A study of random counts.

    ``agreement``: ``"perfect"``: every cell is one cut, and the proxy finds every cut; ``"noisy"``: cuts are
    missed and lines cross; ``"none"``: the exact counts know nothing of the proxy; ``"zeros"``: nothing is
    cut anywhere. ``course`` is the relative density at each checkpoint.
    """
    rng = np.random.default_rng(seed)
    course = np.ones(checkpoints) if course is None else np.asarray(course, dtype=float)
    density = rng.gamma(2.0, 0.5, (1, 1, 1, points, 1)) * course[:, None, None, None, None]
    density = mean / stages * density * (np.array(radii) / max(radii))[None, :, None, None, None]
    density = np.broadcast_to(density, (checkpoints, len(radii), frames, points, stages)) * (
        agreement != "zeros"
    )
    proxies = [
        rng.poisson(density * dict(zip((1, 2, 5, 10, 20, 25), ARRIVAL, strict=True))[p] / ARRIVAL[1])
        for p in directions
    ]
    n_sep = np.stack(proxies, 2).astype(np.int32)
    sep = n_sep[:, :, directions.index(2), :planes]
    cut, crossings = sep, np.zeros_like(sep)
    if agreement == "none":
        cut = rng.permuted(sep, axis=3)
    if agreement in ("noisy", "none"):
        cut = cut + rng.poisson(0.1, sep.shape)
        crossings = rng.poisson(0.2 * cut**2)
    cells = 1 + np.cumsum(cut + crossings, -1)
    shape = (checkpoints, len(radii))
    return Study(
        design={
            "frame": "per-point",
            "seed": seed,
            "dtype": "float64",
            "command": "splineviz validate nets:make",
            "versions": {},
        },
        model="nets:make",
        digest="0" * 16,
        stages=tuple(Stage(i, f"relu{i}", "relu", (40,), 1, "") for i in range(stages)),
        steps=np.arange(checkpoints, dtype=np.int64) ** 4,
        names=tuple(f"step-{i}.pt" for i in range(checkpoints)),
        metrics={
            "train_accuracy": np.linspace(0.1, 1.0, checkpoints),
            "test_accuracy": np.full(checkpoints, np.nan),
        },
        radii=np.array(radii),
        radius_labels=tuple(f"r = {r:g}" for r in radii),
        directions=directions,
        n_sep=n_sep,
        zeros=np.zeros(n_sep.shape[:-1], dtype=np.int32),
        cells=cells.astype(np.int32),
        cut=cut.astype(np.int32),
        first=cut.astype(np.int32),
        regions=cells[..., -1].astype(np.int32),
        decisions=np.full(shape, 1000, dtype=np.int64),
        undecided=np.zeros(shape, dtype=np.int64),
        in_doubt=np.zeros(shape, dtype=np.int64),
        first_order=rng.poisson(density[:, :, 0].sum(-1)).astype(np.int32),
        patterns=1 + rng.poisson(density[:, :, 0].sum(-1)).astype(np.int32),
        distance=1 / (0.1 + density[:, 0, 0].sum(-1)),
        eccentricity=np.ones((*shape, stages)) * np.array(radii)[:, None],
        diameter=np.ones((*shape, stages)) * 2 * np.array(radii)[:, None],
        disagreements=np.zeros((*shape, stages), dtype=np.int64),
        compared=np.full((*shape, stages), 50 * 40 * points, dtype=np.int64),
        seconds={name: np.full(shape, s) for name, s in (("exact", 0.2), ("proxy", 0.1), ("plain", 0.25))},
    )


def given_up(study: Study, share: float = 0.2, seed: int = 0) -> Study:
    """The same, with the exact counts of some neighbourhoods given up."""
    lost = np.random.default_rng(seed).random(study.counted.shape) < share
    changes: dict[str, Any] = {
        name: np.where(lost[..., None], UNCOUNTED, getattr(study, name)).astype(np.int32) for name in _EXACT
    }
    return replace(study, **changes, regions=np.where(lost, UNCOUNTED, study.regions).astype(np.int32))


_EXACT = ("cells", "cut", "first")
