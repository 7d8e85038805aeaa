"""Local rank, total variation, units that are not good, and what else the bounds on local complexity are made
of, in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from splineviz.choices import Noise
from splineviz.estimators.derivatives import Draw, Sampling, draws, jacobians
from splineviz.estimators.request import Model, Points, checked_points, device_of, origin_of
from splineviz.estimators.switches import Level
from splineviz.estimators.tape import Tape
from splineviz.inputs import SQUARABLE, real_number
from splineviz.program.rows import as_rows
from splineviz.stage import Stage

__all__ = ["TABLES", "Moments", "local_rank", "moments", "total_variation"]

TABLES = (
    "density",
    "gradients",
    "far_gradients",
    "rank",
    "not_good",
    "variation",
    "largest_gradient",
    "largest_jacobian",
    "largest_sensitivity",
)
"""The fields of :class:`Moments` that have a row for each point."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Means over points and over the noise. All are of one sample, so that the bounds hold for it and not
    only in the limit.

    Attributes
    ----------
    density, gradients, far_gradients, rank, not_good
        (point, stage) sums over the units of a stage: of the terms of the density; of gradient norms; of
        those of units further than ``eta`` from their breakpoint; the number of singular values of at least
        ``epsilon`` of the Jacobian of what enters the stage; the number of units that are not good.
    variation
        (point,) norm of the output's derivative, Frobenius for several outputs.
    largest_gradient, largest_jacobian, largest_sensitivity
        (point, stage) the largest that were met of: the gradient norms of the units; the operator norm of the
        Jacobian of what enters the stage; the operator norm of the output's derivative by what enters it.
    chain
        Whether each stage is passed by everything that reaches the next.
    weight_norms
        (layer,) Frobenius norms of the matrices before each stage, for chains of linear layers and
        activations of slope at most 1 without noise on the weights; else empty.
    parameter_norm
        Norm of all weights and biases.
    """

    stages: tuple[Stage, ...]
    n_inputs: int
    sigma: float
    epsilon: float
    eta: float
    samples: int
    density: Float64[np.ndarray, "point stage"]
    gradients: Float64[np.ndarray, "point stage"]
    far_gradients: Float64[np.ndarray, "point stage"]
    rank: Float64[np.ndarray, "point stage"]
    not_good: Float64[np.ndarray, "point stage"]
    variation: Float64[np.ndarray, "point"]
    largest_gradient: Float64[np.ndarray, "point stage"]
    largest_jacobian: Float64[np.ndarray, "point stage"]
    largest_sensitivity: Float64[np.ndarray, "point stage"]
    chain: bool
    weight_norms: Float64[np.ndarray, "layer"]
    parameter_norm: float

    @property
    def local_complexity(self) -> float:
        """LC, the mean of the density."""
        return float(self.density.sum(1).mean())

    @property
    def local_rank(self) -> Float64[np.ndarray, "stage"]:
        """LR of each stage."""
        rank: np.ndarray = self.rank.mean(0)
        return rank

    @property
    def total_variation(self) -> float:
        """TV."""
        return float(self.variation.mean())

    @property
    def mean_not_good(self) -> float:
        """B."""
        return float(self.not_good.sum(1).mean())

    def take(self, rows: Int64[np.ndarray, "row"]) -> Moments:
        """Moments of some points only: of a bootstrap sample, for example."""
        return replace(self, **{name: getattr(self, name)[rows] for name in TABLES})


def moments(
    model: Model,
    points: Points,
    *,
    sigma: float = 0.05,
    samples: int = 10,
    epsilon: float = 0.01,
    eta: float | None = None,
    noise: Noise = "bias",
    seed: int = 0,
    device: str | torch.device | None = None,
    batch: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Moments:
    """Everything that the bounds on local complexity speak of, from one set of draws.

    Parameters
    ----------
    model, points, device, batch, progress
        As for :func:`splineviz.local_complexity`. Networks with maxima of activations are refused.
    sigma, samples, noise
        Noise, as for :func:`splineviz.estimators.density.density`. With sigma 0, the network as it is; the
        density is then NaN.
    epsilon
        Singular values of at least this count for the local rank.
    eta
        Distance from the breakpoint beyond which a unit is far; by default 2 sigma.

    Returns
    -------
    Moments

    References
    ----------
    "On the local complexity of linear regions in deep ReLU networks", definitions (9) and (10), Corollary 3,
    Theorem 7.
    """
    epsilon = real_number(epsilon, "epsilon", least=1.0 / SQUARABLE, most=SQUARABLE)
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    place = device_of(device, points)
    far = 2 * sigma if eta is None else real_number(eta, "eta", least=0.0, most=SQUARABLE)
    sampling = Sampling(place, batch, sigma, samples, noise, seed)
    tables: dict[str, Tensor] = {}
    stages: tuple[Stage, ...] = ()
    done, n_draws = 0, sampling.n_draws
    for draw in draws(origin, x, sampling, sensitivity=True):
        stages = draw.tape.stages
        found = _of_draw(draw, x, sigma, epsilon, far)
        for name, value in found.items():
            table = tables.setdefault(
                name, torch.zeros(len(x), *value.shape[1:], dtype=torch.float64, device=place)
            )
            rows = table[draw.points]
            torch.maximum(rows, value, out=rows) if name.startswith("largest") else rows.add_(value)
        done += draw.points.stop - draw.points.start
        if progress is not None:
            progress(done // n_draws, len(x))
    tape = Tape(origin, torch.float64, place, for_gradients=True)
    everything = math.sqrt(
        sum(float(w.double().square().sum()) for w in origin.weights.values() if w.is_floating_point())
    )
    return Moments(
        stages=stages,
        n_inputs=x[0].numel(),
        sigma=sigma,
        epsilon=epsilon,
        eta=far,
        samples=n_draws,
        **{
            name: (table if name.startswith("largest") else table / n_draws).cpu().numpy()
            for name, table in tables.items()
        },
        chain=tape.is_chain,
        weight_norms=_weight_norms(tape) if noise == "bias" else np.zeros(0),
        parameter_norm=everything,
    )


def local_rank(
    model: Model, points: Points, *, epsilon: float = 0.01, sigma: float = 0.0, **options: Any
) -> Float64[np.ndarray, "stage"]:
    """The local rank of each stage: mean number of singular values of at least ``epsilon`` of the Jacobian of
    what enters it.

    Options are those of :func:`moments`; by default the network is taken as it is, without noise.

    References
    ----------
    "On the local complexity of linear regions in deep ReLU networks", equation (10).

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 9), nn.ReLU(), nn.Linear(9, 1))
    >>> bool((local_rank(net, torch.randn(4, 5)) <= 3).all())
    True
    """
    return moments(model, points, epsilon=epsilon, sigma=sigma, **options).local_rank


def total_variation(model: Model, points: Points, *, sigma: float = 0.0, **options: Any) -> float:
    """The total variation: mean norm of the network's derivative, Frobenius for several outputs. Options as
    for :func:`moments`."""
    return moments(model, points, sigma=sigma, **options).total_variation


def _of_draw(draw: Draw, x: Tensor, sigma: float, epsilon: float, eta: float) -> dict[str, Tensor]:
    """Everything for some points under one draw."""
    by_stage, by_output = jacobians(draw, x, None, output=True)
    assert by_output is not None
    columns: dict[str, list[Tensor]] = {name: [] for name in TABLES if name != "variation"}
    for k, jacobian in enumerate(by_stage):
        rule, shape = draw.tape.switches[k].rule, draw.tape.stages[k].shape
        assert isinstance(rule, Level)
        gaps = draw.values[k][:, None] - as_rows(rule.breakpoints.expand(len(rule.breakpoints), *shape))[None]
        norms, alive = torch.linalg.vector_norm(jacobian, dim=0), draw.alive[k]
        weight = (
            (-gaps.square() / (2 * sigma**2)).exp().sum(1) / (math.sqrt(2 * math.pi) * sigma)
            if sigma > 0
            else norms * math.nan
        )
        singular = torch.linalg.svdvals(jacobian.permute(1, 2, 0))
        columns["density"].append((norms * weight * alive).sum(1))
        columns["gradients"].append(norms.sum(1) * len(rule.breakpoints))
        columns["far_gradients"].append((norms[:, None] * (gaps.abs() > eta)).sum((1, 2)))
        columns["rank"].append((singular >= epsilon).sum(1).double())
        columns["not_good"].append((~alive).sum(1).double() * len(rule.breakpoints))
        columns["largest_gradient"].append(norms.amax(1))
        columns["largest_jacobian"].append(singular[:, 0])
        columns["largest_sensitivity"].append(torch.linalg.svdvals(draw.after[k].movedim(1, 0))[:, 0])
    tables = {name: torch.stack(values, 1) for name, values in columns.items()}
    return tables | {"variation": as_rows(by_output.movedim(1, 0)).norm(dim=1)}


def _weight_norms(tape: Tape) -> Float64[np.ndarray, "layer"]:
    """Norms of the matrices before each stage of a chain of linear layers; empty for any other network, or
    steep activations."""
    steep = any(not isinstance(switch.rule, Level) or switch.rule.steepest > 1 for switch in tape.switches)
    matrices = None if steep else tape.matrices_before_stages()
    return np.zeros(0) if matrices is None else np.array([float(matrix.norm()) for matrix in matrices])
