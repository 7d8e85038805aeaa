"""State dicts in the content of a file: what there is, and which a key names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.state_dicts.names import bare_names
from splineviz.program.weights import some

__all__ = ["State", "entry", "held", "state_dicts"]

State = dict[str, Tensor]

_OPTIMISER = {"state", "param_groups"}


def state_dicts(content: object) -> dict[str, State]:
    """All state dicts in the content of a file, by the path of their keys, ``"callbacks.ema"``.

    A state dict has floating-point tensors by name; what else stands among them is left out. The state of an
    optimiser is none. The path of the content itself is empty.
    """
    return dict(_found(content, ""))


def _found(content: object, path: str) -> Iterator[tuple[str, State]]:
    if not isinstance(content, Mapping) or content.keys() >= _OPTIMISER:
        return
    named = {str(name): value for name, value in content.items()}
    tensors = {name: found for name, value in named.items() if (found := _tensor(value)) is not None}
    nested = [_joined(path, name) for name, value in tensors.items() if value.is_nested]
    if nested:
        raise InputError(
            f"weights that are nested tensors, which no module has: {some(nested)}",
            hint="leave them out of the file, or save their parts: tensor.unbind()",
        )
    if any(value.is_floating_point() or value.is_complex() for value in tensors.values()):
        yield path, tensors
    for name, value in named.items():
        yield from _found(value, _joined(path, name))


def entry(content: object, key: str, where: str) -> object:
    """The entry that a key names: ``"ema"``, ``"callbacks.ema"``, or what begins the names of some weights.

    Raises
    ------
    InputError
        If there is none, with what there is; or several state dicts have such weights.
    """
    found = _resolved(content, key)
    if found is not None:
        return found
    inside = {
        path: _below(_bare(state), key.removeprefix(f"{path}."))
        for path, state in state_dicts(content).items()
    }
    paths = [path for path, below in inside.items() if below]
    if len(paths) == 1:
        return inside[paths[0]]
    if paths:
        raise InputError(
            f"{where} holds several entries under the key '{key}'",
            hint=f"name one of them: {some(_joined(path, key) for path in paths)}",
        )
    raise InputError(f"{where} holds nothing under the key '{key}'{held(content)}")


def held(content: object) -> str:
    """``"; it has state_dict, epoch"``: the keys of a content, for a message."""
    if not isinstance(content, Mapping) or not content:
        return ""
    heads = (
        str(name).partition(".")[0] if isinstance(value, Tensor) else str(name)
        for name, value in content.items()
    )
    return f"; it has {some(dict.fromkeys(heads))}"


def _resolved(content: object, key: str) -> object:
    if isinstance(content, Sequence) and not isinstance(content, (str, bytes)):
        content = dict(enumerate(content))
    if not isinstance(content, Mapping):
        return None
    named = {str(name): value for name, value in content.items()}
    if key in named:
        return named[key]
    for name, value in named.items():
        if key.startswith(f"{name}.") and (found := _resolved(value, key[len(name) + 1 :])) is not None:
            return found
    return _below(named, key) or None


def _below(named: Mapping[str, object], key: str) -> dict[str, object]:
    return {name[len(key) + 1 :]: value for name, value in named.items() if name.startswith(f"{key}.")}


def _bare(state: State) -> State:
    return {bare: state[name] for name, bare in bare_names(state).items()}


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _tensor(value: object) -> Tensor | None:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return torch.from_numpy(value.astype(value.dtype.newbyteorder("="), copy=False))
    return value if isinstance(value, Tensor) else None
