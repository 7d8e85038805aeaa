"""Files of weights, of any format, as what they hold: tensors in nested dicts and lists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from splineviz.errors import InputError
from splineviz.program.weight_files.arrays import read_npy, read_npz, read_safetensors
from splineviz.program.weight_files.facts import Facts, facts_of
from splineviz.program.weight_files.folders import main_file, parts, refuse_folder
from splineviz.program.weight_files.formats import recognised
from splineviz.program.weight_files.pickles import read_pickle, read_torch
from splineviz.readable import check_readable

__all__ = ["files_of", "read_content", "read_facts"]

_READERS = {"pickle": read_pickle, "safetensors": read_safetensors, "npz": read_npz, "npy": read_npy}


def read_content(path: str | os.PathLike[str], *, lazy: bool = False) -> object:
    """What a file holds, or the folder of a network, without running code from it.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    """
    path = _file(Path(path))
    kind = recognised(path)
    if kind == "torch":
        return read_torch(path, lazy=lazy)
    if kind == "index":
        return {"state_dict": _joined(path, lazy)}
    return _READERS[kind](path)


def read_facts(path: str | os.PathLike[str]) -> Facts:
    """The step and the metrics that a file of weights tells.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    return facts_of(read_content(path, lazy=True))


def files_of(path: Path) -> list[Path]:
    """The files that hold the weights which a path stands for."""
    path = _file(path)
    return parts(path) if recognised(path) == "index" else [path]


def _file(path: Path) -> Path:
    if path.is_dir():
        found = main_file(path)
        if found is None:
            raise refuse_folder(path)
        return found
    check_readable(path)
    return path


def _joined(index: Path, lazy: bool) -> dict[str, object]:
    """The tensors of all parts together."""
    joined: dict[str, object] = {}
    for part in parts(index):
        content = read_content(part, lazy=lazy)
        if isinstance(content, Mapping):
            content = content.get("state_dict", content)
        if not isinstance(content, Mapping) or content.keys() & joined.keys():
            raise InputError(
                f"'{part}' is no part of '{index}': its names are those of another, or it has none",
                hint="copy all files of the checkpoint again, from one source",
            )
        joined |= content
    return joined
