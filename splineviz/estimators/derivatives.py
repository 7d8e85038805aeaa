"""Values and input derivatives of every unit, under noise on the biases or all weights, as the theory needs
them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from splineviz.choices import Noise
from splineviz.errors import InputError
from splineviz.estimators.request import batch_for
from splineviz.estimators.switches import Level, StageReader
from splineviz.estimators.tape import Tape
from splineviz.inputs import MOST_SAMPLES, SQUARABLE, real_number, whole_number
from splineviz.program.origin import Origin
from splineviz.program.rows import as_rows

__all__ = ["Draw", "Sampling", "draws", "gradient_norms", "irregular_sum", "jacobians"]


_COLUMN_BYTES = 256 << 20
"""Memory for the columns of a Jacobian that are under way at once."""


@dataclass(frozen=True)
class Sampling:
    """Draws of the noise, and where and in which batches they are computed.

    The noise on a bias is drawn for each unit and point on its own; that on weights for all points together.
    By default there is none.

    Raises
    ------
    InputError
        If a number is out of its range, or there is no such noise.
    """

    device: torch.device
    batch: int | None
    sigma: float = 0.0
    samples: int = 1
    noise: Noise = "bias"
    seed: int = 0

    def __post_init__(self) -> None:
        if real_number(self.sigma, "sigma", least=0.0, most=SQUARABLE):
            real_number(self.sigma, "sigma, if not 0,", least=1.0 / SQUARABLE)
        whole_number(self.samples, "samples", 1, MOST_SAMPLES)
        whole_number(self.seed, "seed", 0)
        if self.noise not in ("bias", "weights"):
            raise InputError(f"noise must be 'bias' or 'weights', got {self.noise!r}")

    @property
    def n_draws(self) -> int:
        """Number of draws; one where there is no noise."""
        return self.samples if self.sigma > 0 else 1


@dataclass(frozen=True)
class Draw:
    """Some points under one draw of the noise.

    ``values`` (point, unit) are what enters each stage, without the unit's own noise; ``alive`` (point, unit)
    tells whether the output depends on what the unit passes on.
    """

    points: slice
    number: int
    tape: Tape
    values: tuple[Tensor, ...]
    alive: tuple[Tensor, ...]
    entrance: dict[int, Tensor]
    noise: dict[int, Tensor]
    after: tuple[Tensor, ...]
    """(output, point, unit) derivatives of the outputs by what enters the stages; empty unless asked for."""


def draws(origin: Origin, x: Tensor, sampling: Sampling, *, sensitivity: bool = False) -> Iterator[Draw]:
    """Draw the noise, and take every batch of the points ``x`` (n, *input_shape) under every draw.

    With ``sensitivity`` also take derivatives of the outputs by what enters the stages.
    """
    device, sigma = sampling.device, sampling.sigma
    generator = torch.Generator().manual_seed(sampling.seed)  # on the CPU: the same numbers everywhere
    tape = Tape(origin, torch.float64, device, for_gradients=True)
    _refuse_maxima(tape)
    # the Jacobian of one point has as many columns as the input or the entrance has entries
    columns = min(x[0].numel(), sum(math.prod(v.shape[1:]) for v in tape.enter(x[:1].to(device)).values()))
    size = batch_for(sampling.batch, len(x), 8 * tape.values_alive * columns, device)
    for number in range(sampling.n_draws):
        if sampling.noise == "weights" and sigma > 0:
            tape = Tape(_perturbed(origin, sigma, generator), torch.float64, device, for_gradients=True)
        for start in range(0, len(x), size):
            part = slice(start, min(start + size, len(x)))
            yield _drawn(tape, x[part].to(device), part, number, sigma, generator, sensitivity)


def jacobians(
    draw: Draw, x: Tensor, basis: Tensor | None, *, output: bool
) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """(column, point, unit) Jacobians of what enters each stage; and (column, point, output) of the output,
    where asked for.

    Columns are derivatives along the rows of ``basis`` (T, D). Without one they are taken along some
    orthonormal basis of the directions that the network can tell apart at all, which leaves gradient norms
    and singular values as they are.
    """
    parts = list(_columns(draw, x, basis, output=output))
    joined = tuple(torch.cat(same) for same in zip(*parts, strict=True))
    return (joined[:-1], joined[-1]) if output else (joined, None)


def gradient_norms(draw: Draw, x: Tensor, basis: Tensor | None) -> tuple[Tensor, ...]:
    """(point, unit) norms of the gradients of what enters each stage, without ever holding a whole
    Jacobian."""
    squares: list[Tensor] = []
    for part in _columns(draw, x, basis, output=False):
        added = [columns.square().sum(0) for columns in part]
        squares = [a + b for a, b in zip(squares, added, strict=True)] if squares else added
    return tuple(square.sqrt() for square in squares)


def _columns(draw: Draw, x: Tensor, basis: Tensor | None, *, output: bool) -> Iterator[tuple[Tensor, ...]]:
    """Some columns at a time of the Jacobian of what enters each stage, and of the output."""
    tape, count = draw.tape, draw.points.stop - draw.points.start
    tangents = _tangents(tape, x[0].numel(), basis)

    def run(entrance: dict[int, Tensor]) -> tuple[Tensor, ...]:
        visitor = _Recorder(tape, count, draw.noise)
        if output:
            result = tape.finish(entrance, count, visitor)
            return (*visitor.values, as_rows(result))
        tape.proceed(entrance, count, visitor)
        return tuple(visitor.values)

    def along(tangent: dict[int, Tensor]) -> Any:
        spread = {i: t.expand_as(draw.entrance[i]) for i, t in tangent.items()}
        return torch.func.jvp(run, (draw.entrance,), (spread,))[1]

    n_columns = max(len(t) for t in tangents.values())
    size = max(1, _COLUMN_BYTES // (8 * tape.values_alive * count))
    for start in range(0, n_columns, size):
        yield torch.func.vmap(along)({i: t[start : start + size] for i, t in tangents.items()})


class _Recorder:
    """Notes what enters each stage, and adds the noise of each unit to it."""

    def __init__(self, tape: Tape, count: int, noise: dict[int, Tensor]) -> None:
        self._tape, self._count, self._noise = tape, count, noise
        self.values: list[Tensor] = []
        self.entered: list[Tensor] = []
        self.passed: list[Tensor] = []

    def enter(self, switch: StageReader, values: tuple[Tensor, ...]) -> Tensor:
        z = values[0]
        self.values.append(self._tape.batch_first(switch.sources[0], z, self._count).reshape(self._count, -1))
        self.entered.append(z + self._noise[switch.call] if switch.call in self._noise else z)
        return self.entered[-1]

    def leave(self, switch: StageReader, result: Tensor) -> None:
        self.passed.append(result)


class _Drawer(_Recorder):
    """Draws the noise on its way."""

    def __init__(self, tape: Tape, count: int, sigma: float, generator: torch.Generator) -> None:
        super().__init__(tape, count, {})
        self._sigma, self._generator = sigma, generator

    def enter(self, switch: StageReader, values: tuple[Tensor, ...]) -> Tensor:
        z = values[0]
        if self._sigma > 0:
            self._noise[switch.call] = self._sigma * torch.randn(
                z.shape, generator=self._generator, dtype=z.dtype
            ).to(z.device)
        return super().enter(switch, values)

    @property
    def noise(self) -> dict[int, Tensor]:
        """Noise that was drawn on what enters each stage, by its call."""
        return self._noise


def _drawn(
    tape: Tape,
    x: Tensor,
    part: slice,
    number: int,
    sigma: float,
    generator: torch.Generator,
    sensitivity: bool,
) -> Draw:
    with torch.enable_grad():
        entrance = {i: v.detach().requires_grad_() for i, v in tape.enter(x).items()}
        drawer = _Drawer(tape, len(x), sigma, generator)
        output = as_rows(tape.finish(entrance, len(x), drawer))
        alive = _flat(
            tape,
            torch.autograd.grad(
                irregular_sum(output), drawer.passed, retain_graph=sensitivity, allow_unused=True
            ),
            drawer,
        )
        after: tuple[Tensor, ...] = ()
        if sensitivity:
            by_output = [
                _flat(
                    tape,
                    torch.autograd.grad(
                        output[:, k].sum(), drawer.entered, retain_graph=True, allow_unused=True
                    ),
                    drawer,
                )
                for k in range(output.shape[1])
            ]
            after = tuple(torch.stack(rows) for rows in zip(*by_output, strict=True))
    values = tuple(z.detach() for z in drawer.values)
    return Draw(
        part,
        number,
        tape,
        values,
        tuple(g != 0 for g in alive),
        {i: v.detach() for i, v in entrance.items()},
        drawer.noise,
        after,
    )


def irregular_sum(output: Tensor) -> Tensor:
    """A sum of all (point, output) with odd weights, so that the derivatives of one output do not cancel
    those of another."""
    places = torch.arange(1, output.shape[1] + 1, dtype=output.dtype, device=output.device)
    return (output * (1 + (places * math.sqrt(2)).frac())).sum()


def _flat(tape: Tape, gradients: tuple[Tensor | None, ...], drawer: _Recorder) -> list[Tensor]:
    """(point, unit) of each gradient; zero where a stage does not reach the output."""
    flat = []
    for switch, gradient, value in zip(tape.switches, gradients, drawer.values, strict=True):
        if gradient is None:
            flat.append(torch.zeros_like(value))
        else:  # pointwise: the result lies as what entered
            flat.append(tape.batch_first(switch.sources[0], gradient, len(value)).reshape(len(value), -1))
    return flat


def _tangents(tape: Tape, dim: int, basis: Tensor | None) -> dict[int, Tensor]:
    """(column, 1, *shape) derivatives of the entrance along the columns' directions."""
    axes = torch.eye(dim, dtype=torch.float64) if basis is None else basis
    v = axes.to(tape.device, torch.float64).reshape(-1, *tape.origin.input_shape)
    moved, still = tape.enter(v), tape.enter(torch.zeros_like(v[:1]))
    response = {i: (moved[i] - still[i])[:, None] for i in tape.entrance}
    shapes = {i: r.shape[1:] for i, r in response.items()}
    width = sum(math.prod(shape) for shape in shapes.values())
    if basis is not None or width >= dim:
        return response
    # the network sees the input through fewer numbers: R = Q U has the same singular values as U
    reduced = torch.linalg.qr(torch.cat([as_rows(r) for r in response.values()], 1), mode="r").R
    parts = reduced.split([math.prod(shape) for shape in shapes.values()], 1)
    return {i: part.reshape(-1, *shapes[i]) for i, part in zip(response, parts, strict=True)}


def _perturbed(origin: Origin, sigma: float, generator: torch.Generator) -> Origin:
    """The network with noise on its weights; its biases get theirs at the units."""

    def noisy(value: Tensor) -> Tensor:
        drawn = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        return value.double() + sigma * drawn.to(value.device)

    return replace(
        origin,
        weights={
            k: noisy(v) if v.is_floating_point() and v.dim() > 1 else v for k, v in origin.weights.items()
        },
    )


def _refuse_maxima(tape: Tape) -> None:
    maxima = [switch.stage for switch in tape.switches if not isinstance(switch.rule, Level)]
    if maxima:
        raise InputError(
            f"'{maxima[0].name}' ({maxima[0].kind}) is a maximum of activations, which has no breakpoint "
            f"to be near",
            hint="local_complexity counts maxima, too, and patterns, deformation and volume do not mind them",
        )
