"""The metrics by name. Those that need exact cells lie elsewhere and are registered by who asks for them."""

from __future__ import annotations

from splineviz.estimators.metrics import (
    bounds,
    deformation,
    density,
    disagreements,
    distance,
    first_order,
    not_good,
    patterns,
    proxy,
    rank,
    variation,
    volume,
)
from splineviz.estimators.metrics.base import Column, Metric, Part, Progress

__all__ = ["columns_of", "registered"]

_ESTIMATED = (
    proxy.METRIC,
    disagreements.METRIC,
    density.METRIC,
    rank.METRIC,
    variation.METRIC,
    not_good.METRIC,
    bounds.METRIC,
    deformation.METRIC,
    volume.METRIC,
    first_order.METRIC,
    patterns.METRIC,
    distance.METRIC,
)


def registered(*others: Metric) -> dict[str, Metric]:
    """Metrics by name, in the order of listing; each of ``others`` after the one that it follows.

    Examples
    --------
    >>> list(registered())[:3]
    ['lc', 'disagreements', 'density']
    """
    metrics = list(_ESTIMATED)
    for other in others:
        places = [place for place, metric in enumerate(metrics, 1) if metric.name == other.follows]
        metrics.insert(places[0] if places else len(metrics), other)
    return {metric.name: metric for metric in metrics}


def columns_of(metric: Metric, part: Part, progress: Progress) -> list[Column]:
    """The columns of one metric for some points; ``progress`` is told of points that are done."""
    return list(metric.columns(part, progress))
