"""Forms of single entries on the cells of groups: what a group shares, and the terms of units that switch.

A form is (a, b, c), a u + b v + c. On a group of cells every tensor is affine in the results y of the units
that switch in it: x = X_0 + sum_k X_k y_k, where the rows X are the group's, and y_k is the form of a unit's
result on a cell. The sum on a cell is over the units whose results are not 0 there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.intrinsics import borrowed
from splineviz.geometry.rounding import FLOOR

__all__ = ["Lists", "Rows", "Terms", "forms", "sizes"]


class Lists(NamedTuple):
    """A list of numbers for each group."""

    first: Int64[np.ndarray, "group+1"]
    values: Int64[np.ndarray, "number"]


class Terms(NamedTuple):
    """The results, not 0, of units that switch, on the cells of all levels: of a cell those that it does not
    have from the cell of the level before."""

    parent: Int64[np.ndarray, "cell"]
    """The cell of the level before; -1 for none"""
    first: Int64[np.ndarray, "cell+1"]
    unit: Int64[np.ndarray, "term"]
    """Which of the units that switch in the cell's group"""
    result: Float64[np.ndarray, "term 3"]
    """In units of the power of two that the unit's row is multiplied by"""


class Rows(NamedTuple):
    """The rows of all groups that make a tensor."""

    values: Float64[np.ndarray, "row entry"]
    """Coefficients of u, of v, and constants, (3, owners), of what is shared; then a row for each unit"""
    owner: Int64[np.ndarray, "group"]
    """Where among owners a group finds what it shares"""
    n_owners: int
    of_unit: Lists
    """Row of each unit that switches in a group; -1 where the tensor does not depend on it"""


@part()
def _changed(terms: Terms, cell: int, level: int, path: np.ndarray) -> int:
    """Put the cell and its ancestors on the path, by level; returns the first level that has another."""
    while level > 0 and path[level] != cell:
        path[level] = cell
        cell = terms.parent[cell]
        level -= 1
    return level + 1


@part(fastmath={"contract"})
def _add(form: np.ndarray, row: np.ndarray, u: np.ndarray, v: np.ndarray, w: np.ndarray, n: int) -> None:
    """A row times a form is added to the forms of n entries."""
    a, b, c = form[0], form[1], form[2]
    for j in range(n):
        u[j] += a * row[j]
        v[j] += b * row[j]
        w[j] += c * row[j]


@part()
def _whole(n: int) -> int:
    """A number of entries that is worked off without a rest."""
    return (n + 15) & ~15


@part()
def _entries(values: np.ndarray, row: int, entries: np.ndarray, out: np.ndarray) -> None:
    """Some entries of a row."""
    for j in range(len(entries)):
        out[j] = values[row, entries[j]]


@kernel
def forms(
    rows: Rows, terms: Terms, cells: tuple[int, int], first: Int64[np.ndarray, "bound"], entries: Lists
) -> tuple[Float64[np.ndarray, "form 3"], Int64[np.ndarray, "bound"]]:
    """The forms of a group's list of entries on each of its cells, cell by cell, and where each group's
    begin; ``cells`` are the level and the number of its first cell.

    What cells have from one of an earlier level is added up once.
    """
    rows, terms, entries = borrowed(rows), borrowed(terms), borrowed(entries)
    n_groups, values, of_unit, (level, start) = len(first) - 1, rows.values, rows.of_unit, cells
    begin = np.zeros(n_groups + 1, np.int64)
    widest, most = 0, 0
    for g in range(n_groups):
        n = entries.first[g + 1] - entries.first[g]
        begin[g + 1] = begin[g] + (first[g + 1] - first[g]) * n
        widest, most = max(widest, n), max(most, of_unit.first[g + 1] - of_unit.first[g])
    widest = _whole(widest)
    result, near, place = np.empty((begin[-1], 3)), np.zeros((most, widest)), 0
    sums, path = np.zeros((level + 1, 3, widest)), np.empty(level + 1, np.int64)
    for g in range(n_groups):
        mine, owner = entries.values[entries.first[g] : entries.first[g + 1]], rows.owner[g]
        path[:] = -1
        for i in range(3):
            _entries(values, i * rows.n_owners + owner, mine, sums[0, i])
        row_of = of_unit.values[of_unit.first[g] : of_unit.first[g + 1]]
        for k in range(len(row_of)):
            if row_of[k] >= 0:
                _entries(values, row_of[k], mine, near[k])
        n = _whole(len(mine))
        for cell in range(start + first[g], start + first[g + 1]):
            for above in range(_changed(terms, cell, level, path), level + 1):
                u, v, w = sums[above, 0], sums[above, 1], sums[above, 2]
                for j in range(n):
                    u[j], v[j], w[j] = sums[above - 1, 0, j], sums[above - 1, 1, j], sums[above - 1, 2, j]
                for t in range(terms.first[path[above]], terms.first[path[above] + 1]):
                    k = terms.unit[t]
                    if row_of[k] >= 0:
                        _add(terms.result[t], near[k], u, v, w, n)
            u, v, w = sums[level, 0], sums[level, 1], sums[level, 2]
            for j in range(len(mine)):
                result[place, 0], result[place, 1], result[place, 2] = u[j], v[j], w[j]
                place += 1
    return result, begin


@kernel
def sizes(
    rows: Rows,
    norms: Float64[np.ndarray, "row"],
    terms: Terms,
    cells: tuple[int, int],
    first: Int64[np.ndarray, "bound"],
) -> Float64[np.ndarray, "3 cell"]:
    """Norms of what is added up to a tensor on each cell, of coefficients of u, of v, and of constants: at
    least the tensor's own, and what rounding of its rows is a share of; ``cells`` as for `forms`."""
    rows, terms, (level, start) = borrowed(rows), borrowed(terms), cells
    result, of_unit = np.empty((3, first[-1])), rows.of_unit
    sums, path = np.zeros((level + 1, 3)), np.empty(level + 1, np.int64)
    for g in range(len(first) - 1):
        path[:] = -1
        for i in range(3):
            sums[0, i] = norms[i * rows.n_owners + rows.owner[g]]
        row_of = of_unit.values[of_unit.first[g] : of_unit.first[g + 1]]
        for cell in range(first[g], first[g + 1]):
            for above in range(_changed(terms, start + cell, level, path), level + 1):
                own = path[above]
                a, b, c = sums[above - 1, 0], sums[above - 1, 1], sums[above - 1, 2]
                for t in range(terms.first[own], terms.first[own + 1]):
                    row = row_of[terms.unit[t]]
                    if row >= 0:
                        norm = norms[row]
                        a += (abs(terms.result[t, 0]) + FLOOR) * norm
                        b += (abs(terms.result[t, 1]) + FLOOR) * norm
                        c += (abs(terms.result[t, 2]) + FLOOR) * norm
                sums[above, 0], sums[above, 1], sums[above, 2] = a, b, c
            for i in range(3):
                result[i, cell] = sums[level, i]
    return result
