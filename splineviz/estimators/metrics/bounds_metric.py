"""The inequalities on local complexity: their terms point by point, and both sides of each for all points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.errors import InputError
from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress, Settings

if TYPE_CHECKING:
    from splineviz.estimators.bounds import Sides
    from splineviz.estimators.theory import Moments
    from splineviz.program import Origin

__all__ = ["METRIC", "TERM", "Inequality", "inequalities"]

TERM = "bounds: "
"""Beginning of the names of columns of terms."""

_RESAMPLES = 500


@dataclass(frozen=True)
class Inequality:
    """Both sides of an inequality, with 95 % percentile-bootstrap intervals over points.

    Attributes
    ----------
    name, form
        Its number in the paper, as printed or as corrected.
    left, right, left_interval, right_interval
        Both sides.
    holds
        Whether left <= right; None where it is one of orders, not of numbers.
    """

    name: str
    form: str
    left: float
    right: float
    left_interval: tuple[float, float]
    right_interval: tuple[float, float]
    holds: bool | None


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.theory import TABLES

    moments = part.moments(progress)
    for name in TABLES:
        table = getattr(moments, name)
        if table.ndim == 1:
            yield Column(TERM + name, "output", table)
        else:
            for stage, values in zip(moments.stages, table.T, strict=True):
                yield Column(TERM + name, stage.label, values)


METRIC = Metric("bounds", "both sides of the theory's inequalities, as printed and corrected", _columns)


def inequalities(
    columns: Sequence[Column], network: Origin, x: np.ndarray, settings: Settings
) -> tuple[list[Inequality], list[str]]:
    """Both sides of every inequality in both forms, from the terms of all points x (point, *input_shape); and
    why some do not apply."""
    moments = _moments(columns, network, x, settings)
    generator = np.random.default_rng(settings.seed)
    samples = [moments.take(generator.integers(0, len(x), len(x))) for _ in range(_RESAMPLES)]
    found, reasons = [], []
    for name, sides in _sides(settings):
        for form in ("printed", "corrected"):
            try:
                here = sides(moments, form=form)
            except InputError as error:
                reasons.append(str(error))
                continue
            pairs = np.array([(s.left, s.right) for s in (sides(sample, form=form) for sample in samples)])
            with np.errstate(invalid="ignore"):  # between two infinite sides there is no number
                low, high = np.percentile(pairs, [2.5, 97.5], axis=0).tolist()
            (low_left, low_right), (high_left, high_right) = low, high
            intervals = (low_left, high_left), (low_right, high_right)
            holds = None if name == "(17)" else here.holds
            found.append(Inequality(name, form, here.left, here.right, *intervals, holds))
    return found, list(dict.fromkeys(reasons))


def _sides(settings: Settings) -> Iterator[tuple[str, Callable[..., Sides]]]:
    from splineviz.estimators import bounds

    for number in (7, 8, 11, 12, 13, 14):
        yield f"({number})", getattr(bounds, f"bound_{number}")
    if settings.weight_decay is not None:
        yield "(17)", partial(bounds.sides_17, weight_decay=settings.weight_decay)


def _moments(columns: Sequence[Column], network: Origin, x: np.ndarray, settings: Settings) -> Moments:
    """The moments of all points, put together from the columns; what does not depend on the points comes from
    the first."""
    from splineviz.estimators.theory import TABLES, moments

    noise: dict[str, Any] = {"noise": settings.noise, "sigma": settings.sigma, "device": settings.device}
    first = moments(network, x[:1], samples=1, epsilon=settings.epsilon, eta=settings.eta, **noise)
    tables: dict[str, Any] = {
        name: np.stack([c.values for c in columns if c.metric == TERM + name], 1) for name in TABLES
    }
    tables["variation"] = tables["variation"][:, 0]
    return replace(first, samples=settings.samples, **tables)
