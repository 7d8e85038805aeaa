"""Libraries that round as they like: by the place of a row, by chance, and in any order of summation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from splineviz.program.program import Affine, Form, Pointwise
from splineviz.values.propagation import Propagator

__all__ = ["any_order", "corrupt", "unsteady"]

_PARTS = 3


def unsteady(monkeypatch: pytest.MonkeyPatch, *, alone: bool = False) -> None:
    """Rows of products differ in their last bits by chance, from call to call; also those taken alone, if
    wanted."""
    chance = torch.Generator().manual_seed(0)

    def moved(x: Tensor) -> Tensor:
        step = torch.randint(-1, 2, x.shape, generator=chance)
        up = torch.full_like(x, torch.inf)
        return torch.where(
            step == 0, x, torch.where(step > 0, torch.nextafter(x, up), torch.nextafter(x, -up))
        )

    _with_products(monkeypatch, lambda node, result: moved(result), alone=alone)


def corrupt(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Products are off by some share of their size, another from call to call: far beyond any bound."""
    chance = torch.Generator().manual_seed(0)

    def wrong(node: Affine, result: Tensor) -> Tensor:
        return result * (1 + share * torch.randn(result.shape, generator=chance, dtype=result.dtype))

    _with_products(monkeypatch, wrong, alone=True)


def any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products are sums of sums of some of their terms, drawn by chance in each call, every second time
    without fused additions."""
    chance = torch.Generator().manual_seed(0)

    def again(node: Affine, x: Tensor) -> Tensor:
        form = node.form
        if form is None or form.divisors is not None:
            return node.run(x)
        if node.matrix is not None and torch.randint(2, (), generator=chance):
            order = torch.randperm(x.shape[-1], generator=chance)
            terms = x[..., None, order] * node.matrix[:, order]
            return _plus(terms.cumsum(-1)[..., -1], form)
        part = torch.randint(_PARTS, form.weights.shape, generator=chance)
        result = form.apply(x, torch.where(part == 0, form.weights, 0.0))
        for k in range(1, _PARTS):
            result = result + form.apply(x, torch.where(part == k, form.weights, 0.0))
        return _plus(result, form)

    def anywhere(
        self: Propagator, node: Affine | Pointwise, values: Sequence[Tensor], take: Callable[..., Tensor]
    ) -> Tensor:
        if not isinstance(node, Affine) or node.gain.kind != "dense":
            return before(self, node, values, take)
        return again(node, values[0])

    def alone(self: Propagator, node: Affine, x: Tensor, rows: np.ndarray, out: Tensor) -> None:
        some = torch.from_numpy(rows)
        out[some] = again(node, x[some])

    before = Propagator._anywhere
    monkeypatch.setattr(Propagator, "_anywhere", anywhere)
    monkeypatch.setattr(Propagator, "_alone", alone)


def _plus(x: Tensor, form: Form) -> Tensor:
    return x if form.constants is None else x + form.constants


def _with_products(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Affine, Tensor], Tensor], *, alone: bool
) -> None:
    together, single = Propagator._anywhere, Propagator._alone

    def changed(
        self: Propagator, node: Affine | Pointwise, values: Sequence[Tensor], take: Callable[..., Tensor]
    ) -> Tensor:
        result = together(self, node, values, take)
        return (
            result.copy_(change(node, result))
            if isinstance(node, Affine) and node.gain.kind == "dense"
            else result
        )

    def changed_alone(self: Propagator, node: Affine, x: Tensor, rows: np.ndarray, out: Any) -> None:
        single(self, node, x, rows, out)
        some = torch.from_numpy(rows)
        out[some] = change(node, out[some])

    monkeypatch.setattr(Propagator, "_anywhere", changed)
    if alone:
        monkeypatch.setattr(Propagator, "_alone", changed_alone)
