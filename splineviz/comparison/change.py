"""Difference between the functions of two networks: integrals over the pieces of their common refinement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from splineviz.comparison.within import Within
from splineviz.geometry.csr import Csr, runs

__all__ = ["MapChange", "gradient_change", "map_change"]

_NUMBERS = 1 << 22  # held at once for the corners of triangles


@dataclass(frozen=True)
class MapChange:
    """Means over the window's area. |f_2 - f_1| is the Euclidean norm over the outputs."""

    gradient: float
    """Mean of the Frobenius norm of A_2 - A_1, the in-slice gradients (C, 2): exact sums, rounded."""
    output: Within
    """Mean of |f_2 - f_1|, between proven bounds."""
    output_rms: float
    """Root of the mean of |f_2 - f_1|^2, in closed form."""


def map_change(
    vertices: Float64[np.ndarray, "vertex 2"],
    cells: Csr,
    areas: Float64[np.ndarray, "cell"],
    change: Float64[np.ndarray, "cell output 3"],
    *,
    tolerance: float = 1e-4,
) -> MapChange:
    """Integrate the change of the affine map over convex cells, on each of which it is ``change`` [u, v, 1].

    The norm of an affine map is convex: on a triangle its mean is at least its value at the centroid and at
    most the mean of its values at the corners. Triangles between whose bounds most is open are quartered.

    Parameters
    ----------
    vertices, cells, areas, change
        The cells, uv; difference of the maps on each.
    tolerance
        How far apart the bounds may be, as a share of the mean; above 0.

    Examples
    --------
    On the unit square, f = 3 u: the mean is 3/2, the root of the mean square the root of 3.

    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> cells, areas = Csr(np.array([0, 4]), np.arange(4)), np.ones(1)
    >>> found = map_change(square, cells, areas, np.array([[[3.0, 0.0, 0.0]]]))
    >>> found.gradient, round(found.output.value, 9), round(found.output_rms**2, 9)
    (3.0, 1.5, 3.0)
    """
    low = high = squares = total = 0.0
    size = max(1, _NUMBERS // (36 * change.shape[1]))
    for start in range(0, len(cells), size):
        rows = np.arange(start, min(start + size, len(cells)))
        area, corners = _triangles(vertices, cells, rows, change)
        squares += float(area @ ((corners**2).sum((1, 2)) + (corners.sum(1) ** 2).sum(1))) / 12
        total += float(area.sum())
        below, above = _mean_norm(area, corners, tolerance)
        low, high = low + below, high + above
    gradient = float(areas @ gradient_change(change) / areas.sum())
    return MapChange(gradient, Within.between(low / total, high / total), float(np.sqrt(squares / total)))


def gradient_change(change: Float64[np.ndarray, "cell output 3"]) -> Float64[np.ndarray, "cell"]:
    """(F,) Frobenius norm of the change of the in-slice gradient on each cell."""
    norm: np.ndarray = np.linalg.norm(change[:, :, :2].reshape(len(change), 2 * change.shape[1]), axis=1)
    return norm


def _triangles(
    vertices: np.ndarray, cells: Csr, rows: np.ndarray, change: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Areas (T,), and the change at the corners (T, 3, C), of the triangles that fans from the first corner
    make of some cells."""
    fans = cells.lengths[rows] - 2
    first = np.repeat(cells.offsets[rows], fans)
    second = runs(cells.offsets[rows] + 1, fans)
    corners = vertices[cells.values[np.stack([first, second, second + 1], axis=1)]]
    (a, b), (c, d) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    maps = change[np.repeat(rows, fans)]
    values = np.einsum("tcd,tkd->tkc", maps[:, :, :2], corners) + maps[:, None, :, 2]
    return np.maximum(a * d - b * c, 0.0) / 2, values


def _mean_norm(area: np.ndarray, corners: np.ndarray, tolerance: float) -> tuple[float, float]:
    """Bounds of the integral of the norm of affine maps (T, 3, C) over triangles, no further apart than a
    share of it.

    Each round settles the triangles that leave least open, as many as may take half of what may still be
    open. So work goes where the integral is: a bound for each triangle alone would never be met on a sliver
    that holds nearly all of the change and nearly none of the area.
    """
    low = high = 0.0
    while True:
        below = area * np.linalg.norm(corners.mean(1), axis=1)
        above = area * np.linalg.norm(corners, axis=2).mean(1)
        spare = tolerance * (low + float(below.sum())) - (high - low)
        left = above - below
        if not left.sum() > spare:  # also where an overflow has left no numbers to compare
            return low + float(below.sum()), high + float(above.sum())
        order = np.argsort(left)
        n_done = np.searchsorted(np.cumsum(left[order]), spare / 2, side="right")
        done, going_on = order[:n_done], order[n_done:]
        low, high = low + float(below[done].sum()), high + float(above[done].sum())
        area, corners = np.tile(area[going_on] / 4, 4), _quartered(corners[going_on])


def _quartered(corners: np.ndarray) -> np.ndarray:
    """(4 T, 3, C) the values at the corners of the four similar parts of each triangle."""
    a, b, c = np.moveaxis(corners, 1, 0)
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    return np.concatenate(
        [np.stack(part, axis=1) for part in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    )
