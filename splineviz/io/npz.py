"""The native file: all of an arrangement in one compressed NPZ, with a schema version. Reading it needs no
torch."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from numpy.lib.format import write_array

import splineviz
from splineviz.arrangement.cells import Patterns
from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.verdict import Stats, Status
from splineviz.errors import InputError
from splineviz.files import atomic_path
from splineviz.geometry.csr import Csr
from splineviz.io.compact import edges_from, narrow, packed_edges, ragged, rows_of, wide
from splineviz.io.ranges import check_ranges
from splineviz.plane import Plane, Window
from splineviz.sound_arrays import sound_arrays
from splineviz.stage import ProgramInfo, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from splineviz.program.program import Program

__all__ = ["SCHEMA", "load", "pack", "read_npz", "save", "unpack"]

SCHEMA = "splineviz.arrangement/3"

_ARRAYS = ("vertices", "cell_edges", "cell_window", "cell_stage", "pattern_hash")
_LATER = ("thin_cells", "thin_areas", "in_doubt")  # not in files of earlier versions
_RAGGED = ("cells", "edge_units")
_INDICES = ("cell_edges", "cells_values")
_DERIVED = ("affine", "edge_jump", "linear_regions")
_LEVEL = 1  # a seventh of the time of the usual one, and the files are no larger


def save(
    arr: Arrangement,
    path: str | os.PathLike[str],
    *,
    affine: bool | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write an arrangement to an NPZ file: identical bytes for an identical arrangement.

    The network itself is not written. What needs it (affine maps, Jacobians) is there after loading if
    :func:`load` is given the network again; affine maps, kinks and linear regions also if they are in the
    file.

    Parameters
    ----------
    arr
        The arrangement.
    path
        The file; it appears only when it is complete.
    affine
        Write the affine maps: None, if they were computed already; True, computing them; False, not. Kinks
        and linear regions go with them if they were computed.
    extra
        Entries for the embedded JSON, such as the seed.

    Raises
    ------
    InputError
        If the path cannot be written, or affine maps are asked for and cannot be had.
    """
    if affine:
        _ = arr.affine  # before a file is begun
    with (
        atomic_path(path) as temporary,
        ZipFile(temporary, "w", compression=ZIP_DEFLATED, compresslevel=_LEVEL) as archive,
    ):
        for name, array in _contents(arr, affine, extra, patterns=True):
            member = ZipInfo(f"{name}.npy") if _is_dense(name, array) else f"{name}.npy"
            with archive.open(member, mode="w", force_zip64=True) as stream:
                write_array(stream, array, allow_pickle=False)


def _is_dense(name: str, array: np.ndarray) -> bool:
    """Whether numbers are like random ones, so that compression would take most of the time for nothing, or
    for a tenth of the room."""
    return array.dtype.kind == "f" or name == "pattern_hash" or (name in _INDICES and array.itemsize <= 2)


def pack(
    arr: Arrangement,
    *,
    affine: bool | None = None,
    patterns: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, np.ndarray]:
    """Arrays of the file that :func:`save` writes, which other files can hold, too; without activation
    patterns where no network will be there again."""
    return dict(_contents(arr, affine, extra, patterns=patterns))


def _contents(
    arr: Arrangement, affine: bool | None, extra: Mapping[str, Any] | None, *, patterns: bool
) -> Iterator[tuple[str, np.ndarray]]:
    """Names and arrays of a file, each made when it is its turn: there is never more than one beside the
    arrangement."""
    yield "schema", np.array(SCHEMA)
    for name in (*_ARRAYS, *_LATER):
        yield name, narrow(getattr(arr, name))
    yield from packed_edges(arr)
    for name in _RAGGED:
        yield from ragged(name, getattr(arr, name))
    for stage, (words, parents) in enumerate(arr.patterns if patterns else ()):
        yield f"pattern_{stage}", words
        yield f"parent_{stage}", narrow(parents)
    unique = list({id(plane): plane for plane in arr.planes}.values())
    position = {id(plane): k for k, plane in enumerate(unique)}
    yield "plane_of_window", narrow(np.array([position[id(plane)] for plane in arr.planes], dtype=np.int64))
    yield "plane_origin", np.stack([plane.origin for plane in unique])
    yield "plane_basis", np.stack([plane.basis for plane in unique])
    yield from ragged("plane_anchors", _stack([plane.anchors for plane in unique]))
    yield from ragged("windows", _stack([window.vertices for window in arr.windows]))
    if affine:
        yield "affine", arr.affine
    # Lazy members live in the instance once they were asked for; saving must not set off a computation.
    for name in () if affine is False else _DERIVED:
        if name in vars(arr) and not (affine and name == "affine"):
            yield name, narrow(vars(arr)[name])
    yield "meta", np.array(json.dumps(_meta(arr, unique, extra), sort_keys=True))


