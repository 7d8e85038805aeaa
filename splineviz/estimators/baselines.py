"""Baselines that a proxy has to beat: a first-order count, patterns met by random samples, mean distance from
the breakpoints."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from splineviz.estimators.derivatives import Sampling, draws, gradient_norms
from splineviz.estimators.request import (
    Model,
    Points,
    batch_for,
    checked_points,
    device_of,
    numbers,
    origin_of,
)
from splineviz.estimators.switches import Between, Level, StageReader
from splineviz.estimators.tape import Tape
from splineviz.inputs import MOST_SAMPLES, whole_number
from splineviz.program.rows import as_rows

__all__ = ["distinct_patterns", "first_order", "gaps_of", "mean_distance"]


def first_order(
    model: Model,
    points: Points,
    *,
    radius: float,
    device: str | torch.device | None = None,
    batch: int | None = None,
) -> Int64[np.ndarray, "point stage"]:
    """Units whose boundary would be within ``radius`` if they were affine everywhere: |z| < r |grad z|.

    Examples
    --------
    >>> from torch import nn
    >>> first_order(nn.Sequential(nn.Linear(2, 5), nn.ReLU()), [[0.0, 0.0]], radius=100.0).tolist()
    [[5]]
    """
    (radius,) = numbers(radius, "the radius")
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    found = []
    for draw in draws(origin, x, Sampling(device_of(device, points), batch)):
        rows = []
        for switch, z, norm in zip(
            draw.tape.switches, draw.values, gradient_norms(draw, x, None), strict=True
        ):
            gaps = gaps_of(switch, z)
            rows.append((gaps.abs() < radius * norm[:, None]).sum((1, 2)))
        found.append(torch.stack(rows, 1))
    counts: np.ndarray = torch.cat(found).cpu().numpy()
    return counts


def mean_distance(
    model: Model, points: Points, *, device: str | torch.device | None = None, batch: int | None = None
) -> Float64[np.ndarray, "point stage"]:
    """Mean |z| of each stage, z what enters it above its breakpoint."""
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    found = [
        torch.stack(
            [
                gaps_of(switch, z).abs().mean((1, 2))
                for switch, z in zip(draw.tape.switches, draw.values, strict=True)
            ],
            1,
        )
        for draw in draws(origin, x, Sampling(device_of(device, points), batch))
    ]
    means: np.ndarray = torch.cat(found).cpu().numpy()
    return means


def distinct_patterns(
    model: Model,
    points: Points,
    *,
    radius: float,
    samples: int = 50,
    seed: int = 0,
    device: str | torch.device | None = None,
    batch: int | None = None,
) -> Int64[np.ndarray, "point"]:
    """Distinct activation patterns among random samples of the ball of ``radius`` round each point, the same
    samples for all.

    Patterns are told apart by a hash of 64 bits.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(2, 1, bias=False), nn.ReLU())
    >>> distinct_patterns(net, [[0.0, 0.0]], radius=1.0).tolist()
    [2]
    """
    (radius,) = numbers(radius, "the radius")
    samples = whole_number(samples, "samples", 1, MOST_SAMPLES)
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    tape = Tape(origin, torch.float64, device_of(device, points))
    generator, dim = np.random.default_rng(seed), x[0].numel()
    directions = generator.standard_normal((samples, dim))
    directions *= (generator.random(samples) ** (1 / dim) / np.linalg.norm(directions, axis=1))[:, None]
    around = radius * torch.from_numpy(directions).to(tape.device).reshape(samples, 1, *origin.input_shape)
    size = batch_for(batch, len(x), 8 * samples * tape.values_alive, tape.device)
    found = []
    with torch.inference_mode():
        for part in torch.split(x.to(tape.device), size):
            hashes = _Hashes(tape, samples * len(part))
            tape.proceed(tape.enter((part + around).flatten(0, 1)), samples * len(part), hashes)
            ordered = hashes.total.reshape(samples, -1).sort(0).values
            found.append((ordered[1:] != ordered[:-1]).sum(0) + 1)
    counts: np.ndarray = torch.cat(found).cpu().numpy()
    return counts


def gaps_of(switch: StageReader, z: Tensor) -> Tensor:
    """(point, breakpoint, unit) what enters, above each breakpoint."""
    rule = switch.rule
    assert isinstance(rule, Level)
    return z[:, None] - as_rows(rule.breakpoints.expand(len(rule.breakpoints), *switch.stage.shape))


class _Hashes:
    """A sum of random numbers over the units that are on."""

    def __init__(self, tape: Tape, count: int) -> None:
        self.total = torch.zeros(count, dtype=torch.int64, device=tape.device)
        self._tape, self._count = tape, count

    def enter(self, switch: StageReader, values: tuple[Tensor, ...]) -> None:
        z = [
            self._tape.batch_first(source, v, self._count)
            for source, v in zip(switch.sources, values, strict=True)
        ]
        if isinstance(switch.rule, Level):
            state = as_rows(z[0].unsqueeze(1) > switch.rule.breakpoints).long()
        elif isinstance(switch.rule, Between):
            state = as_rows(z[0] > z[1]).long()
        else:
            candidates = [switch.rule.sign * entry for entry in switch.rule.candidates(z[0])]
            state = as_rows(torch.stack(candidates).argmax(0))
        generator = torch.Generator(state.device).manual_seed(switch.call)
        weights = torch.randint(-(2**62), 2**62, (state.shape[1],), generator=generator, device=state.device)
        self.total += (state * (2 * weights + 1)).sum(1)

    def leave(self, switch: StageReader, result: Tensor) -> None:
        """Nothing: the state is that of what enters."""
