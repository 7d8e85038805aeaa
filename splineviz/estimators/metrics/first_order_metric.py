"""Units whose boundary would lie within the radius if they were affine everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress, by_stage

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.baselines import first_order

    for radius in part.settings.radii:
        found = first_order(part.network, part.x, radius=radius, **part.where)
        yield from by_stage("first-order", part.stages, found, radius)


METRIC = Metric("first-order", "units with |z| < r |grad z|", _columns)
