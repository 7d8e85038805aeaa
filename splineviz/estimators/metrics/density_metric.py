"""The density of kinks under noise, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress, by_stage

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.density import density

    how = {"variant": part.settings.variant} | part.noise
    found = density(part.network, part.x, progress=progress, **how)
    yield from by_stage("density", found.stages, found.values)


METRIC = Metric("density", "expected kinks per volume under noise (Theorem 2)", _columns)
