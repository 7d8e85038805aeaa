"""The mean distance of what enters a stage from the breakpoints."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.baselines import mean_distance

    for stage, values in zip(part.stages, mean_distance(part.network, part.x, **part.where).T, strict=True):
        yield Column("distance", stage.label, values)


METRIC = Metric("distance", "mean |z|", _columns)
