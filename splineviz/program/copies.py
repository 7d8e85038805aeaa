"""Copies of modules, also of those that keep results of a calculation: pruned weights, an activation."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

__all__ = ["copied"]


def copied(module: nn.Module) -> nn.Module:
    """A deep copy of a module, in which results of calculations are cut off from what they came from."""
    results = (value for part in module.modules() for value in _results(vars(part)))
    return copy.deepcopy(module, {id(value): value.detach().clone() for value in results})


def _results(value: object) -> Iterator[Tensor]:
    """Tensors that torch does not copy, in an attribute or a container in one."""
    if isinstance(value, Tensor):
        if not value.is_leaf:
            yield value
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _results(held)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for held in value:
            yield from _results(held)
