"""Weights brought to the names, shapes and data types of a network: the one state dict in what was given that
fits it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from os import PathLike

import numpy as np
import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.state_dicts.adapters import merged
from splineviz.program.state_dicts.candidates import Candidate, candidates, in_place
from splineviz.program.state_dicts.entries import State, entry, held
from splineviz.program.state_dicts.faults import faults, reason
from splineviz.program.state_dicts.unnamed import named_in_order, split
from splineviz.program.state_dicts.wanted import Wanted
from splineviz.program.weight_files import read_content
from splineviz.program.weight_files.adapter_settings import AdapterSettings
from splineviz.program.weights import check_present, check_values, some

__all__ = ["Weights", "fitted", "weights_for"]

Weights = str | PathLike[str] | Mapping[str, object] | Sequence[object] | Tensor | np.ndarray
"""A file or folder; a state dict, or what holds one; arrays in order; or one vector of all parameters"""


def weights_for(wanted: Wanted, weights: Weights, key: str | None = None) -> State:
    """Values of all weights that a network wants, by name, in its data types.

    Parameters
    ----------
    wanted
        What the network wants.
    weights
        A file or folder, or what one would hold.
    key
        The entry that holds the weights, where there are several.

    Raises
    ------
    InputError
        If a file cannot be read, nothing is under the key, several entries fit, or none does: naming all
        missing, unexpected and mis-shaped weights at once.
    """
    if wanted.more:
        raise InputError(
            f"the network takes no weights, since its state dict has more than that: {some(wanted.more)}",
            hint="load all of it into the module, and read that: model.load_state_dict(...)",
        )
    if not isinstance(weights, (str, PathLike)):
        return fitted(weights if key is None else entry(weights, key, "what is given"), wanted)
    content = read_content(weights)
    if key is not None:
        content = entry(content, key, f"'{weights}'")
    settings = AdapterSettings.beside(weights)
    if settings is not None:
        content = merged(content, settings, wanted)
    try:
        return fitted(content, wanted)
    except InputError as error:
        raise error.about(f"'{weights}'") from error


def fitted(content: object, wanted: Wanted) -> State:
    """Values of all weights that a network wants, from the content of a file.

    Values pass through the data types of the network's own, as they would in ``load_state_dict``.

    Raises
    ------
    InputError
        As for :func:`weights_for`.
    """
    if isinstance(content, np.ndarray):
        content = torch.as_tensor(content)
    if isinstance(content, Tensor):
        return _checked(in_place(split(content, wanted), wanted), wanted)
    if isinstance(content, Sequence) and not isinstance(content, (str, bytes)):
        return _checked(in_place(named_in_order(content, wanted), wanted), wanted)
    if isinstance(content, Mapping) and not content:  # all of a network without weights
        return _checked({}, wanted)
    found = candidates(content, wanted)
    fitting = [candidate for candidate in found if not faults(candidate.state, wanted)]
    if not fitting:
        raise _misfit(content, found, wanted)
    first, *others = fitting
    if any(not _equal(first.state, other.state) for other in others):
        keys = [candidate.key for candidate in fitting]
        named = some(key or "(no key)" for key in keys)
        raise _unchosen(f"several entries fit the network, and differ: {named}", next(filter(None, keys)))
    if not any(candidate.whole for candidate in fitting):
        raise _unchosen(f"the weights are those of another network, of which '{first.key}' fits", first.key)
    return _checked(first.state, wanted)


def _checked(state: State, wanted: Wanted) -> State:
    """The values in the network's data types, refused where they are not finite or contradict each other."""
    if wrong := faults(state, wanted):
        raise InputError(
            f"the weights do not fit the network; {'; '.join(wrong)}",
            hint="the network with the sizes that it was trained with, or the weights that are its own",
        )
    check_present(state)
    real = {name for name, like in wanted.tensors.items() if not like.is_complex()}
    if odd := [name for name, v in state.items() if v.is_quantized or (v.is_complex() and name in real)]:
        raise InputError(
            f"weights that are not real numbers: {some(odd)}",
            hint="value.dequantize() makes quantised ones real, value.real complex ones",
        )
    values = {
        name: _dense(state[name]).detach().to("cpu", like.dtype) for name, like in wanted.tensors.items()
    }
    check_values(values, wanted.masks)
    for group in wanted.ties:
        if any(not torch.equal(values[group[0]], values[name]) for name in group[1:]):
            raise InputError(
                f"{some(group)} are one weight in the network, but differ in the weights given",
                hint="build the network without tied weights, or give those that it was trained with",
            )
    return values


def _equal(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(_dense(one[name]), _dense(other[name])) for name in one
    )


def _dense(value: Tensor) -> Tensor:
    """The tensor with all its entries, where it is a sparse one."""
    return value if value.layout is torch.strided else value.to_dense()


def _unchosen(message: str, key: str) -> InputError:
    """The error where a key has to say which entry is meant."""
    hint, command_hint = (
        f"weights_key={key!r} takes that one",
        f"--weights-key {shlex.quote(key)} takes that one",
    )
    return InputError(message, hint=hint, command_hint=command_hint)


def _misfit(content: object, found: list[Candidate], wanted: Wanted) -> InputError:
    """The error where nothing fits, about what comes closest."""
    if not found:
        return InputError(
            f"what is given holds no state dict{held(content)}",
            hint="give model.state_dict(), or a file that torch.save(model.state_dict(), path) wrote",
        )
    closest = max(found, key=lambda candidate: candidate.n_known)
    where = f" under '{closest.key}'" if len(found) > 1 and closest.key else ""
    return InputError(
        f"the weights{where} do not fit the network; {'; '.join(faults(closest.state, wanted))}",
        hint=reason(closest.state, wanted),
    )
