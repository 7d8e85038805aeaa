"""All statistics of a study in one object, which knows how to become JSON and how to be held to
thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from splineviz.errors import InputError
from splineviz.validation.agreement import Agreement, Ties, ties, within_checkpoints
from splineviz.validation.calibration import Bin, Match, calibration, matches
from splineviz.validation.cluster_bootstrap import point_weights
from splineviz.validation.costs import Cost, Precision, Uncertainty, costs, doubts, precision
from splineviz.validation.decomposition import decompose
from splineviz.validation.decomposition_sums import Missed, Stretch, Term, missed, stretch, terms_of
from splineviz.validation.frame_effects import FrameVariance, Swept, frame_variance, sweep
from splineviz.validation.measured import Measured
from splineviz.validation.planes import PlaneAgreement, plane_agreement
from splineviz.validation.quantities import headline, radius_names, same_set
from splineviz.validation.study import Study
from splineviz.validation.training_curves import Course, across_checkpoints, along_points, courses

__all__ = ["RESAMPLES", "Findings", "check_thresholds", "findings"]

RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Findings:
    """Findings of a study: lists of a row for each case, with places on the study's axes. docs/validation.md
    defines each."""

    resamples: int
    seed: int
    headline: str
    """The proxy as it is used: with the most directions."""
    same_set: str
    """The proxy with two directions, on the very set whose cells are counted."""
    radius_labels: tuple[str, ...]
    """Name of each radius: how it was asked for, and its value."""
    within: list[Agreement]
    across: list[Agreement]
    along: list[Agreement]
    ties: list[Ties]
    courses: list[Course]
    calibration: list[Bin]
    matches: list[Match]
    terms: list[Term]
    missed: list[Missed]
    stretch: list[Stretch]
    sweep: list[Swept]
    frames: list[FrameVariance]
    planes: list[PlaneAgreement]
    costs: list[Cost]
    doubts: list[Uncertainty]
    precision: list[Precision]

    def agreement(self, radius: int, estimate: str, exact: str = "R", *, across: bool = False) -> Agreement:
        """Agreement of one pair at one radius, over all checkpoints: the mean within them, or across."""
        rows = self.across if across else self.within
        return next(
            row
            for row in rows
            if (row.radius, row.checkpoint, row.estimate, row.exact) == (radius, None, estimate, exact)
        )

    def miss_rate(self, radius: int, stage: int | None = None) -> Measured:
        """Share of the cuts that the proxy misses, over all checkpoints."""
        return next(
            row.rate
            for row in self.missed
            if (row.radius, row.checkpoint, row.stage) == (radius, None, stage)
        )

    def check(self, thresholds: Mapping[str, float]) -> list[str]:
        """Sentences on the values below a threshold, one for each threshold and radius. An undefined value is
        below every threshold.

        Raises
        ------
        InputError
            If a name is unknown.
        """
        check_thresholds(thresholds)
        return [
            f"{name} is {value} at {label}, below {least:g}"
            + (f" ({value.note})" if value.value is None else "")
            for name, least in thresholds.items()
            for radius, label in enumerate(self.radius_labels)
            if (value := _CHECKED[name](self, radius)).value is None or value.value < least
        ]

    def to_json(self) -> dict[str, Any]:
        """Plain objects, lists, numbers and null. Resamples are left out."""
        found: dict[str, Any] = _plain(
            {f.name: getattr(self, f.name) for f in fields(self) if f.name != "courses"}
        )
        found["courses"] = [
            {"radius": c.radius, "quantity": c.quantity, "mean": _plain(c.band()), "moves": _plain(c.moves)}
            for c in self.courses
        ]
        return found


def check_thresholds(thresholds: Mapping[str, float]) -> None:
    """Refuse names of numbers that cannot be held to a threshold.

    Raises
    ------
    InputError
        With the names that are known.
    """
    if unknown := [name for name in thresholds if name not in _CHECKED]:
        raise InputError(f"unknown threshold {', '.join(unknown)}; known are {', '.join(_CHECKED)}")


_CHECKED: dict[str, Callable[[Findings, int], Measured]] = {
    "tau": lambda f, r: f.agreement(r, f.headline).tau,
    "spearman": lambda f, r: f.agreement(r, f.headline).spearman,
    "tau-same": lambda f, r: f.agreement(r, f.same_set).tau,
    "spearman-same": lambda f, r: f.agreement(r, f.same_set).spearman,
    "tau-across": lambda f, r: f.agreement(r, f.headline, across=True).tau,
    "spearman-across": lambda f, r: f.agreement(r, f.headline, across=True).spearman,
    "found": lambda f, r: _rest(f.miss_rate(r)),
}
"""The numbers that can be held to a threshold, by name."""


def _rest(rate: Measured) -> Measured:
    """The share that is not missed."""
    low, high = (None if bound is None else 1 - bound for bound in (rate.high, rate.low))
    return Measured(None if rate.value is None else 1 - rate.value, low, high, rate.sample, rate.note)


def findings(study: Study, *, resamples: int = RESAMPLES, seed: int = 0) -> Findings:
    """Every statistic of docs/validation.md.

    Parameters
    ----------
    study
        The study.
    resamples, seed
        Of the cluster bootstrap: points are drawn with all that belongs to them.
    """
    weights, parts = point_weights(study.n_points, resamples, seed), decompose(study)
    curves = courses(study, weights)
    rates = missed(study, parts, weights)
    return Findings(
        resamples=resamples,
        seed=seed,
        headline=headline(study),
        same_set=same_set(),
        radius_labels=radius_names(study),
        within=within_checkpoints(study, weights),
        across=across_checkpoints(study, curves),
        along=along_points(study, weights),
        ties=ties(study),
        courses=curves,
        calibration=[
            row for p in dict.fromkeys((2, study.directions[-1])) for row in calibration(study, p, weights)
        ],
        matches=matches(study),
        terms=terms_of(study, parts, weights),
        missed=rates,
        stretch=stretch(study, rates),
        sweep=sweep(study, weights),
        frames=frame_variance(study, weights),
        planes=plane_agreement(study, weights),
        costs=costs(study),
        doubts=doubts(study),
        precision=precision(study),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Measured):
        return value.to_json()
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value
