"""Weights: from a module, and what a program asks of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import torch
from torch import Tensor, nn

from splineviz.errors import InputError

__all__ = ["check_values", "matched", "module_weights", "some"]

_COUNTER = "num_batches_tracked"
"""Counter of a batch norm: of no use in evaluation mode, and not in state dicts from before torch 0.4.1."""


def module_weights(module: nn.Module) -> dict[str, Tensor]:
    """All parameters and buffers of a module by name; a tensor with two names is listed under both."""
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    return dict(named)


def check_values(weights: Mapping[str, Tensor], masks: Collection[str] = ()) -> None:
    """Refuse weights that are not real, single or double precision, finite numbers; ``masks`` may be
    infinite.

    Raises
    ------
    InputError
        Naming every weight at fault.
    """
    empty = [name for name, value in weights.items() if nn.parameter.is_lazy(value) or value.is_meta]
    if empty:
        raise InputError(
            f"weights without values: {some(empty)}", hint="run or load the model once before giving it here"
        )
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
    odd = [f"{n} ({str(v.dtype)[6:]})" for n, v in weights.items() if v.is_complex() or v.is_quantized]
    if odd:
        raise InputError(f"weights that are not real numbers: {some(odd)}")
    broken = [
        n
        for n, v in weights.items()
        if v.is_floating_point()
        and not bool(torch.isfinite(v).all())
        and (n not in masks or bool(v.isnan().any()))
    ]
    if broken:
        raise InputError(
            f"NaN or infinite weights: {some(broken)}", hint="load a checkpoint from before training diverged"
        )


def matched(
    given: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    groups: Iterable[tuple[str, ...]],
    masks: Collection[str] = (),
) -> dict[str, Tensor]:
    """The given state dict, checked against the names, shapes and ties of the weights that a program was
    traced with.

    Values pass through the data type of the original weights, as they would in ``load_state_dict``.

    Raises
    ------
    InputError
        Naming all missing, unexpected and mis-shaped keys at once.
    """
    wrong = [name for name, value in given.items() if not isinstance(value, Tensor)]
    if wrong:
        raise InputError(f"a state dict maps names to tensors; these are none: {some(wrong)}")
    given = {
        n: v.new_zeros(v.shape, device="cpu") for n, v in expected.items() if n.split(".")[-1] == _COUNTER
    } | dict(given)
    faults = []
    if missing := [name for name in expected if name not in given]:
        faults.append(f"missing: {some(missing)}")
    if unexpected := [name for name in given if name not in expected]:
        faults.append(f"unexpected: {some(unexpected)}")
    shapes = [
        f"{name} (expected {tuple(value.shape)}, got {tuple(given[name].shape)})"
        for name, value in expected.items()
        if name in given and given[name].shape != value.shape
    ]
    if shapes:
        faults.append(f"wrong shape: {some(shapes)}")
    if faults:
        raise InputError(
            f"the weights do not fit the network; {'; '.join(faults)}",
            hint="give weights of this very architecture",
        )
    check_values(given, masks)
    for group in groups:
        if any(not torch.equal(given[group[0]], given[name]) for name in group[1:]):
            raise InputError(f"{some(group)} are one weight in the network, but differ in the weights given")
    return {name: given[name].detach().to("cpu", value.dtype) for name, value in expected.items()}


def some(names: Iterable[str]) -> str:
    """The first names of a list, for a message."""
    names = list(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
