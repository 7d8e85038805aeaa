"""Products of single rows with a matrix, each from its own numbers alone, and the rows that need it.

Batches of faces have vertices in common. A number that decides between them, where no proof does, has to be
the same on both sides; and a library's matrix product may round a row in another way where it stands at
another place, or among other rows.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from splineviz.geometry.compiled import kernel, part

__all__ = ["moved_norms", "multiplied", "multiply_rows", "row_norms", "with_ends"]

_ROWS, _TERMS = 4, 4
"""Rows and terms that are worked off together: each number of the matrix that is read serves so many rows"""

_BLOCK = 64
"""Rows that are worked off side by side where the matrix is small"""


@kernel
def multiply_rows(
    out: Float64[np.ndarray, "vertex output"],
    x: Float64[np.ndarray, "vertex entry"],
    rows: Int64[np.ndarray, "some"],
    columns: Float64[np.ndarray, "entry output"],
    constants: Float64[np.ndarray, "output"],
) -> None:
    """Fill some rows of ``out`` with x times the ``columns`` of a matrix, plus constants.

    Terms are added in the order of the columns, whichever rows there are: a row of one content gets one
    result.
    """
    n, m = columns.shape
    sums, factor = np.empty((_ROWS, m)), np.zeros((_ROWS, _TERMS))
    for start in range(0, len(rows), _ROWS):
        count = min(_ROWS, len(rows) - start)
        for r in range(_ROWS):
            sums[r] = constants
        for k in range(0, n, _TERMS):
            for r in range(_ROWS):
                for i in range(_TERMS):
                    factor[r, i] = x[rows[start + min(r, count - 1)], k + i] if k + i < n else 0.0
            _add_terms(
                sums,
                factor,
                columns[k],
                columns[min(k + 1, n - 1)],
                columns[min(k + 2, n - 1)],
                columns[min(k + 3, n - 1)],
            )
        for r in range(count):
            out[rows[start + r]] = sums[r]


@part(fastmath={"contract"})
def _add_terms(
    sums: Float64[np.ndarray, "4 output"],
    f: Float64[np.ndarray, "4 4"],
    a: Float64[np.ndarray, "output"],
    b: Float64[np.ndarray, "output"],
    c: Float64[np.ndarray, "output"],
    d: Float64[np.ndarray, "output"],
) -> None:
    """Add four terms more to four rows; beyond the last column the factor is 0."""
    p, q, r, s = sums[0], sums[1], sums[2], sums[3]
    for j in range(len(a)):
        p[j] = (((p[j] + f[0, 0] * a[j]) + f[0, 1] * b[j]) + f[0, 2] * c[j]) + f[0, 3] * d[j]
        q[j] = (((q[j] + f[1, 0] * a[j]) + f[1, 1] * b[j]) + f[1, 2] * c[j]) + f[1, 3] * d[j]
        r[j] = (((r[j] + f[2, 0] * a[j]) + f[2, 1] * b[j]) + f[2, 2] * c[j]) + f[2, 3] * d[j]
        s[j] = (((s[j] + f[3, 0] * a[j]) + f[3, 1] * b[j]) + f[3, 2] * c[j]) + f[3, 3] * d[j]


def multiplied(rows: Tensor, matrices: Tensor) -> Tensor:
    """Products (group, row, output) of many rows (group, row, entry) with small matrices (group, entry,
    output), each row's from its own numbers alone."""
    out = torch.empty(*rows.shape[:2], matrices.shape[2], dtype=torch.float64)
    for result, x, matrix in zip(out.numpy(), rows, matrices, strict=True):
        _multiply_many(result, x.contiguous().numpy(), matrix.contiguous().numpy())
    return out


