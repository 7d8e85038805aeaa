"""The metrics by name. Those that need exact cells lie elsewhere and are registered by who asks for them."""

from __future__ import annotations

from splineviz.estimators.metrics import (
    bounds_metric,
    deformation_metric,
    density_metric,
    disagreements_metric,
    distance_metric,
    first_order_metric,
    not_good_metric,
    patterns_metric,
    proxy_metric,
    rank_metric,
    region_distance_metric,
    variation_metric,
    volume_metric,
)
from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["columns_of", "registered"]

_ESTIMATED = (
    proxy_metric.METRIC,
    disagreements_metric.METRIC,
    density_metric.METRIC,
    rank_metric.METRIC,
    variation_metric.METRIC,
    not_good_metric.METRIC,
    bounds_metric.METRIC,
    deformation_metric.METRIC,
    volume_metric.METRIC,
    first_order_metric.METRIC,
    patterns_metric.METRIC,
    distance_metric.METRIC,
    region_distance_metric.METRIC,
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
