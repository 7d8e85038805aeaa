"""Tensors that a module makes of its weights and keeps beside them: tables that ``eval()`` fills, caches of
the first forward pass. With other weights they are others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.program.fidelity import sample
from splineviz.program.restoring import duplicate
from splineviz.showing import condensed

__all__ = ["Keeper"]


@dataclass(frozen=True, eq=False)
class Keeper:
    """A module that keeps floating-point tensors beside the weights in its state dict."""

    module: nn.Module | InputError
    """A copy that is nobody else's, or why there is none"""
    kept: Mapping[str, Tensor]
    """The tensors, by the path of the attribute, as they follow from its weights"""
    input_shape: tuple[int, ...]

    @classmethod
    def of(cls, module: nn.Module, names: Iterable[str], input_shape: tuple[int, ...]) -> Keeper | None:
        """The module's copy, if any attribute of these names holds such a tensor; it need not."""
        found = {name: _attribute(module, name) for name in names}
        kept = {
            name: value.detach().clone()
            for name, value in found.items()
            if isinstance(value, Tensor) and value.is_floating_point()
        }
        if not kept:
            return None
        try:
            return cls(duplicate(module), kept, input_shape)
        except InputError as error:
            return cls(error, kept, input_shape)

    def with_weights(self, weights: Mapping[str, Tensor]) -> nn.Module | None:
        """The module with other weights, where it keeps other tensors then; None where it keeps the same.

        Raises
        ------
        InputError
            If it does not run with them, or cannot be copied.
        """
        if isinstance(self.module, InputError):
            raise self.module
        module = duplicate(self.module)
        module.load_state_dict(dict(weights), strict=False)
        module.train()
        module.eval()
        first = next((v for v in module.state_dict().values() if v.is_floating_point()), torch.zeros(()))
        example = sample(self.input_shape, 2).to(first.device, first.dtype)
        for name in self.kept:
            _made_anew(module, name, example)
        error = _failure(module, example)
        if error is not None:
            raise InputError(
                f"the module does not run with other weights: {condensed(error)}",
                hint="load_state_dict and a forward pass in Python, to see where it fails",
            ) from error
        now = {name: _attribute(module, name) for name in self.kept}
        same = (
            isinstance(value, Tensor) and torch.equal(value, self.kept[name]) for name, value in now.items()
        )
        return None if all(same) else module


def _made_anew(module: nn.Module, name: str, example: Tensor) -> None:
    """Have the module make an attribute anew, if it does where it finds none."""
    owner, _, attribute = name.rpartition(".")
    holder, before = module.get_submodule(owner), _attribute(module, name)
    setattr(holder, attribute, None)
    if _failure(module, example) is not None or not isinstance(getattr(holder, attribute), Tensor):
        setattr(holder, attribute, before)


def _failure(module: nn.Module, example: Tensor) -> Exception | None:
    try:
        with torch.no_grad():
            module(example.clone())
    except Exception as error:
        return error
    return None


def _attribute(module: nn.Module, name: str) -> object:
    """The value of a path of attributes, None where there is none."""
    value: object = module
    for part in name.split("."):
        value = getattr(value, part, None)
    return value
