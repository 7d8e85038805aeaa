"""The form of a metric: from some points and settings to columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.choices import DIRECTIONS, Frame, Noise, Precision, Variant

if TYPE_CHECKING:
    from splineviz.estimators.theory import Moments
    from splineviz.program import Origin, Program
    from splineviz.stage import Stage

__all__ = ["Column", "Metric", "Part", "Progress", "Settings", "by_stage", "joined"]

Progress = Callable[[int, int], None]
"""Told of points that are done, and of how many."""


@dataclass(frozen=True, eq=False)
class Column:
    """One number for each point.

    Attributes
    ----------
    metric
        Name of the quantity; several of one metric begin with its name.
    stage
        Label of a stage, which begins with its number from 0; ``all`` for all together; name of the layer or
        quantity where there are no stages.
    values
        (point,) the numbers.
    radius, directions
        Of the neighbourhoods, where the quantity has some.
    zeros
        (point,) exact zeros, for the proxy.
    """

    metric: str
    stage: str
    values: np.ndarray
    radius: float | None = None
    directions: int | None = None
    zeros: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of all metrics, each of which reads what concerns it.

    Attributes
    ----------
    radii, directions
        Neighbourhoods, and numbers of directions in them, by default 25 or as many as there are dimensions.
    planes
        Random planes through each point, for exact counts.
    frame
        One frame of directions for all points, or a fresh one for each.
    sigma, samples, noise
        Standard deviation of the noise, draws of it, and which parameters have it.
    variant
        Form of the density of kinks.
    epsilon
        Singular values of at least this count for the local rank.
    eta
        Distance from the breakpoint beyond which a unit is far; by default 2 sigma.
    weight_decay
        Of the training, for inequality (17).
    seed
        Of frames, noise, samples and the bootstrap.
    dtype, device, batch
        In which numbers, where, and how many points at a time.
    """

    radii: tuple[float, ...] = (0.005,)
    directions: tuple[int, ...] | None = None
    planes: int = 1
    frame: Frame = "shared"
    sigma: float = 0.05
    samples: int = 10
    noise: Noise = "bias"
    variant: Variant = "theorem"
    epsilon: float = 0.01
    eta: float | None = None
    weight_decay: float | None = None
    seed: int = 0
    dtype: Precision = "float64"
    device: str | None = None
    batch: int | None = None


@dataclass(eq=False)
class Part:
    """Some points in a row, and what their metrics are made from.

    Attributes
    ----------
    network
        The network as it was traced.
    program
        Its exact program, where a metric needs one.
    x
        (point, *input_shape) the points, in input space.
    following
        (point, *input_shape) the next point of each; one less for the very last part.
    first
        Number of the first point.
    """

    network: Origin
    program: Program | None
    x: np.ndarray
    following: np.ndarray
    first: int
    settings: Settings
    _moments: Moments | None = field(default=None, init=False)

    @property
    def directions(self) -> tuple[int, ...]:
        """Numbers of directions, as asked for or by default."""
        return self.settings.directions or (min(DIRECTIONS, self.x[0].size),)

    @property
    def where(self) -> dict[str, Any]:
        """Keywords of an estimator: its device, and how many points at a time."""
        return {"device": self.settings.device, "batch": self.settings.batch}

    @property
    def noise(self) -> dict[str, Any]:
        """Keywords of the estimators under noise; each part has its own draws."""
        seed = int(np.random.SeedSequence([self.settings.seed, self.first]).generate_state(1)[0])
        asked = {name: getattr(self.settings, name) for name in ("sigma", "samples", "noise")}
        return asked | {"seed": seed} | self.where

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of the network."""
        from splineviz.estimators.tape import Tape

        return Tape(self.network).stages

    def moments(self, progress: Progress) -> Moments:
        """Moments, made once, for rank, variation, units that are not good, and the bounds."""
        from splineviz.estimators.theory import moments

        if self._moments is None:
            how: dict[str, Any] = {"epsilon": self.settings.epsilon, "eta": self.settings.eta}
            self._moments = moments(self.network, self.x, progress=progress, **how, **self.noise)
        return self._moments


@dataclass(frozen=True)
class Metric:
    """A metric by name.

    Attributes
    ----------
    name
        By which it is asked for.
    about
        One line on what it counts.
    columns
        Makes its columns for some points.
    follows
        Name of the metric after which it is listed, for one that is registered from elsewhere.
    needs_program
        Whether it needs the exact program of the network.
    """

    name: str
    about: str
    columns: Callable[[Part, Progress], Iterator[Column]]
    follows: str | None = None
    needs_program: bool = False


def by_stage(
    metric: str,
    stages: Sequence[Stage],
    values: np.ndarray,
    radius: float | None = None,
    directions: int | None = None,
) -> Iterator[Column]:
    """Columns of a table (point, stage): the sum over all stages, and each."""
    yield Column(metric, "all", values.sum(1), radius, directions)
    for stage, column in zip(stages, values.T, strict=True):
        yield Column(metric, stage.label, column, radius, directions)


def joined(parts: Sequence[Column]) -> Column:
    """One column of all points, from that of each part in order."""
    first = parts[0]
    zeros = [part.zeros for part in parts if part.zeros is not None]
    return Column(
        first.metric,
        first.stage,
        np.concatenate([part.values for part in parts]),
        first.radius,
        first.directions,
        None if first.zeros is None else np.concatenate(zeros),
    )
