"""Distances between line drawings against closed forms and dense sampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from splineviz.comparison import distances
from splineviz.comparison.distances import line_distances


def sampled(first: np.ndarray, second: np.ndarray, n: int = 2000) -> tuple[float, float, float]:
    """Mean and largest distance of n midpoints a segment to the other drawing, and the largest step between
    them."""
    t = (np.arange(n) + 0.5)[:, None] / n
    other = shapely.multilinestrings(second)
    means, lengths = [], []
    largest = 0.0
    for p, q in first:
        far = shapely.distance(shapely.points(p + t * (q - p)), other)
        means.append(far.mean())
        lengths.append(np.linalg.norm(q - p))
        largest = max(largest, float(far.max()))
    return float(np.average(means, weights=lengths)), largest, max(lengths) / n


coordinates = st.integers(-8, 8).map(lambda n: n / 4)
segments = st.lists(
    st.tuples(coordinates, coordinates, coordinates, coordinates), min_size=1, max_size=6
).filter(lambda rows: all(row[:2] != row[2:] for row in rows))


@settings(max_examples=60, deadline=None)
@given(segments, segments)
def test_bounds_hold_the_sampled_distances(
    one: list[tuple[float, ...]], two: list[tuple[float, ...]]
) -> None:
    first, second = (np.array(rows).reshape(-1, 2, 2) for rows in (one, two))
    found = line_distances(first, second)
    there, back = sampled(first, second), sampled(second, first)
    step = max(there[2], back[2])
    for (mean, _, _), known in zip(
        (there, back), (found.first_to_second, found.second_to_first), strict=True
    ):
        assert known.error <= 1e-4 * known.value + 1e-8
        assert abs(known.value - mean) <= known.error + step
    far = found.hausdorff
    assert far.error <= 1e-8
    assert far.value - step - far.error <= max(there[1], back[1]) <= far.value + far.error + 1e-12
    other_way = line_distances(second, first)
    assert other_way.hausdorff.value == pytest.approx(far.value, abs=1e-8)
    assert other_way.mean.value == pytest.approx(found.mean.value, rel=2e-4, abs=1e-8)


def test_crossing_lines() -> None:
    """Diagonals of a square of side 2: a point is at most sqrt 2 from the other, half of that on average."""
    cross = np.array([[[-1.0, -1.0], [1.0, 1.0]]]), np.array([[[-1.0, 1.0], [1.0, -1.0]]])
    found = line_distances(*cross)
    assert found.hausdorff.value == pytest.approx(math.sqrt(2))
    assert found.mean.value == pytest.approx(math.sqrt(0.5), rel=1e-4)


def test_the_middle_between_two_lines_is_found() -> None:
    """The farthest point of a segment that leads from one line to another is no end and no vertex."""
    first = np.array([[[0.0, 0.0], [3.0, 0.0]]])
    second = np.array([[[0.0, -1.0], [0.0, 1.0]], [[3.0, -1.0], [3.0, 1.0]]])
    found = line_distances(first, second)
    assert found.hausdorff.value == pytest.approx(
        1.5, rel=1e-8
    ) and found.first_to_second.value == pytest.approx(0.75, rel=1e-4)


def test_a_drawing_and_itself_in_other_pieces() -> None:
    whole = np.array([[[0.1, 0.2], [0.9, 0.7]]])
    t = np.sort(np.append(np.random.default_rng(0).random(20), [0.0, 1.0]))[:, None]
    points = whole[0, 0] + t * (whole[0, 1] - whole[0, 0])
    found = line_distances(whole, np.stack([points[:-1], points[1:]], 1))
    assert found.hausdorff.value < 1e-9 and found.mean.value < 1e-9


@pytest.mark.parametrize("gap", [1e-2, 1e-5, 1e-8])
def test_lines_that_are_close_take_no_more_pieces(gap: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain of a hundred bent segments, and the same shifted."""
    t = np.linspace(0.0, 1.0, 101)
    points = np.stack([t, 0.1 * np.sin(9 * t)], 1)
    chain = np.stack([points[:-1], points[1:]], 1)
    asked = []
    nearest = distances._Others.nearest
    monkeypatch.setattr(
        distances._Others,
        "nearest",
        lambda self, points: (asked.append(len(points)), nearest(self, points))[1],
    )
    found = line_distances(chain, chain + np.array([0.0, gap]), tolerance=1e-3)
    assert 0.7 * gap < found.mean.value <= gap and found.mean.error <= 1e-3 * found.mean.value + 2e-9
    assert sum(asked) < 20_000
