"""Lines through corners, along sides and through one point; units that repeat, oppose or rescale each
other."""

from __future__ import annotations

import numpy as np
import pytest

from splineviz.geometry.subdivision import Subdivision
from tests.geometry.hand import Cuts, at, bits, cut, polygon, square, units_of_edges
from tests.geometry.structure import areas_of, vanishing


def test_through_one_corner() -> None:
    cuts = Cuts()
    after = cuts(at(square(), [[2, -1, 1]]))
    assert (len(after.subdivision.vertices), len(after.subdivision.edges), len(after.subdivision.faces)) == (
        5,
        6,
        2,
    )
    assert (after.zeros, after.open) == (1, 0)
    assert sorted(areas_of(after.subdivision)) == [1.0, 3.0]
    cuts.assert_edges()


def test_through_two_corners() -> None:
    after = cut(square(), at(square(), [[1, 1, 0]]))
    assert (len(after.subdivision.vertices), len(after.subdivision.edges), len(after.subdivision.faces)) == (
        4,
        5,
        2,
    )
    assert (len(after.birth), after.zeros, after.open) == (0, 2, 0)


def test_both_diagonals_and_both_axes() -> None:
    """Four lines through the centre, two of them through the corners: the orders at the centre are taken as
    one point."""
    cuts = Cuts()
    after = cuts(at(square(), [[1, 1, 0], [1, -1, 0], [1, 0, 0], [0, 1, 0]]))
    assert (len(after.subdivision.vertices), len(after.subdivision.edges), len(after.subdivision.faces)) == (
        9,
        16,
        8,
    )
    assert after.open > 0
    centre = np.flatnonzero((after.subdivision.vertices == 0).all(axis=1))
    vertex, unit = vanishing(after)
    assert sorted(unit[vertex == centre[0]].tolist()) == [0, 1, 2, 3]
    np.testing.assert_allclose(areas_of(after.subdivision), 0.5, rtol=1e-15)
    cuts.assert_edges()


@pytest.mark.parametrize("line", [[1, 0, -1], [-1, 0, 1], [0, 1, 1], [1, 1, -2], [-1, -1, 2]])
def test_along_a_side_or_touching_a_corner(line: list[float]) -> None:
    """No chord, and no edge of the rim is given to a unit; the state is that inside."""
    cuts = Cuts()
    after = cuts(at(square(), [line]))
    assert len(after.subdivision.faces) == 1 and len(after.subdivision.shared) == 0
    assert after.zeros == (1 if line[0] and line[1] else 2)
    assert bits(after, 1)[0, 0] == (line[2] > 0)
    assert after.open == 0


def test_zero_on_the_whole_face_is_off() -> None:
    after = cut(square(), at(square(), [[0, 0, 0], [1, 0, 0]]))
    assert len(after.subdivision.faces) == 2
    assert bits(after, 2)[:, 0].tolist() == [False, False]
    assert (after.zeros, after.open) == (4, 0)


@pytest.mark.parametrize("n", [3, 4, 6, 13, 40, 128])
@pytest.mark.parametrize("slack", [0.0, 1e-15, 1e-12])
def test_concurrent_lines(n: int, slack: float) -> None:
    """n lines through one point, as float64 has them: 2n faces round one vertex of degree 2n."""
    angle = np.pi * (np.arange(n) + 0.3) / n
    normal = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cuts = Cuts()
    after = cuts(at(square(), np.column_stack([normal, -normal @ (0.1, -0.2)])), slack=slack)
    assert len(after.subdivision.faces) == 2 * n
    assert (len(after.subdivision.vertices), len(after.subdivision.edges)) == (5 + 2 * n, 4 + 4 * n)
    assert (np.bincount(after.subdivision.edges.ravel()) == 2 * n).sum() == (1 if n > 2 else 0)
    assert after.open > 0
    cuts.assert_edges()


def test_two_bundles_of_concurrent_lines() -> None:
    rng = np.random.default_rng(0)
    normal = rng.standard_normal((20, 2))
    centre = np.where(np.arange(20)[:, None] < 10, [-0.3, 0.1], [0.4, -0.2])
    cuts = Cuts()
    after = cuts(at(square(), np.column_stack([normal, -(normal * centre).sum(1)])), slack=1e-15)
    degree = np.bincount(after.subdivision.edges.ravel())
    assert np.sort(degree)[-2:].tolist() == [20, 20] and (np.sort(degree)[:-2] <= 4).all()
    cuts.assert_edges()


