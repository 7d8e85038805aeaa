"""Do the proxy and the baselines rank neighbourhoods as the exact counts do? Within each checkpoint, and
across, apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64

from splineviz.validation.measured import Measured, Sampled
from splineviz.validation.quantities import estimates, exact_counts, pairs
from splineviz.validation.ranks import Correlation, Drawn, Ranked, correlate, tied_pairs
from splineviz.validation.study import Study

__all__ = ["Agreement", "Ties", "agreement_of", "ties", "within_checkpoints"]


@dataclass(frozen=True)
class Agreement:
    """Rank correlations of an estimate with an exact count at one radius."""

    radius: int
    checkpoint: int | None
    """None: of all checkpoints together."""
    estimate: str
    exact: str
    tau: Measured
    spearman: Measured


@dataclass(frozen=True)
class Ties:
    """Shares of a quantity that are zero, and tied, at one radius and checkpoint."""

    radius: int
    checkpoint: int
    quantity: str
    mean: float | None
    zeros: float | None
    """Share of the neighbourhoods where the network does not bend: a count of 0, or one cell."""
    tied: float | None
    """Share of the pairs of neighbourhoods; None of fewer than two."""
    sample: int


def within_checkpoints(study: Study, weights: Float64[np.ndarray, "resample point"]) -> list[Agreement]:
    """Agreement of each pair over the planes and points of each checkpoint; then the mean over the
    checkpoints where it is defined.

    Means have the interval of the same resamples of points at all checkpoints.
    """
    x, y = estimates(study), exact_counts(study)
    rows: list[Agreement] = []
    for radius in range(study.n_radii):
        found: dict[tuple[str, str], list[Correlation]] = {pair: [] for pair in pairs(study)}
        for checkpoint in range(study.n_checkpoints):
            drawn = Drawn(study.counted[checkpoint, radius], weights)
            sides = [
                {name: Ranked(values[checkpoint, radius], drawn) for name, values in side.items()}
                for side in (x, y)
            ]
            for (estimate, exact), several in found.items():
                several.append(correlate(sides[0][estimate], sides[1][exact]))
        for (estimate, exact), several in found.items():
            if study.n_checkpoints > 1:
                rows += [agreement_of(c, radius, place, estimate, exact) for place, c in enumerate(several)]
            mean = Correlation(
                *(
                    Sampled.mean([getattr(c, kind) for c in several], "checkpoint")
                    for kind in ("tau", "spearman")
                )
            )
            rows.append(agreement_of(mean, radius, None, estimate, exact))
    return rows


def agreement_of(
    found: Correlation, radius: int, checkpoint: int | None, estimate: str, exact: str
) -> Agreement:
    """Agreement of a pair from its correlation, with intervals."""
    return Agreement(radius, checkpoint, estimate, exact, found.tau.measured(), found.spearman.measured())


def ties(study: Study) -> list[Ties]:
    """Ties of the proxy for each P, and of the exact counts, over the neighbourhoods that were counted."""
    proxies = {name: values for name, values in estimates(study).items() if name.startswith("P = ")}
    quantities = proxies | exact_counts(study)
    rows = []
    for radius, checkpoint, (name, values) in product(
        range(study.n_radii), range(study.n_checkpoints), quantities.items()
    ):
        there = values[checkpoint, radius][study.counted[checkpoint, radius]]
        least = 1 if name in ("R", "linear regions") else 0
        mean, zeros = (float(there.mean()), float((there == least).mean())) if len(there) else (None, None)
        rows.append(Ties(radius, checkpoint, name, mean, zeros, tied_pairs(there), len(there)))
    return rows
