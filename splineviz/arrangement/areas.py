"""Areas of cells: in float64 where that is good, from exact corners where it is not; and which are proven."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float64

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.exact_cells import affordable, exact_cells
from splineviz.arrangement.exact_polygon import ratio
from splineviz.arrangement.polygons import next_side
from splineviz.arrangement.proof import Proof
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.program.program import Program

__all__ = ["doubtful_areas", "measured_areas", "open_areas"]

_SHARE = 2.0**-10
"""Of an area that it may be off by, for what it is counted as right"""
_ESTIMATE = 2.0**-32
"""Of the largest numbers between uv and input space: coordinates that by estimate are off by more have been
rounded from exact ones by the walk, as far as its allowance goes"""


def measured_areas(arr: Cells, program: Program, areas: Float64[np.ndarray, "cell"]) -> np.ndarray:
    """Areas (F,), exact for cells that are too thin for what their vertices' coordinates may be off by.

    All of these with ``certify="full"``, else as many of the smallest as take a few seconds.
    """
    reach = np.array([
        float(np.linalg.norm(plane.origin)) + np.abs(window.vertices).max() * 2.0
        for plane, window in zip(arr.planes, arr.windows, strict=True)
    ])  # fmt: skip
    doubtful = doubtful_areas(arr, areas, _ESTIMATE * reach[arr.cell_window])
    doubtful[arr.thin_cells] = False  # from exact corners
    cells = np.flatnonzero(doubtful)
    cells = cells[np.argsort(areas[cells], kind="stable")][: affordable(program, arr.stats.certify != "full")]
    result = areas.copy()
    for cell, exact in zip(cells.tolist(), exact_cells(arr, program, cells) or [], strict=False):
        if exact.polygon is not None:
            result[cell] = _rounded(exact.polygon.area)
    return result


def open_areas(arr: Cells, proof: Proof, areas: Float64[np.ndarray, "cell"]) -> int:
    """Number of cells whose area is not proven to be right to a thousandth.

    It follows from how far their corners may be off, or from exact corners.
    """
    if not arr.n_cells:
        return 0
    far = np.maximum.reduceat(proof.displacement[arr.cells.values], arr.cells.offsets[:-1])
    doubtful = doubtful_areas(arr, areas, far)
    doubtful[arr.thin_cells] = False
    cells = np.flatnonzero(doubtful)
    proven = 0
    for cell, exact in proof.cells(cells).items():
        if exact.polygon is not None:
            area = exact.polygon.area
            slack = Fraction(_SHARE) * area + Fraction(math.ulp(0.0))
            found = areas[cell]
            proven += bool(np.isfinite(found)) and abs(Fraction(float(found)) - area) <= slack
    return len(cells) - proven


def doubtful_areas(
    arr: Cells, areas: Float64[np.ndarray, "cell"], moved: Float64[np.ndarray, "cell"]
) -> Bool[np.ndarray, "cell"]:
    """(F,) bool: which areas may be off by a thousandth if corners are off by ``moved`` (F,) at most.

    Moving corners by d changes the area of a polygon with n corners by d times its perimeter and n d^2, at
    most.
    """
    start = arr.cells.offsets[:-1]
    if not len(start):
        return np.zeros(0, dtype=bool)
    with np.errstate(all="ignore"):
        uv = arr.vertices[arr.cells.values]
        after = next_side(arr.cells.offsets)
        perimeter = np.add.reduceat(np.hypot(*(uv[after] - uv).T), start)
        n = arr.cells.lengths
        off = moved * perimeter + n * moved**2 + 8.0 * n * UNIT_ROUNDOFF * perimeter**2
        doubtful: np.ndarray = ~(SAFE * off <= _SHARE * areas)
    return doubtful


def _rounded(area: Fraction) -> float:
    """A positive area; one that underflows is the least positive float64."""
    return max(ratio(area.numerator, area.denominator), math.ulp(0.0))
