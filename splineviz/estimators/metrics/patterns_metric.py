"""Distinct activation patterns among random samples of a ball."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["METRIC"]


_SAMPLES = 50
"""Samples of the ball for each draw of the noise that is asked for."""


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.baselines import distinct_patterns

    how = {"samples": _SAMPLES * part.settings.samples, "seed": part.settings.seed} | part.where
    for radius in part.settings.radii:
        yield Column("patterns", "all", distinct_patterns(part.network, part.x, radius=radius, **how), radius)


METRIC = Metric("patterns", "distinct patterns among random samples of a ball", _columns)