@kernel
def _multiply_many(
    out: Float64[np.ndarray, "row output"],
    x: Float64[np.ndarray, "row entry"],
    matrix: Float64[np.ndarray, "entry output"],
) -> None:
    """Fill ``out`` with x times the matrix, in blocks of as many rows, the last one filled up with zeros."""
    (n, k_all), m = x.shape, matrix.shape[1]
    block = np.zeros(((k_all + _TERMS - 1) // _TERMS * _TERMS, _BLOCK))
    factors = np.zeros((len(block), (m + _ROWS - 1) // _ROWS * _ROWS))
    factors[:k_all, :m] = matrix
    sums = np.empty((_ROWS, _BLOCK))
    for start in range(0, n, _BLOCK):
        count = min(_BLOCK, n - start)
        for r in range(count):
            for k in range(k_all):
                block[k, r] = x[start + r, k]
        for first in range(0, m, _ROWS):
            sums[:] = 0.0
            for k in range(0, len(block), _TERMS):
                _add_terms_of_block(sums, factors, block, k, first)
            for j in range(min(_ROWS, m - first)):
                for r in range(count):
                    out[start + r, first + j] = sums[j, r]


@part(fastmath={"contract"})
def _add_terms_of_block(
    sums: Float64[np.ndarray, "4 row"],
    f: Float64[np.ndarray, "entry output"],
    block: Float64[np.ndarray, "entry row"],
    k: int,
    j: int,
) -> None:
    """Add the terms k to k + 3 to the sums for the outputs j to j + 3."""
    f00, f01, f02, f03 = f[k, j], f[k + 1, j], f[k + 2, j], f[k + 3, j]
    f10, f11, f12, f13 = f[k, j + 1], f[k + 1, j + 1], f[k + 2, j + 1], f[k + 3, j + 1]
    f20, f21, f22, f23 = f[k, j + 2], f[k + 1, j + 2], f[k + 2, j + 2], f[k + 3, j + 2]
    f30, f31, f32, f33 = f[k, j + 3], f[k + 1, j + 3], f[k + 2, j + 3], f[k + 3, j + 3]
    for r in range(_BLOCK):
        a, b, c, d = block[k, r], block[k + 1, r], block[k + 2, r], block[k + 3, r]
        sums[0, r] = (((sums[0, r] + f00 * a) + f01 * b) + f02 * c) + f03 * d
        sums[1, r] = (((sums[1, r] + f10 * a) + f11 * b) + f12 * c) + f13 * d
        sums[2, r] = (((sums[2, r] + f20 * a) + f21 * b) + f22 * c) + f23 * d
        sums[3, r] = (((sums[3, r] + f30 * a) + f31 * b) + f32 * c) + f33 * d


@kernel
def row_norms(x: Float64[np.ndarray, "vertex entry"]) -> Float64[np.ndarray, "vertex"]:
    """Euclidean norm of each row."""
    norms = np.empty(len(x))
    for v in range(len(x)):
        norms[v] = np.sqrt(_squares(x[v]))
    return norms


@kernel
def moved_norms(
    x: Float64[np.ndarray, "vertex entry"],
    vertices: Int64[np.ndarray, "some"],
    neighbours: Int64[np.ndarray, "vertex 2"],
    first: Float64[np.ndarray, "vertex"],
    second: Float64[np.ndarray, "vertex"],
) -> Float64[np.ndarray, "some"]:
    """What rows change by, in norm and at most, on shares of the ways to two neighbours."""
    moved = np.empty(len(vertices))
    for k in range(len(vertices)):
        v = vertices[k]
        moved[k] = first[v] * np.sqrt(_distance(x[neighbours[v, 0]], x[v]))
        moved[k] += second[v] * np.sqrt(_distance(x[neighbours[v, 1]], x[v]))
    return moved


@part(fastmath={"reassoc", "contract"})
def _distance(one: Float64[np.ndarray, "entry"], other: Float64[np.ndarray, "entry"]) -> float:
    """Sum of squares of the difference."""
    total = 0.0
    for i in range(len(one)):
        step = one[i] - other[i]
        total += step * step
    return total


@part(fastmath={"reassoc", "contract"})
def _squares(row: Float64[np.ndarray, "entry"]) -> float:
    """Sum of squares."""
    total = 0.0
    for i in range(len(row)):
        total += row[i] * row[i]
    return total


@kernel
def with_ends(marked: Bool[np.ndarray, "vertex"], birth: np.ndarray) -> None:
    """Mark also the ends of each marked vertex that is among the last, whose `records.BIRTH` is given."""
    n_old = len(marked) - len(birth)
    for k in range(len(birth) - 1, -1, -1):  # both ends come before
        if marked[n_old + k]:
            marked[birth[k].a], marked[birth[k].b] = True, True
