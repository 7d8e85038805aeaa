"""Results of pointwise functions on cells, and their products with a matrix, each from those of the cell
before it.

Cells of one face of an earlier level are siblings: they share the forms of all entries that a function is
applied to, and differ in the pieces that apply. Cells that are numbered one after the other differ in one or
two units mostly. A form is a row (a, b, c) per entry, a u + b v + c, kept as three separate vectors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from splineviz.geometry.bit_sets import bits_of
from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.intrinsics import borrowed, trailing_zeros

__all__ = ["Family", "Starts", "starts", "stepped"]

_FALLEN = 1.0 / 16.0
"""Share of the largest squared norm on the way below which the norm on a cell is small"""


class Family(NamedTuple):
    """Cells, their siblings next to each other, and the function whose pieces tell them apart."""

    tangent: Float64[np.ndarray, "2 face entry"]
    """Coefficients of u and of v that enter, on the faces of the earlier level"""
    constant: Float64[np.ndarray, "face entry"]
    face: Int64[np.ndarray, "cell"]
    """The face of each cell"""
    words: UInt64[np.ndarray, "cell word"]
    """Bits of the units that are on: a bit for each entry, for one breakpoint after the other"""
    slopes: Float64[np.ndarray, "piece entry"]
    intercepts: Float64[np.ndarray, "piece entry"]

    @property
    def entries(self) -> UInt64[np.ndarray, "used"]:
        """The entries whose results may be other than 0 on some of the cells."""
        n_breakpoints, n = len(self.slopes) - 1, len(self.slopes.T)
        met = bits_of(np.bitwise_or.reduce(self.words, axis=0)[None], n_breakpoints * n).reshape(-1, n)
        other = (self.slopes != 0) | (self.intercepts != 0)
        return np.flatnonzero(other[0] | (other[1:] & met).any(0)).astype(np.uint64)


class Starts(NamedTuple):
    """Cells that are worked out in full."""

    is_start: Bool[np.ndarray, "cell"]
    norms: Float64[np.ndarray, "3 cell"]
    """Norms of the results, of the coefficients of u, of v and of constants: the largest on the way from the
    last start to a cell, between two units that switch at once too"""
    u: Float64[np.ndarray, "start used"]
    """The results on the starts: coefficients of u"""
    v: Float64[np.ndarray, "start used"]
    w: Float64[np.ndarray, "start used"]
    """Constants"""


Pieces = tuple[np.ndarray, np.ndarray]
"""Slopes and intercepts of all entries on one cell"""


@part()
def _is_on(words: np.ndarray, bit: int) -> bool:
    return bool((words[bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1))


@part()
def _piece(words: np.ndarray, entry: int, n: int, n_breakpoints: int) -> int:
    """The piece of an entry: breakpoints ascend, so the last one that is on names it."""
    piece = 0
    for b in range(n_breakpoints):
        if _is_on(words, b * n + entry):
            piece = b + 1
    return piece


@part()
def _switched(words: np.ndarray, before: np.ndarray, bit: int, n: int, n_breakpoints: int) -> tuple[int, int]:
    """The pieces of a bit's entry on the cell before and on this one; twice the same where a lower breakpoint
    has told them already."""
    entry = bit % n
    for b in range(bit // n):
        if _is_on(words, b * n + entry) != _is_on(before, b * n + entry):
            return 0, 0
    return _piece(before, entry, n, n_breakpoints), _piece(words, entry, n, n_breakpoints)


@part()
def _first(family: Family, cell: int, pieces: Pieces) -> None:
    """Slopes and intercepts of all entries on a cell."""
    slope, intercept = pieces
    n_breakpoints = len(family.slopes) - 1
    for i in range(len(slope)):
        piece = _piece(family.words[cell], i, len(slope), n_breakpoints)
        slope[i], intercept[i] = family.slopes[piece, i], family.intercepts[piece, i]


@part()
def _next(family: Family, before: int, cell: int, pieces: Pieces) -> None:
    """Slopes and intercepts on a cell from those on one before it, which differ little."""
    slope, intercept = pieces
    words, other, n = family.words[cell], family.words[before], len(slope)
    for w in range(len(words)):
        open_ = words[w] ^ other[w]
        while open_ != np.uint64(0):
            i = (64 * w + trailing_zeros(open_)) % n
            open_ &= open_ - np.uint64(1)
            piece = _piece(words, i, n, len(family.slopes) - 1)
            slope[i], intercept[i] = family.slopes[piece, i], family.intercepts[piece, i]


@part(fastmath={"reassoc"})
def _apply(
    family: Family, face: int, pieces: Pieces, entries: np.ndarray, rows: tuple[np.ndarray, ...]
) -> tuple[float, float, float]:
    """Put some entries of the function's results in three rows; the squares of these rows' norms."""
    (slope, intercept), (u, v, w) = pieces, rows
    x, y, z = family.tangent[0, face], family.tangent[1, face], family.constant[face]
    a = b = c = 0.0
    for j in range(len(entries)):
        i = entries[j]
        p, q, r = slope[i] * x[i], slope[i] * y[i], slope[i] * z[i] + intercept[i]
        u[j], v[j], w[j] = p, q, r
        a, b, c = a + p * p, b + q * q, c + r * r
    return a, b, c


@kernel
def starts(family: Family, most: int, entries: UInt64[np.ndarray, "used"]) -> Starts:
    """The cells to be worked out in full, so that at most ``most`` units switch between one and the next.

    A cell is one, too, where its sibling before it is none, or where the norm of one of the three vectors of
    results is small beside those on the way from the last start: there, results would have the rounding of
    larger ones. All ``entries`` but these are 0 on every cell.
    """
    family = borrowed(family)
    face, words, slopes, intercepts = family.face, family.words, family.slopes, family.intercepts
    n_cells, n, n_breakpoints = len(face), family.constant.shape[1], len(slopes) - 1
    is_start, norms = np.ones(n_cells, np.bool_), np.empty((3, n_cells))
    n_used = len(entries)
    u, v, w = np.empty((n_cells, n_used)), np.empty((n_cells, n_used)), np.empty((n_cells, n_used))
    pieces = (np.empty(n), np.empty(n))
    square, largest, switched, row = np.zeros(3), np.zeros(3), 0, 0
    for cell in range(n_cells):
        f = face[cell]
        stays = most > 0 and cell > 0 and face[cell - 1] == f
        if stays:
            for word in range(words.shape[1]):
                open_ = words[cell, word] ^ words[cell - 1, word]
                while open_ != np.uint64(0):
                    bit = 64 * word + trailing_zeros(open_)
                    open_ &= open_ - np.uint64(1)
                    i = bit % n
                    old, new = _switched(words[cell], words[cell - 1], bit, n, n_breakpoints)
                    switched += 1
                    for k in range(3):
                        x = family.constant[f, i] if k == 2 else family.tangent[k, f, i]
                        a, b = slopes[old, i] * x, slopes[new, i] * x
                        if k == 2:
                            a, b = a + intercepts[old, i], b + intercepts[new, i]
                        square[k] += b * b - a * a
                        largest[k] = max(largest[k], square[k])
            stays = switched <= most
            for k in range(3):
                stays = stays and square[k] >= _FALLEN * largest[k]
        if cell == 0:
            _first(family, 0, pieces)
        else:
            _next(family, cell - 1, cell, pieces)
        if not stays:
            switched = 0
            square[0], square[1], square[2] = _apply(family, f, pieces, entries, (u[row], v[row], w[row]))
            largest[:] = square
            row += 1
        is_start[cell] = not stays
        norms[:, cell] = np.sqrt(largest)
    return Starts(is_start, norms, u[:row], v[:row], w[:row])


@part(fastmath={"contract"})
def _add(x: np.ndarray, factor: float, column: np.ndarray, y: np.ndarray) -> None:
    """y = x + factor column."""
    for i in range(len(y)):
        y[i] = x[i] + factor * column[i]


@kernel
def stepped(
    family: Family,
    is_start: Bool[np.ndarray, "cell"],
    u: Float64[np.ndarray, "start output"],
    v: Float64[np.ndarray, "start output"],
    w: Float64[np.ndarray, "start output"],
    columns: Float64[np.ndarray, "entry output"],
    constants: Float64[np.ndarray, "output"],
) -> tuple[Float64[np.ndarray, "2 cell output"], Float64[np.ndarray, "cell output"]]:
    """A matrix times the function's results, and constants, on all cells; from the products on the starts.

    Where a unit switches, the products with its column change by what its own form does.
    """
    family = borrowed(family)
    face, words, slopes, intercepts = family.face, family.words, family.slopes, family.intercepts
    n, n_out, n_breakpoints = columns.shape[0], columns.shape[1], len(slopes) - 1
    tangent, constant = np.empty((2, len(face), n_out)), np.empty((len(face), n_out))
    row = 0
    for cell in range(len(face)):
        f, source = face[cell], cell - 1
        if is_start[cell]:
            tangent[0, cell], tangent[1, cell] = u[row], v[row]
            _add(w[row], 1.0, constants, constant[cell])
            row += 1
            continue
        for word in range(words.shape[1]):
            open_ = words[cell, word] ^ words[cell - 1, word]
            while open_ != np.uint64(0):
                bit = 64 * word + trailing_zeros(open_)
                open_ &= open_ - np.uint64(1)
                i = bit % n
                old, new = _switched(words[cell], words[cell - 1], bit, n, n_breakpoints)
                for k in range(2):
                    x = family.tangent[k, f, i]
                    change = slopes[new, i] * x - slopes[old, i] * x
                    _add(tangent[k, source], change, columns[i], tangent[k, cell])
                x = family.constant[f, i]
                change = (slopes[new, i] * x + intercepts[new, i]) - (slopes[old, i] * x + intercepts[old, i])
                _add(constant[source], change, columns[i], constant[cell])
                source = cell
        if source != cell:  # all units are as they were
            tangent[0, cell], tangent[1, cell] = tangent[0, source], tangent[1, source]
            constant[cell] = constant[source]
    return tangent, constant
