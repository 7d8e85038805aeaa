"""What an output was made from, as JSON: version, program digest, plane, window, status. Exact: arrays keep every bit."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import splineviz

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["decode_array", "encode_array", "provenance", "rounding_note"]

_PLAIN = 16  # arrays of up to this many numbers are written as such, larger ones packed


def provenance(arr: Arrangement, *, window: int | None = None, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The card embedded in every output; with ``window`` only that window and its plane.

    ``extra`` adds entries, such as the seed or the source of the data.
    """
    which = range(len(arr.windows)) if window is None else [window]
    info = arr.info
    return {
        "schema": "splineviz.provenance/1",
        "version": splineviz.__version__,
        "program": {"name": info.name, "digest": info.digest, "cut_off": info.cut_off} if info is not None else None,
        "planes": [
            {
                "origin": encode_array(arr.planes[k].origin),
                "basis": encode_array(arr.planes[k].basis),
                "anchors": encode_array(arr.planes[k].anchors),
                "input_shape": list(arr.planes[k].input_shape),
            }
            for k in which
        ],
        "windows": [encode_array(arr.windows[k].vertices) for k in which],
        "window": window,
        "status": arr.status.name,
        "undecided": arr.stats.undecided,
        "cells": arr.n_cells if window is None else int((arr.cell_window == window).sum()),
        **(extra or {}),
    }


def rounding_note(undecided: int) -> str:
    """What tables and pictures say about decisions that floating point left open.

    Examples
    --------
    >>> rounding_note(0)
    'no decision lay within rounding error (not certified)'
    >>> rounding_note(1200)
    '1,200 decisions lay within rounding error and were taken as coincidences (not certified)'
    """
    if undecided == 0:
        return "no decision lay within rounding error (not certified)"
    number = "1 decision" if undecided == 1 else f"{undecided:,} decisions"
    taken = "was taken as a coincidence" if undecided == 1 else "were taken as coincidences"
    return f"{number} lay within rounding error and {taken} (not certified)"


def encode_array(array: np.ndarray) -> Any:
    """A float64 array as JSON: nested lists if it is small, else its compressed bytes.

    Examples
    --------
    >>> encode_array(np.array([[1.0, 2.5]]))
    [[1.0, 2.5]]
    """
    array = np.asarray(array, dtype="<f8")
    if array.size <= _PLAIN and array.size:
        return array.tolist()
    packed = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode("ascii")
    return {"shape": list(array.shape), "f8-zlib-base64": packed}


def decode_array(value: Any) -> np.ndarray:
    """The array that :func:`encode_array` wrote.

    Examples
    --------
    >>> bool((decode_array(encode_array(np.arange(99.0))) == np.arange(99)).all())
    True
    """
    if isinstance(value, dict):
        data = zlib.decompress(base64.b64decode(value["f8-zlib-base64"]))
        return np.frombuffer(data, dtype="<f8").reshape(value["shape"]).astype(np.float64)
    return np.asarray(value, dtype=np.float64)
