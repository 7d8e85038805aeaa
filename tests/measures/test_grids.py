"""What grids miss: closed forms, location of every point, labelled images and contours."""

from __future__ import annotations

from pathlib import Path

import contourpy
import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.measures import grid_scan
from splineviz.measures.grid_scan import _Components
from splineviz.measures.grids import GridLosses
from splineviz.measures.marching_squares import Squares, contour_length
from tests.measures.test_graph import network
from tests.measures.test_regions import arranged, bands

DOCS = Path(__file__).parents[2] / "docs" / "measures.md"


def measured(arr: sv.Arrangement, *sizes: int, **asked: object) -> GridLosses:
    found = arr.measure("grids", grids=sizes, **asked)
    assert isinstance(found, GridLosses)
    return found


def middles(low: float, high: float, n: int) -> np.ndarray:
    return low + (np.arange(n) + 0.5) * (high - low) / n


def strip(width: float) -> nn.Module:
    """|u| - width / 2."""
    model = bands()
    with torch.no_grad():
        model[2].bias.fill_(-width / 2)
    return model


def test_straight_lines_are_missed_at_the_rim_alone() -> None:
    """Squares between middles leave half a step at either end."""
    found = measured(arranged(bands(), -1, 1, -1, 2), 50)
    assert found["boundary length"] == pytest.approx(6.0, abs=1e-12)
    assert all(q.error is not None for q in found.quantities if not q.of)
    assert found["boundary length", "50 x 50 points"] == pytest.approx(6.0 * 49 / 50, abs=1e-12)
    assert found["missed boundary length", "50 x 50 points"] == pytest.approx(1 / 50, abs=1e-12)
    assert found["decision regions", "50 x 50 points"] == found["decision regions"] == 3
    assert found["missed cells", "50 x 50 points"] == 0


def test_a_strip_between_two_columns_is_missed() -> None:
    found = measured(arranged(strip(0.01), -1, 1, -1, 1), 50, 500)
    assert found["decision regions", "50 x 50 points"] == 1
    assert found["missed decision regions", "50 x 50 points"] == pytest.approx(1 / 3)
    assert found["boundary length", "50 x 50 points"] == 0
    assert found["missed decision regions", "500 x 500 points"] == 0
    assert found["boundary length", "500 x 500 points"] == pytest.approx(4 * 499 / 500, abs=1e-12)


@pytest.mark.parametrize(("seed", "outputs"), [(3, 1), (4, 3), (5, 3)])
def test_against_location_labels_and_contours(
    seed: int, outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, n = network(seed, 14, 14, outputs=outputs), 120
    arr = arranged(model, -2, 2, -2, 2)
    monkeypatch.setattr(grid_scan, "_POINTS", 900)
    found = measured(arr, n)
    ticks = middles(-2, 2, n)
    points = np.stack(np.meshgrid(ticks, ticks), -1)
    cells = np.unique(arr.locate(points))
    np.testing.assert_array_equal(np.flatnonzero(found.seen[0]), cells)
    regions = len(np.unique(arr.linear_regions[cells]))
    assert found["linear regions", f"{n} x {n} points"] == regions
    with torch.no_grad():
        z = model(torch.tensor(points)).numpy()
    z = np.concatenate([np.zeros_like(z), z], axis=2) if outputs == 1 else z
    classes = z.argmax(2)
    components = sum(ndimage.label(classes == c)[1] for c in range(z.shape[2]))
    assert found["decision regions", f"{n} x {n} points"] == components
    length = 0.0
    for c in range(z.shape[2]):
        margin = z[..., c] - np.delete(z, c, axis=2).max(2)
        lines = contourpy.contour_generator(ticks, ticks, margin).lines(0.0)
        length += 0.5 * sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines)
    assert found.lengths[0] == pytest.approx(length, rel=1e-9)
    assert 0 < found["missed boundary length", f"{n} x {n} points"] < 0.05


@pytest.mark.parametrize("seed", range(20))
def test_components_are_those_of_the_whole_image(seed: int) -> None:
    random = np.random.default_rng(seed)
    classes = random.integers(-1, 2, (40, 17))
    components, row = _Components(), 0
    while row < len(classes):
        last = min(len(classes), row + int(random.integers(1, 6)))
        components.add(classes[max(0, row - 1) : last])
        row = last
    assert components.total == sum(ndimage.label(classes == c)[1] for c in (0, 1))


def test_a_saddle_is_cut_by_the_sign_in_its_middle() -> None:
    """Logits 0 and z with z = 3, -1, 3, -1 at the corners: positive in the middle, so two corners are cut
    off, at a quarter of two sides each."""
    maps = np.zeros((4, 2, 3))
    maps[:, 1, 2] = [3.0, -1.0, 3.0, -1.0]
    squares = Squares(np.array([[1, 0, 1, 0]]), np.arange(4)[None], np.zeros((1, 4, 2)))
    assert contour_length(squares, maps, np.ones(2)) == pytest.approx(2 * 0.25 * np.sqrt(2), abs=1e-15)
    squares = Squares(np.array([[0, 1, 0, 1]]), np.arange(4)[None], np.zeros((1, 4, 2)))
    assert contour_length(squares, -maps, np.ones(2)) == pytest.approx(2 * 0.25 * np.sqrt(2), abs=1e-15)


def test_windows_add_up_and_their_shape_counts() -> None:
    program = sv.load_program(bands(), input_shape=(2,))
    windows = [sv.Window.diamond(1.0), sv.Window.box(0, 1, 0, 1)]
    arr = sv.arrange(program, [sv.Plane.identity()] * 2, windows)
    both, one = measured(arr, 40), measured(arr, 40, window=1)
    of = "40 x 40 points"
    assert one["boundary length", of] == pytest.approx(39 / 40, abs=1e-12)
    assert both["decision regions", of] == 3 + 2 == both["decision regions"]
    assert 0 < both["missed boundary length", of] < 0.1


def test_the_table_of_the_docs() -> None:
    found = sv.slice("demo", sv.demo.load_points()).measure("grids")
    assert isinstance(found, GridLosses)
    rows = []
    for size in found.sizes:
        of = f"{size} x {size} points"
        missed, seen = found["missed cells", of], found["decision regions", of]
        length, less = found["boundary length", of], found["missed boundary length", of]
        rows.append(
            f"| {size} x {size} | {missed:.1%} | {seen} | {length:.3f} | {less:.2%} |".replace("%", " %")
        )
    assert "\n".join(rows) in DOCS.read_text()


@pytest.mark.parametrize("sizes", [(1,), (2.5,), (200_000,), "a", ((3, 4),)])
def test_sizes_that_are_none(sizes: object) -> None:
    with pytest.raises(InputError, match="grids must be whole numbers from 2"):
        arranged(bands(), -1, 1, -1, 1).measure("grids", grids=sizes)
