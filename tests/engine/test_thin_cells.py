"""Cells that float64 coordinates do not tell: their areas are exact, or they are named."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import splineviz as sv
from splineviz.arrangement.exact_cells import exact_cells
from splineviz.choices import Certify
from splineviz.engine import walk
from tests.fuzz.hostile import repeated_rows
from tests.oracles.compare import match_cells
from tests.oracles.harness import exact_slice, program_of

WINDOWS = [
    sv.Window.box(-1, 1, -1, 1),
    sv.Window.box(-1e8, 1e8, -1e8, 1e8),
    sv.Window.box(1e12, 1e12 + 2, 0, 2),
]


@pytest.mark.parametrize("window", WINDOWS, ids=["1", "1e8", "at 1e12"])
@pytest.mark.parametrize("certify", ["fast", "full"])
def test_areas_of_cells_between_rows_one_unit_in_the_last_place_apart(
    certify: Certify, window: sv.Window
) -> None:
    network = repeated_rows(3, [2, 8, 8, 2])
    arr = sv.arrange(program_of(network), sv.Plane.identity(), window, jobs=1, certify=certify)
    assert arr.status is sv.Status.COMPLETE and arr.certified and len(arr.thin_cells)
    arr.check()
    exact = exact_slice(network, window)
    for cell, area in zip(match_cells(arr, exact).tolist(), arr.areas.tolist(), strict=True):
        assert abs(Fraction(area) - exact.cells[cell].area) <= Fraction(2.0**-10) * exact.cells[cell].area
    for cell, area in zip(match_cells(arr, exact)[arr.thin_cells].tolist(), arr.thin_areas, strict=True):
        assert float(area) == float(exact.cells[cell].area)
    assert sv.check(arr, program_of(network), points=100, segments=2).ok


def test_cells_smaller_than_what_corners_are_off_are_thin() -> None:
    """In a window of 2e8 cells at the origin are no larger than the error that coordinates may have elsewhere."""
    program = program_of(repeated_rows(0, [2, 16, 16, 2]))
    arr = sv.arrange(program, sv.Plane.identity(), WINDOWS[1], jobs=1)
    found = exact_cells(arr, program, np.arange(arr.n_cells))
    assert found is not None and arr.stats.largest_displacement is not None
    for corners, cell in zip(arr.cells, found, strict=True):
        assert cell.polygon is not None
        places = [[x / w, y / w] for x, y, w in cell.polygon.corners]
        off = np.hypot(*(arr.vertices[corners] - places).T).max()
        assert off <= arr.stats.largest_displacement * (1 + 1e-9)
        assert off**2 <= float(cell.polygon.area) or off <= 1e-15 * np.abs(places).max()


def test_thin_cells_beyond_the_allowance_are_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, whatever area their rounded corners happen to have."""
    program = program_of(repeated_rows(3, [2, 8, 8, 2]))
    whole = sv.arrange(program, sv.Plane.identity(), WINDOWS[0], jobs=1)
    monkeypatch.setattr(walk, "_THIN", 0.0)
    monkeypatch.setattr(walk, "_SHARE", 2.0 + 1e-9)
    arr = sv.arrange(program, sv.Plane.identity(), WINDOWS[0], jobs=1)
    measured = set(arr.thin_cells.tolist())
    assert measured < set(whole.thin_cells.tolist())
    assert set(whole.thin_cells.tolist()) - measured <= set(arr.in_doubt.tolist())
    assert arr.status is sv.Status.IN_DOUBT and arr.stats.undecided == 0 and not arr.certified
    assert arr.n_cells == whole.n_cells
