"""Units that the output does not depend on."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress, by_stage

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    found = part.moments(progress)
    yield from by_stage("not-good", found.stages, found.not_good)


METRIC = Metric("not-good", "units that the output does not depend on", _columns)
