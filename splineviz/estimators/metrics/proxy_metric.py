"""The proxy of local complexity, n_sep: units that separate the vertices x ± r v_p."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.local_complexity import local_complexity

    settings = part.settings
    estimate = local_complexity(
        part.network,
        part.x,
        radius=settings.radii,
        directions=part.directions,
        frame=settings.frame,
        seed=settings.seed,
        dtype=settings.dtype,
        first=part.first,
        progress=progress,
        **part.where,
    )
    for i, radius in enumerate(estimate.radii):
        for j, p in enumerate(estimate.directions):
            assert estimate.zeros is not None
            counts, zeros = estimate.counts[i, j], estimate.zeros[i, j]
            yield Column("lc", "all", counts.sum(1), radius, p, zeros.sum(1))
            for k, stage in enumerate(estimate.stages):
                yield Column("lc", stage.label, counts[:, k], radius, p, zeros[:, k])


METRIC = Metric("lc", "the proxy: units that separate the vertices x ± r v_p", _columns)
