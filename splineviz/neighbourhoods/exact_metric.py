"""Exact counts on random planes as columns: new cells, units that are cut, linear regions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress, by_stage

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.neighbourhoods.counts import local_counts
    from splineviz.neighbourhoods.diamonds import plane_frames

    assert part.program is not None
    settings, x, planes = part.settings, part.x, part.settings.planes
    axes = plane_frames(x[0].size, len(x), planes, settings.frame, settings.seed, part.first)
    found = local_counts(part.program, x, radius=settings.radii, axes=axes, regions=True, progress=progress)
    assert found.regions is not None
    for i, radius in enumerate(found.radii):
        for name, table in (("exact R - 1", found.new_cells[i]), ("exact cuts", found.cut[i])):
            yield from by_stage(name, found.stages, table.mean(0), radius, 2)
            if planes > 1:
                error = table.sum(-1).std(0, ddof=1) / np.sqrt(planes)
                yield Column(f"{name}, standard error", "all", error, radius, 2)
        yield Column("exact linear regions", "all", found.regions[i].mean(0), radius, 2)


METRIC = Metric(
    "exact",
    "what random planes really cut: cells, units, linear regions",
    _columns,
    follows="lc",
    needs_program=True,
)
