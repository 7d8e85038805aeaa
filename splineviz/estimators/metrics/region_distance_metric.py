"""The distance to the boundary of a point's linear region."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.region_distance import region_distance

    found = region_distance(part.network, part.x, **part.where)
    yield Column("region-distance", "all", found.min(1))
    for stage, values in zip(part.stages, found.T, strict=True):
        yield Column("region-distance", stage.label, values)


METRIC = Metric("region-distance", "input distance to the nearest kink", _columns)
