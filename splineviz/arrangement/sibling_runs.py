"""Results of pointwise functions on cells, and their products with a matrix, which cells share.

Cells of one face of an earlier level are siblings: they have the same forms of all entries that a function
is applied to, and differ in the pieces that apply. Siblings that are numbered one after the other differ in
one or two units mostly. On a run of them the entries whose units stay as they are share one product; the
columns of the others are added on each cell. Every result is the sum of its own products and of no others, in
another order, so that it is as near the exact one as any. A form is a row (a, b, c) per entry, a u + b v + c,
kept as three separate vectors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt64

from splineviz.geometry.bit_sets import bits_of
from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.intrinsics import borrowed, trailing_zeros

__all__ = ["Family", "Runs", "results", "runs"]


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


class Runs(NamedTuple):
    """Siblings one after the other, with the entries whose units switch between any of them."""

    first: Int64[np.ndarray, "run+1"]
    """The first cell of each run, and the number of cells"""
    switching: Int64[np.ndarray, "switching"]
    """The entries that switch, run by run"""
    first_switching: Int64[np.ndarray, "run+1"]
    norms: Float64[np.ndarray, "3 cell"]
    """Norms of the function's results on each cell, of the coefficients of u, of v and of constants"""
    u: Float64[np.ndarray, "run used"]
    """The results of entries that do not switch: coefficients of u"""
    v: Float64[np.ndarray, "run used"]
    w: Float64[np.ndarray, "run used"]
    """Constants"""


Pieces = tuple[np.ndarray, np.ndarray]
"""Slopes and intercepts of all entries on one cell"""


