"""Operations of core ATen, that exported programs hold after ``run_decompositions``."""

from __future__ import annotations

import torch

from .shared import MAP, ROWS, VECTOR, VOLUME, Functions, Modules

_aten = torch.ops.aten

MODULES: Modules = {}
FUNCTIONS: Functions = {
    "convolutions by one name": (
        lambda m, x: (
            _aten.convolution(
                x, m.table.reshape(3, 2, 2, 1), m.row[:3], [1, 2], [1, 0], [2, 1], False, [0, 0], 1
            ).sum(1, keepdim=True)
            + _aten.convolution(
                x, m.table.reshape(2, 2, 1, 3), None, [2, 1], [3, 2], [1, 1], True, [1, 0], 1
            )[:, :, :6, :3]
        ),
        MAP,
    ),
    "batch norms by other names": (
        lambda m, x: (
            _aten._native_batch_norm_legit_no_training(
                x, m.row[:3], m.row[1:], m.row[:3], m.row[:3].abs(), 0.1, 1e-5
            )[0]
            + _aten._native_batch_norm_legit(
                x, None, m.row[1:], m.row[:3], m.row[:3].abs(), False, 0.1, 1e-3
            )[0]
            + _aten.native_batch_norm(x, m.row[1:], None, m.row[:3], m.row[:3].abs(), False, 0.1, 1e-5)[0]
        ),
        ROWS,
    ),
    "adaptive averages by other names": (
        lambda m, x: _aten._adaptive_avg_pool2d(x, [2, 3]).sum(1, keepdim=True),
        MAP,
    ),
    "adaptive averages of volumes": (lambda m, x: _aten._adaptive_avg_pool3d(x, [2, 1, 3]), VOLUME),
    "dropout by another name": (lambda m, x: _aten.native_dropout(x, 0.5, False)[0].relu(), VECTOR),
    "views that are not checked": (
        lambda m, x: (
            _aten._unsafe_view(x, [-1, 2, 6]).sum(2)
            + _aten._unsafe_index(x[..., :2], [None, m.row[:1].long()])[:, 0]
        ),
        ROWS,
    ),
    "pads by mode": (
        lambda m, x: (
            _aten.reflection_pad1d(x, [1, 2]).sum(2)
            + _aten.replication_pad1d(x, [0, 2]).sum(2)
            + _aten.reflection_pad2d(x[:, None], [1, 1, 0, 2]).sum((1, 3))[:, :3]
            + _aten.replication_pad2d(x[:, None], [1, 1, 0, 2]).sum((1, 3))[:, 2:]
        ),
        ROWS,
    ),
    "pads of volumes": (
        lambda m, x: (
            _aten.reflection_pad3d(x, [1, 1, 0, 2, 1, 0]) - _aten.replication_pad3d(x, [1, 1, 0, 2, 1, 0])
        ),
        VOLUME,
    ),
    "slopes by other names": (
        lambda m, x: (
            _aten._prelu_kernel(x, m.row[None])
            + _aten.rrelu_with_noise_functional(x, torch.zeros_like(x), 0.1, 0.3, False)[0]
        ),
        VECTOR,
    ),
}
