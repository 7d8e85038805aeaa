"""Weights of a module, and what a program asks of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import torch
from torch import Tensor, nn

from splineviz.errors import InputError

__all__ = ["check_present", "check_values", "infinities_meant", "module_weights", "some"]


def module_weights(module: nn.Module) -> dict[str, Tensor]:
    """All parameters and buffers of a module by name; a tensor with two names is listed under both."""
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    return dict(named)


def check_present(weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that have no values yet, naming them."""
    empty = [name for name, value in weights.items() if nn.parameter.is_lazy(value) or value.is_meta]
    if empty:
        raise InputError(
            f"weights without values: {some(empty)}", hint="run or load the model once before giving it here"
        )


def check_values(weights: Mapping[str, Tensor], masks: Collection[str] = ()) -> None:
    """Refuse weights that are not finite numbers of single or double precision, real or complex; ``masks``
    may be infinite.

    Raises
    ------
    InputError
        Naming every weight at fault.
    """
    check_present(weights)
    low = [
        f"{n} ({str(v.dtype)[6:]})"
        for n, v in weights.items()
        if v.is_floating_point() and v.dtype.itemsize < 4
    ]
    if low:
        raise InputError(
            f"weights in half precision: {some(low)}",
            hint="give a float32 or float64 copy: copy.deepcopy(model).float()",
        )
    odd = [f"{n} ({str(v.dtype)[6:]})" for n, v in weights.items() if v.is_quantized]
    if odd:
        raise InputError(
            f"weights that are not real numbers: {some(odd)}",
            hint="give the weights as they were before they were quantised",
        )
    broken = [
        n
        for n, v in weights.items()
        if (v.is_floating_point() or v.is_complex())
        and not bool(torch.isfinite(v).all())
        and (n not in masks or bool(v.isnan().any()))
    ]
    if broken:
        raise InputError(
            f"NaN or infinite weights: {some(broken)}", hint="load a checkpoint from before training diverged"
        )


def infinities_meant(module: nn.Module) -> frozenset[str]:
    """Names of tensors whose infinities may be meant: buffers, and the initialisers of a file."""
    if hasattr(module, "in_order"):
        return frozenset(module_weights(module))
    return frozenset(name for name, _ in module.named_buffers(remove_duplicate=False))


def some(names: Iterable[str]) -> str:
    """The first names of a list, for a message."""
    names = list(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
