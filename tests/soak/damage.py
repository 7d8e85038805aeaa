"""Damage to stores of finished work between two runs, as disks, copies and other programs do it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from tests.soak.contents import files_below

__all__ = ["damage_a_store", "is_store", "is_temporary"]

_TEMPORARY = re.compile(r"(^|/)\.[^/]*-[0-9a-f]{8}(\.unfinished)?(\.[^./]*)?$")
_STORE = re.compile(r"\.partial$|\.jobs/|^work/|^cache/|^\.splineviz-cache/")


def is_temporary(name: str) -> bool:
    """True for a file that was to take the place of another."""
    return _TEMPORARY.search(name) is not None


def is_store(name: str) -> bool:
    """True for a file that the next run of the same command takes up."""
    return _STORE.search(name) is not None and not is_temporary(name)


def damage_a_store(folder: Path, rng: np.random.Generator) -> str:
    """Damage one file of a store below the folder; says how, or nothing where there is none."""
    stores = [path for name, path in files_below(folder).items() if is_store(name) and path.is_file()]
    if not stores:
        return ""
    path = stores[int(rng.integers(len(stores)))]
    held = path.read_bytes()
    cut = int(rng.integers(len(held) + 1))
    kind = str(
        rng.choice(["cut off", "empty", "noise", "a bit turned", "from the future", "removed", "a folder"])
    )
    if kind == "from the future":
        os.utime(path, (4e9, 4e9))
    elif kind == "removed":
        path.unlink()
    elif kind == "a folder":
        path.unlink()
        path.mkdir()
    elif kind == "a bit turned" and held:
        turned = bytearray(held)
        turned[cut % len(held)] ^= 1 << int(rng.integers(8))
        path.write_bytes(turned)
    else:
        path.write_bytes({"cut off": held[:cut], "noise": rng.bytes(len(held))}.get(kind, b""))
    return f"{path.name} {kind}"
