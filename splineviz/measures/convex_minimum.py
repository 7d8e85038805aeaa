"""The least cross-entropy on a plane of weights, between bounds.

On a cell it is convex, so that it lies above its tangent planes, whose least values on the cell are at its
corners. Cells whose bound is above what was found elsewhere are settled; on the others Newton's steps within
the cell bring bound and value together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from splineviz.arrangement.slopes import complete_program
from splineviz.measures.losses import losses, taylor_at
from splineviz.measures.quadratics import Quadratics, minima_on_cells

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.measures.weight_plane import WeightPlane

__all__ = ["Bracket", "least_cross_entropy"]

_AT_A_TIME = 4096
_ROUNDS = 200
_HALVINGS = 40
_CLOSE = 1e-12
"""Difference of value and bound that is taken for none, over the larger of value and 1: near the rounding of
sums"""


class Bracket(NamedTuple):
    """The least value that was found, where, and a lower bound of the least there is, up to rounding."""

    value: float
    uv: np.ndarray
    below: float


def least_cross_entropy(
    arr: Arrangement, plane: WeightPlane, targets: np.ndarray, functions: Quadratics
) -> Bracket:
    """The least cross-entropy over all cells, from its Taylor polynomials at a point of each."""
    current = Quadratics(*(column.copy() for column in functions))
    open_, lower = np.arange(arr.n_cells), np.full(arr.n_cells, -np.inf)
    best, place, changed = np.inf, np.zeros(2), open_
    for _ in range(_ROUNDS):
        if (found := current.value[changed].min()) < best:
            best, place = float(found), current.at[changed[current.value[changed].argmin()]].copy()
        lower[changed] = np.maximum(lower[changed], _tangent_bounds(arr, changed, current.take(changed)))
        open_ = open_[lower[open_] < best - _CLOSE * max(1.0, abs(best))]
        if not len(open_):
            break
        changed = open_[np.argsort(lower[open_], kind="stable")[:_AT_A_TIME]]
        moved = _stepped(arr, plane, targets, changed, current.take(changed))
        for column, new in zip(current, moved, strict=True):
            column[changed] = new
    return Bracket(best, place, min(best, float(lower.min())))


def _tangent_bounds(arr: Arrangement, cells: np.ndarray, functions: Quadratics) -> np.ndarray:
    """(cells,) least values on cells of the tangent planes."""
    polygons = arr.cells.take(cells)
    row = polygons.row_of
    off = arr.vertices[polygons.values] - functions.at[row]
    values = functions.value[row] + (functions.gradient[row] * off).sum(1)
    lowest: np.ndarray = np.minimum.reduceat(values, polygons.offsets[:-1])
    return lowest


def _stepped(
    arr: Arrangement, plane: WeightPlane, targets: np.ndarray, cells: np.ndarray, functions: Quadratics
) -> Quadratics:
    """Taylor polynomials at points of cells that a Newton step within them leads to, halved until it
    descends."""
    aim = minima_on_cells(functions, arr.vertices, arr.cells.take(cells)).uv
    step, size = aim - functions.at, np.ones(len(cells))
    for _ in range(_HALVINGS):
        at = functions.at + size[:, None] * step
        higher = losses(plane, at, targets, "cross-entropy") > functions.value
        if not higher.any():
            break
        size[higher] /= 2
    program = complete_program(arr, arr.program)
    return taylor_at(
        arr, program, plane, cells, functions.at + size[:, None] * step, targets, "cross-entropy"
    )
