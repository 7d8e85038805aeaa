"""Interpolation of maps: linear, bilinear, trilinear and bicubic. Nearest neighbours only move entries."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from splineviz.program.operations.base import Active, Step, operation
from splineviz.program.program import Form, Gain

__all__: list[str] = []

_SLACK = 1 + 1e-9  # above the rounding of the sums and products below
_DENOMINATOR = 1 << 12  # of weights: with three axes, digits times numerators stay below 2^53
_CLOSE = 1e-9  # between two fractions with such denominators there is 1 / _DENOMINATOR^2 at least
# A place among n entries is rounded to 3 u n, and so are its two weights, whose row has a norm of 1 / sqrt(2)
# at least: as if so many times n products were added up.
_POSITION = 6


@operation(
    "upsample_linear1d",
    "upsample_bilinear2d",
    "upsample_trilinear3d",
    "upsample_bicubic2d",
    "_upsample_bilinear2d_aa",
    "_upsample_bicubic2d_aa",
    makes="dense",
)
def _interpolate(step: Step) -> Active:
    x, others = step.subject()
    function = getattr(torch.ops.aten, step.call.op)
    axes = next(int(name) for name in step.call.op if name.isdigit())
    matrices = [_along(axis, axes, x.shape[axis - axes], others, function) for axis in range(axes)]
    # the map is the tensor product of these matrices, and so are its rows
    norm, rows, terms = 1.0, np.ones(()), 1
    for matrix in matrices:
        absolute = matrix.abs()
        norm *= math.sqrt(float(absolute.sum(0).max())) * math.sqrt(float(absolute.sum(1).max()))
        rows = np.multiply.outer(rows, matrix.norm(dim=1).numpy())
        # at the rim of a filter a weight may be rounding, or zero
        terms *= int((matrix != 0).sum(1).max()) + step.call.op.endswith("_aa")
    rows = np.broadcast_to(rows, step.shape).reshape(-1) * _SLACK
    form = None
    if "linear" in step.call.op and not step.call.op.endswith("_aa"):
        form, terms = _form(matrices), terms + _POSITION * sum(matrix.shape[1] for matrix in matrices)
    gain = Gain("dense", norm * _SLACK, rows, None, terms + 1, norm * _SLACK)
    return step.affine([x], step.shape, lambda x: function(x, **others), gain, form=form)


def _form(matrices: list[Tensor]) -> Form | None:
    """Interpolation along axes by fractions, as far as the weights are rounded fractions with a small common
    denominator."""
    exact = [_numerators(matrix) for matrix in matrices]
    if any(numerators is None for numerators, _ in exact):
        return None

    def apply(x: Tensor, one: Tensor) -> Tensor:
        for axis, (numerators, _) in enumerate(exact, -len(exact)):
            assert numerators is not None
            x = (x.movedim(axis, -1) @ numerators.T).movedim(-1, axis)
        return x * one

    one = torch.ones((), dtype=torch.float64)
    return Form(apply, one, divisors=one * math.prod(denominator for _, denominator in exact))


def _numerators(matrix: Tensor) -> tuple[Tensor | None, int]:
    """(numerators, denominator) of a matrix of weights that add up to 1 in each row; None if no small
    denominator fits."""
    fractions = {
        weight: Fraction(weight).limit_denominator(_DENOMINATOR)
        for weight in np.unique(matrix.numpy()).tolist()
    }
    common = math.lcm(*(fraction.denominator for fraction in fractions.values()))
    close = all(abs(float(fraction) - weight) < _CLOSE for weight, fraction in fractions.items())
    numerators = (matrix * common).round()
    if not close or common > _DENOMINATOR or bool((numerators.sum(1) != common).any()):
        return None, 1
    return numerators, common


def _along(
    axis: int, axes: int, length: int, arguments: dict[str, object], function: Callable[..., Tensor]
) -> Tensor:
    """(n_out, n_in) interpolation along one axis, read off from impulses on maps that have length one along
    the others."""
    only = dict(arguments)
    for name in ("output_size", "scale_factors"):
        value = only.get(name)
        if isinstance(value, list):
            only[name] = [item if i == axis else 1 for i, item in enumerate(value)]
    shape = [length, 1, *(length if i == axis else 1 for i in range(axes))]
    impulses = torch.eye(length, dtype=torch.float64).reshape(shape)
    return function(impulses, **only).reshape(length, -1).T
