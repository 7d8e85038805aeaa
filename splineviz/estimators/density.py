"""The density of kinks of the theory of local complexity: its formula (Theorem 2), and the published variants
of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.choices import Noise, Variant
from splineviz.errors import InputError
from splineviz.estimators.active_paths import good_on_breakpoint
from splineviz.estimators.derivatives import Draw, Sampling, draws, gradient_norms
from splineviz.estimators.request import Model, Points, checked_points, device_of, origin_of
from splineviz.estimators.switches import Level
from splineviz.inputs import SQUARABLE, real_number
from splineviz.program.trace import Ref
from splineviz.stage import Stage

__all__ = ["Density", "density"]


@dataclass(frozen=True, eq=False)
class Density:
    """Expected length (area, volume) of the kinks of a network with noisy biases, per volume of input space.

    Attributes
    ----------
    values
        (point, stage) f at each point, stage by stage.
    error
        (point, stage) its standard error over the draws of the noise; NaN for one draw.
    variant
        ``"theorem"``: the formula of Theorem 2 as it is printed. ``"kinks"``: with its indicator decided
        where the unit switches, which is what the definition of f asks for. ``"all-edges"``: without the
        indicator, so that boundaries count that do not reach the output. ``"script"``: what the authors'
        script computes. ``"gradient"``: without the normal density (eq. 41).
    """

    values: Float64[np.ndarray, "point stage"]
    error: Float64[np.ndarray, "point stage"]
    stages: tuple[Stage, ...]
    variant: str
    sigma: float
    samples: int
    noise: str
    seed: int

    @property
    def totals(self) -> Float64[np.ndarray, "point"]:
        """f at each point."""
        totals: np.ndarray = self.values.sum(1)
        return totals

    @property
    def local_complexity(self) -> float:
        """LC, the mean of f over the points."""
        return float(self.totals.mean())


def density(
    model: Model,
    points: Points,
    *,
    sigma: float = 0.05,
    samples: int = 10,
    noise: Noise = "bias",
    variant: Variant = "theorem",
    basis: Any = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    batch: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Density:
    """The density f of kinks at each point, by stage (Theorem 2).

    f(x) = sum over units of E[|grad z(x)| N(z(x); 0, sigma^2) 1{unit is good at x}], where z is what enters
    the unit, distance from its breakpoint, without noise of its own; that noise is integrated out, which
    makes the normal density. All other units have noise N(0, sigma^2) on their biases, which is drawn
    ``samples`` times. A unit is good where the output depends on what it passes on, through units that are
    on. As printed this is decided under the draw, in which the unit's own noise is drawn, too;
    ``variant="kinks"`` decides it with the unit exactly on its breakpoint, at the price of a pass for each
    unit within 8.5 sigma.

    Parameters
    ----------
    model, points, device, batch, progress
        As for :func:`splineviz.local_complexity`. Networks with maxima of activations are refused.
    sigma
        Standard deviation of the noise; the paper uses 0.05 for two inputs and 0.01 on digits.
    noise
        ``"bias"``, or ``"weights"`` for noise on weight matrices and kernels as well.
    variant
        See :class:`Density`. The authors' script leaves out the factor of the normal density and the
        indicator, and centres it at zero in place of the bias: |grad z| exp(-s^2 / 2 sigma^2), s what the
        layer's weights alone give.
    basis
        (T, D) orthonormal directions: gradients within their span, for the density of the edges that a slice
        shows. By default the whole input space.

    Returns
    -------
    Density

    References
    ----------
    "On the local complexity of linear regions in deep ReLU networks", equations (6) and (41).

    Examples
    --------
    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU(), torch.nn.Linear(1, 1))
    >>> first = {"0.weight": torch.tensor([[3.0]]), "0.bias": torch.zeros(1)}
    >>> _ = net.load_state_dict(first | {"2.weight": torch.ones(1, 1), "2.bias": torch.zeros(1)})
    >>> round(density(net, [[0.0]], sigma=0.5).local_complexity, 6)  # 3 N(0; 0, 0.25)
    2.393654
    """
    if variant not in get_args(Variant):
        raise InputError(f"variant must be one of {', '.join(get_args(Variant))}, got {variant!r}")
    sigma = real_number(sigma, "sigma", least=1.0 / SQUARABLE, most=SQUARABLE)
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    place = device_of(device, points)
    axes = _checked_basis(basis, x[0].numel())
    sums: Tensor | None = None
    squares: Tensor | None = None
    stages: tuple[Stage, ...] = ()
    done = 0
    for draw in draws(origin, x, Sampling(place, batch, sigma, samples, noise, seed)):
        norms = gradient_norms(draw, x, axes)
        terms = torch.stack([_term(draw, k, norm, sigma, variant) for k, norm in enumerate(norms)], 1)
        if sums is None or squares is None:
            sums = torch.zeros(len(x), terms.shape[1], dtype=torch.float64, device=place)
            squares, stages = torch.zeros_like(sums), draw.tape.stages
        sums[draw.points] += terms
        squares[draw.points] += terms.square()
        done += draw.points.stop - draw.points.start
        if progress is not None:
            progress(done // samples, len(x))
    assert sums is not None
    assert squares is not None
    mean = sums / samples
    spread = (squares / samples - mean.square()).clamp_min(0) / max(1, samples - 1)
    error = spread.sqrt() if samples > 1 else torch.full_like(mean, math.nan)
    return Density(mean.cpu().numpy(), error.cpu().numpy(), stages, variant, sigma, samples, noise, seed)


def _term(draw: Draw, stage: int, norm: Tensor, sigma: float, variant: str) -> Tensor:
    """(point,) the sum over the units of one stage, and over their breakpoints."""
    if variant == "gradient":
        return norm.sum(1)
    z = draw.values[stage]
    if variant == "script":
        return (norm * (-(z - _own_bias(draw, stage)).square() / (2 * sigma**2)).exp()).sum(1)
    rule, shape = draw.tape.switches[stage].rule, draw.tape.stages[stage].shape
    assert isinstance(rule, Level)
    total = torch.zeros_like(z[:, 0])
    for k, level in enumerate(rule.breakpoints):
        gap = z - level.expand(shape).reshape(1, -1)
        weight = norm * (-gap.square() / (2 * sigma**2)).exp() / (math.sqrt(2 * math.pi) * sigma)
        if variant == "theorem":
            weight = weight * draw.alive[stage]
        elif variant == "kinks":
            weight = weight * good_on_breakpoint(draw, stage, gap, k, sigma)
        total = total + weight.sum(1)
    return total


def _own_bias(draw: Draw, stage: int) -> Tensor:
    """(1, unit) the bias of the layer that enters a stage."""
    tape = draw.tape
    call = tape.origin.graph.calls[tape.switches[stage].sources[0]]
    bias = call.arguments.get("bias")
    if not call.op.startswith(("linear", "conv")) or not (bias is None or isinstance(bias, Ref)):
        raise InputError(
            f"variant 'script' needs a linear layer or a convolution right before "
            f"'{tape.stages[stage].name}', found {call.op}",
            hint="variant='theorem'",
        )
    if bias is None:
        return torch.zeros(1, 1, dtype=torch.float64, device=tape.device)
    value = tape.constant(bias)
    shape = tape.stages[stage].shape
    axes = (1,) * (len(shape) - 1)
    return (
        value.reshape(*axes, -1).expand(shape).reshape(1, -1)
        if call.op == "linear"
        else value.reshape(-1, *axes).expand(shape).reshape(1, -1)
    )


def _checked_basis(basis: Any, dim: int) -> Tensor | None:
    if basis is None:
        return None
    axes = torch.as_tensor(np.asarray(basis, dtype=np.float64)).reshape(len(basis), -1)
    if axes.shape[1] != dim or not torch.allclose(
        axes @ axes.T, torch.eye(len(axes), dtype=torch.float64), atol=1e-6
    ):
        raise InputError(
            f"basis must hold orthonormal rows of {dim} numbers, got shape {tuple(axes.shape)}",
            hint="np.linalg.qr(vectors.T)[0].T makes vectors orthonormal",
        )
    return axes
