"""Agreement of k random planes, or frames, a point with what many planes would tell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64

from splineviz.validation.measured import Measured, Sampled
from splineviz.validation.quantities import headline, same_set
from splineviz.validation.ranks import Drawn, Ranked, kendall
from splineviz.validation.study import Study

__all__ = ["PlaneAgreement", "plane_agreement"]


@dataclass(frozen=True)
class PlaneAgreement:
    """The rank agreement of a mean over k planes with the mean of R over the others, as mean over the
    checkpoints."""

    radius: int
    quantity: str
    """R, or the proxy in the frames of the same k planes."""
    k: int
    others: int
    """Planes that stand for the limit of many. They are a sample of it, too, which lowers the agreement of
    all quantities alike."""
    tau: Measured


def plane_agreement(study: Study, weights: Float64[np.ndarray, "resample point"]) -> list[PlaneAgreement]:
    """Agreement for k = 1, 2, 4 ... planes, at most half of them: the first k against the rest, over points
    counted on all planes."""
    exact = study.exact("cells")
    sources = {"R": exact} | {
        name: study.proxy(p)[:, :, : study.n_planes].astype(np.float64)
        for name, p in ((same_set(), 2), (headline(study), study.directions[-1]))
    }
    rows = []
    for radius, k in product(range(study.n_radii), _up_to(study.n_planes // 2)):
        taus: dict[str, list[Sampled]] = {name: [] for name in sources}
        for checkpoint in range(study.n_checkpoints):
            cells = exact[checkpoint, radius]
            drawn = Drawn(~np.isnan(cells).any(0, keepdims=True), weights)
            rest = Ranked(cells[k:].mean(0, keepdims=True), drawn)
            for name, values in sources.items():
                taus[name].append(
                    kendall(Ranked(values[checkpoint, radius, :k].mean(0, keepdims=True), drawn), rest)
                )
        for name, several in taus.items():
            rows.append(
                PlaneAgreement(
                    radius, name, k, study.n_planes - k, Sampled.mean(several, "checkpoint").measured()
                )
            )
    return rows


def _up_to(most: int) -> list[int]:
    return [k for k in (1, 2, 4, 8, 16) if k <= most]
