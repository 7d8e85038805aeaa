"""Weights without names: arrays in the order of the network's own, or all parameters in one vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.state_dicts.names import counts_batches
from splineviz.program.state_dicts.wanted import Wanted
from splineviz.program.weights import some

__all__ = ["named_in_order", "split"]


def named_in_order(arrays: Sequence[object], wanted: Wanted) -> dict[str, Tensor]:
    """Arrays by the names of the network's: all of its state dict, or without the counters of batch norms and
    second names of one weight.

    Raises
    ------
    InputError
        If they are as many as none of these, or something else is among them.
    """
    tensors = [
        torch.as_tensor(array)
        for array in arrays
        if isinstance(array, (Tensor, np.ndarray, np.generic, float))
    ]
    if len(tensors) != len(arrays) or not tensors:
        raise InputError("a list of weights holds arrays or tensors, and nothing else")
    everything = list(wanted.tensors)
    needed = [name for name in everything if not counts_batches(name)]
    once = [name for name in needed if not any(name in group[1:] for group in wanted.ties)]
    for names in (everything, needed, once):
        if len(names) == len(tensors):
            return dict(zip(names, tensors, strict=True))
    raise InputError(
        f"a list of {len(tensors)} arrays does not fit the network, whose state dict has {len(everything)}"
        f"{_beside(wanted)}",
        hint="give them by name: dict(zip(model.state_dict(), arrays))",
    )


def split(vector: Tensor, wanted: Wanted) -> dict[str, Tensor]:
    """The parameters that torch.nn.utils.parameters_to_vector put one after the other.

    Raises
    ------
    InputError
        If their number is another, or the network has more than parameters.
    """
    sizes = [wanted.tensors[name].numel() for name in wanted.parameters]
    if vector.dim() != 1 or len(vector) != sum(sizes):
        raise InputError(
            f"one tensor of shape {tuple(vector.shape)} does not fit the network, which has {sum(sizes)} "
            "parameters",
            hint="give a state dict, or torch.nn.utils.parameters_to_vector(model.parameters())",
        )
    if _beside(wanted):
        raise InputError(
            f"a vector of all parameters does not tell all weights{_beside(wanted)}", hint="give a state dict"
        )
    pieces = zip(wanted.parameters, torch.split(vector, sizes), strict=True)
    return {name: piece.view(wanted.tensors[name].shape) for name, piece in pieces}


def _beside(wanted: Wanted) -> str:
    """The weights that are no parameters, for a message."""
    known = {*wanted.parameters, *(name for group in wanted.ties for name in group)}
    others = [name for name in wanted.tensors if name not in known and not counts_batches(name)]
    return f"; beside its {len(wanted.parameters)} parameters: {some(others)}" if others else ""
