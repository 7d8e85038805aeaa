"""One face, cut by lines in general position."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from splineviz.geometry.subdivision import Subdivision
from tests.geometry.hand import SQUARE, Cuts, at, bits, cut, polygon, square
from tests.geometry.structure import areas_of
from tests.oracles.polygonize import count_cells


def general(n: int, seed: int) -> np.ndarray:
    lines = np.random.default_rng(seed).standard_normal((n, 3))
    lines[:, 2] *= 0.4
    return lines


def expected(lines: np.ndarray) -> tuple[int, int, int]:
    """(V, E, F) of lines in general position on the square, by counting the crossings inside it."""
    cutting = [line for line in lines if np.ptp(np.sign(SQUARE @ line[:2] + line[2])) == 2]
    crossings = 0
    for one, other in combinations(cutting, 2):
        point = np.linalg.solve([one[:2], other[:2]], [-one[2], -other[2]])
        crossings += bool(np.abs(point).max() < 1)
    n = len(cutting)
    return 4 + 2 * n + crossings, 4 + 3 * n + 2 * crossings, 1 + n + crossings


def counts(sub: Subdivision) -> tuple[int, int, int]:
    return len(sub.vertices), len(sub.edges), len(sub.faces)


def test_no_unit_changes_nothing() -> None:
    before = square()
    after = cut(before, np.empty((4, 0)))
    assert counts(after.subdivision) == (4, 4, 1)
    np.testing.assert_array_equal(after.subdivision.faces.values, before.faces.values)
    assert (after.on == 0).all() and (after.decisions, after.zeros, after.open) == (0, 0, 0)


def test_units_that_do_not_cut_are_on_or_off() -> None:
    after = cut(square(), at(square(), [[0, 0, 1], [0, 0, -1], [1, 0, 1.5], [0, 1, -1.5]]))
    assert counts(after.subdivision) == (4, 4, 1)
    assert bits(after, 4).tolist() == [[True, False, True, False]]
    assert after.zeros == 0


def test_one_line() -> None:
    after = cut(square(), at(square(), [[2, 0, -1]]))
    assert counts(after.subdivision) == (6, 7, 2)
    assert sorted(zip(areas_of(after.subdivision), bits(after, 1)[:, 0], strict=True)) == [
        (1.0, True),
        (3.0, False),
    ]
    assert after.subdivision.edge_source[-1].tolist() == [0, 0]
    assert sorted(after.subdivision.vertices[4:].tolist()) == [[0.5, -1.0], [0.5, 1.0]]


@pytest.mark.parametrize("k", [2, 5, 70])
def test_parallel_lines_make_strips(k: int) -> None:
    offsets = (np.arange(k) + 0.5) / k * 2 - 1
    cuts = Cuts()
    after = cuts(at(square(), np.stack([np.ones(k), np.zeros(k), -offsets], axis=1)))
    assert counts(after.subdivision) == (4 + 2 * k, 4 + 3 * k, 1 + k)
    np.testing.assert_array_equal(np.sort(bits(after, k).sum(1)), np.arange(k + 1))
    cuts.assert_edges()


@pytest.mark.parametrize("n", [3, 5, 7, 9, 11])
def test_lines_that_all_cross_inside(n: int) -> None:
    angle = 2 * np.pi * np.arange(n) / n + 0.1
    reach = 1.05 / np.sin(np.pi / (2 * n))
    sub = Subdivision.from_polygons([reach * SQUARE])
    after = cut(sub, at(sub, np.stack([np.cos(angle), np.sin(angle), -np.ones(n)], axis=1)))
    pairs = n * (n - 1) // 2
    assert counts(after.subdivision) == (pairs + 2 * n + 4, n * n + 2 * n + 4, 1 + n + pairs)
    assert after.open == 0


@pytest.mark.parametrize(("n", "seed"), [(4, 0), (12, 1), (30, 2), (60, 3), (60, 4)])
def test_general_position(n: int, seed: int) -> None:
    lines = general(n, seed)
    cuts = Cuts()
    after = cuts(at(square(), lines), slack=1e-16)
    assert counts(after.subdivision) == expected(lines)
    assert [len(after.subdivision.faces)] == count_cells([(lines[:, :2], lines[:, 2])], SQUARE)
    assert len(np.unique(bits(after, n), axis=0)) == len(after.subdivision.faces)
    assert after.open == 0
    cuts.assert_edges()


def test_three_hundred_units_in_one_face() -> None:
    lines = general(300, 5)
    after = cut(square(), at(square(), lines), slack=1e-16)
    assert counts(after.subdivision) == expected(lines)
    assert after.on.shape[1] == 5
    assert after.open == 0


@pytest.mark.parametrize("n", [63, 64, 65, 128, 129])
def test_units_beyond_one_word(n: int) -> None:
    """Only the first and last units cut; those between are on and off by turns."""
    lines = np.zeros((n, 3))
    lines[:, 2] = np.where(np.arange(n) % 2, 1.0, -1.0)
    lines[0], lines[-1] = (1, 0, 0.25), (0, 1, 0.25)
    after = cut(square(), at(square(), lines))
    state = bits(after, n)
    assert len(state) == 4
    assert (state[:, 1:-1] == (np.arange(1, n - 1) % 2 == 1)).all()
    assert len(np.unique(state[:, [0, -1]], axis=0)) == 4


def test_states_are_those_of_the_functions_inside() -> None:
    lines = general(40, 6)
    after = cut(square(), at(square(), lines), slack=1e-16)
    faces = after.subdivision.faces
    middle = (
        np.add.reduceat(after.subdivision.vertices[faces.values], faces.offsets[:-1]) / faces.lengths[:, None]
    )
    np.testing.assert_array_equal(bits(after, 40), middle @ lines[:, :2].T + lines[:, 2] > 0)


@pytest.mark.parametrize("corners", [3, 4, 5, 12])
def test_many_windows_at_once_are_as_each_alone(corners: int) -> None:
    rng = np.random.default_rng(corners)
    polygons = [polygon(corners, 0.3, turn) + rng.uniform(-1, 1, 2) for turn in rng.uniform(0, 7, 40)]
    lines = general(30, 7)
    together = Subdivision.from_polygons(polygons)
    after = cut(together, at(together, lines), slack=1e-16, n_windows=40)
    for number, corner in enumerate(polygons):
        alone = Subdivision.from_polygons([corner])
        one = cut(alone, at(alone, lines), slack=1e-16)
        np.testing.assert_array_equal(after.on[after.parent == number], one.on)
    assert (np.diff(after.parent) >= 0).all(), "the children of a face follow each other"


def test_values_are_not_told_apart_by_their_scale() -> None:
    lines = general(20, 8)
    plain = cut(square(), at(square(), lines))
    scaled = cut(square(), at(square(), lines * 2.0 ** np.random.default_rng(0).integers(-90, 90, (20, 1))))
    np.testing.assert_array_equal(plain.subdivision.vertices, scaled.subdivision.vertices)
    np.testing.assert_array_equal(plain.on, scaled.on)
