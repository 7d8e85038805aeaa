"""A folder of NPZ files, one per batch of a stream, for arrangements that are larger than memory."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splineviz.errors import InputError
from splineviz.files import atomic_path
from splineviz.io.npz import save
from splineviz.io.totals import Totals
from splineviz.unfinished import is_unfinished, remove_leftovers

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["SCHEMA", "check_folder", "shard_writer"]

SCHEMA = "splineviz.shards/1"
INDEX = "index.json"
_OURS = re.compile(r"cells-\d{5,}\.npz|index\.json")


def check_folder(folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuse, before any work is done, a folder that shards cannot be written to.

    Raises
    ------
    InputError
        If the folder above it does not exist, it cannot be written, or it is not empty. With ``overwrite`` it
        may hold what `shard_writer` left there, and nothing else.
    """
    target = Path(folder)
    if not target.exists():
        if not target.absolute().parent.is_dir():
            raise InputError(
                f"cannot write {target}: the folder {target.parent} does not exist",
                hint=f"mkdir -p {shlex.quote(str(target))}",
            )
        if not os.access(target.absolute().parent, os.W_OK):
            raise InputError(
                f"cannot write {target}: no permission to write into {target.parent}",
                hint="name a folder of your own",
            )
        return
    if not target.is_dir():
        raise InputError(f"cannot write shards to {target}: it is a file", hint="give another name")
    if not os.access(target, os.W_OK):
        raise InputError(
            f"cannot write {target}: no permission to write into it", hint="name a folder of your own"
        )
    remove_leftovers(target)
    names = sorted(path.name for path in target.iterdir())
    foreign = [name for name in names if not _ours(name)]
    if foreign and overwrite:
        raise InputError(
            f"{target} holds other files than shards: {foreign[0]}", hint="give a folder of its own"
        )
    if names and not overwrite:
        state = "finished" if INDEX in names else "unfinished"
        found = f"other files: {foreign[0]}" if foreign else f"the shards of an earlier, {state} run"
        raise InputError(
            f"{target} is not empty, it holds {found}",
            hint="give another folder" + ("" if foreign else ", or overwrite=True to replace them"),
            command_hint="give another folder" + ("" if foreign else ", or --overwrite to replace them"),
        )


@contextmanager
def shard_writer(
    folder: str | os.PathLike[str], *, overwrite: bool = False, extra: Mapping[str, Any] | None = None
) -> Iterator[Callable[[Arrangement], None]]:
    """A function that writes each batch it is given to a file of its own, ``cells-00000.npz`` ..., for
    :func:`splineviz.load`.

    Each shard appears whole or not at all. ``index.json`` comes last, when the block ends without an error:
    schema, counts, areas and provenance of all together, and a list of the shards. A folder without it is
    unfinished; the shards in it are sound.

    Parameters
    ----------
    folder
        Made if it is not there.
    overwrite
        Replace the shards of an earlier run. They are removed when the first batch comes.
    extra
        Further entries of the provenance, in every file.

    Raises
    ------
    InputError
        As :func:`check_folder`.

    Examples
    --------
    >>> import tempfile, splineviz as sv
    >>> folder = Path(tempfile.mkdtemp())
    >>> arr = sv.slice("demo", sv.demo.load_points(), stage=0)
    >>> with shard_writer(folder) as add:
    ...     add(arr)
    >>> sorted(path.name for path in folder.iterdir())
    ['cells-00000.npz', 'index.json']
    """
    target, totals, shards = Path(folder), Totals(), list[dict[str, Any]]()
    check_folder(target, overwrite=overwrite)

    def add(batch: Arrangement) -> None:
        if totals.last is None:
            _clear(target)
        totals.add(batch)
        if batch.n_cells == 0:
            return
        name = f"cells-{len(shards):05}.npz"
        save(batch, target / name, extra=extra)
        first = totals.cells - batch.n_cells
        shards.append(
            {
                "file": name,
                "first_cell": first,
                "cells": batch.n_cells,
                "area": float(batch.areas.sum()),
                "in_doubt": len(batch.in_doubt),
            }
        )

    yield add
    if totals.last is None:
        raise InputError(f"no batch was given, so there is nothing to write to {target}")
    index = {"schema": SCHEMA, **totals.counts(), "shards": shards, "provenance": totals.provenance(extra)}
    with atomic_path(target / INDEX) as temporary:
        temporary.write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _ours(name: str) -> bool:
    return _OURS.fullmatch(name) is not None or is_unfinished(name)


def _clear(folder: Path) -> None:
    """Remove what an earlier run left, first of all its index, so that from here on the folder is
    unfinished."""
    folder.mkdir(exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    for path in sorted(folder.iterdir()):
        if _ours(path.name):
            path.unlink()
