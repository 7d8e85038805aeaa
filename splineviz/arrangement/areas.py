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
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.program.program import Program

__all__ = [
    "SHARE",
    "area_errors",
    "area_slack",
    "doubtful_areas",
    "estimated_displacement",
    "exact_areas",
    "measured_areas",
    "open_areas",
]

SHARE = 2.0**-10
"""Of an area that it may be off by, for what it is counted as right"""
_ESTIMATE = 2.0**-32
"""Of the largest numbers between uv and input space: coordinates that by estimate are off by more have been
rounded from exact ones by the walk, as far as its allowance goes"""


def measured_areas(arr: Cells, program: Program, areas: Float64[np.ndarray, "cell"]) -> np.ndarray:
    """Areas (F,), exact for cells that are too thin for what their vertices' coordinates may be off by.

    All of these with ``certify="full"``, else as many of the smallest as take a few seconds.
    """
    return exact_areas(arr, program, areas, doubtful_areas(arr, areas, estimated_displacement(arr)))


def exact_areas(
    arr: Cells, program: Program, areas: Float64[np.ndarray, "cell"], wanted: Bool[np.ndarray, "cell"]
) -> Float64[np.ndarray, "cell"]:
    """Areas (F,), exact for the cells that are ``wanted``, as many of the smallest of them as
    `measured_areas` affords."""
    cells = np.setdiff1d(np.flatnonzero(wanted), arr.thin_cells)  # theirs are from exact corners
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
            area, found = exact.polygon.area, areas[cell]
            proven += bool(np.isfinite(found)) and abs(Fraction(float(found)) - area) <= area_slack(area)
    return len(cells) - proven


def area_slack(area: Fraction) -> Fraction:
    """How far a stored area may be from the exact one to count as right."""
    return Fraction(SHARE) * area + Fraction(math.ulp(0.0))


def doubtful_areas(
    arr: Cells, areas: Float64[np.ndarray, "cell"], moved: Float64[np.ndarray, "cell"]
) -> Bool[np.ndarray, "cell"]:
    """(F,) bool: which areas may be off by a thousandth if corners are off by ``moved`` (F,) at most."""
    with np.errstate(all="ignore"):
        doubtful: np.ndarray = ~(area_errors(arr.vertices, arr.cells, moved) <= SHARE * areas)
    return doubtful


def area_errors(
    vertices: Float64[np.ndarray, "vertex 2"], polygons: Csr, moved: Float64[np.ndarray, "polygon"]
) -> Float64[np.ndarray, "polygon"]:
    """(P,) how far the areas of polygons may be off if corners are off by ``moved`` (P,) at most.

    Moving corners by d changes the area of a polygon with n corners by d times its perimeter and n d^2, at
    most.
    """
    start = polygons.offsets[:-1]
    if not len(start):
        return np.zeros(0)
    with np.errstate(all="ignore"):
        uv = vertices[polygons.values]
        after = next_side(polygons.offsets)
        perimeter = np.add.reduceat(np.hypot(*(uv[after] - uv).T), start)
        n = polygons.lengths
        off: np.ndarray = moved * perimeter + n * moved**2 + 8.0 * n * UNIT_ROUNDOFF * perimeter**2
        return SAFE * off


def estimated_displacement(arr: Cells) -> Float64[np.ndarray, "cell"]:
    """(F,) estimate of how far the corners of cells are off, in uv."""
    reach = np.array([
        float(np.linalg.norm(plane.origin)) + np.abs(window.vertices).max() * 2.0
        for plane, window in zip(arr.planes, arr.windows, strict=True)
    ])  # fmt: skip
    estimated: np.ndarray = _ESTIMATE * reach[arr.cell_window]
    return estimated


def _rounded(area: Fraction) -> float:
    """A positive area; one that underflows is the least positive float64."""
    return max(ratio(area.numerator, area.denominator), math.ulp(0.0))
