"""One job of a validation: all that is counted at one checkpoint for one radius."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import splineviz
from splineviz.estimators.baselines import distinct_patterns, first_order, mean_distance
from splineviz.estimators.deformation import deformation
from splineviz.estimators.forward_cost import plain_seconds
from splineviz.estimators.local_complexity import local_complexity
from splineviz.estimators.precision import sign_disagreements
from splineviz.neighbourhoods.counts import UNCOUNTED, local_counts
from splineviz.neighbourhoods.diamonds import plane_frames
from splineviz.program.program import Program
from splineviz.validation.design import Design
from splineviz.values.threads import one_thread

__all__ = ["Job"]

SCHEMA = "splineviz.validation-job/1"

_FORWARD_MODE = threading.Lock()
"""Torch differentiates forward in one thread at a time only."""
_DEFORMED = 64
"""Points, the first ones, whose deformation is measured: all distances between the vertices are, at every
stage."""


@dataclass(frozen=True, eq=False)
class Job:
    """A checkpoint and a radius, with what they are looked at with."""

    program: Program
    points: np.ndarray
    """(n, *input_shape) float64"""
    radius: float
    design: Design
    max_memory: int | None = None
    """For its arrangements; no number depends on it"""

    def key(self, points_digest: str) -> str:
        """Name of its result: of all that it depends on, and so the same wherever and whenever it is done."""
        asked = self.design.as_json()
        for name in ("radii", "medians", "examples"):  # of other jobs, or of what is made from all of them
            del asked[name]
        facts = {
            "schema": SCHEMA,
            "version": splineviz.__version__,
            "program": self.program.digest,
            "points": points_digest,
        }
        text = json.dumps(facts | asked | {"radius": self.radius.hex()}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def run(self) -> dict[str, np.ndarray]:
        """The arrays of a study at this checkpoint and radius, without these two axes."""
        with one_thread():
            return self._proxies() | self._exact() | self._baselines() | self._sizes() | self._precision()

    def _proxies(self) -> dict[str, np.ndarray]:
        design, began = self.design, time.perf_counter()
        found = [
            local_complexity(
                self.program,
                self.points,
                radius=self.radius,
                directions=design.directions,
                frame=design.frame,
                seed=design.seed + f,
            )
            for f in range(design.frames)
        ]
        together = time.perf_counter() - began
        most = design.directions[-1]
        alone = local_complexity(
            self.program,
            self.points,
            radius=self.radius,
            directions=most,
            frame=design.frame,
            seed=design.seed,
        ).seconds
        plain = plain_seconds(
            self.program, self.points, radius=self.radius, directions=most, seed=design.seed
        )
        n_sep = np.stack([estimate.counts[0] for estimate in found], 1)
        zeros = np.stack([estimate.zeros[0].sum(-1) for estimate in found if estimate.zeros is not None], 1)
        times = {"seconds_proxy": alone, "seconds_proxies": together, "seconds_plain": plain}
        return {"n_sep": n_sep.astype(np.int32), "zeros": zeros.astype(np.int32)} | {
            k: np.array(v) for k, v in times.items()
        }

    def _exact(self) -> dict[str, np.ndarray]:
        design = self.design
        axes = plane_frames(self.points[0].size, len(self.points), design.planes, design.frame, design.seed)
        how: dict[str, Any] = {
            "radius": self.radius,
            "axes": axes,
            "certify": design.certify,
            "jobs": 1,
            "max_memory": self.max_memory,
            "seconds": design.seconds,
        }
        found = local_counts(self.program, self.points, regions=True, **how)
        assert found.regions is not None
        tables = {"cells": found.cells, "cut": found.cut, "first": found.first, "regions": found.regions}
        counts = {
            "decisions": found.decisions[0],
            "undecided": found.undecided[0],
            "in_doubt": found.in_doubt[0],
            "seconds_exact": found.seconds[0],
        }
        counts["seconds_regions"] = found.seconds_regions[0]
        return {name: table[0].astype(np.int32) for name, table in tables.items()} | {
            k: np.array(v) for k, v in counts.items()
        }

    def _baselines(self) -> dict[str, np.ndarray]:
        network, x, r = self.program, self.points, self.radius
        # as many samples as the largest proxy has vertices, so that they cost the same
        patterns = distinct_patterns(
            network, x, radius=r, samples=2 * self.design.directions[-1], seed=self.design.seed
        )
        found = {"patterns": patterns.astype(np.int32)}
        if any(stage.candidates for stage in network.stages):  # maxima have no breakpoint to be near
            nothing = np.full(len(x), UNCOUNTED)
            return found | {"first_order": nothing.astype(np.int32), "distance": nothing.astype(np.float64)}
        with _FORWARD_MODE:
            near = first_order(network, x, radius=r).sum(1)
        units = np.array([stage.n_units for stage in network.stages])
        distance = (mean_distance(network, x) * units).sum(1) / units.sum()
        return found | {"first_order": near.astype(np.int32), "distance": distance}

    def _sizes(self) -> dict[str, np.ndarray]:
        how: dict[str, Any] = {"directions": self.design.directions[-1], "seed": self.design.seed}
        found = deformation(self.program, self.points[:_DEFORMED], radius=self.radius, **how)
        tables = {"eccentricity": found.eccentricity, "diameter": found.diameter}
        return {name: table[:, :-1].mean(0) for name, table in tables.items()}

    def _precision(self) -> dict[str, np.ndarray]:
        how: dict[str, Any] = {"directions": self.design.directions[-1], "seed": self.design.seed}
        found = sign_disagreements(self.program, self.points, dtype="float32", radius=self.radius, **how)
        return {"disagreements": found.differing.sum(0), "compared": found.compared * len(self.points)}