def load(path: str | os.PathLike[str], *, program: Program | None = None) -> Arrangement:
    """Read an arrangement that :func:`save` wrote.

    Parameters
    ----------
    path
        The file.
    program
        The network that was arranged, as :func:`splineviz.load_program` makes it: affine maps, Jacobians and
        proofs are then computed on first use, as they were before. Without it only what was saved is known.

    Raises
    ------
    InputError
        If the file cannot be read, is no arrangement, is damaged, was written by a newer version, or is
        that of another network.
    """
    content = read_npz(Path(path), SCHEMA, "arrangement", "splineviz.save")
    try:
        arr = unpack(content)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError(f"{path} is damaged: {error}", hint="write it again with splineviz.save") from error
    return arr if program is None else _with_program(arr, program, path)


def _with_program(arr: Arrangement, program: Program, path: str | os.PathLike[str]) -> Arrangement:
    of = None if arr.info is None else arr.info.digest
    if of != program.digest:
        raise InputError(
            f"{path} is an arrangement of {'an unknown network' if arr.info is None else arr.info.name} with "
            f"digest {of}, and not of {program.name} with digest {program.digest}",
            hint="load the network with the weights, outputs and logits that were arranged",
        )
    if program.stages and not arr.patterns:
        raise InputError(
            f"{path} holds no activation patterns, from which the network's maps are multiplied out",
            hint="compute the arrangement again, and write it with splineviz.save",
        )
    whole = dataclasses.replace(arr, program=program)
    vars(whole).update({name: vars(arr)[name] for name in _DERIVED if name in vars(arr)})
    return whole


def read_npz(path: Path, schema: str, what: str, writer: str) -> dict[str, np.ndarray]:
    """The arrays of a file of one kind of ours: its ``schema``, ``what`` it holds, and the name of what
    writes it.

    Raises
    ------
    InputError
        If the file cannot be read, is of another kind, or was written by a newer version.
    """
    hint, content = f"a file written by {writer}", sound_arrays(path, writer)
    found = str(content["schema"]) if content else "none"
    kind, _, version = found.partition("/")
    if kind != schema.partition("/")[0] or not version.isdigit():
        raise InputError(f"{path} holds no {what}: expected schema {schema}, got {found}", hint=hint)
    if int(version) > int(schema.partition("/")[2]):
        raise InputError(
            f"{path} has schema {found}, and this version of splineviz ({splineviz.__version__}) reads up "
            f"to {schema}",
            hint="upgrade splineviz",
        )
    return content


def unpack(content: Mapping[str, np.ndarray]) -> Arrangement:
    """The arrangement of the arrays that :func:`pack` made; KeyError, TypeError, ValueError or IndexError if
    they are damaged."""
    content = {name: wide(array) for name, array in content.items()}
    meta = json.loads(str(content["meta"]))
    anchors, corners = rows_of(content, "plane_anchors"), rows_of(content, "windows")
    planes = [
        Plane(origin, basis, tuple(shape), anchors[k])
        for k, (origin, basis, shape) in enumerate(
            zip(content["plane_origin"], content["plane_basis"], meta["input_shapes"], strict=True)
        )
    ]
    stats: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in meta["stats"].items()}
    known = {field.name for field in dataclasses.fields(Stats)}
    arrays: dict[str, Any] = {name: content[name] for name in _ARRAYS} | {
        name: rows_of(content, name) for name in _RAGGED
    }
    arrays["edges"], arrays["edge_cells"] = edges_from(content, arrays["cells"], len(arrays["edge_units"]))
    arrays |= {name: content[name] for name in _LATER if name in content}
    arr = Arrangement(
        **arrays,
        planes=tuple(planes[k] for k in content["plane_of_window"]),
        windows=tuple(Window(polygon) for polygon in corners),
        status=Status[meta["status"]],
        stats=Stats(**{k: v for k, v in stats.items() if k in known}),
        program=None,
        patterns=_patterns(content),
        info=_info(meta["program"]),
    )
    derived = {name: content[name] for name in _DERIVED if name in content}
    check_ranges(arr, derived)
    vars(arr).update(derived)
    return arr


def _patterns(content: Mapping[str, np.ndarray]) -> Patterns:
    """Activation patterns by stage; none in files of earlier versions."""
    n_stages = sum(name.startswith("pattern_") and name != "pattern_hash" for name in content)
    return tuple((content[f"pattern_{stage}"], content[f"parent_{stage}"]) for stage in range(n_stages))


def _meta(arr: Arrangement, planes: Sequence[Plane], extra: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "version": splineviz.__version__,
        "program": dataclasses.asdict(arr.info) if arr.info is not None else None,
        "input_shapes": [list(plane.input_shape) for plane in planes],
        "status": arr.status.name,
        "stats": dataclasses.asdict(arr.stats),
        "extra": dict(extra or {}),
    }


def _info(card: Mapping[str, Any] | None) -> ProgramInfo | None:
    if card is None:
        return None
    stages = tuple(Stage(**{**stage, "shape": tuple(stage["shape"])}) for stage in card["stages"])
    shapes = {name: tuple(card[name]) for name in ("input_shape", "output_shape")}
    return ProgramInfo(**{**card, **shapes, "stages": stages})


def _stack(rows: Sequence[np.ndarray]) -> Csr:
    return Csr(
        np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64), np.concatenate(rows)
    )
