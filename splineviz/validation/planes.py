"""How well do k random planes, or frames, a point tell what many planes would tell?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64

from splineviz.validation.agreement import ranked
from splineviz.validation.measured import Measured, Sampled
from splineviz.validation.quantities import headline, same_set
from splineviz.validation.ranks import correlate
from splineviz.validation.study import Study

__all__ = ["PlaneAgreement", "plane_agreement"]


@dataclass(frozen=True)
class PlaneAgreement:
    """The rank agreement of a mean over k planes with the mean of R over the others, as mean over the checkpoints."""

    radius: int
    quantity: str
    """R, or the proxy in the frames of the same k planes."""
    k: int
    others: int
    """Planes that stand for the limit of many. They are a sample of it, too, which lowers the agreement of all quantities alike."""
    tau: Measured


def plane_agreement(study: Study, weights: Float64[np.ndarray, "resample point"]) -> list[PlaneAgreement]:
    """For k = 1, 2, 4 ... planes, at most half of them: the first k against the rest, over points counted on all planes."""
    exact = study.exact("cells")
    sources = {"R": exact} | {
        name: study.proxy(p)[:, :, : study.n_planes].astype(np.float64)
        for name, p in ((same_set(), 2), (headline(study), study.directions[-1]))
    }
    rows = []
    for radius, k, (name, values) in product(range(study.n_radii), _up_to(study.n_planes // 2), sources.items()):
        taus = [_tau(values[c, radius], exact[c, radius], k, weights) for c in range(study.n_checkpoints)]
        rows.append(PlaneAgreement(radius, name, k, study.n_planes - k, Sampled.mean(taus, "checkpoint").measured()))
    return rows


def _tau(values: np.ndarray, exact: np.ndarray, k: int, weights: np.ndarray) -> Sampled:
    """Of (plane, point) arrays of one checkpoint."""
    there = ~np.isnan(exact).any(0)
    some, rest = values[:k].mean(0, keepdims=True), exact[k:].mean(0, keepdims=True)
    return correlate(*(ranked(side, there[None], weights) for side in (some, rest))).tau


def _up_to(most: int) -> list[int]:
    return [k for k in (1, 2, 4, 8, 16) if k <= most]
