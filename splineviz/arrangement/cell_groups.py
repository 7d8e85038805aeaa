"""Groups of cells, one after the other, that take the fewest products together.

On a group the units that do not switch between its cells are pieces of one affine map, for all its cells at
once; each unit that does switch adds a row to the products that the group takes, and a term to what is added
up on each cell. Few cells share little; many have many units that switch.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, UInt64

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.levels import Levels
from splineviz.geometry.compiled import kernel
from splineviz.geometry.intrinsics import popcount
from splineviz.program.nodes import Affine
from splineviz.program.program import Program

__all__ = ["cell_groups"]

_CHUNK = 1 << 14
"""Cells that are looked at together"""
_ADDED = 3.0
"""Time of a product that is added up on a cell over that of one of two matrices"""
_UNIT = 150.0
"""Of the result of a unit on a cell"""


def cell_groups(arr: Cells, program: Program, most_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """(first, rows) of groups of cells, (groups + 1,) and (groups,).

    A group of one cell takes 3 rows; none of several takes more than ``most_rows``, or has cells of several
    windows. Groups are the parts of a tree of halves, of 1, 2, 4, ... cells, that cost least.
    """
    carried = _carried(program)
    faces = np.array([len(words) for words, _ in arr.patterns], dtype=np.float64)
    entering = np.concatenate([[len(arr.windows)], faces[:-1]])[: len(faces)] / max(1, arr.n_cells)
    n_outputs = int(np.prod(program.output_shape, dtype=np.int64))
    sizes, rows = [], []
    for start in range(0, arr.n_cells, _CHUNK):
        cells = np.arange(start, min(start + _CHUNK, arr.n_cells))
        levels = Levels.of(arr, cells, np.array([0, len(cells)]))
        last = len(levels.parent)
        words = [
            words[levels.ids[s + 1]][levels.ancestors(s + 1, last)]
            for s, (words, _) in enumerate(arr.patterns)
        ]
        every = np.concatenate(words, axis=1) if words else np.zeros((len(cells), 0), dtype=np.uint64)
        first_word = np.cumsum([0] + [w.shape[1] for w in words])
        found = _divided(
            every,
            every.copy(),
            first_word,
            arr.cell_window[cells],
            carried,
            entering,
            n_outputs,
            most_rows,
            _ADDED,
            _UNIT,
        )
        sizes.append(found[0])
        rows.append(found[1])
    return (
        np.concatenate([[0], np.cumsum(np.concatenate(sizes))]) if sizes else np.zeros(1, dtype=np.int64),
        np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64),
    )


def _carried(program: Program) -> np.ndarray:
    """(stages + 1,) products that a row takes from each stage on: one for a unit of the stage, whose own
    products with the next matrix are its column; and last, what every group takes for the part it shares."""
    after = np.zeros(len(program.stages) + 1)
    stage, fresh, total = -1, False, 0.0
    for node in program.nodes:
        if not isinstance(node, Affine):
            stage, fresh = node.stage, True
            continue
        products = float(node.gain.terms * (1 if node.gain.rows is None else len(node.gain.rows)))
        after[: stage + (0 if fresh and node.matrix is not None else 1)] += products
        total += products if stage >= 0 else 0.0
        fresh = fresh and node.matrix is None
    after[-1] = total
    return after


@kernel
def _divided(
    any_on: UInt64[np.ndarray, "cell word"],
    all_on: UInt64[np.ndarray, "cell word"],
    first_word: Int64[np.ndarray, "bound"],
    window: Int64[np.ndarray, "cell"],
    carried: np.ndarray,
    entering: np.ndarray,
    n_outputs: int,
    most_rows: int,
    added: float,
    unit: float,
) -> tuple[np.ndarray, np.ndarray]:
    n, n_stages = len(window), len(first_word) - 1
    cost, size, rows = np.full(n, 3.0 * carried[-1]), np.ones(n, np.int64), np.full(n, 3, np.int64)
    alike = np.ones(n, np.bool_)
    half = 1
    while half < n:
        for i in range(0, n - half, 2 * half):
            j = i + half
            alike[i] = alike[i] and alike[j] and window[i] == window[j]
            if not alike[i]:
                cost[i] += cost[j]
                continue
            n_cells, total, before, terms, carrying = min(2 * half, n - i), 0, 0, 0.0, 3.0 * carried[-1]
            for s in range(n_stages):
                switching = 0
                for w in range(first_word[s], first_word[s + 1]):
                    any_on[i, w] |= any_on[j, w]
                    all_on[i, w] &= all_on[j, w]
                    switching += popcount(any_on[i, w] & ~all_on[i, w])
                terms += entering[s] * before * (switching + 8)
                before = switching
                total += switching
                carrying += switching * carried[s]
            terms += before * (n_outputs + 8)
            whole = carrying + n_cells * (added * terms + unit * total)
            if whole <= cost[i] + cost[j] and 3 + total <= most_rows:
                cost[i], size[i], rows[i] = whole, n_cells, 3 + total
            else:
                cost[i] += cost[j]
        half *= 2
    found, i = 0, 0
    while i < n:
        step = size[i]
        size[found], rows[found] = step, rows[i]
        found += 1
        i += step
    return size[:found], rows[:found]
