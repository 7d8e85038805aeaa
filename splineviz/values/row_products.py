"""Products of single rows with a matrix, each from its own numbers alone, and which rows have to be taken so.

Batches of faces have vertices in common. What decides between them, where no proof does, has to be the same
number on both sides; and a library's matrix product may round a row in another way where it stands at another
place, or among other rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.compiled import kernel, part

__all__ = ["multiply_rows", "row_norms", "with_ends"]

_ROWS, _TERMS = 4, 4
"""Rows and terms that are worked off together: each number of the matrix that is read serves so many rows"""


@kernel
def multiply_rows(out: Any, x: Any, rows: Any, columns: Any, constants: Any) -> None:
    """Fill some rows of ``out`` (V, m) with x (V, n) times the ``columns`` (n, m) of a matrix, plus constants
    (m,).

    Terms are added in the order of the columns, whichever rows there are: a row of one content gets one
    result.
    """
    n, m = columns.shape
    whole = n // _TERMS * _TERMS
    sums, factor = np.empty((_ROWS, m)), np.zeros((_ROWS, _TERMS))
    for start in range(0, len(rows), _ROWS):
        count = min(_ROWS, len(rows) - start)
        for r in range(_ROWS):
            sums[r] = constants
        for k in range(0, n, _TERMS):
            for r in range(_ROWS):
                for i in range(_TERMS):
                    factor[r, i] = (
                        x[rows[start + min(r, count - 1)], k + i] if k < whole or k + i < n else 0.0
                    )
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
def _add_terms(sums: Any, f: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    """Four terms more of four rows; what is there no more has the factor 0."""
    p, q, r, s = sums[0], sums[1], sums[2], sums[3]
    for j in range(len(a)):
        p[j] = (((p[j] + f[0, 0] * a[j]) + f[0, 1] * b[j]) + f[0, 2] * c[j]) + f[0, 3] * d[j]
        q[j] = (((q[j] + f[1, 0] * a[j]) + f[1, 1] * b[j]) + f[1, 2] * c[j]) + f[1, 3] * d[j]
        r[j] = (((r[j] + f[2, 0] * a[j]) + f[2, 1] * b[j]) + f[2, 2] * c[j]) + f[2, 3] * d[j]
        s[j] = (((s[j] + f[3, 0] * a[j]) + f[3, 1] * b[j]) + f[3, 2] * c[j]) + f[3, 3] * d[j]


@kernel
def row_norms(x: Any) -> Any:
    """(V,) Euclidean norm of each row of x (V, n)."""
    norms = np.empty(len(x))
    for v in range(len(x)):
        norms[v] = np.sqrt(_squares(x[v]))
    return norms


@part(fastmath={"reassoc", "contract"})
def _squares(row: Any) -> Any:
    total = 0.0
    for i in range(len(row)):
        total += row[i] * row[i]
    return total


@kernel
def with_ends(marked: Any, birth: Any) -> None:
    """Mark, among all vertices, (V,) bool, the ends of each marked one of the last, whose `records.BIRTH` is
    given."""
    n_old = len(marked) - len(birth)
    for k in range(len(birth) - 1, -1, -1):  # both ends come before
        if marked[n_old + k]:
            marked[birth[k].a], marked[birth[k].b] = True, True
