"""The norm of the derivative of the output, whose mean is the total variation."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    yield Column("variation", "output", part.moments(progress).variation)


METRIC = Metric("variation", "norm of the output's derivative", _columns)
