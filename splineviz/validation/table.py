"""The study as a tidy table: a row for each checkpoint, radius, frame and point."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from splineviz.errors import InputError
from splineviz.files import TABLES, atomic_path
from splineviz.io.csv_table import csv_table
from splineviz.io.parquet import require_pyarrow
from splineviz.neighbourhoods.counts import UNCOUNTED
from splineviz.showing import in_json, in_unicode
from splineviz.validation.decomposition import TERMS, decompose
from splineviz.validation.study import Study

__all__ = ["columns_of", "save_table"]


def columns_of(study: Study) -> dict[str, np.ndarray]:
    """Columns of equal length. Exact counts are masked arrays: masked where a frame has no plane, or the
    count was given up.

    ``n_sep_P`` and ``zeros_P`` for each P; ``cells``, ``n_cut``, ``linear_regions`` and the terms of R - 1 of
    the diamond of the frame's first two directions; the baselines, which are those of the point, in each of
    its frames.
    """
    shape = (study.n_checkpoints, study.n_radii, study.n_frames, study.n_points)
    place = dict(
        zip(("checkpoint", "radius_index", "frame", "point"), np.indices(shape).reshape(4, -1), strict=True)
    )
    columns = {
        "checkpoint": place["checkpoint"],
        "step": study.steps[place["checkpoint"]],
        "name": np.array(study.names)[place["checkpoint"]],
        "radius": study.radii[place["radius_index"]],
        "radius_label": np.array(study.radius_labels)[place["radius_index"]],
        "frame": place["frame"],
        "point": place["point"],
    }
    for at, p in enumerate(study.directions):
        columns[f"n_sep_{p}"] = study.proxy(p).ravel()
        columns[f"zeros_{p}"] = study.zeros[:, :, at].ravel()
    terms = decompose(study)
    exact = {"cells": study.cells[..., -1], "n_cut": study.cut.sum(-1), "linear_regions": study.regions}
    exact |= {term: getattr(terms, term).sum(-1) for term in TERMS[1:]}
    for name, values in exact.items():
        whole = np.ma.masked_array(np.zeros(shape, dtype=np.int64), mask=True)
        whole[:, :, : study.n_planes] = np.ma.masked_array(values, ~terms.counted)
        columns[name] = whole.ravel()
    baselines = {
        "first_order": study.first_order[:, :, None],
        "patterns": study.patterns[:, :, None],
        "distance": study.distance[:, None, None],
    }
    for name, values in baselines.items():
        columns[name] = np.ma.masked_equal(np.broadcast_to(values, shape).ravel(), UNCOUNTED)
    return columns


def save_table(study: Study, path: str | os.PathLike[str]) -> None:
    """Write the columns to a CSV file, with the design in a second file ``.csv.json``, or to Parquet with it
    in the schema.

    Raises
    ------
    InputError
        If the suffix is another, the path cannot be written, or pyarrow is missing.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in TABLES:
        raise InputError(f"a table is written to {' or '.join(TABLES)}, got {Path(path).name}")
    columns, card = columns_of(study), {"model": study.model, "digest": study.digest, "design": study.design}
    if suffix == ".csv":
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        with csv_table(Path(path), columns, rows, card):
            return
    with atomic_path(path) as temporary:
        _to_parquet(temporary, columns, card)


def _to_parquet(path: Path, columns: dict[str, np.ndarray], card: dict[str, Any]) -> None:
    pa = require_pyarrow()
    made = {
        name: pa.array(_writable(np.ma.getdata(column)), mask=np.ma.getmaskarray(column))
        for name, column in columns.items()
    }
    table = pa.table(made).replace_schema_metadata({"splineviz": in_json(card)})
    with path.open("wb") as stream:  # pyarrow takes names in UTF-8 only
        pa.parquet.write_table(table, stream)


def _writable(column: np.ndarray) -> np.ndarray:
    """The column, its words such that they can be encoded."""
    if column.dtype.kind != "U":
        return column
    words, which = np.unique(column, return_inverse=True)
    return np.array([in_unicode(word) for word in words.tolist()])[which]
