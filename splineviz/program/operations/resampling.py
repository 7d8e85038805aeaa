"""Interpolation of maps: linear, bilinear, trilinear and bicubic. Nearest neighbours only move entries."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from splineviz.program.operations.base import Active, Step, operation
from splineviz.program.program import Gain

__all__: list[str] = []

_SLACK = 1 + 1e-9  # above the rounding of the sums and products below


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
    gain = Gain("dense", norm * _SLACK, rows, None, terms + 1, norm * _SLACK)
    return step.affine([x], step.shape, lambda x: function(x, **others), gain)


def _along(axis: int, axes: int, length: int, arguments: dict[str, object], function: Callable[..., Tensor]) -> Tensor:
    """(n_out, n_in) interpolation along one axis, read off from impulses on maps that have length one along the others."""
    only = dict(arguments)
    for name in ("output_size", "scale_factors"):
        value = only.get(name)
        if isinstance(value, list):
            only[name] = [item if i == axis else 1 for i, item in enumerate(value)]
    shape = [length, 1, *(length if i == axis else 1 for i in range(axes))]
    impulses = torch.eye(length, dtype=torch.float64).reshape(shape)
    return function(impulses, **only).reshape(length, -1).T
