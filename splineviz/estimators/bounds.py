"""The inequalities on local complexity of the theory, both sides of each, as printed and in a form that
holds.

Several fail as printed; docs/estimators.md says where and why. All speak of the sample behind one
:class:`Moments`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from splineviz.errors import InputError
from splineviz.estimators.theory import Moments
from splineviz.inputs import real_number
from splineviz.stage import Stage

__all__ = ["Form", "Sides", "bound_7", "bound_8", "bound_11", "bound_12", "bound_13", "bound_14", "sides_17"]

Form = Literal["printed", "corrected"]


@dataclass(frozen=True)
class Sides:
    """left <= right is what the inequality says."""

    left: float
    right: float
    form: str

    @property
    def holds(self) -> bool:
        """Whether the left side is at most the right one, up to rounding."""
        return self.left <= self.right + 1e-9 * max(abs(self.left), abs(self.right))


def bound_7(m: Moments, form: Form = "corrected") -> Sides:
    """LC <= C_bias sum E|grad z|; right as printed."""
    return Sides(m.local_complexity, _c_bias(m) * _gradients(m), _checked(form))


def bound_8(m: Moments, form: Form = "corrected") -> Sides:
    """c_eta sum E|grad z| - xi - B C_grad C_bias <= LC, with xi = c_eta sum E[|grad z| 1{|z - beta| > eta}];
    right as printed.

    The paper leaves xi as an order of magnitude; this is the term that its proof drops.
    """
    return Sides(_c_eta(m) * _gradients(m) - _slack(m), m.local_complexity, _checked(form))


def bound_11(m: Moments, form: Form = "corrected") -> Sides:
    """LC / C_bias <= sum over stages of sqrt(n_l (C^2 LR_l + epsilon^2 n_l)), C an operator norm of
    Jacobians.

    As printed, n_0 divides the left side in place of sqrt(n_l) on the right, and C is the largest gradient
    norm: the norms of n_l rows add up to at most sqrt(n_l) times the Frobenius norm, whatever the number of
    inputs. Where entries have k breakpoints, each row counts k times.
    """
    left = m.local_complexity / _c_bias(m)
    steepest = float((m.largest_gradient if _checked(form) == "printed" else m.largest_jacobian).max())
    frobenius = [
        math.sqrt(steepest**2 * rank + m.epsilon**2 * math.prod(stage.shape))
        for stage, rank in zip(m.stages, m.local_rank, strict=True)
    ]
    if form == "printed":
        return Sides(left / m.n_inputs, sum(frobenius), form)
    return Sides(
        left, sum(_rows_over_frobenius(s) * f for s, f in zip(m.stages, frobenius, strict=True)), form
    )


def bound_12(m: Moments, form: Form = "corrected") -> Sides:
    """sum of LR_l <= (LC + xi + B C_grad C_bias) / (c_eta epsilon); as printed epsilon is squared, which
    fails for epsilon > 1.

    The sum of the singular values, each at least epsilon, is at most the sum of the row norms. The proof
    takes their squares instead, and the squares of the row norms for the norms.
    """
    power = 2 if _checked(form) == "printed" else 1
    return Sides(
        float(m.local_rank.sum()), (m.local_complexity + _slack(m)) / (_c_eta(m) * m.epsilon**power), form
    )


def bound_13(m: Moments, form: Form = "corrected") -> Sides:
    """TV L c_eta / max C_l - xi - B C_grad C_bias <= LC, with L the number of stages; right as printed, for
    chains of layers.

    C_l is the largest derivative of the output by what enters stage l that the sample met. It is enough for
    the sample, whatever the slopes of the activations; where these are at most 1 it is no more than the
    Lipschitz constant of the rest of the network.

    Raises
    ------
    InputError
        If the network has ways round a stage.
    """
    if not m.chain:
        raise InputError("bound (13) is one on chains of layers, and this network has ways round its stages")
    steepest = float(m.largest_sensitivity.max())
    left = m.total_variation * len(m.stages) * _c_eta(m) / steepest if steepest > 0 else 0.0
    return Sides(left - _slack(m), m.local_complexity, _checked(form))


def bound_14(m: Moments, form: Form = "corrected") -> Sides:
    """LC / C_bias <= sum over stages of sqrt(n_l) ((|W_1|^2 + ... + |W_l|^2) / l)^(l/2), Frobenius norms; for
    linear layers. Where entries have k breakpoints, k times that.

    As printed: n_0 LC / C_bias <= n^((1-L)/2) L^(1-L/2) R^L with n the largest width. R, the least parameter
    norm of the same function, is an infimum that nobody can evaluate; the norm of the parameters at hand
    takes its place, which is no less. The printed form uses |A|_F <= n^((1-L)/2) |A|_(2/L), an equivalence of
    norms turned round: the Frobenius norm is at most the Schatten norm of lower order, with factor 1.

    Raises
    ------
    InputError
        If the network is no chain of linear layers and activations of slope at most 1, or its weights were
        noisy.
    """
    _require_layers(m, "(14)")
    left = m.local_complexity / _c_bias(m)
    if _checked(form) == "printed":
        return Sides(m.n_inputs * left, _printed_factor(m) * m.parameter_norm ** len(m.stages), form)
    right, squares = 0.0, 0.0
    for depth, (stage, norm) in enumerate(zip(m.stages, m.weight_norms, strict=True), 1):
        squares += float(norm) ** 2
        right += _rows_over_frobenius(stage) * (squares / depth) ** (depth / 2)
    return Sides(left, right, form)


def sides_17(m: Moments, weight_decay: float, form: Form = "corrected") -> Sides:
    """Two sides of (17); the right side is log(1 / weight decay), of whose order the left is at most, so it
    is no inequality.

    The left side is LC over what (14) multiplies the L-th power of the parameter norm by: n_0 LC / (C_bias
    n^((1-L)/2) L^(1-L/2)) as printed, LC / (C_bias sum of sqrt(n_l) l^(-l/2)) where (14) is corrected, for
    parameter norms of at least 1.

    Raises
    ------
    InputError
        If the weight decay is not between 0 and 1, or as for :func:`bound_14`.
    """
    if not 0 < real_number(weight_decay, "the weight decay") < 1:
        raise InputError(f"the weight decay must lie between 0 and 1, got {weight_decay:g}")
    _require_layers(m, "(17)")
    right = math.log(1 / weight_decay)
    left = m.local_complexity / _c_bias(m)
    if _checked(form) == "printed":
        return Sides(m.n_inputs * left / _printed_factor(m), right, form)
    return Sides(
        left / sum(_rows_over_frobenius(s) * k ** (-k / 2) for k, s in enumerate(m.stages, 1)), right, form
    )


def _checked(form: str) -> str:
    if form not in ("printed", "corrected"):
        raise InputError(f"form must be 'printed' or 'corrected', got {form!r}")
    return form


def _require_layers(m: Moments, name: str) -> None:
    if not len(m.weight_norms):
        raise InputError(
            f"bound {name} is one on chains of linear layers without noise and activations of slope at most 1"
        )


def _rows_over_frobenius(stage: Stage) -> float:
    """Largest factor by which the gradient norms of all units of a stage can exceed the Frobenius norm of its
    Jacobian."""
    return stage.n_units / math.sqrt(math.prod(stage.shape))


def _printed_factor(m: Moments) -> float:
    layers, width = len(m.stages), max(stage.n_units for stage in m.stages)
    return float(width ** ((1 - layers) / 2) * layers ** (1 - layers / 2))


def _c_bias(m: Moments) -> float:
    if m.sigma <= 0:
        raise InputError(
            "the bounds are on networks with noise, and these moments are without",
            hint="moments(..., sigma=0.05)",
        )
    return 1 / (math.sqrt(2 * math.pi) * m.sigma)


def _c_eta(m: Moments) -> float:
    return _c_bias(m) * math.exp(-(m.eta**2) / (2 * m.sigma**2))


def _gradients(m: Moments) -> float:
    return float(m.gradients.sum(1).mean())


def _slack(m: Moments) -> float:
    """xi + B C_grad C_bias"""
    return _c_eta(m) * float(m.far_gradients.sum(1).mean()) + m.mean_not_good * float(
        m.largest_gradient.max()
    ) * _c_bias(m)
