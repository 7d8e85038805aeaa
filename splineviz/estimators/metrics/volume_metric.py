"""The volume factor of the output on the slice of the first two directions."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.volume import volume

    values = volume(part.network, part.x, seed=part.settings.seed, **part.where)
    yield Column("volume", "output", values, None, 2)


METRIC = Metric("volume", "sqrt(det A'A) on the slice of the first two directions", _columns)
