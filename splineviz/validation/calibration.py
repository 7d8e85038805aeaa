"""Mean of R where the proxy counts n, by bins, beside n + 1 and Zaslavsky's 1 + n + n (n - 1) / 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from splineviz.validation.cluster_bootstrap import ratio
from splineviz.validation.measured import Measured
from splineviz.validation.study import Study

__all__ = ["BINS", "FEWEST", "Bin", "Match", "calibration", "matches", "zaslavsky"]

BINS = 12
"""Number of values of n that have a bin each; more are joined, to bins of about equal numbers."""

FEWEST = 10
"""Neighbourhoods in a bin; those of fewer are joined with a neighbour."""


@dataclass(frozen=True)
class Bin:
    """The neighbourhoods of all checkpoints at one radius where the proxy counts ``low`` to ``high``."""

    radius: int
    directions: int
    low: int
    high: int
    n_sep: float
    """Mean of the proxy."""
    cells: Measured
    """Mean of R."""
    one_more: float
    """Mean of n + 1: R of n cuts that do not cross."""
    zaslavsky: float
    """Mean of 1 + n + n (n - 1) / 2: R of n unfolded lines that all cross inside."""


@dataclass(frozen=True)
class Match:
    """Shares of the neighbourhoods that were counted at one radius; None if none was."""

    radius: int
    sample: int
    one_cell: float | None
    all_found: float | None
    """n_sep = n_cut: the proxy misses no cut."""
    no_crossing: float | None
    """n_cut = R - 1."""
    equal: float | None
    """n_sep = R - 1: the proxy counts the cells."""
    beyond_zaslavsky: float | None
    """R is above what n_cut unfolded lines can make."""


def zaslavsky(n: np.ndarray) -> np.ndarray:
    """The most cells that n straight lines make. Folded units can make more.

    Examples
    --------
    >>> zaslavsky(np.arange(5)).tolist()
    [1.0, 2.0, 4.0, 7.0, 11.0]
    """
    return np.asarray(1 + n + n * (n - 1) / 2, dtype=np.float64)


def calibration(study: Study, directions: int, weights: Float64[np.ndarray, "resample point"]) -> list[Bin]:
    """Bins of the proxy, for each radius."""
    proxy, cells = study.proxy(directions)[:, :, : study.n_planes], study.exact("cells")
    found = []
    for radius in range(study.n_radii):
        n, r, counted = proxy[:, radius], cells[:, radius], study.counted[:, radius]
        for low, high in _bins(n[counted]):
            held = counted & (n >= low) & (n <= high)
            total, count = (np.where(held, values, 0.0).sum((0, 1)) for values in (r, np.ones_like(r)))
            mean = ratio(total, count, weights, int(held.sum()), "no neighbourhood").measured()
            here = n[held]
            found.append(
                Bin(
                    radius,
                    directions,
                    low,
                    high,
                    float(here.mean()),
                    mean,
                    float(here.mean() + 1),
                    float(zaslavsky(here).mean()),
                )
            )
    return found


def _bins(n: np.ndarray) -> list[tuple[int, int]]:
    """First and last value of each bin: every value is in one, and none but a single one is nearly empty."""
    values, counts = np.unique(n, return_counts=True)
    if len(values) > BINS:
        # the middle of each value's place among all, so that a value of many stays alone
        bin_of = np.minimum((BINS * (np.cumsum(counts) - counts / 2) / counts.sum()).astype(int), BINS - 1)
    else:
        bin_of = np.arange(len(values))
    found: list[tuple[int, int]] = []
    held = FEWEST
    for b in np.unique(bin_of):
        inside = bin_of == b
        low, high = int(values[inside].min()), int(values[inside].max())
        if held < FEWEST:
            found[-1] = found[-1][0], high
            held += int(counts[inside].sum())
        else:
            found.append((low, high))
            held = int(counts[inside].sum())
    if held < FEWEST and len(found) > 1:
        last = found.pop()
        found[-1] = found[-1][0], last[1]
    return found


def matches(study: Study) -> list[Match]:
    """Matches by radius, over all checkpoints."""
    n_sep, cells, cut = study.proxy(2)[:, :, : study.n_planes], study.exact("cells"), study.exact("cut")
    rows = []
    for radius in range(study.n_radii):
        there = study.counted[:, radius]
        n, r, c = (values[:, radius][there] for values in (n_sep, cells, cut))
        shares = [
            float(held.mean()) if len(r) else None
            for held in (r == 1, n == c, c == r - 1, n == r - 1, r > zaslavsky(c))
        ]
        rows.append(Match(radius, len(r), *shares))
    return rows
