"""Signs at the vertices x ± r v_p that a lower precision and float64 see differently."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress, by_stage

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.precision import sign_disagreements

    settings = part.settings
    for radius in settings.radii:
        for p in part.directions:
            found = sign_disagreements(
                part.network,
                part.x,
                dtype=settings.dtype,
                radius=radius,
                directions=p,
                seed=settings.seed,
                **part.where,
            )
            yield from by_stage("disagreements", found.stages, found.differing, radius, p)


METRIC = Metric("disagreements", "signs at those vertices that --dtype and float64 see differently", _columns)
