"""Each metric as a table of columns: what `splineviz estimate` asks the estimators for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from splineviz.program import Origin, Program

    from .estimate_job import EstimateOptions

__all__ = ["Column", "columns_of"]


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


Progress = Callable[[int, int], None]


def columns_of(
    metric: str,
    network: Origin,
    program: Program | None,
    x: np.ndarray,
    following: np.ndarray,
    first: int,
    options: EstimateOptions,
) -> list[Column]:
    """The columns of one metric for some points, the first of which has the number ``first``; ``following`` are the next points."""
    made = _METRICS[metric](network, x, options, first) if metric != "walk" else _walk(program, x, following)
    return list(made)


def _proxy(network: Origin, x: np.ndarray, options: EstimateOptions, first: int) -> Iterator[Column]:
    from splineviz.estimators.local_complexity import local_complexity

    estimate = local_complexity(
        network,
        x,
        radius=options.radii,
        directions=options.directions,
        frame=options.frame,  # type: ignore[arg-type]
        seed=options.seed,
        dtype=options.dtype,
        device=options.device,
        batch=options.batch,
        first=first,
    )
    for i, radius in enumerate(estimate.radii):
        for j, p in enumerate(estimate.directions):
            counts, zeros = estimate.counts[i, j], estimate.zeros[i, j]
            yield Column("lc", "all", counts.sum(1), radius, p, zeros.sum(1))
            for k, stage in enumerate(estimate.stages):
                yield Column("lc", stage.name, counts[:, k], radius, p, zeros[:, k])


def _density(network: Origin, x: np.ndarray, options: EstimateOptions, first: int) -> Iterator[Column]:
    from splineviz.estimators.density import density

    noise: dict[str, Any] = options.noise_options(first)
    found = density(network, x, variant=options.variant, **noise)  # type: ignore[arg-type]
    yield from _by_stage("density", [stage.name for stage in found.stages], found.values)


def _theory(metric: str, network: Origin, x: np.ndarray, options: EstimateOptions, first: int) -> Iterator[Column]:
    from splineviz.estimators.theory import moments

    found = moments(network, x, epsilon=options.epsilon, **options.noise_options(first))
    if metric == "variation":
        yield Column(metric, "output", found.variation)
    elif metric == "rank":
        for stage, values in zip(found.stages, found.rank.T, strict=True):
            yield Column(metric, stage.name, values)
    else:
        yield from _by_stage(metric, [stage.name for stage in found.stages], found.not_good)


def _deformation(network: Origin, x: np.ndarray, options: EstimateOptions, first: int) -> Iterator[Column]:
    from splineviz.estimators.deformation import deformation

    for radius in options.radii:
        for p in options.directions:
            found = deformation(
                network, x, radius=radius, directions=p, seed=options.seed, device=options.device, batch=options.batch
            )
            names = ["input", *(stage.name for stage in found.stages)]
            for what, table in (("eccentricity", found.eccentricity), ("diameter", found.diameter)):
                for name, values in zip(names, table.T, strict=True):
                    yield Column(f"deformation {what}", name, values, radius, p)


def _first_order(network: Origin, x: np.ndarray, options: EstimateOptions, first: int) -> Iterator[Column]:
    from splineviz.estimators.baselines import first_order

    for radius in options.radii:
        counts = first_order(network, x, radius=radius, device=options.device, batch=options.batch)
        yield from _by_stage("first-order", _stage_names(network), counts, radius)


def _patterns(network: Origin, x: np.ndarray, options: EstimateOptions, first: int) -> Iterator[Column]:
    from splineviz.estimators.baselines import distinct_patterns

    how: dict[str, Any] = {"samples": 50 * options.samples, "seed": options.seed, "device": options.device, "batch": options.batch}
    for radius in options.radii:
        yield Column("patterns", "all", distinct_patterns(network, x, radius=radius, **how), radius)


def _distance(network: Origin, x: np.ndarray, options: EstimateOptions, first: int) -> Iterator[Column]:
    from splineviz.estimators.baselines import mean_distance

    for name, values in zip(
        _stage_names(network), mean_distance(network, x, device=options.device, batch=options.batch).T, strict=True
    ):
        yield Column("distance", name, values)


def _walk(program: Program | None, x: np.ndarray, following: np.ndarray) -> Iterator[Column]:
    from splineviz.arrangement.walks import walk

    assert program is not None
    ways = [walk(program, ends) for ends in zip(x, following, strict=True)]
    yield Column("walk density", "all", np.array([way.density for way in ways]))
    yield Column("walk deviation", "mean of outputs", np.array([way.absolute_deviation.mean() for way in ways]))
    yield Column("walk deviation bound", "mean of outputs", np.array([way.deviation_bound.mean() for way in ways]))


def _by_stage(metric: str, names: list[str], values: np.ndarray, radius: float | None = None) -> Iterator[Column]:
    """A sum over all stages, and each."""
    yield Column(metric, "all", values.sum(1), radius)
    for name, column in zip(names, values.T, strict=True):
        yield Column(metric, name, column, radius)


def _stage_names(network: Origin) -> list[str]:
    from splineviz.estimators.tape import Tape

    return [stage.name for stage in Tape(network).stages]


_METRICS: dict[str, Callable[..., Iterator[Column]]] = {
    "lc": _proxy,
    "density": _density,
    "rank": partial(_theory, "rank"),
    "variation": partial(_theory, "variation"),
    "not-good": partial(_theory, "not-good"),
    "deformation": _deformation,
    "first-order": _first_order,
    "patterns": _patterns,
    "distance": _distance,
}
