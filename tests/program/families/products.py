"""Products with constant matrices and tensors."""

from __future__ import annotations

import torch
from torch.nn import functional

from .shared import MAP, ROWS, VECTOR, Functions, Modules

MODULES: Modules = {}
FUNCTIONS: Functions = {
    "bmm": (lambda m, x: torch.bmm(m.table.expand(x.shape[0], 3, 4), x.mT), ROWS),
    "bmm right": (lambda m, x: torch.bmm(x, m.table.T.expand(x.shape[0], 4, 3)), ROWS),
    "matmul broadcast": (
        lambda m, x: x[:, None] @ torch.stack([m.table.T, 2 * m.table.T, m.table.T - 1]),
        ROWS,
    ),
    "matmul broadcast left": (lambda m, x: torch.stack([m.table, m.table + 2]) @ x[:, None].mT, ROWS),
    "matmul vector left": (lambda m, x: m.row @ x.mT, ROWS),
    "matmul by a vector of four axes": (lambda m, x: x @ m.row, (2, 3, 4)),
    "matmul on maps": (lambda m, x: torch.matmul(x, m.row[:3].expand(5, 3)), MAP),
    "addmm scaled": (lambda m, x: torch.addmm(m.row[:1], x, m.table.T, beta=-2, alpha=3), VECTOR),
    "addmm of two activations": (lambda m, x: torch.addmm(x[:, :3], x, m.table.T, beta=0.5, alpha=2), VECTOR),
    "addmv": (lambda m, x: torch.addmv(x.sum(1), x, m.row, beta=2, alpha=-1), VECTOR),
    "baddbmm": (
        lambda m, x: torch.baddbmm(m.table[:, :3], x, m.table.T.expand(x.shape[0], -1, -1), alpha=0.5),
        ROWS,
    ),
    "tensordot": (lambda m, x: torch.tensordot(x, m.table, dims=([1, 2], [0, 1])), ROWS),
    "tensordot partly": (lambda m, x: torch.tensordot(x, m.table, dims=([2], [1])), ROWS),
    "mv and matmul": (lambda m, x: torch.mv(x, m.row)[:, None] + torch.linalg.matmul(x, m.table.T), VECTOR),
    "inner": (lambda m, x: torch.inner(x, m.row) + torch.inner(x, m.table).sum(-1), ROWS),
    "vecdot": (
        lambda m, x: (
            torch.linalg.vecdot(x, m.table, dim=1) + torch.linalg.vecdot(m.table, x).sum(1, keepdim=True)
        ),
        ROWS,
    ),
    "einsum": (lambda m, x: torch.einsum("bij,kj->bik", x, m.table), ROWS),
    "einsum constant first": (lambda m, x: torch.einsum("kj,bij->bki", m.table, x), ROWS),
    "einsum of three": (lambda m, x: torch.einsum("bij,kj,k->bi", x, m.table, m.row[:3]), ROWS),
    "einsum with dots": (lambda m, x: torch.einsum("...j,kj->...k", x, m.table), MAP[:1] + ROWS),
    "einsum without an arrow": (lambda m, x: torch.einsum("aij,jk", x, m.table.T), ROWS),
    "einsum side by side": (lambda m, x: torch.einsum("bij,ij->bij", x, m.table), ROWS),
    "einsum outer": (lambda m, x: torch.einsum("bi,j->bij", x, m.row), VECTOR),
    "einsum diagonal": (
        lambda m, x: torch.einsum("bii->bi", x[:, :, :3]) + torch.einsum("bij->b", x)[:, None],
        ROWS,
    ),
    "product with a sparse matrix": (lambda m, x: torch.sparse.mm(x, m.table.T), VECTOR),
    "einsum permuted": (lambda m, x: torch.einsum("bchw->bhwc", x), MAP),
    "einsum of batches": (
        lambda m, x: torch.einsum("bhd,hde->bhe", x, torch.stack([m.table.T] * 3) + m.row[:3]),
        ROWS,
    ),
    "einsum summed constant": (lambda m, x: torch.einsum("bi,ij->b", x[:, :3], m.table), VECTOR),
    "linear without bias on maps": (
        lambda m, x: functional.linear(x, m.table[:, :3].T.repeat(1, 2)[:, :5]),
        MAP,
    ),
}
