"""Area of the smallest cell: only the few cells that may be it are measured exactly."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.areas import SHARE, area_errors, area_slack, estimated_displacement, exact_areas
from splineviz.arrangement.cells import Cells
from splineviz.arrangement.proof import Proof
from splineviz.program.program import Program

__all__ = ["open_smallest", "smallest_area"]


def smallest_area(arr: Cells, program: Program, areas: Float64[np.ndarray, "cell"]) -> float:
    """Least of the areas that `measured_areas` makes of rounded ones (F,), of one cell or more.

    A cell that by estimate is larger than another can be, is not it, however doubtful its area is.
    """
    off = area_errors(arr.vertices, arr.cells, estimated_displacement(arr))
    off[arr.thin_cells] = 0.0  # from exact corners
    with np.errstate(all="ignore"):
        wanted = ~(off <= SHARE * areas) & ~(areas - off > np.fmin.reduce(areas + off))
    return float(exact_areas(arr, program, areas, wanted).min())


def open_smallest(arr: Cells, proof: Proof, areas: Float64[np.ndarray, "cell"], smallest: float) -> int:
    """Number of cells that are not proven to be as large as the smallest, and one more if no cell is proven
    to be as small, each to a thousandth.

    Both follow from how far corners may be off: by the bound of the walk, where that does not do by the bound
    of each vertex, and else from exact corners.
    """
    if not math.isfinite(smallest):
        return arr.n_cells
    walk = arr.stats.largest_displacement
    off = area_errors(arr.vertices, arr.cells, np.full(arr.n_cells, np.inf if walk is None else walk))
    off[arr.thin_cells] = 0.0
    with np.errstate(all="ignore"):
        left = np.flatnonzero(~(areas - off >= (1.0 - SHARE) * smallest))
        if len(left):
            polygons = arr.cells.take(left)
            far = proof.displacement_at(polygons.values)[polygons.values]
            off[left] = area_errors(arr.vertices, polygons, np.maximum.reduceat(far, polygons.offsets[:-1]))
            off[arr.thin_cells] = 0.0
            left = left[~(areas[left] - off[left] >= (1.0 - SHARE) * smallest)]
        attained = bool((areas + off <= (1.0 + SHARE) * smallest).any())
    open_ = len(left)
    for exact in proof.cells(left).values():
        if exact.polygon is not None:
            area = exact.polygon.area
            slack = area_slack(area)
            open_ -= area + slack >= Fraction(smallest)
            attained |= area - slack <= Fraction(smallest)
    return open_ + (not attained)