@pytest.mark.parametrize(
    "factors", [[1, 1], [1, -1], [1, 3], [1, -0.3], [0.1, 0.7, -1e-3], [1e9, -1e-9, 1, 1]]
)
def test_copies_of_one_unit_share_its_edges(factors: list[float]) -> None:
    line, others = np.array([0.7, 0.3, 0.11]), [[0.2, -0.9, 0.1], [-0.4, 0.5, 0.3]]
    k = len(factors)
    cuts = Cuts()
    after = cuts(at(square(), [*(f * line for f in factors), *others]), slack=1e-16)
    alone = cut(square(), at(square(), [line, *others]), slack=1e-16)
    assert len(after.subdivision.faces) == len(alone.subdivision.faces)
    drawn = [units for units in units_of_edges(after.subdivision) if units & {(0, u) for u in range(k)}]
    assert drawn and all(units == {(0, u) for u in range(k)} for units in drawn)
    vertex, unit = vanishing(after)
    for u in range(1, k):
        assert set(vertex[unit == u].tolist()) == set(vertex[unit == 0].tolist())
    states = bits(after, k)
    assert ((states == states[:, :1]) == (np.array(factors) > 0)).all()
    cuts.assert_edges()


def test_nearly_equal_units_within_the_bound_are_one_line() -> None:
    line = np.array([0.7, 0.3, 0.11])
    lines = [line, line + np.array([0, 0, 1e-13])]
    apart = cut(square(), at(square(), lines), slack=1e-17)
    assert len(apart.subdivision.faces) == 3 and apart.open == 0
    assert areas_of(apart.subdivision).min() > 0
    together = cut(square(), at(square(), lines), slack=1e-13)
    assert len(together.subdivision.faces) == 2 and together.open > 0
    assert len(together.subdivision.shared) == 1


def test_three_lines_that_miss_each_other_by_less_than_the_bound() -> None:
    """The triangle between them is either a face of positive area or a point, reported."""
    lines = np.array([[1.0, 0.2, 0.0], [0.1, 1.0, 0.0], [0.8, -0.7, 1e-10]])
    sharp = cut(square(), at(square(), lines), slack=1e-16)
    assert len(sharp.subdivision.faces) == 7 and sharp.open == 0
    blunt = cut(square(), at(square(), lines), slack=1e-10)
    assert len(blunt.subdivision.faces) == 6 and blunt.open > 0


def test_a_fan_of_chords_from_one_corner() -> None:
    corners = polygon(9)
    sub = Subdivision.from_polygons([corners])
    normal = np.stack([corners[0, 1] - corners[2:8, 1], corners[2:8, 0] - corners[0, 0]], axis=1)
    cuts = Cuts(sub)
    after = cuts(at(sub, np.column_stack([normal, -normal @ corners[0]])), slack=1e-15)
    assert len(after.birth) == 0
    assert sorted(after.subdivision.faces.lengths.tolist()) == [3] * 7
    cuts.assert_edges()


@pytest.mark.parametrize("shift", [0, 3, 8])
def test_all_diagonals_of_a_polygon(shift: int) -> None:
    """A regular 9-gon, no three diagonals of which meet: 1 + D + X faces, with X = C(9, 4)."""
    corners = np.roll(polygon(9, turn=0.05), shift, axis=0)
    sub = Subdivision.from_polygons([corners])
    diagonals = [(i, j) for i in range(9) for j in range(i + 2, 9) if (i, j) != (0, 8)]
    i, j = np.array(diagonals).T
    normal = np.stack([corners[i, 1] - corners[j, 1], corners[j, 0] - corners[i, 0]], axis=1)
    cuts = Cuts(sub)
    after = cuts(at(sub, np.column_stack([normal, -(normal * corners[i]).sum(1)])), slack=1e-15)
    assert len(after.subdivision.faces) == 1 + len(diagonals) + 126
    assert len(after.subdivision.vertices) == 9 + 126
    cuts.assert_edges()
