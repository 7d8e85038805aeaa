"""Files that are the checkpoints of one network: in a folder, under a pattern, or in a list."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from splineviz.errors import InputError
from splineviz.program.weight_files import SUFFIXES, main_file, recognised

__all__ = ["Source", "checkpoint_files"]

Source = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_BESIDE = re.compile(
    r"(optimizer|scheduler|scaler|sampler|training_args)(_\d+)?\.\w+|rng_state(_\d+)?\.pth|random_states_\d+\.pkl"
    r"|zero_pp_rank.*|.*_optim_states\.pt|.*-\d{5}-of-\d{5}\.\w+|\..*"
)
"""Names of what trainers write beside weights, of parts with an index, and of what is being written"""


def checkpoint_files(source: Source) -> list[Path]:
    """The files that a pattern, a folder or a list stands for; there may be none.

    Of a folder these are the files of weights in it, and in folders that a trainer wrote one by one
    (``checkpoint-500/model.safetensors``); or else those in all folders below.
    """
    if not isinstance(source, (str, os.PathLike)):
        return [Path(path) for path in source]
    path = Path(source)
    if path.is_dir():
        return _in_folder(path)
    if path.is_file():
        return [path]
    matches = (Path(match) for match in sorted(glob.glob(str(source), recursive=True)))
    return [file for match in matches for file in (match.is_dir() and _in_folder(match)) or [match]]


def _in_folder(folder: Path) -> list[Path]:
    entries = [path for path in sorted(folder.iterdir()) if not _BESIDE.fullmatch(path.name)]
    folders = [path for path in entries if path.is_dir()]
    files = [path for path in entries if path.is_file() and _of_weights(path)]
    own = [*files, *(main for inner in folders if (main := main_file(inner)) is not None)]
    return own or [file for inner in folders for file in _in_folder(inner)]


def _of_weights(path: Path) -> bool:
    """True of a file whose suffix or content is that of weights."""
    if path.suffix.lower() in SUFFIXES or path.name.endswith(".index.json"):
        return True
    try:
        return recognised(path) in ("torch", "safetensors")
    except InputError:
        return False
