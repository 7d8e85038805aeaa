"""The values of a continuous piecewise-affine function at the vertices of its cells, as small whole numbers.

On a cell three values tell all others. Vertices are visited cell by cell, always in one where three
vertices are known, and what is kept of a value is by how many steps it differs from what these three say:
rounding, and no more. A few vertices that no three tell are kept whole. So an output takes less than a byte a
vertex, at the precision of a double.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.csr import Csr

__all__ = ["PRECISION", "residuals", "steps_of"]

PRECISION = 50
"""Bits from the largest value of an output down to its step"""

_WIDE = 2.0**-7
"""Area of a triangle, over the square of its longest side from its first corner, from which on it tells other
values well"""


def steps_of(values: Float64[np.ndarray, "vertex output"]) -> Float64[np.ndarray, "output"]:
    """Step of each output: a power of two, so that its multiples are exact."""
    largest = np.abs(values).max(0, initial=0.0)
    exponents = np.frexp(np.where(largest > 0, largest, 1.0))[1] - PRECISION
    steps: np.ndarray = np.ldexp(1.0, np.maximum(exponents, -1021))
    return steps


def residuals(
    corners: Csr,
    points: Float64[np.ndarray, "vertex 2"],
    values: Float64[np.ndarray, "vertex output"],
    steps: Float64[np.ndarray, "output"],
) -> Int64[np.ndarray, "output vertex"]:
    """Steps by which each value differs from what is known before it, in the order in which vertices are
    visited; a reader that goes the same way finds the values to half a step.

    Parameters
    ----------
    corners
        Vertex ids of each cell.
    points
        The places of the vertices, as the reader has them.
    values
        Finite values at these places.
    steps
        Of :func:`steps_of`.
    """
    cells_of = np.argsort(corners.values, kind="stable")
    counts = np.bincount(corners.values, minlength=len(points))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    found: np.ndarray = _residuals(
        corners.offsets, corners.values, offsets, corners.row_of[cells_of], points, values, steps
    )
    return found


@kernel
def _residuals(
    first: np.ndarray,
    corners: np.ndarray,
    first_cell: np.ndarray,
    cells: np.ndarray,
    points: np.ndarray,
    values: np.ndarray,
    steps: np.ndarray,
) -> np.ndarray:
    n, n_cells, n_outputs = len(points), len(first) - 1, len(steps)
    known = np.zeros(n, np.bool_)
    n_known = np.zeros(n_cells, np.int64)
    read = np.zeros((n, n_outputs))
    found = np.zeros((n_outputs, n), np.int64)
    stack = np.empty(len(corners) + 1, np.int64)
    triangle = np.empty(3, np.int64)
    row = 0
    for start in range(n_cells):
        while n_known[start] < first[start + 1] - first[start]:
            stack[0] = start
            depth = 1
            while depth > 0:
                depth -= 1
                cell = stack[depth]
                if n_known[cell] == first[cell + 1] - first[cell]:
                    continue
                told = _widest(first[cell], first[cell + 1], corners, known, points, triangle)
                if not told and cell != start:
                    continue
                for side in range(first[cell], first[cell + 1]):
                    vertex = corners[side]
                    if known[vertex]:
                        continue
                    for output in range(n_outputs):
                        guess = _guess(triangle, points, read, vertex, output) if told else 0.0
                        away = np.rint((values[vertex, output] - guess) / steps[output])
                        found[output, row] = np.int64(away)
                        read[vertex, output] = guess + away * steps[output]
                    known[vertex] = True
                    row += 1
                    for place in range(first_cell[vertex], first_cell[vertex + 1]):
                        near = cells[place]
                        n_known[near] += 1
                        if n_known[near] >= 3:
                            stack[depth] = near
                            depth += 1
                    if not told:
                        break
    return found


@part()
def _widest(
    begin: int,
    end: int,
    corners: np.ndarray,
    known: np.ndarray,
    points: np.ndarray,
    triangle: np.ndarray,
) -> bool:
    """Three known corners of a cell: the first, the one farthest from it, and the one farthest from the line
    through both. Returns whether they tell other values well."""
    one = -1
    for side in range(begin, end):
        if known[corners[side]]:
            one = corners[side]
            break
    if one < 0:
        return False
    longest, two = 0.0, one
    for side in range(begin, end):
        vertex = corners[side]
        if known[vertex]:
            u, v = points[vertex, 0] - points[one, 0], points[vertex, 1] - points[one, 1]
            length = u * u + v * v
            if length > longest:
                longest, two = length, vertex
    widest, three = 0.0, one
    u, v = points[two, 0] - points[one, 0], points[two, 1] - points[one, 1]
    for side in range(begin, end):
        vertex = corners[side]
        if known[vertex]:
            area = abs(u * (points[vertex, 1] - points[one, 1]) - (points[vertex, 0] - points[one, 0]) * v)
            if area > widest:
                widest, three = area, vertex
    triangle[0], triangle[1], triangle[2] = one, two, three
    return widest > _WIDE * longest


@part()
def _guess(triangle: np.ndarray, points: np.ndarray, read: np.ndarray, vertex: int, output: int) -> float:
    """Value at a vertex of the affine function through three others."""
    one, two, three = triangle[0], triangle[1], triangle[2]
    au, av = points[two, 0] - points[one, 0], points[two, 1] - points[one, 1]
    bu, bv = points[three, 0] - points[one, 0], points[three, 1] - points[one, 1]
    pu, pv = points[vertex, 0] - points[one, 0], points[vertex, 1] - points[one, 1]
    area = au * bv - bu * av
    s, t = (pu * bv - bu * pv) / area, (au * pv - pu * av) / area
    base: float = read[one, output]
    guess: float = base + (s * (read[two, output] - base) + t * (read[three, output] - base))
    return guess
