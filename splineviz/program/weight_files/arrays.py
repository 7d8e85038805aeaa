"""Arrays of NumPy's and of safetensors' files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.files import utf8_path
from splineviz.program.weight_files.facts import COUNTERS, METRICS
from splineviz.program.weight_files.formats import unreadable

__all__ = ["read_npy", "read_npz", "read_safetensors"]

_IN_ORDER = "arr_{}"
"""Names that np.savez gives to arrays without any"""


def read_safetensors(path: Path) -> object:
    """The tensors, and from the header the step and, as JSON, the metrics."""
    try:
        from safetensors import safe_open
    except ImportError as error:
        raise InputError(
            f"reading '{path}' needs the package safetensors", hint="pip install 'splineviz[safetensors]'"
        ) from error
    try:
        with utf8_path(path) as named, safe_open(named, framework="pt") as file:
            header = file.metadata() or {}
            told = {name: json.loads(header[name]) for name in (*COUNTERS, METRICS) if name in header}
            return told | {"state_dict": {name: file.get_tensor(name) for name in file.keys()}}  # noqa: SIM118 no mapping
    except Exception as error:
        raise unreadable(path, "safetensors", error) from error


def read_npz(path: Path) -> object:
    """The arrays by name, where ``ema/0.weight`` is the entry ``0.weight`` of a dict ``ema``; a list where
    they have no names."""
    content: dict[str, object] = {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                array = arrays[name]
                *outer, last = name.split("/", 1)
                place = content.setdefault(outer[0], {}) if outer else content
                if not isinstance(place, dict):
                    raise InputError(
                        f"'{path}' holds both an array '{outer[0]}' and arrays in it",
                        hint="save one of them under another name",
                    )
                place[last] = array.item() if name in COUNTERS and array.size == 1 else _tensor(array)
    except InputError:
        raise
    except Exception as error:
        raise unreadable(path, "NumPy", error) from error
    unnamed = [_IN_ORDER.format(i) for i in range(len(content))]
    return [content[name] for name in unnamed] if content.keys() == set(unnamed) else content


def read_npy(path: Path) -> object:
    """The one array of a file."""
    try:
        return _tensor(np.load(path, allow_pickle=False))
    except Exception as error:
        raise unreadable(path, "NumPy", error) from error


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))
