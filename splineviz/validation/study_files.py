"""A study as one compressed NPZ file with a schema version: identical bytes for an identical study."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import splineviz
from splineviz.errors import InputError
from splineviz.files import atomic_path
from splineviz.io.npz import pack, read_npz, unpack
from splineviz.stage import Stage
from splineviz.validation.study import Example, Study, array_fields

__all__ = ["SCHEMA", "load_study", "save_study"]

SCHEMA = "splineviz.study/2"
_PLACES = ("kind", "checkpoint", "radius", "plane", "point", "n_sep", "cut")


def save_study(study: Study, path: str | os.PathLike[str]) -> None:
    """Write all of a study to one file, which appears only when it is complete.

    Raises
    ------
    InputError
        If the path cannot be written.
    """
    meta = {
        "version": splineviz.__version__,
        "design": study.design,
        "model": study.model,
        "digest": study.digest,
        "stages": [asdict(stage) for stage in study.stages],
        "names": list(study.names),
        "radius_labels": list(study.radius_labels),
        "directions": list(study.directions),
        "examples": [{name: getattr(example, name) for name in _PLACES} for example in study.examples],
    }
    content = {"schema": np.array(SCHEMA), "meta": np.array(json.dumps(meta, sort_keys=True))}
    content |= {name: getattr(study, name) for name, _, _ in array_fields()}
    content |= _under("metrics", study.metrics) | _under("seconds", study.seconds)
    for place, example in enumerate(study.examples):
        drawable = example.arrangement.program is not None or "affine" in vars(example.arrangement)
        content |= _under(f"examples/{place}", pack(example.arrangement, affine=drawable, patterns=False))
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **content)


def load_study(path: str | os.PathLike[str]) -> Study:
    """Read a study that :func:`save_study` wrote. The arrangements of its examples have no program.

    Raises
    ------
    InputError
        If the file cannot be read, is no study, is damaged, or was written by a newer version.
    """
    content = read_npz(Path(path), SCHEMA, "study", "Study.save")
    try:
        return _rebuild(content)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{path} is damaged: {error}", hint="make the study again") from error


def _rebuild(content: Mapping[str, np.ndarray]) -> Study:
    meta = json.loads(str(content["meta"]))
    examples = [
        Example(**card, arrangement=unpack(_those(f"examples/{place}", content)))
        for place, card in enumerate(meta["examples"])
    ]
    if not {example.kind for example in examples} <= {"best", "worst"}:  # files are called after it
        raise ValueError("an example is neither of best nor of worst agreement")
    earlier = {"in_doubt": np.zeros_like(content["undecided"])}  # files of earlier versions do not tell
    arrays: dict[str, Any] = {name: {**earlier, **content}[name] for name, _, _ in array_fields()}
    return Study(
        design=meta["design"],
        model=meta["model"],
        digest=meta["digest"],
        stages=tuple(Stage(**{**stage, "shape": tuple(stage["shape"])}) for stage in meta["stages"]),
        names=tuple(meta["names"]),
        radius_labels=tuple(meta["radius_labels"]),
        directions=tuple(meta["directions"]),
        metrics=_those("metrics", content),
        seconds=_those("seconds", content),
        examples=tuple(examples),
        **arrays,
    )


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _those(prefix: str, content: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays under a prefix, in the order of the file."""
    return {
        name.removeprefix(f"{prefix}/"): array
        for name, array in content.items()
        if name.startswith(f"{prefix}/")
    }
