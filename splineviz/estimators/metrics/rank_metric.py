"""The local rank of each stage."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    found = part.moments(progress)
    for stage, values in zip(found.stages, found.rank.T, strict=True):
        yield Column("rank", stage.label, values)


METRIC = Metric("rank", "local rank: singular values of a Jacobian", _columns)
