"""A number with its sample size and its interval; one that is undefined says why, and is never NaN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

__all__ = ["LEVEL", "UNDEFINED", "Measured", "Sampled", "undefined"]

LEVEL = 0.95
"""Coverage that intervals aim at."""

UNDEFINED = "undefined"


@dataclass(frozen=True)
class Measured:
    """A statistic. ``str`` gives ``0.713 [0.684, 0.742]``, or ``undefined``.

    Attributes
    ----------
    value
        None where it is undefined.
    low, high
        Percentiles 2.5 and 97.5 of its values in resamples of the points; None where there is no interval.
    sample
        Number of observations: neighbourhoods, unless said otherwise.
    note
        Why it is undefined or has no interval, or what was left out; empty otherwise.
    """

    value: float | None
    low: float | None
    high: float | None
    sample: int
    note: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return UNDEFINED
        return f"{self.value:.3g}" + ("" if self.low is None else f" [{self.low:.3g}, {self.high:.3g}]")

    def to_json(self) -> dict[str, Any]:
        """Value, interval and sample as JSON."""
        interval = None if self.low is None else [self.low, self.high]
        return {"value": self.value, "interval": interval, "sample": self.sample} | (
            {"note": self.note} if self.note else {}
        )


@dataclass(frozen=True, eq=False)
class Sampled:
    """A statistic and its values in resamples of the points, NaN where it is undefined."""

    value: float
    resampled: Float64[np.ndarray, "resample"]
    sample: int
    why: str = ""
    """Reason why the value is undefined, if it is."""
    note: str = ""
    """Note on what was left out."""

    def measured(self) -> Measured:
        """Value with the percentile interval, which it has if it is defined in 19 of 20 resamples.

        Examples
        --------
        >>> str(Sampled(0.5, np.linspace(0.0, 1.0, 101), 60).measured())
        '0.5 [0.025, 0.975]'
        >>> str(Sampled(np.nan, np.zeros(2), 60, "all counts are 0").measured())
        'undefined'
        """
        if np.isnan(self.value):
            return Measured(None, None, None, self.sample, self.why)
        there = self.resampled[~np.isnan(self.resampled)]
        if len(there) < LEVEL * len(self.resampled):
            n = len(self.resampled)
            lost = f"no interval: undefined in {n - len(there)} of {n} resamples"
            return Measured(
                float(self.value), None, None, self.sample, "; ".join(filter(None, (self.note, lost)))
            )
        low, high = np.quantile(there, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Measured(float(self.value), float(low), float(high), self.sample, self.note)

    @classmethod
    def mean(cls, parts: Sequence[Sampled], each: str) -> Sampled:
        """The mean over the parts where it is defined, all from the same resamples; ``each`` names a part."""
        there = [part for part in parts if not np.isnan(part.value)]
        if not there:
            reasons = ", ".join(sorted({part.why for part in parts}))
            return undefined(f"undefined at every {each}: {reasons}", sum(part.sample for part in parts))
        held = np.stack([part.resampled for part in there])
        defined = ~np.isnan(held)
        counts = defined.sum(0)
        resampled = np.where(counts > 0, np.where(defined, held, 0.0).sum(0) / np.maximum(counts, 1), np.nan)
        lost = len(parts) - len(there)
        note = f"undefined at {lost} of {len(parts)} {each}s, which the mean leaves out" if lost else ""
        return cls(
            float(np.mean([part.value for part in there])),
            resampled,
            sum(part.sample for part in there),
            note=note,
        )


def undefined(reason: str, sample: int) -> Sampled:
    """A number that there is not."""
    return Sampled(np.nan, np.empty(0), sample, reason)
