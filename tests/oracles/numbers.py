"""What is computed of a certified arrangement's cells, against the exact slice: without bounds of rounding that the
network's size would excuse."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from splineviz.arrangement.result import Arrangement
from tests.oracles.compare import Mismatch, match_cells
from tests.oracles.decisions import count_decision_regions
from tests.oracles.rational import ExactSlice

__all__ = ["assert_numbers_right"]

_AREA = 2.0**-10
"""Share of a cell's area that it may be off by, where it counts as proven"""


def assert_numbers_right(arr: Arrangement, exact: ExactSlice) -> None:
    """Compare linear regions, decision regions, areas and affine maps, each where it is said to be proven.

    Raises
    ------
    Mismatch
        For the first that differs.
    """
    match = match_cells(arr, exact)
    _same("regions", arr.n_linear_regions, exact.n_linear_regions, arr.exact["linear_regions"])
    _same("decisions", arr.n_decision_regions, count_decision_regions(exact), arr.exact["decision_regions"])
    regions = arr.decision_regions()
    rows = zip(match[regions.cells].tolist(), regions.classes.tolist(), strict=True)
    mine = dict(zip(rows, regions.areas.tolist(), strict=True))
    if arr.exact["decision_regions"] == 0 and mine.keys() != exact.decisions.keys():
        raise Mismatch("decisions", f"classes win in {sorted(mine)}, expected {sorted(exact.decisions)}")
    areas = arr.areas.tolist()
    if arr.exact["areas"] == 0:
        for cell, area in zip(match.tolist(), areas, strict=True):
            _close("areas", area, exact.areas[cell])
    maps = arr.affine
    for cell, found in zip(match.tolist(), maps, strict=True):
        size = max(abs(c) for form in exact.cells[cell].output for c in form)
        if float_(size) == math.inf:
            if np.isfinite(found).all():
                raise Mismatch("affine", "a map that overflows has finite coefficients")
        elif not np.isfinite(found).all():
            raise Mismatch("affine", f"a map of coefficients up to {float_(size)} is {found.tolist()}")


def float_(x: Fraction) -> float:
    """The nearest float64; infinite beyond the largest."""
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def _same(what: str, found: int, expected: int, n_open: int) -> None:
    if n_open == 0 and found != expected:
        raise Mismatch(what, f"{found}, expected {expected}")


def _close(what: str, found: float, expected: Fraction) -> None:
    if not found > 0 or not abs(Fraction(found) - expected) <= Fraction(_AREA) * expected + Fraction(
        math.ulp(0.0)
    ):
        raise Mismatch(what, f"{found}, expected {float_(expected)}")
