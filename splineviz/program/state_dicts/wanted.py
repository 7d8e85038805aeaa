"""Weights that a network wants: their names, shapes and data types, and which are one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd

from splineviz.program.state_dicts.names import bare_names
from splineviz.program.weights import check_present, infinities_meant, module_weights

__all__ = ["Wanted"]


@dataclass(frozen=True, eq=False)
class Wanted:
    """Weights of a network, without their values."""

    more: tuple[str, ...]
    """Names in the state dict of what is no weight: the extra state of a module"""
    tensors: dict[str, Tensor]
    """Of the state dict, by name, on the device ``meta``"""
    parameters: tuple[str, ...]
    """Names of the parameters in the order of ``module.parameters()``, each once"""
    ties: tuple[tuple[str, ...], ...]
    """Names of weights that are one tensor"""
    masks: frozenset[str]
    """Names of those that may be infinite"""
    transposed: frozenset[str]
    """Bare names of the weights of transposed convolutions, whose second axis is that of the outputs"""

    @classmethod
    def of(cls, module: nn.Module) -> Wanted:
        """Weights of a module.

        Raises
        ------
        InputError
            If some have no values yet.
        """
        named = module_weights(module)
        names = list(module.state_dict())
        own = {name: named[name] for name in names if name in named}
        check_present(own)
        bare = bare_names(own)
        transposed = (n for n, m in module.named_modules() if isinstance(m, _ConvTransposeNd))
        return cls(
            tuple(name for name in names if name not in named),
            {name: torch.empty_like(value, device="meta") for name, value in own.items()},
            tuple(name for name, _ in module.named_parameters()),
            _tied(own),
            infinities_meant(module),
            frozenset(bare[w] for name in transposed if (w := f"{name}.weight".lstrip(".")) in bare),
        )

    @cached_property
    def bare(self) -> dict[str, str]:
        """The network's own name of each, by the name without what wrappers add."""
        return {bare: name for name, bare in bare_names(self.tensors).items()}


def _tied(own: dict[str, Tensor]) -> tuple[tuple[str, ...], ...]:
    owners: dict[tuple[int, tuple[int, ...]], list[str]] = {}
    for name, value in own.items():
        if value.numel() and not value.is_meta:
            owners.setdefault((value.data_ptr(), value.stride()), []).append(name)
    groups: Iterable[list[str]] = owners.values()
    return tuple(tuple(names) for names in groups if len(names) > 1)
