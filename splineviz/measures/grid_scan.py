"""Grids of points on an arrangement, a band of rows at a time: which pieces they hit, how many connected
components their classes have, and how long the boundary between them is by marching squares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.arrangement.blocks import blocks
from splineviz.arrangement.raster import Polygons, raster
from splineviz.measures.marching_squares import Squares, contour_length

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary import DecisionRegions
    from splineviz.plane import Window

__all__ = ["GridScan", "scan"]

_POINTS = 1 << 20
"""Of a band"""


@dataclass(frozen=True, eq=False)
class GridScan:
    """What a grid of points sees of the pieces of one class of an arrangement."""

    hit: Bool[np.ndarray, "piece"]
    """Whether a point lies in the piece"""
    components: int
    """Of points of one class, each joined with its four neighbours"""
    length: float
    """Of the boundary, by marching squares"""


class _Band(NamedTuple):
    """Some rows of a grid, from below."""

    pieces: Int64[np.ndarray, "row column"]
    """-1 outside the window"""
    classes: Int64[np.ndarray, "row column"]
    """Likewise"""
    first: int
    """Number of the lowest row"""


def scan(
    window: Window,
    decisions: DecisionRegions,
    logits: Float64[np.ndarray, "cell logit 3"],
    pieces: Int64[np.ndarray, "some"],
    n: int,
) -> GridScan:
    """Scan the middles of n x n equal parts of a window's bounding box.

    ``pieces`` are those that lie in the window, and ``logits`` the maps of the logits on all cells.
    """
    u0, u1, v0, v1 = window.bounds
    corner, step = np.array([u0, v0]), np.array([u1 - u0, v1 - v0]) / n
    hit, components, length = np.zeros(len(decisions.classes), dtype=bool), _Components(), 0.0
    for band in _bands(window, decisions, pieces, n):
        hit[band.pieces[band.pieces >= 0]] = True
        components.add(band.classes)
        length += _length(band, decisions, logits, corner, step)
    return GridScan(hit, components.total, length)


def _bands(window: Window, decisions: DecisionRegions, pieces: np.ndarray, n: int) -> Iterator[_Band]:
    """Bands of rows from below; each begins with the last row of the one before."""
    u0, u1, v0, v1 = window.bounds
    corners = decisions.vertices[decisions.pieces.values]
    start = decisions.pieces.offsets[:-1]
    low, high = (f.reduceat(corners[:, 1], start)[pieces] for f in (np.minimum, np.maximum))
    of_piece = np.append(decisions.classes, -1)  # the last one is outside
    row = np.zeros((0, n), dtype=np.int64)
    for part in blocks(n, max(1, _POINTS // n)):
        below, above = (v0 + (v1 - v0) * at / n for at in (part.start, part.stop))
        rows = pieces[(low <= above) & (high >= below)]
        polygons = Polygons(decisions.vertices, decisions.pieces, rows)
        found = raster(polygons, rows, (u0, u1, below, above), (part.stop - part.start, n))[::-1]
        ids = np.concatenate([row, found])
        yield _Band(ids, of_piece[ids], part.start - len(row))
        row = ids[-1:]


class _Components:
    """Connected components of the points of one class, counted band by band."""

    def __init__(self) -> None:
        self.total = 0
        self._last: np.ndarray | None = None
        """Component of each point of the row that the next band begins with"""

    def add(self, classes: Int64[np.ndarray, "row column"]) -> None:
        """Add a band, which begins with the last row of the one before.

        Points of one class that follow each other in a row are a run. Components that reach that row are
        counted anew.
        """
        starts = np.ones(classes.shape, dtype=bool)
        starts[:, 1:] = classes[:, 1:] != classes[:, :-1]
        run = (np.cumsum(starts) - 1).reshape(classes.shape)
        of_run = classes[starts]
        beside = (classes[1:] == classes[:-1]) & (starts[1:] | starts[:-1])
        links = [np.stack([run[:-1][beside], run[1:][beside]])]
        open_ = 0
        if self._last is not None:
            first = run[0, starts[0]]
            label = self._last[starts[0]]
            order = np.argsort(label, kind="stable")
            same = label[order][1:] == label[order][:-1]
            links.append(np.stack([first[order][:-1][same], first[order][1:][same]]))
            open_ = len(np.unique(label[of_run[first] >= 0]))
        pairs = np.concatenate(links, axis=1)
        graph = coo_array((np.ones(pairs.shape[1], dtype=np.int8), tuple(pairs)), shape=(len(of_run),) * 2)
        labels = connected_components(graph, directed=False)[1]
        self.total += len(np.unique(labels[of_run >= 0])) - open_
        self._last = labels[run[-1]]


def _length(
    band: _Band, decisions: DecisionRegions, logits: np.ndarray, corner: np.ndarray, step: np.ndarray
) -> float:
    """Length of the boundary within the squares between four points each that are not of one class."""
    classes = band.classes
    around = [classes[:-1, :-1], classes[:-1, 1:], classes[1:, 1:], classes[1:, :-1]]
    mixed = np.logical_or.reduce([other != around[0] for other in around[1:]])
    row, column = np.nonzero(mixed & np.logical_and.reduce([one >= 0 for one in around]))
    rows, columns = row[:, None] + np.array([0, 0, 1, 1]), column[:, None] + np.array([0, 1, 1, 0])
    at = np.stack([columns, rows + band.first], axis=2)
    cells = decisions.cells[band.pieces[rows, columns]]
    squares = Squares(classes[rows, columns], cells, corner + (at + 0.5) * step)
    return contour_length(squares, logits, step)
