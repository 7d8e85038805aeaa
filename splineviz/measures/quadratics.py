"""Quadratic functions on the cells of an arrangement: their least values, exactly up to rounding."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.polygons import next_side
from splineviz.geometry.csr import Csr

__all__ = ["Minima", "Quadratics", "minima_on_cells"]


class Quadratics(NamedTuple):
    """q(x) = value + gradient . (x - at) + (x - at) . hessian (x - at) / 2, one for each cell."""

    at: Float64[np.ndarray, "cell 2"]
    value: Float64[np.ndarray, "cell"]
    gradient: Float64[np.ndarray, "cell 2"]
    hessian: Float64[np.ndarray, "cell 2 2"]

    def __call__(self, cell: np.ndarray, uv: np.ndarray) -> np.ndarray:
        """(n,) values at points (n, 2) of cells (n,)."""
        off = uv - self.at[cell]
        bent = np.einsum("nij,nj->ni", self.hessian[cell], off)
        values: np.ndarray = self.value[cell] + ((self.gradient[cell] + bent / 2) * off).sum(1)
        return values

    def take(self, cells: np.ndarray) -> Quadratics:
        """Those of some cells."""
        return Quadratics(*(column[cells] for column in self))


class Minima(NamedTuple):
    """The least value on each cell, and a place where it is taken."""

    value: Float64[np.ndarray, "cell"]
    uv: Float64[np.ndarray, "cell 2"]


def minima_on_cells(functions: Quadratics, vertices: Float64[np.ndarray, "vertex 2"], cells: Csr) -> Minima:
    """The minima of convex quadratic functions on the closed cells.

    Of a convex function the minimum lies where the gradient vanishes, if that is in the cell, else on a side:
    there it is a function of one variable, whose least value on the side is at its vertex or at an end.

    Parameters
    ----------
    functions
        One for each cell, with positive semidefinite Hessians.
    vertices, cells
        Corners, and for each cell its own, counter-clockwise.
    """
    row = cells.row_of
    start = vertices[cells.values]
    along = start[next_side(cells.offsets)] - start
    bent = np.einsum("nij,nj->ni", functions.hessian[row], along)
    slope = (
        (functions.gradient[row] + np.einsum("nij,nj->ni", functions.hessian[row], start - functions.at[row]))
        * along
    ).sum(1)
    curvature = (bent * along).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(curvature > 0, -slope / curvature, np.where(slope < 0, 1.0, 0.0))
    uv = start + np.clip(np.nan_to_num(t), 0.0, 1.0)[:, None] * along
    value = functions(row, uv)
    order = np.lexsort((value, row))
    best = order[cells.offsets[:-1]]
    least, place = value[best], uv[best]
    free, inside = _stationary(functions, start, along, cells)
    inner = np.flatnonzero(inside)
    lower = functions(inner, free[inner])
    better = inner[lower < least[inner]]
    least[better], place[better] = lower[lower < least[inner]], free[better]
    return Minima(least, place)


def _stationary(
    functions: Quadratics, start: np.ndarray, along: np.ndarray, cells: Csr
) -> tuple[np.ndarray, np.ndarray]:
    """(F, 2) where gradients vanish, and (F,) whether that is inside of the cell."""
    a, b, d = functions.hessian[:, 0, 0], functions.hessian[:, 0, 1], functions.hessian[:, 1, 1]
    determinant = a * d - b * b
    with np.errstate(divide="ignore", invalid="ignore"):
        gu, gv = functions.gradient.T
        step = np.stack([b * gv - d * gu, b * gu - a * gv], axis=1) / determinant[:, None]
    free = functions.at + step
    row = cells.row_of
    with np.errstate(invalid="ignore"):
        off = free[row] - start
        left = along[:, 0] * off[:, 1] - along[:, 1] * off[:, 0] >= 0
    inside = np.logical_and.reduceat(left, cells.offsets[:-1]) if len(cells) else np.zeros(0, dtype=bool)
    return free, inside & np.isfinite(free).all(1)
