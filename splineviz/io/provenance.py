"""Provenance of an output, as JSON: version, program digest, plane, window, status. Exact: arrays keep every
bit."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import splineviz
from splineviz.arrangement.verdict import doubt_note

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.arrangement.verdict import Stats
    from splineviz.io.totals import Totals
    from splineviz.plane import Plane

__all__ = [
    "certificate",
    "certificate_note",
    "certificate_of",
    "decode_array",
    "encode_array",
    "plane_card",
    "provenance",
]

_PLAIN = 16  # arrays of up to this many numbers are written as such, larger ones packed


def provenance(
    arr: Arrangement, *, window: int | None = None, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The card embedded in every output; with ``window`` only that window and its plane.

    ``extra`` adds entries, such as the seed or the source of the data.
    """
    which = range(len(arr.windows)) if window is None else [window]
    info = arr.info
    return {
        "schema": "splineviz.provenance/1",
        "version": splineviz.__version__,
        "program": {"name": info.name, "digest": info.digest, "cut_off": info.cut_off}
        if info is not None
        else None,
        "planes": [plane_card(arr.planes[k]) for k in which],
        "windows": [encode_array(arr.windows[k].vertices) for k in which],
        "window": window,
        "status": arr.status.name,
        "exact": certificate(arr),
        "cells": arr.n_cells if window is None else int((arr.cell_window == window).sum()),
        **(extra or {}),
    }


def plane_card(plane: Plane) -> dict[str, Any]:
    """A plane as JSON."""
    arrays = {"origin": plane.origin, "basis": plane.basis, "anchors": plane.anchors}
    return {
        **{name: encode_array(array) for name, array in arrays.items()},
        "input_shape": list(plane.input_shape),
    }


def certificate(arr: Arrangement) -> dict[str, Any]:
    """Certificate of an arrangement, as every output carries it: the numbers of decisions, and of proven
    ones.

    What else has been asked for has its number of open questions, by name: `Arrangement.exact`. ``certified``
    is about all of it.
    """
    return certificate_of(arr.stats, arr.smallest_area) | {"certified": arr.certified, **arr.exact}


def certificate_of(stats: Stats | Totals, smallest_cell: float | None = None) -> dict[str, Any]:
    """Certificate from counts, and from the area of the smallest cell where it is known."""
    return {
        "certified": stats.certified,
        "certify": stats.certify,
        "decisions": stats.decisions,
        "proven": stats.proven,
        "re_evaluated": stats.re_evaluated,
        "undecided": stats.undecided,
        "in_doubt": stats.in_doubt,
        "share_in_doubt": stats.share_in_doubt,
        "proven_up_to": stats.proven_up_to,
        "decisions_per_stage": list(stats.decisions_per_stage),
        "proven_per_stage": list(stats.proven_per_stage),
        "largest_bound": stats.largest_bound,
        "largest_displacement": stats.largest_displacement,
        "smallest_cell": smallest_cell,
    }


def certificate_note(exact: Mapping[str, Any]) -> str:
    """Sentence on a certificate, for tables and pictures.

    Examples
    --------
    >>> whole = {"certify": "fast", "decisions": 1200, "proven": 1200, "re_evaluated": 0, "undecided": 0}
    >>> certificate_note(whole)
    'all 1,200 decisions are proven'
    >>> certificate_note({**whole, "re_evaluated": 17})
    'all 1,200 decisions are proven, 17 of them in exact arithmetic'
    >>> per_stage = {"proven_per_stage": [900, 0], "decisions_per_stage": [900, 300]}
    >>> certificate_note({**whole, "proven": 900, "undecided": 300, **per_stage})
    '300 of 1,200 decisions are not proven, the first of them in stage 1'
    >>> certificate_note({**whole, "areas": 7})
    'all 1,200 decisions are proven; 7 areas are not proven to a thousandth'
    >>> certificate_note({**whole, "certify": "off", "undecided": 3})
    'no decision is proven; 3 lay within rounding error and were taken as coincidences'
    >>> certificate_note({**whole, "in_doubt": 2, "share_in_doubt": 0.004})
    '2 cells (0.4 % of the area) are in doubt; all 1,200 decisions are proven'
    """
    doubtful = exact.get("in_doubt", 0)  # not in files of earlier versions
    doubt = doubt_note(doubtful, exact["share_in_doubt"]) + "; " if doubtful else ""
    return doubt + _decisions_note(exact)


def _decisions_note(exact: Mapping[str, Any]) -> str:
    """Clause on the decisions alone."""
    decisions, undecided, exactly = (exact[name] for name in ("decisions", "undecided", "re_evaluated"))
    if exact["certify"] == "off":
        return "no decision is proven" + (
            f"; {undecided:,} lay within rounding error and were taken as coincidences" if undecided else ""
        )
    beyond = _beyond_cells(exact)
    if undecided == 0:
        how = f", {exactly:,} of them in exact arithmetic" if exactly else ""
        return f"all {decisions:,} decisions are proven{how}{beyond}"
    pairs = zip(exact["decisions_per_stage"], exact["proven_per_stage"], strict=True)
    first = next((stage for stage, (all_, proven) in enumerate(pairs) if proven < all_), 0)
    where = f"the first of them in stage {first}"
    return f"{undecided:,} of {decisions:,} decisions are not proven, {where}{beyond}"


def _beyond_cells(exact: Mapping[str, Any]) -> str:
    """The open questions behind numbers that were computed of the cells."""
    said = {
        "linear_regions": "edges may or may not bend the function",
        "decision_regions": "cells may have other classes",
        "areas": "areas are not proven to a thousandth",
    }
    return "".join(f"; {exact[name]:,} {what}" for name, what in said.items() if exact.get(name))


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
