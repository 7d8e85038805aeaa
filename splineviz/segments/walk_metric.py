"""The walk from each point to the next as columns: density of crossings, deviation from linearity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.segments.paths import walk

    assert part.program is not None
    walks = [walk(part.program, ends) for ends in zip(part.x, part.following, strict=False)]
    deviations = np.array([one.absolute_deviation.mean() for one in walks])
    limits = np.array([one.deviation_bound.mean() for one in walks])
    yield Column("walk density", "all", np.array([one.density for one in walks]))
    yield Column("walk deviation", "mean of outputs", deviations)
    yield Column("walk deviation bound", "mean of outputs", limits)


METRIC = Metric(
    "walk",
    "crossings and deviation from linearity on the way to the next point",
    _columns,
    follows="volume",
    needs_program=True,
)
