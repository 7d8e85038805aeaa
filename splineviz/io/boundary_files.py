"""A decision boundary as a file: CSV, JSON, GeoJSON or NPZ, each with the card of what it was made from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import splineviz
from splineviz.errors import InputError
from splineviz.files import atomic_path
from splineviz.io.csv_table import csv_table
from splineviz.io.provenance import certificate_of, encode_array, plane_card
from splineviz.showing import in_json

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary_result import DecisionBoundary

__all__ = ["BOUNDARIES", "boundary_card", "boundary_table", "save_boundary"]

BOUNDARIES = (".csv", ".json", ".geojson", ".npz")
"""Suffixes of files that hold segments"""

_HEAD = ("u0", "v0", "u1", "v1", "class0", "class1", "length")
_NOTE = (
    "Coordinates are plane coordinates (u, v), isometric to the network's input space; they are not WGS84 "
    "longitude and latitude."
)


def boundary_card(found: DecisionBoundary, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Version, program, plane, window, level, status and certificate, as JSON."""
    return {
        "schema": "splineviz.provenance/1",
        "version": splineviz.__version__,
        "program": {"name": found.info.name, "digest": found.info.digest, "cut_off": found.info.cut_off},
        "planes": [plane_card(found.plane)],
        "windows": [encode_array(found.window.vertices)],
        "window": 0,
        "level": found.level,
        "status": found.status.name,
        "exact": certificate_of(found.stats) | {"certified": found.certified, "decision_regions": found.open},
        "segments": len(found),
        "cells": found.n_cells,
        **(extra or {}),
    }


def save_boundary(
    found: DecisionBoundary, path: str | os.PathLike[str], *, extra: Mapping[str, Any] | None = None
) -> None:
    """Write the segments; the suffix of the path decides how, and coordinates keep every bit.

    ``.csv`` has a row for each (u0, v0, u1, v1, class0, class1, length) and its card beside it, ``.json``
    lists ``segments`` (K, 2, 2) and ``classes`` (K, 2), ``.geojson`` has a LineString for each, ``.npz``
    the arrays.

    Raises
    ------
    InputError
        If the suffix is another one, or the path cannot be written.
    """
    path, card = Path(path), boundary_card(found, extra)
    if path.suffix.lower() not in BOUNDARIES:
        raise InputError(
            f"unknown suffix {path.suffix!r} of {path.name}, expected one of {', '.join(BOUNDARIES)}"
        )
    if path.suffix.lower() == ".csv":
        with boundary_table(found, path, extra):
            return
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".npz":
            with temporary.open("wb") as file:
                np.savez_compressed(
                    file, segments=found.segments, classes=found.classes, card=np.array(in_json(card))
                )
            return
        listed = {"segments": found.segments.tolist(), "classes": found.classes.tolist()}
        whole = {**card, **listed} if path.suffix.lower() == ".json" else _collection(listed, card)
        temporary.write_text(in_json(whole) + "\n", encoding="utf-8")


def boundary_table(
    found: DecisionBoundary, path: Path, extra: Mapping[str, Any] | None = None
) -> AbstractContextManager[None]:
    """A CSV table with its card; both appear when the block ends without an error."""
    columns = (*found.segments.reshape(-1, 4).T, *found.classes.T, found.lengths)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return csv_table(path, _HEAD, rows, boundary_card(found, extra))


def _collection(listed: Mapping[str, list[Any]], card: Mapping[str, Any]) -> dict[str, Any]:
    """GeoJSON with a line for each segment."""
    features = [
        {
            "type": "Feature",
            "id": number,
            "properties": {"class0": pair[0], "class1": pair[1]},
            "geometry": {"type": "LineString", "coordinates": ends},
        }
        for number, (ends, pair) in enumerate(zip(listed["segments"], listed["classes"], strict=True))
    ]
    head = {"note": _NOTE, "crs": None, **card}
    return {"type": "FeatureCollection", "properties": head, "features": features}
