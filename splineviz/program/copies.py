"""Nodes for several data points at a time: the same node on each of n rows of one input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.nodes import Affine, Form, Gain, Maximum, Pointwise

__all__ = ["copies"]


def copies(
    node: Affine | Pointwise | Maximum, n: int, held: Mapping[int, Tensor]
) -> Affine | Pointwise | Maximum:
    """A node that takes and returns (batch, n, *shape) where ``node`` takes and returns (batch, *shape).

    Parameters
    ----------
    node
        Any node.
    n
        Number of rows.
    held
        By slot those of its inputs that are constants, (n, *shape), and are no inputs of the result.

    Raises
    ------
    InputError
        If constants enter anything but a sum, or a layout such as a concatenation.
    """
    if isinstance(node, Affine):
        return _held(node, n, held) if any(i in held for i in node.inputs) else _affine(node, n)
    run = _folded(node.run, n)
    if isinstance(node, Pointwise):
        return replace(
            node,
            shape=(n, *node.shape),
            run=run,
            breakpoints=node.breakpoints.unsqueeze(1),
            slopes=node.slopes.unsqueeze(1),
            intercepts=node.intercepts.unsqueeze(1),
        )
    size = int(np.prod(node.shape))
    first = size * np.arange(n)[:, None, None]
    windows = np.where(node.windows < 0, -1, node.windows + first).reshape(-1, node.windows.shape[1])
    shape, output_shape = (n, *node.shape), (n, *node.output_shape)
    return replace(node, shape=shape, output_shape=output_shape, run=run, windows=windows)


def _folded(run: Callable[..., Tensor], n: int) -> Callable[..., Tensor]:
    """A function of (batch, *shape) on (batch, n, *shape): one batch of all rows; tensors beside it alike."""

    def on_rows(x: Tensor, *others: object) -> Tensor:
        more = [y.flatten(0, 1) if isinstance(y, Tensor) else y for y in others]
        result = run(x.flatten(0, 1), *more)
        return result.reshape(len(x), n, *result.shape[1:])

    return on_rows


def _affine(node: Affine, n: int) -> Affine:
    """An affine node, none of whose inputs is held."""
    form = node.form
    if form is not None:
        form = replace(form, apply=_with_weights(form.apply, n))
    return replace(
        node,
        run=_folded(node.run, n),
        linear=_folded(node.linear, n),
        gain=_gain(node.gain, n),
        form=form,
        by_products=None if node.by_products is None else _folded(node.by_products, n),
    )


def _with_weights(apply: Callable[[Tensor, Tensor], Tensor], n: int) -> Callable[[Tensor, Tensor], Tensor]:
    """The products of a form on all rows; weights are of one row."""

    def on_rows(x: Tensor, weights: Tensor) -> Tensor:
        result = apply(x.flatten(0, 1), weights)
        return result.reshape(len(x), n, *result.shape[1:])

    return on_rows


def _gain(gain: Gain, n: int) -> Gain:
    """Bounds of a block-diagonal map: norms are those of a block."""
    rows, constants = (None if x is None else np.tile(x, n) for x in (gain.rows, gain.constants))
    return replace(gain, rows=rows, constants=constants, scaled_norm=None)


def _held(node: Affine, n: int, held: Mapping[int, Tensor]) -> Affine:
    """An affine node some of whose inputs are constants."""
    live = tuple(i for i in node.inputs if i not in held)
    plain = node.gain.kind == "layout" or (node.gain.kind == "sum" and len(live) == 1)
    if not plain or len(set(live)) != len(live):
        raise InputError(
            f"{node.module or node.name} combines what moves with what is held, and is neither a sum nor a "
            "concatenation",
            hint="choose a later layer",
        )

    def given(values: tuple[Tensor, ...], *, zero: bool) -> list[Tensor]:
        """All inputs, of all rows; constants as zeros, or as they are."""
        left, batch = list(values), len(values[0])
        found = []
        for i in node.inputs:
            value = held[i].expand(batch, *held[i].shape) if i in held else left.pop(0)
            value = torch.zeros_like(value) if zero and i in held else value
            found.append(value.flatten(0, 1))
        return found

    def run(*values: Tensor) -> Tensor:
        result = node.run(*given(values, zero=False))
        return result.reshape(len(values[0]), n, *result.shape[1:])

    def linear(*values: Tensor) -> Tensor:
        result = node.linear(*given(values, zero=True))
        return result.reshape(len(values[0]), n, *result.shape[1:])

    if node.gain.kind == "layout":
        return replace(node, inputs=live, run=run, linear=linear, by_products=None)
    shape = (1, *next(iter(held[i] for i in node.inputs if i in held)).shape)
    with torch.no_grad():
        constant = run(torch.zeros(shape, dtype=torch.float64))[0]
        sign = linear(torch.ones(shape, dtype=torch.float64))[0]
    ones = np.ones(sign.numel())
    gain = Gain("diagonal", 1.0, ones, constant.abs().flatten().numpy(), 2, 1.0)
    form = Form(lambda x, weights: x * weights, sign, constant)
    return replace(node, inputs=live, run=run, linear=linear, gain=gain, form=form, by_products=None)
