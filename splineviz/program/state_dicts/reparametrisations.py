"""Weights in the parts that weight norm, spectral norm and pruning make of them: renamed as the network has
them, or put together as it would in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from splineviz.program.state_dicts.names import slot

__all__ = ["as_wanted"]

Put = Callable[[list[Tensor], int], Tensor | None]


@dataclass(frozen=True)
class _Reparametrisation:
    """Names of the parts of ``weight``, old and new, and how they are put together."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    put_together: Put
    """Of the parts, and the axis of the outputs; None where their shapes do not belong together"""

    def styles(self, weight: str) -> list[list[str]]:
        """Names of the parts of a weight, in each style that there is."""
        owner, dot, own = weight.rpartition(".")
        styles = [[f"{weight}_{part}" for part in self.old]]
        return styles + [
            [f"{owner}{dot}parametrizations.{own}.{part}" for part in self.new] for _ in self.new[:1]
        ]


def _normed(parts: list[Tensor], _axis: int) -> Tensor | None:
    length, direction = parts
    long = [i for i, n in enumerate(length.shape) if n > 1]
    if length.dim() == 0:
        return torch._weight_norm(direction, length, -1)
    axis = long[0] if long else 0
    if length.shape != tuple(n if i == axis else 1 for i, n in enumerate(direction.shape)):
        return None
    return torch._weight_norm(direction, length, axis)


def _by_largest_singular_value(parts: list[Tensor], axis: int) -> Tensor | None:
    weight, u, v = parts
    matrix = weight.movedim(axis, 0).flatten(1) if weight.dim() > 1 else weight[None]
    if matrix.shape != (len(u), len(v)):
        return None
    return weight / torch.dot(u, torch.mv(matrix, v))


def _pruned(parts: list[Tensor], _axis: int) -> Tensor | None:
    weight, mask = parts
    if weight.shape != mask.shape:
        return None
    return mask * weight


_KINDS = (
    _Reparametrisation(("g", "v"), ("original0", "original1"), _normed),
    _Reparametrisation(("orig", "u", "v"), ("original", "0._u", "0._v"), _by_largest_singular_value),
    _Reparametrisation(("orig", "mask"), (), _pruned),
)


def as_wanted(
    state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], transposed: frozenset[str]
) -> dict[str, Tensor]:
    """The weights as the network has them: parts that it has under other names are renamed, parts of what it
    has whole are put together."""
    state = dict(state)
    for weight in dict.fromkeys(slot(name) for name in state if slot(name) != name):
        for kind in _KINDS:
            styles = kind.styles(weight)
            here = next((names for names in styles if all(name in state for name in names)), None)
            if here is None or all(name in wanted for name in here):
                continue
            there = next((names for names in styles if all(name in wanted for name in names)), None)
            if there is not None:
                state |= {name: state.pop(part) for name, part in zip(there, here, strict=True)}
            elif weight in wanted and weight not in state:
                parts = [state[name].to(wanted[weight].dtype) for name in here]
                whole = kind.put_together(parts, int(weight in transposed))
                if whole is not None:
                    state = {n: value for n, value in state.items() if n not in here} | {weight: whole}
    return state
