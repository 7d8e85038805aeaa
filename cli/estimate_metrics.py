"""Each metric as a table of columns: what `splineviz estimate` asks the estimators for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from splineviz.estimators.theory import Moments
    from splineviz.program import Origin, Program
    from splineviz.stage import Stage

    from .estimate_options import EstimateOptions

__all__ = ["Column", "Part", "columns_of"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Column:
    """One number for each point."""

    metric: str
    stage: str
    """Name of a stage; ``all`` for all together; the layer's or quantity's name where there are no stages."""
    values: np.ndarray
    radius: float | None = None
    directions: int | None = None
    zeros: np.ndarray | None = None
    """Exact zeros, for the proxy."""

    @property
    def key(self) -> tuple[str, str, float | None, int | None]:
        return self.metric, self.stage, self.radius, self.directions


@dataclass(eq=False)
class Part:
    """Some points in a row, and what their metrics are made from."""

    network: Origin
    program: Program | None
    """Where a metric needs exact cells."""
    x: np.ndarray
    following: np.ndarray
    """The next point of each, but for the very last."""
    first: int
    """Number of the first point."""
    options: EstimateOptions
    _moments: Moments | None = field(default=None, init=False)

    @property
    def where(self) -> dict[str, Any]:
        """Where an estimator works, and how many points at a time."""
        return {"device": self.options.device, "batch": self.options.batch}

    @property
    def noise(self) -> dict[str, Any]:
        """What the estimators under noise take; each part has its own draws."""
        seed = int(np.random.SeedSequence([self.options.seed, self.first]).generate_state(1)[0])
        asked = {name: getattr(self.options, name) for name in ("sigma", "samples", "noise")}
        return asked | {"seed": seed} | self.where

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """Those of the network."""
        from splineviz.estimators.tape import Tape

        return Tape(self.network).stages

    def moments(self, progress: Progress) -> Moments:
        """What rank, variation, units that are not good and the bounds have in common, made once."""
        from splineviz.estimators.theory import moments

        if self._moments is None:
            how: dict[str, Any] = {
                "epsilon": self.options.epsilon,
                "eta": self.options.eta,
                "progress": progress,
            }
            self._moments = moments(self.network, self.x, **how, **self.noise)
        return self._moments


def columns_of(metric: str, part: Part, progress: Progress) -> list[Column]:
    """The columns of one metric for some points; ``progress`` is told of points that are done."""
    return list(_METRICS[metric](part, progress))


def _proxy(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.local_complexity import local_complexity

    options = part.options
    estimate = local_complexity(
        part.network,
        part.x,
        radius=options.radii,
        directions=options.directions,
        frame=options.frame,  # type: ignore[arg-type]
        seed=options.seed,
        dtype=options.dtype,
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
                yield Column("lc", stage.name, counts[:, k], radius, p, zeros[:, k])


def _exact(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.neighbourhoods.counts import local_counts
    from splineviz.neighbourhoods.diamonds import plane_frames

    assert part.program is not None
    options, x = part.options, part.x
    axes = plane_frames(x[0].size, len(x), options.planes, options.frame, options.seed, part.first)
    found = local_counts(part.program, x, radius=options.radii, axes=axes, regions=True, progress=progress)
    assert found.regions is not None
    for i, radius in enumerate(found.radii):
        for name, table in (("exact R - 1", found.new_cells[i]), ("exact cuts", found.cut[i])):
            yield from _by_stage(name, found.stages, table.mean(0), radius, 2)
            if options.planes > 1:
                error = table.sum(-1).std(0, ddof=1) / np.sqrt(options.planes)
                yield Column(f"{name}, standard error", "all", error, radius, 2)
        yield Column("exact linear regions", "all", found.regions[i].mean(0), radius, 2)


def _disagreements(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.precision import sign_disagreements

    options = part.options
    for radius in options.radii:
        for p in options.directions:
            found = sign_disagreements(
                part.network,
                part.x,
                dtype=options.dtype,
                radius=radius,
                directions=p,
                seed=options.seed,
                **part.where,
            )
            yield from _by_stage("disagreements", found.stages, found.differing, radius, p)


def _density(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.density import density

    found = density(part.network, part.x, variant=part.options.variant, progress=progress, **part.noise)  # type: ignore[arg-type]
    yield from _by_stage("density", found.stages, found.values)


def _rank(part: Part, progress: Progress) -> Iterator[Column]:
    found = part.moments(progress)
    for stage, values in zip(found.stages, found.rank.T, strict=True):
        yield Column("rank", stage.name, values)


def _variation(part: Part, progress: Progress) -> Iterator[Column]:
    yield Column("variation", "output", part.moments(progress).variation)


def _not_good(part: Part, progress: Progress) -> Iterator[Column]:
    found = part.moments(progress)
    yield from _by_stage("not-good", found.stages, found.not_good)


def _bounds(part: Part, progress: Progress) -> Iterator[Column]:
    from .estimate_bounds import terms

    yield from terms(part.moments(progress))


def _deformation(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.deformation import deformation

    for radius in part.options.radii:
        for p in part.options.directions:
            found = deformation(
                part.network, part.x, radius=radius, directions=p, seed=part.options.seed, **part.where
            )
            names = ["input", *(stage.name for stage in found.stages)]
            for what, table in (("eccentricity", found.eccentricity), ("diameter", found.diameter)):
                for name, values in zip(names, table.T, strict=True):
                    yield Column(f"deformation {what}", name, values, radius, p)


def _first_order(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.baselines import first_order

    for radius in part.options.radii:
        yield from _by_stage(
            "first-order", part.stages, first_order(part.network, part.x, radius=radius, **part.where), radius
        )


def _patterns(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.baselines import distinct_patterns

    how = {"samples": 50 * part.options.samples, "seed": part.options.seed} | part.where
    for radius in part.options.radii:
        yield Column("patterns", "all", distinct_patterns(part.network, part.x, radius=radius, **how), radius)


def _distance(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.baselines import mean_distance

    for stage, values in zip(part.stages, mean_distance(part.network, part.x, **part.where).T, strict=True):
        yield Column("distance", stage.name, values)


def _volume(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.estimators.volume import volume

    yield Column(
        "volume", "output", volume(part.network, part.x, seed=part.options.seed, **part.where), None, 2
    )


def _walk(part: Part, progress: Progress) -> Iterator[Column]:
    from splineviz.segments.paths import walk

    assert part.program is not None
    ways = [walk(part.program, ends) for ends in zip(part.x, part.following, strict=False)]
    yield Column("walk density", "all", np.array([way.density for way in ways]))
    yield Column(
        "walk deviation", "mean of outputs", np.array([way.absolute_deviation.mean() for way in ways])
    )
    yield Column(
        "walk deviation bound", "mean of outputs", np.array([way.deviation_bound.mean() for way in ways])
    )


def _by_stage(
    metric: str,
    stages: Sequence[Stage],
    values: np.ndarray,
    radius: float | None = None,
    directions: int | None = None,
) -> Iterator[Column]:
    """A sum over all stages, and each."""
    yield Column(metric, "all", values.sum(1), radius, directions)
    for stage, column in zip(stages, values.T, strict=True):
        yield Column(metric, stage.name, column, radius, directions)


_METRICS: dict[str, Callable[[Part, Progress], Iterator[Column]]] = {
    "lc": _proxy,
    "exact": _exact,
    "disagreements": _disagreements,
    "density": _density,
    "rank": _rank,
    "variation": _variation,
    "not-good": _not_good,
    "bounds": _bounds,
    "deformation": _deformation,
    "volume": _volume,
    "walk": _walk,
    "first-order": _first_order,
    "patterns": _patterns,
    "distance": _distance,
}
