"""Weights: from a module, from a file, and what a program asks of them."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from splineviz.errors import InputError

__all__ = ["check_values", "load_weights", "matched", "module_weights"]

_WRAPPERS = ("module.", "_orig_mod.")
_COUNTER = "num_batches_tracked"
"""Of a batch norm: of no use in evaluation mode, and not in state dicts from before torch 0.4.1"""


def module_weights(module: nn.Module) -> dict[str, Tensor]:
    """All parameters and buffers of a module by name; a tensor with two names is listed under both."""
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    return dict(named)


def check_values(weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that are not real, single or double precision, finite numbers.

    Raises
    ------
    InputError
        Naming every weight at fault.
    """
    empty = [name for name, value in weights.items() if nn.parameter.is_lazy(value) or value.is_meta]
    if empty:
        raise InputError(f"weights without values: {_some(empty)}", hint="run or load the model once before giving it here")
    low = [f"{n} ({str(v.dtype)[6:]})" for n, v in weights.items() if v.is_floating_point() and v.dtype.itemsize < 4]
    if low:
        raise InputError(
            f"weights in half precision: {_some(low)}", hint="give a float32 or float64 copy: copy.deepcopy(model).float()"
        )
    odd = [f"{n} ({str(v.dtype)[6:]})" for n, v in weights.items() if v.is_complex() or v.is_quantized]
    if odd:
        raise InputError(f"weights that are not real numbers: {_some(odd)}")
    broken = [n for n, v in weights.items() if v.is_floating_point() and not bool(torch.isfinite(v).all())]
    if broken:
        raise InputError(f"NaN or infinite weights: {_some(broken)}", hint="load a checkpoint from before training diverged")


def matched(given: Mapping[str, Tensor], expected: Mapping[str, Tensor], groups: Iterable[tuple[str, ...]]) -> dict[str, Tensor]:
    """The given state dict, checked against the names, shapes and ties of the weights that a program was traced with.

    Values pass through the data type of the original weights, as they would in ``load_state_dict``.

    Raises
    ------
    InputError
        Naming all missing, unexpected and mis-shaped keys at once.
    """
    wrong = [name for name, value in given.items() if not isinstance(value, Tensor)]
    if wrong:
        raise InputError(f"a state dict maps names to tensors; these are none: {_some(wrong)}")
    given = {n: v.new_zeros(v.shape, device="cpu") for n, v in expected.items() if n.split(".")[-1] == _COUNTER} | dict(given)
    faults = []
    if missing := [name for name in expected if name not in given]:
        faults.append(f"missing: {_some(missing)}")
    if unexpected := [name for name in given if name not in expected]:
        faults.append(f"unexpected: {_some(unexpected)}")
    shapes = [
        f"{name} (expected {tuple(value.shape)}, got {tuple(given[name].shape)})"
        for name, value in expected.items()
        if name in given and given[name].shape != value.shape
    ]
    if shapes:
        faults.append(f"wrong shape: {_some(shapes)}")
    if faults:
        raise InputError(f"the weights do not fit the network; {'; '.join(faults)}", hint="give weights of this very architecture")
    check_values(given)
    for group in groups:
        if any(not torch.equal(given[group[0]], given[name]) for name in group[1:]):
            raise InputError(f"{_some(group)} are one weight in the network, but differ in the weights given")
    return {name: given[name].detach().to("cpu", value.dtype) for name, value in expected.items()}


def load_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from a .pt, .pth, .th or .safetensors file, without running code from it.

    A dict with the key ``state_dict`` or ``model`` is unwrapped, and the prefixes of data-parallel and compiled modules removed.

    Raises
    ------
    InputError
        If the file cannot be read, has another suffix, or holds no state dict.
    """
    path = Path(path)
    if path.suffix not in (".pt", ".pth", ".th", ".safetensors"):
        raise InputError(f"weights come from a .pt, .pth, .th or .safetensors file, got '{path}'")
    if not path.is_file():
        raise InputError(f"no such weights file: '{path}'")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    for key in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise InputError(f"'{path}' holds no state dict", hint="save it with torch.save(model.state_dict(), path)")
    weights = {str(name): value for name, value in content.items()}
    for prefix in (*_WRAPPERS, *_WRAPPERS):
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    return weights


def _read_pickle(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"'{path}' holds more than tensors (a whole pickled model, perhaps), which is not read since it can run code",
            hint="save the state dict: torch.save(model.state_dict(), path)",
        ) from error
    except Exception as error:
        raise InputError(f"'{path}' cannot be read as a torch file: {type(error).__name__}") from error


def _read_safetensors(path: Path) -> Any:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise InputError(f"reading '{path}' needs the package safetensors", hint="pip install 'splineviz[safetensors]'") from error
    try:
        return load_file(path)
    except Exception as error:
        raise InputError(f"'{path}' cannot be read as a safetensors file: {type(error).__name__}") from error


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
