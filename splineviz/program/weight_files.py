"""Weights from files, and what else a checkpoint tells: its step and its metrics. Nothing in a file is
executed."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.weights import some

__all__ = ["COUNTERS", "SUFFIXES", "Facts", "load_weights", "read_facts"]

SUFFIXES = (".pt", ".pth", ".th", ".safetensors", ".npz")
COUNTERS = ("step", "global_step", "iteration", "epoch")
"""Keys under which files keep how far training had come, the first choice first"""

_NESTED = ("state_dict", "model", "model_state_dict")
_WRAPPERS = ("module.", "_orig_mod.")
_METRICS = "metrics"
_AVERAGED = "n_averaged"
"""Entry that torch's AveragedModel keeps beside the module that it wraps."""


@dataclass(frozen=True)
class Facts:
    """Facts that a checkpoint tells beside its weights."""

    counters: dict[str, int]
    """Entries of `COUNTERS` that it has."""
    metrics: dict[str, float]
    """The numbers of its dict ``metrics``."""


def load_weights(path: str | Path, key: str | None = None) -> dict[str, Tensor]:
    """Read a state dict from a .pt, .pth, .th, .safetensors or .npz file, without running code from it.

    A dict with the key ``state_dict``, ``model`` or ``model_state_dict`` is unwrapped, and the prefixes of
    data-parallel, averaged and compiled modules removed. In .npz files a name ``ema/0.weight`` stands for the
    entry ``0.weight`` of a dict ``ema``.

    Parameters
    ----------
    path
        The file.
    key
        The entry of the file that holds the state dict, where it holds several: ``"ema"``, say.

    Raises
    ------
    InputError
        If the file cannot be read, has another suffix, or holds no state dict, or none under ``key``.
    """
    content = _content(Path(path))
    if key is not None:
        if not isinstance(content, Mapping) or key not in content:
            held = f"; it has {some(map(str, content))}" if isinstance(content, Mapping) else ""
            raise InputError(f"'{path}' holds nothing under the key '{key}'{held}")
        content = content[key]
    for nested in _NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(nested), Mapping):
            content = content[nested]
            break
    if isinstance(content, Mapping):
        content = {
            name: v
            for name, v in content.items()
            if isinstance(v, Tensor) or name not in (*COUNTERS, _METRICS)
        }
    if (
        not content
        or not isinstance(content, Mapping)
        or not all(isinstance(v, Tensor) for v in content.values())
    ):
        where = "" if key is None else f" under the key '{key}'"
        raise InputError(
            f"'{path}' holds no state dict{where}", hint="save it with torch.save(model.state_dict(), path)"
        )
    return _bare({str(name): value for name, value in content.items()})


def read_facts(path: str | Path) -> Facts:
    """The step and the metrics that a file of weights tells; of a .pt file only the table of contents is
    read.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    content = _content(Path(path), lazy=True)
    content = content if isinstance(content, Mapping) else {}
    counters = {name: _number(content.get(name)) for name in COUNTERS}
    inner = content.get(_METRICS)
    metrics = {str(k): _number(v) for k, v in inner.items()} if isinstance(inner, Mapping) else {}
    return Facts(
        {name: int(value) for name, value in counters.items() if value is not None and value == int(value)},
        {name: float(value) for name, value in metrics.items() if value is not None},
    )


def _number(value: Any) -> float | int | None:
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        value = value.item()
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _bare(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Strip the prefixes of wrappers, in whatever order they were put on."""
    for prefix in (*_WRAPPERS, *_WRAPPERS):
        inside = {name: value for name, value in weights.items() if name != _AVERAGED}
        if inside and all(name.startswith(prefix) for name in inside):
            weights = {name.removeprefix(prefix): value for name, value in inside.items()}
    return weights


def _content(path: Path, *, lazy: bool = False) -> Any:
    if path.suffix not in SUFFIXES:
        raise InputError(
            f"weights come from a {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file, got '{path}'"
        )
    if path.is_dir():
        raise InputError(
            f"'{path}' is a folder, not a file of weights",
            hint="name the file in it, model.safetensors perhaps",
        )
    if not path.is_file():
        raise InputError(f"no such weights file: '{path}'")
    if path.suffix == ".safetensors":
        return _safetensors(path)
    return _npz(path) if path.suffix == ".npz" else _pickle(path, lazy)


def _pickle(path: Path, lazy: bool) -> Any:
    try:
        # a lazy map is let go before anyone could cut the file short under it
        return torch.load(
            str(path), map_location="cpu", weights_only=True, mmap=lazy and zipfile.is_zipfile(path)
        )
    except pickle.UnpicklingError as error:
        raise InputError(
            f"'{path}' holds more than tensors (a whole pickled model, perhaps), which is not read since "
            f"it can run code",
            hint="save the state dict: torch.save(model.state_dict(), path)",
        ) from error
    except Exception as error:
        raise _unreadable(path, "torch", error) from error


def _safetensors(path: Path) -> Any:
    """The tensors, and from the header the step and, as JSON, the metrics."""
    try:
        from safetensors import safe_open
    except ImportError as error:
        raise InputError(
            f"reading '{path}' needs the package safetensors", hint="pip install 'splineviz[safetensors]'"
        ) from error
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            told = {name: json.loads(header[name]) for name in (*COUNTERS, _METRICS) if name in header}
            return told | {"state_dict": {name: file.get_tensor(name) for name in file.keys()}}  # noqa: SIM118 no mapping
    except Exception as error:
        raise _unreadable(path, "safetensors", error) from error


def _npz(path: Path) -> Any:
    content: dict[str, Any] = {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                array = arrays[name]
                *outer, last = name.split("/", 1)
                place = content.setdefault(outer[0], {}) if outer else content
                counts = name in COUNTERS and array.size == 1
                place[last] = array.item() if counts else torch.from_numpy(array)
    except Exception as error:
        raise _unreadable(path, "NumPy", error) from error
    return content


def _unreadable(path: Path, kind: str, error: Exception) -> InputError:
    return InputError(
        f"'{path}' cannot be read as a {kind} file: {type(error).__name__}",
        hint="the file may be cut short: write or copy it again",
    )
