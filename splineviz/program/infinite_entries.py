"""Entries that are infinite whatever the input: padding of max-pools, masks.

They leave the windows of maxima, where -inf never is the largest, and are 0 everywhere else, so that no
number of a program is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.nodes import Affine, Maximum, Pointwise

__all__ = ["without_infinite_entries"]

_Node = Affine | Pointwise | Maximum


def without_infinite_entries(
    nodes: Sequence[_Node], input_shape: tuple[int, ...], output: int
) -> list[_Node]:
    """The nodes of a program, with finite numbers alone.

    Raises
    ------
    InputError
        If an infinite entry reaches the output, or a node that makes no sense of it.
    """
    generator = torch.Generator().manual_seed(0)
    values = {0: torch.randn(1, *input_shape, dtype=torch.float64, generator=generator)}
    result: list[_Node] = []
    for node in nodes:
        inputs = [values[slot] for slot in node.inputs]
        values[node.output] = found = node.run(*inputs)
        if not bool(torch.isfinite(found).all()) or not all(bool(torch.isfinite(x).all()) for x in inputs):
            node = _finite(node, inputs, found)
        result.append(node)
    if not bool(torch.isfinite(values[output]).all()):
        raise InputError(
            "the output of the model is infinite or no number, whatever the input",
            hint="model(x) in Python, layer by layer, to see where that begins",
        )
    return result


def _finite(node: _Node, inputs: Sequence[Tensor], found: Tensor) -> _Node:
    """A node that reads 0 for infinite entries, and makes 0 of those that would be."""
    infinite = ~torch.isfinite(found)
    if bool(found.isnan().any()):
        raise _senseless(node)
    if isinstance(node, Affine):
        return _finite_map(node, infinite)
    (x,) = inputs
    if isinstance(node, Pointwise):
        with_zero = node.run(torch.where(torch.isfinite(x), x, 0.0))
        if not torch.equal(with_zero[~infinite], found[~infinite]):
            raise _senseless(node)
        return replace(node, run=_zero_where(infinite, node.run))
    return _smaller_windows(node, x, infinite)


def _finite_map(node: Affine, infinite: Tensor) -> Affine:
    gain, form = node.gain, node.form
    if gain.constants is not None:
        gain = replace(gain, constants=np.where(np.isfinite(gain.constants), gain.constants, 0.0))
    if form is not None and form.constants is not None:
        form = replace(form, constants=torch.where(torch.isfinite(form.constants), form.constants, 0.0))
    return replace(
        node,
        run=_zero_where(infinite, node.run),
        linear=_zero_where(infinite, node.linear),
        gain=gain,
        form=form,
        by_products=None if node.by_products is None else _zero_where(infinite, node.by_products),
    )


def _smaller_windows(node: Maximum, x: Tensor, infinite: Tensor) -> Maximum:
    """Without candidates of -inf; a window of nothing else keeps its first one, and its maximum is 0."""
    if bool((found := x == math.inf).any()) and np.isin(node.windows, np.flatnonzero(found.numpy())).any():
        raise _senseless(node)
    left_out = (x == -math.inf).flatten().numpy()
    windows = np.where((node.windows >= 0) & left_out[node.windows], -1, node.windows)
    empty = (windows < 0).all(1)
    first = (node.windows >= 0).argmax(1)
    windows[empty, first[empty]] = node.windows[empty, first[empty]]
    lowest = torch.where(torch.isfinite(x), 0.0, -math.inf)
    run = node.run
    return replace(node, windows=windows, run=_zero_where(infinite, lambda value: run(value + lowest)))


def _zero_where(infinite: Tensor, run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *inputs: run(*inputs).masked_fill(infinite, 0.0)


def _senseless(node: _Node) -> InputError:
    where = f" ({node.source})" if node.source else ""
    return InputError(
        f"entries that are infinite whatever the input reach {node.name}{where}, which makes no continuous "
        "function of them: infinities may be padding or masks of maxima, nothing else",
        hint="a large finite number in place of the infinity",
    )
