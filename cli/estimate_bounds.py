"""`--metric bounds`: what the inequalities are made of, point by point, and both sides of each once all
points are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.errors import InputError

from .estimate_metrics import Column

if TYPE_CHECKING:
    from splineviz.estimators.bounds import Sides
    from splineviz.estimators.theory import Moments
    from splineviz.program import Origin

    from .estimate_options import EstimateOptions

__all__ = ["Bound", "bounds_of", "terms"]

TERM = "bounds: "
_RESAMPLES = 500


@dataclass(frozen=True)
class Bound:
    """Both sides of an inequality, with 95 % percentile-bootstrap intervals over points."""

    name: str
    form: str
    left: float
    right: float
    left_interval: tuple[float, float]
    right_interval: tuple[float, float]
    holds: bool | None
    """``None`` where it is one of orders, not of numbers."""


def terms(moments: Moments) -> Iterator[Column]:
    """The tables of the moments as columns."""
    from splineviz.estimators.theory import TABLES

    for name in TABLES:
        table = getattr(moments, name)
        if table.ndim == 1:
            yield Column(TERM + name, "output", table)
        else:
            for stage, values in zip(moments.stages, table.T, strict=True):
                yield Column(TERM + name, stage.name, values)


def bounds_of(
    columns: Sequence[Column], network: Origin, x: np.ndarray, options: EstimateOptions
) -> tuple[list[Bound], list[str]]:
    """Both sides of every bound in both forms, from the terms of all points; and why some do not apply."""
    moments = _moments(columns, network, x, options)
    generator = np.random.default_rng(options.seed)
    samples = [moments.take(generator.integers(0, len(x), len(x))) for _ in range(_RESAMPLES)]
    found, reasons = [], []
    for name, sides in _inequalities(options):
        for form in ("printed", "corrected"):
            try:
                here = sides(moments, form=form)
            except InputError as error:
                reasons.append(str(error))
                continue
            pairs = np.array([(s.left, s.right) for s in (sides(sample, form=form) for sample in samples)])
            (low_left, low_right), (high_left, high_right) = np.percentile(
                pairs, [2.5, 97.5], axis=0
            ).tolist()
            intervals = (low_left, high_left), (low_right, high_right)
            found.append(
                Bound(name, form, here.left, here.right, *intervals, None if name == "(17)" else here.holds)
            )
    return found, list(dict.fromkeys(reasons))


def _inequalities(options: EstimateOptions) -> Iterator[tuple[str, Callable[..., Sides]]]:
    from splineviz.estimators import bounds

    for number in (7, 8, 11, 12, 13, 14):
        yield f"({number})", getattr(bounds, f"bound_{number}")
    if options.weight_decay is not None:
        yield "(17)", partial(bounds.sides_17, weight_decay=options.weight_decay)


def _moments(columns: Sequence[Column], network: Origin, x: np.ndarray, options: EstimateOptions) -> Moments:
    """The moments of all points, put together from the columns; what does not depend on the points comes from
    the first."""
    from splineviz.estimators.theory import TABLES, moments

    noise: dict[str, Any] = {"noise": options.noise, "sigma": options.sigma, "device": options.device}
    first = moments(network, x[:1], samples=1, epsilon=options.epsilon, eta=options.eta, **noise)
    tables: dict[str, Any] = {
        name: np.stack([c.values for c in columns if c.metric == TERM + name], 1) for name in TABLES
    }
    tables["variation"] = tables["variation"][:, 0]
    return replace(first, samples=options.samples, **tables)
