"""The check that cells are a watertight subdivision of their windows into distinct convex polygons, and the
cells that are in doubt because they are not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.verdict import Status
from splineviz.errors import SplinevizError
from splineviz.plane import Window, measured_once

if TYPE_CHECKING:
    from splineviz.geometry.soundness import Broken

__all__ = ["Violation", "check", "doubtful_cells", "marked", "violations"]

_STRAIGHT = 1e-12
"""Share of a window's diameter by which a vertex may stand inside the line of its neighbours; and"""
_ROUNDING = 2.0**-44
"""that of the largest numbers between uv and input space, whose rounding no coordinate escapes."""
_DENT = 16
"""Bit of "is not convex" below."""

A = TypeVar("A", bound=Cells)


@dataclass(frozen=True, eq=False)
class Violation:
    """A rule that some cells break."""

    sentence: str
    """On the first offender"""
    cells: Int64[np.ndarray, "cell"]
    """All cells that it concerns, ascending"""
    whole: bool = False
    """Whether it is known of whole windows only, and these are all of their cells"""


def check(arr: Cells) -> None:
    """Verify that cells are a watertight subdivision of their windows, distinct and convex.

    Checked: the sides of the cells and the table of edges agree, every inner edge has exactly two cells and
    lies in opposite directions in them, every rim edge has one; edges are unique; inner edges carry units and
    rim edges none; the rim is closed; patterns are pairwise distinct within a window; cells are
    counter-clockwise and convex within rounding; areas add up to the window's (1e-9 relative); V - E + F is
    the number of windows. The rim, areas and V - E + F are left out for an incomplete arrangement and for a
    batch.

    Raises
    ------
    SplinevizError
        With a sentence for the first violation.
    """
    if misfit := _misfit(arr):
        raise SplinevizError(f"the arrangement is not consistent: {misfit}")
    for violation in violations(arr):
        raise SplinevizError(f"the arrangement is not consistent: {violation.sentence}")


def doubtful_cells(arr: Cells) -> Int64[np.ndarray, "cell"]:
    """The cells that violations concern, ascending.

    What is known of whole windows only (areas, V - E + F) puts all of their cells in doubt where none of them
    is to blame.
    """
    found = np.zeros(arr.n_cells, dtype=bool)
    for violation in violations(arr):
        cells = violation.cells
        if violation.whole:
            blamed = np.bincount(arr.cell_window[found], minlength=len(arr.windows)) > 0
            cells = cells[~blamed[arr.cell_window[cells]]]
        found[cells] = True
    return np.flatnonzero(found)


def marked(arr: A, suspects: Int64[np.ndarray, "cell"]) -> A:
    """The arrangement with the cells that are in doubt: those that violations concern, and some ``suspects``.

    Whatever covers its windows then has the status ``IN_DOUBT``.
    """
    cells = doubtful_cells(arr)
    if len(suspects):
        cells = np.union1d(cells, suspects)
    if not len(cells):
        return arr
    area, share = sum(window.area for window in arr.windows), 1.0
    if area > 0 and np.isfinite(arr.areas[cells]).all():
        share = min(1.0, float(np.abs(arr.areas[cells]).sum()) / area)
    stats = replace(arr.stats, in_doubt=len(cells), share_in_doubt=share)
    status = Status.IN_DOUBT if arr.status.covers else arr.status
    return replace(arr, in_doubt=cells, stats=stats, status=status)


def violations(arr: Cells) -> Iterator[Violation]:
    """All violations of the rules of :func:`check`, where sizes and ids fit together; those of whole windows
    come last."""
    broken = _broken(arr, measured_once(arr.windows, _slack))
    if (broken.cells & _DENT).any():
        # Rounding reaches further where a plane is far from the origin, which takes long to ask of hundreds.
        far = measured_once(arr.planes, lambda plane: _ROUNDING * math.sqrt(plane.origin @ plane.origin))
        broken = _broken(arr, measured_once(arr.windows, _slack) + far)
    for kind, found in broken._asdict().items():
        if found.any():
            yield from _told(arr, kind, found)
    euler, wanted = arr.n_vertices - arr.n_edges + arr.n_cells, len(arr.windows)
    if arr.status.covers and euler != wanted:
        sentence = f"V - E + F is {euler}, and {wanted} window(s) demand {wanted}"
        yield Violation(sentence, np.flatnonzero((_euler(arr) != 1)[arr.cell_window]), whole=True)


