"""One window of an arrangement as bytes for a page.

A vertex takes about 30 bytes with ten outputs. What the reader can work out is not there: edges and the cells
on both sides of them follow from the corners of cells, areas from places, states of units from the units of
edges, and maps of cells from values at vertices.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.arrangement.cells import Cells
from splineviz.geometry.csr import Csr
from splineviz.pages.numbers import planes, varints, zigzag
from splineviz.pages.predicted_values import residuals, steps_of
from splineviz.plane import Window
from splineviz.render.palette import pattern_colors

__all__ = ["EncodedCells", "Frame", "encode"]

_BITS = 50
"""Of a coordinate: the extent of the window is 2 to this power"""
_ONE = np.uint64(1)


@dataclass(frozen=True)
class Frame:
    """The square in which places are numbers from 0 to 1: uv = corner + extent * place."""

    corner: tuple[float, float]
    extent: float

    @classmethod
    def of(cls, window: Window) -> Frame:
        x0, x1, y0, y1 = window.bounds
        return cls((x0, y0), max(x1 - x0, y1 - y0))

    def whole(self, uv: Float64[np.ndarray, "vertex 2"]) -> Int64[np.ndarray, "vertex 2"]:
        """Places as whole numbers, in steps of 2^-50."""
        return np.rint((uv - self.corner) / self.extent * 2.0**_BITS).astype(np.int64)

    def uv(self, whole: Int64[np.ndarray, "vertex 2"]) -> Float64[np.ndarray, "vertex 2"]:
        """The uv that a reader finds."""
        return self.corner + self.extent * (whole / 2.0**_BITS)


@dataclass(frozen=True, eq=False)
class EncodedCells:
    """Sections of bytes, and what a reader has to know of them."""

    sections: dict[str, UInt8[np.ndarray, "byte"]]
    n_cells: int
    n_vertices: int
    n_edges: int
    frame: Frame
    steps: tuple[float, ...]
    """Of each output that is there"""
    on: list[list[int]]
    """Number of units of each stage that are on in the first cell of each connected part"""

    @cached_property
    def packed(self) -> bytes:
        """All sections, one after the other, compressed (zlib)."""
        return zlib.compress(b"".join(part.tobytes() for part in self.sections.values()), 6)

    @property
    def card(self) -> dict[str, object]:
        """Head that a reader needs, as JSON."""
        return {
            "cells": self.n_cells,
            "vertices": self.n_vertices,
            "edges": self.n_edges,
            "corner": list(self.frame.corner),
            "extent": self.frame.extent,
            "steps": list(self.steps),
            "on": self.on,
            "sections": [[name, len(part)] for name, part in self.sections.items()],
        }


def encode(
    arr: Cells,
    window: int,
    *,
    affine: Float64[np.ndarray, "cell output 3"] | None = None,
    bends: np.ndarray | None = None,
    extra: dict[str, Float64[np.ndarray, "cell"]] | None = None,
    edge_extra: dict[str, Float64[np.ndarray, "edge"]] | None = None,
) -> EncodedCells:
    """Encode one window of an arrangement; cells keep their order.

    Parameters
    ----------
    arr
        The arrangement.
    window
        Which of its windows.
    affine
        The map of each cell to the outputs that are to be shown, finite; values are left out without it.
    bends
        (edge,) bool, whether the function bends there; linear regions are left out without it.
    extra
        Further quantities of the cells, by name: four bytes a cell each.
    edge_extra
        Further quantities of the edges.
    """
    cells = np.flatnonzero(arr.cell_window == window)
    sides = arr.cells.places(cells).values
    corners, vertices = _by_appearance(arr.cells.values[sides])
    polygons = Csr(np.concatenate([[0], np.cumsum(arr.cells.lengths[cells])]), corners)
    first_sides = _first_sides(polygons)
    edges = arr.cell_edges[sides][first_sides]
    frame = Frame.of(arr.windows[window])
    whole = frame.whole(arr.vertices[vertices])
    sections = {
        "lengths": varints(polygons.lengths),
        "corners": varints(_steps_back(corners)),
        "u": planes(zigzag(np.diff(whole[:, 0], prepend=0)), 7),
        "v": planes(zigzag(np.diff(whole[:, 1], prepend=0)), 7),
        "stage": varints(arr.cell_stage[cells] + 1),
        "hash": planes(arr.pattern_hash[cells, 0] >> np.uint64(32), 4),
        "color": _bytes_of(pattern_colors(arr.pattern_hash[cells])),
        **_units_of_edges(arr, edges, cells[polygons.row_of[first_sides]]),
        **_exceptions(arr, cells),
    }
    if bends is not None:
        sections["bends"] = bends[edges].astype(np.uint8)
    sections |= {name: _singles(quantity[cells]) for name, quantity in (extra or {}).items()}
    sections |= {name: _singles(quantity[edges]) for name, quantity in (edge_extra or {}).items()}
    steps = np.zeros(0)
    if affine is not None:
        values = _at_vertices(affine[cells], polygons, frame.uv(whole))
        steps = steps_of(values)
        away = residuals(polygons, whole / 2.0**_BITS, values, steps)
        sections |= {f"value {k}": varints(zigzag(row)) for k, row in enumerate(away)}
    return EncodedCells(
        sections,
        len(cells),
        len(vertices),
        len(edges),
        frame,
        tuple(float(step) for step in steps),
        _units_on(arr, cells),
    )


def _by_appearance(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ids renumbered 0, 1, ... in the order in which they first appear, and the old ids in this order."""
    found, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    order = np.argsort(first)
    new = np.empty(len(found), dtype=np.int64)
    new[order] = np.arange(len(found))
    return new[inverse.reshape(-1)], found[order]


