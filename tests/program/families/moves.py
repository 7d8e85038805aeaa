"""Entries taken from one place to another."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from .shared import MAP, ROWS, VECTOR, Functions, Modules

MODULES: Modules = {
    "pixel shuffle": (lambda: nn.PixelShuffle(2), (4, 2, 3)),
    "pixel unshuffle": (lambda: nn.PixelUnshuffle(2), (1, 4, 6)),
    "channel shuffle": (lambda: nn.ChannelShuffle(2), (4, 2, 3)),
    "reflection pad": (lambda: nn.ReflectionPad2d((1, 2, 0, 3)), MAP),
    "replication pad": (lambda: nn.ReplicationPad1d((2, 1)), ROWS),
    "circular pad": (lambda: nn.CircularPad2d((1, 1, 2, 0)), MAP),
    "constant pad": (lambda: nn.Sequential(nn.ConstantPad1d((1, -2), -1.5), nn.Linear(3, 2)), ROWS),
    "unfold": (lambda: nn.Unfold((2, 3), dilation=(2, 1), padding=1, stride=2), MAP),
    "fold": (lambda: nn.Fold((3, 4), 2, padding=1, stride=1), (4, 20)),
    "unfold and fold": (lambda: nn.Sequential(nn.Unfold(2), nn.ReLU(), nn.Fold((6, 5), 2)), MAP),
}
FUNCTIONS: Functions = {
    "windows": (lambda m, x: x.unfold(2, 2, 1).sum(-1), ROWS),
    "flips": (lambda m, x: x.fliplr() + x.flip(-1, 1) + x.flip([2]), ROWS),
    "roll": (lambda m, x: x.roll(1, 2) - x.roll((1, -1), (1, 2)), ROWS),
    "rot90": (lambda m, x: x.rot90(1, (2, 3)) + x.rot90(-1, (3, 2)), MAP),
    "repeats": (lambda m, x: x.tile(1, 2, 1) + x.repeat_interleave(2, 1) + x.repeat(1, 2, 1), ROWS),
    "repeat each": (lambda m, x: x.repeat_interleave(torch.tensor([1, 0, 3]), 1, output_size=4), ROWS),
    "triangles": (lambda m, x: x.tril(1) + 2 * x.triu(-1), ROWS),
    "diagonals": (lambda m, x: x.diagonal(1, 1, 2).diag_embed() + torch.diag_embed(x[:, :, 0]), ROWS),
    "gather": (lambda m, x: x.gather(1, torch.tensor([[0, 2, 2, 1]]).expand(x.shape[0], -1)), VECTOR),
    "take along": (lambda m, x: torch.take_along_dim(x, torch.tensor([[[0, 2], [1, 1], [3, 0]]]), 2), ROWS),
    "masked fill": (lambda m, x: x.masked_fill(m.table > 0, 2.0) - x.masked_fill(m.row < 0, 0), ROWS),
    "where by a constant": (
        lambda m, x: torch.where(m.row > 0, x, -x) + torch.where(m.table > 0, x, m.row),
        ROWS,
    ),
    "where broadcast": (lambda m, x: torch.where(m.table > 0, x[:, None], 1.0), VECTOR),
    "index from behind": (lambda m, x: x[..., [1, 2, 0]] + x[:, torch.tensor([-1]), None, :3].sum(1), ROWS),
    "index of two axes": (lambda m, x: x[:, [0, 2], [1, 1]] + x[:, [[0], [2]], [0, 3]].sum(1), ROWS),
    "steps": (lambda m, x: x[:, 1::2, ::3] - x[:, ::2, 1::2][:, :2, :2], (4, 6)),
    "parts": (
        lambda m, x: torch.cat([*x.tensor_split(3, 1)[1:], x.hsplit(2)[0], *x.unsafe_chunk(2, 1)], 1),
        VECTOR,
    ),
    "parts of maps": (lambda m, x: x.dsplit(3)[1] + x.split(2, -2)[2], (2, 6, 6)),
    "joins": (
        lambda m, x: torch.hstack([x, torch.column_stack([x, x])]) + torch.concat([x, x, -x], -2),
        ROWS,
    ),
    "dstack": (lambda m, x: torch.dstack([x, x.relu()]), ROWS),
    "columns of numbers": (lambda m, x: torch.column_stack([x.sum(1), x[:, 0]]), VECTOR),
    "transposes": (
        lambda m, x: x.mH.swapdims(1, 2).moveaxis(1, 2).adjoint() + x.transpose(-2, -1).mT,
        (3, 3),
    ),
    "broadcasts": (
        lambda m, x: torch.broadcast_to(x[:, None], (x.shape[0], 2, 4)) + x[:, None].expand(-1, 2, -1),
        VECTOR,
    ),
    "shapes of others": (lambda m, x: x.view_as(x.mT).reshape_as(x) + x[:, :1].expand_as(x), ROWS),
    "joins by other names": (
        lambda m, x: torch.concatenate([*x.unsafe_split(2, 2), *x.unsafe_split_with_sizes([1, 3], 2)], 2),
        ROWS,
    ),
    "constant pad by name": (lambda m, x: torch.constant_pad_nd(x, (0, 1, 2, 0), 0.5), ROWS),
    "pad modes": (
        lambda m, x: functional.pad(x, (1, 1), mode="reflect") + functional.pad(x, (2, 0), mode="circular"),
        ROWS,
    ),
    "scatter functions": (
        lambda m, x: torch.select_scatter(x, x[:, 0] * 2, 1, 1) + torch.slice_scatter(x, x[:, :1], 1, 2, 3),
        ROWS,
    ),
    "diagonal written": (lambda m, x: torch.diagonal_scatter(x, x[:, :, 0], 0, 1, 2), ROWS),
    "index functions": (
        lambda m, x: x.index_fill(1, torch.tensor([0]), 2.0) + x.index_copy(2, torch.tensor([3]), x[..., :1]),
        ROWS,
    ),
    "scatter": (
        lambda m, x: torch.zeros_like(x).scatter(1, torch.tensor([[3, 0, 1, 2]]).expand(x.shape[0], 4), x),
        VECTOR,
    ),
}