def _euler(arr: Cells) -> Int64[np.ndarray, "window"]:
    """V - E + F of each window; a vertex of no cell counts in all of them."""
    n = len(arr.windows)
    at = np.full(arr.n_vertices, -1)
    at[arr.cells.values] = arr.cell_window[arr.cells.row_of]
    faces = arr.edge_cells.max(1, initial=-1)
    edges = np.bincount(arr.cell_window[faces[faces >= 0]], minlength=n)
    vertices = np.bincount(at[at >= 0], minlength=n) + (at < 0).sum()
    euler: np.ndarray = vertices - edges + np.bincount(arr.cell_window, minlength=n)
    return euler


def _broken(arr: Cells, slack: Float64[np.ndarray, "window"]) -> Broken:
    """Rules that are broken, as bits, where a vertex may stand inside the line of its neighbours by
    ``slack``."""
    from splineviz.geometry.soundness import broken_rules  # compiles: not for those who only read a file

    return broken_rules(
        arr.vertices,
        arr.cells.offsets,
        arr.cells.values,
        arr.cell_edges,
        arr.edges.reshape(-1),
        arr.edge_cells.reshape(-1),
        arr.edge_units.offsets,
        arr.cell_window,
        arr.pattern_hash,
        arr.thin_cells,
        arr.thin_areas,
        measured_once(arr.windows, lambda window: window.area),
        slack,
        arr.status.covers,
    )


_RULES = {
    "cells": (
        "cell {} has fewer than three vertices",
        "cell {} has a side that is not the edge it names",
        "edge_cells does not name cell {} at one of its sides",
        "cell {} has no positive area: it is degenerate or clockwise",
        "cell {} is not convex",
        "cell {} has the activation pattern of another cell of its window",
    ),
    "edges": (
        "edge {} lies twice in one direction, so it is not watertight",
        "edge {} names a cell that it does not bound",
        "edge {} bounds no cell",
        "edge {} joins a vertex with itself",
        "edge {} joins two vertices that another edge joins already",
        "edge {} lies on the rim of its window and names units",
        "edge {} separates two cells and names no unit",
        "edge {} joins cells of two windows",
    ),
    "vertices": ("vertex {} is not finite", "the rim is not closed at vertex {}"),
    "windows": ("the areas of the cells do not add up to the area of window {}",),
}
"""Sentences for the bits of `splineviz.geometry.soundness.Broken`, the lowest first."""


def _told(arr: Cells, kind: str, found: np.ndarray) -> Iterator[Violation]:
    """Violations of one kind, from the bits of its rules."""
    owner = arr.cells.row_of
    for bit, sentence in enumerate(_RULES[kind]):
        bad = (found >> bit & 1).astype(bool)
        if not bad.any():
            continue
        if kind == "cells":
            cells = np.flatnonzero(bad)
        elif kind == "edges":
            cells = np.union1d(owner[bad[arr.cell_edges]], np.setdiff1d(arr.edge_cells[bad], [-1]))
        elif kind == "vertices":
            cells = np.unique(owner[bad[arr.cells.values]])
        else:
            cells = np.flatnonzero(bad[arr.cell_window])
        yield Violation(sentence.format(int(bad.argmax())), cells, whole=kind == "windows")


def _misfit(arr: Cells) -> str | None:
    """A sentence if sizes or ids do not fit together so far that nothing else can be asked."""
    sizes = {
        "cell_edges and cells.values": (len(arr.cell_edges), len(arr.cells.values)),
        "edge_units and edges": (len(arr.edge_units), arr.n_edges),
        "edge_cells and edges": (len(arr.edge_cells), arr.n_edges),
        "pattern_hash and cells": (len(arr.pattern_hash), arr.n_cells),
        "cell_window and cells": (len(arr.cell_window), arr.n_cells),
    }
    for names, (one, other) in sizes.items():
        if one != other:
            return f"{names} differ in length"
    ids = (
        ("cells", arr.cells.values, 0, arr.n_vertices),
        ("cell_edges", arr.cell_edges, 0, arr.n_edges),
        ("edges", arr.edges, 0, arr.n_vertices),
        ("edge_cells", arr.edge_cells, -1, arr.n_cells),
        ("cell_window", arr.cell_window, 0, len(arr.windows)),
    )
    for name, index, low, high in ids:
        if index.size and not (index.min() >= low and index.max() < high):
            return f"{name} points outside"
    return None


def _slack(window: Window) -> float:
    """How far a vertex may stand inside the line of its neighbours, but for what the plane's origin adds."""
    x0, x1, y0, y1 = window.bounds
    return _STRAIGHT * math.hypot(x1 - x0, y1 - y0) + _ROUNDING * max(-x0, x1, -y0, y1)