@part()
def _piece(words: np.ndarray, entry: int, n: int, n_breakpoints: int) -> int:
    """The piece of an entry: breakpoints ascend, so the last one that is on names it."""
    piece = 0
    for b in range(n_breakpoints):
        bit = b * n + entry
        if (words[bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1):
            piece = b + 1
    return piece


@part()
def _end(family: Family, begin: int, most: int, mask: np.ndarray) -> int:
    """The cell after the last of a run, in which at most ``most`` units switch; ``mask`` gets their bits."""
    face, words = family.face, family.words
    mask[:] = np.uint64(0)
    switching = 0
    for cell in range(begin + 1, len(face)):
        if most == 0 or face[cell] != face[begin]:
            return cell
        for w in range(len(mask)):
            new = (words[cell, w] ^ words[begin, w]) & ~mask[w]
            while new != np.uint64(0):
                new &= new - np.uint64(1)
                switching += 1
        if switching > most:
            return cell
        for w in range(len(mask)):
            mask[w] |= words[cell, w] ^ words[begin, w]
    return len(face)


@part()
def _next(family: Family, before: int, cell: int, pieces: Pieces) -> None:
    """Slopes and intercepts on a cell from those on one before it, which differ little; all of them where
    there is none, -1."""
    slope, intercept = pieces
    words, n = family.words, len(slope)
    n_breakpoints = len(family.slopes) - 1
    if before < 0:
        for i in range(n):
            piece = _piece(words[cell], i, n, n_breakpoints)
            slope[i], intercept[i] = family.slopes[piece, i], family.intercepts[piece, i]
        return
    for w in range(words.shape[1]):
        open_ = words[cell, w] ^ words[before, w]
        while open_ != np.uint64(0):
            i = (64 * w + trailing_zeros(open_)) % n
            open_ &= open_ - np.uint64(1)
            piece = _piece(words[cell], i, n, n_breakpoints)
            slope[i], intercept[i] = family.slopes[piece, i], family.intercepts[piece, i]


@part()
def _mark(
    mask: np.ndarray, place: np.ndarray, switches: np.ndarray, switching: np.ndarray, found: int
) -> int:
    """Mark the used entries of some bits, and append each once to a list; returns its new length."""
    n = len(place)
    for word in range(len(mask)):
        bits = mask[word]
        while bits != np.uint64(0):
            i = (64 * word + trailing_zeros(bits)) % n
            bits &= bits - np.uint64(1)
            j = place[i]
            if j >= 0 and not switches[j]:
                switches[j] = True
                switching[found] = i
                found += 1
    return found


@part(fastmath={"reassoc"})
def _apply(
    family: Family,
    face: int,
    pieces: Pieces,
    entries: np.ndarray,
    switches: np.ndarray,
    rows: tuple[np.ndarray, ...],
) -> tuple[float, float, float]:
    """Put some entries of the function's results in three rows, and 0 for those that switch; the squares of
    these rows' norms."""
    (slope, intercept), (u, v, w) = pieces, rows
    x, y, z = family.tangent[0, face], family.tangent[1, face], family.constant[face]
    a = b = c = 0.0
    for j in range(len(entries)):
        i = entries[j]
        p, q, r = slope[i] * x[i], slope[i] * y[i], slope[i] * z[i] + intercept[i]
        if switches[j]:
            p = q = r = 0.0
        u[j], v[j], w[j] = p, q, r
        a, b, c = a + p * p, b + q * q, c + r * r
    return a, b, c


@part()
def _result(family: Family, cell: int, entry: int) -> tuple[float, float, float]:
    """The function's result of one entry on a cell: coefficients of u, of v, and constant."""
    f, n = family.face[cell], family.constant.shape[1]
    piece = _piece(family.words[cell], entry, n, len(family.slopes) - 1)
    slope = family.slopes[piece, entry]
    return (
        slope * family.tangent[0, f, entry],
        slope * family.tangent[1, f, entry],
        slope * family.constant[f, entry] + family.intercepts[piece, entry],
    )


@kernel
def runs(family: Family, most: int, entries: UInt64[np.ndarray, "used"]) -> Runs:
    """Runs of siblings in which at most ``most`` units switch; of one cell each where that is 0.

    All ``entries`` but these are 0 on every cell.
    """
    family = borrowed(family)
    n_cells, n, n_used = len(family.face), family.constant.shape[1], len(entries)
    first, first_switching = np.zeros(n_cells + 1, np.int64), np.zeros(n_cells + 1, np.int64)
    switching, norms = np.empty(n_cells * max(most, 1), np.int64), np.empty((3, n_cells))
    u, v, w = np.empty((n_cells, n_used)), np.empty((n_cells, n_used)), np.empty((n_cells, n_used))
    pieces, mask = (np.empty(n), np.empty(n)), np.zeros(family.words.shape[1], np.uint64)
    place, switches = np.full(n, -1, np.int64), np.zeros(n_used, np.bool_)
    for j in range(n_used):
        place[entries[j]] = j
    row, begin, before, found = 0, 0, -1, 0
    while begin < n_cells:
        end = _end(family, begin, most, mask)
        _next(family, before, begin, pieces)
        switches[:] = False
        found = _mark(mask, place, switches, switching, found)
        rows = (u[row], v[row], w[row])
        a, b, c = _apply(family, family.face[begin], pieces, entries, switches, rows)
        for cell in range(begin, end):
            norms[0, cell], norms[1, cell], norms[2, cell] = a, b, c
            for k in range(first_switching[row], found):
                x, y, z = _result(family, cell, switching[k])
                norms[0, cell] += x * x
                norms[1, cell] += y * y
                norms[2, cell] += z * z
        row += 1
        first[row], first_switching[row] = end, found
        before, begin = begin, end
    return Runs(
        first[: row + 1],
        switching[:found],
        first_switching[: row + 1],
        np.sqrt(norms),
        u[:row],
        v[:row],
        w[:row],
    )


@part(fastmath={"contract"})
def _add(factor: float, column: np.ndarray, y: np.ndarray) -> None:
    """y = y + factor column."""
    for i in range(len(y)):
        y[i] += factor * column[i]


@kernel
def results(
    family: Family,
    shared: Runs,
    u: Float64[np.ndarray, "run output"],
    v: Float64[np.ndarray, "run output"],
    w: Float64[np.ndarray, "run output"],
    columns: Float64[np.ndarray, "entry output"],
    constants: Float64[np.ndarray, "output"],
) -> tuple[Float64[np.ndarray, "2 cell output"], Float64[np.ndarray, "cell output"]]:
    """A matrix times the function's results, and constants, on all cells: what a run shares, its products
    ``u``, ``v`` and ``w``, and the column of each entry that switches times its own result."""
    family, shared = borrowed(family), borrowed(shared)
    n_cells, n_out = len(family.face), columns.shape[1]
    tangent, constant = np.empty((2, n_cells, n_out)), np.empty((n_cells, n_out))
    for row in range(len(shared.first) - 1):
        for cell in range(shared.first[row], shared.first[row + 1]):
            tangent[0, cell], tangent[1, cell], constant[cell] = u[row], v[row], w[row]
            for k in range(shared.first_switching[row], shared.first_switching[row + 1]):
                entry = shared.switching[k]
                x, y, z = _result(family, cell, entry)
                if x != 0.0 or y != 0.0 or z != 0.0:
                    _add(x, columns[entry], tangent[0, cell])
                    _add(y, columns[entry], tangent[1, cell])
                    _add(z, columns[entry], constant[cell])
            _add(1.0, constants, constant[cell])
    return tangent, constant