def _steps_back(corners: np.ndarray) -> np.ndarray:
    """Corners numbered by appearance: 0 for the next new vertex, else 1 + the number of vertices since."""
    newest = np.maximum.accumulate(corners)
    new = np.diff(newest, prepend=-1) > 0
    return np.where(new, 0, newest - corners + 1)


def _first_sides(polygons: Csr) -> np.ndarray:
    """(edge,) the first side of each edge, a pair of vertices, in the order of appearance."""
    vertices = polygons.values
    last = polygons.offsets[1:] - 1
    following = np.roll(vertices, -1)
    following[last] = vertices[polygons.offsets[:-1]]
    pairs = np.minimum(vertices, following) * (vertices.max(initial=0) + 1) + np.maximum(vertices, following)
    first: np.ndarray = np.sort(np.unique(pairs, return_index=True)[1])
    return first


def _units_of_edges(arr: Cells, edges: np.ndarray, left: np.ndarray) -> dict[str, UInt8[np.ndarray, "byte"]]:
    """How many units change at each edge, and which: 2 * its number among all units of all stages, plus 1
    where it is on in the first cell that has the edge."""
    assert arr.info is not None
    units = arr.edge_units.take(edges)
    stage, unit = units.values[:, 0], units.values[:, 1]
    cell = left[units.row_of]
    first = np.concatenate([[0], np.cumsum([stage.n_units for stage in arr.info.stages])]).astype(np.int64)
    on = np.zeros(len(stage), dtype=np.int64)
    for k, rows in _by_stage(stage):
        if k < len(arr.patterns) and not arr.info.stages[k].candidates:
            words, column = arr.words(k, cell[rows])[0], unit[rows]
            on[rows] = words[np.arange(len(rows)), column // 64] >> (column % 64).astype(np.uint64) & _ONE
    return {"edge_counts": varints(units.lengths), "edge_units": planes(2 * (first[stage] + unit) + on, 4)}


def _units_on(arr: Cells, cells: np.ndarray) -> list[list[int]]:
    """(part, stage) number of units that are on in the first cell of each connected part; 0 of maxima."""
    if not arr.patterns or not len(cells):
        return []
    assert arr.info is not None
    inner = arr.edge_cells[arr.edge_cells.min(1) >= 0]
    graph = coo_array((np.ones(len(inner), dtype=np.int8), tuple(inner.T)), shape=(arr.n_cells, arr.n_cells))
    part = connected_components(graph, directed=False)[1][cells]
    first = cells[np.unique(part, return_index=True)[1]]
    first.sort()
    stages = arr.info.stages[: len(arr.patterns)]
    on = [
        np.zeros(len(first), dtype=np.int64) if stage.candidates else arr.pattern_bits(k, first).sum(1)
        for k, stage in enumerate(stages)
    ]
    found: list[list[int]] = np.stack(on, 1).tolist() if on else []
    return found


def _by_stage(stage: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for k in np.unique(stage).tolist():
        yield k, np.flatnonzero(stage == k)


def _exceptions(arr: Cells, cells: np.ndarray) -> dict[str, UInt8[np.ndarray, "byte"]]:
    """Cells whose areas cannot be told from rounded places, with their areas; and cells in doubt."""
    row = np.full(arr.n_cells, -1, dtype=np.int64)
    row[cells] = np.arange(len(cells))
    thin = row[arr.thin_cells] >= 0
    doubt = row[arr.in_doubt]
    return {
        "thin_cells": row[arr.thin_cells][thin].astype("<u4").view(np.uint8),
        "thin_areas": arr.thin_areas[thin].astype("<f8").view(np.uint8),
        "doubtful": doubt[doubt >= 0].astype("<u4").view(np.uint8),
    }


def _at_vertices(
    affine: np.ndarray, polygons: Csr, uv: Float64[np.ndarray, "vertex 2"]
) -> Float64[np.ndarray, "vertex output"]:
    """Outputs at vertices, each by the map of one of its cells."""
    cell = np.empty(len(uv), dtype=np.int64)
    cell[polygons.values] = polygons.row_of
    maps = affine[cell]
    values: np.ndarray = maps[:, :, 0] * uv[:, :1] + maps[:, :, 1] * uv[:, 1:] + maps[:, :, 2]
    return values


def _singles(numbers: Float64[np.ndarray, "number"]) -> UInt8[np.ndarray, "byte"]:
    """Numbers in single precision, the lowest byte of all, then the next."""
    singles = np.ascontiguousarray(numbers, dtype="<f4")
    return singles.view(np.uint8).reshape(-1, 4).T.ravel()


def _bytes_of(rgb: Float64[np.ndarray, "cell 3"]) -> UInt8[np.ndarray, "byte"]:
    """Colours, all reds first."""
    return np.ascontiguousarray((rgb * 255).round().astype(np.uint8).T).ravel()
