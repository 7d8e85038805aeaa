"""Sizes of the graph on the embedded vertices of each neighbourhood, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

from splineviz.estimators.metrics.metric import Column, Metric, Part, Progress

__all__ = ["METRIC"]


def _columns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.deformation import deformation

    settings = part.settings
    for radius in settings.radii:
        for p in part.directions:
            found = deformation(
                part.network, part.x, radius=radius, directions=p, seed=settings.seed, **part.where
            )
            names = ["input", *(stage.label for stage in found.stages)]
            for what, table in (("eccentricity", found.eccentricity), ("diameter", found.diameter)):
                for name, values in zip(names, table.T, strict=True):
                    yield Column(f"deformation {what}", name, values, radius, p)


METRIC = Metric("deformation", "eccentricity and diameter of the embedded vertices", _columns)
