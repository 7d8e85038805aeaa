"""Whatever values and bounds come, the result is a subdivision, and doubts are counted: never a crash."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from splineviz.geometry.refine import refine
from splineviz.geometry.subdivision import Subdivision
from tests.geometry.hand import Cuts, at, cut, extended, polygon, square
from tests.geometry.structure import areas_of, assert_structure, vanishing


def draw_lines(rng: np.random.Generator, kind: str, k: int) -> np.ndarray:
    """(k, 3) lines that tend to cross inside the unit square."""
    lines: np.ndarray = rng.standard_normal((k, 3)) * np.array([1, 1, 0.4])
    if kind == "integer":
        lines = rng.integers(-3, 4, (k, 3)) / np.array([1, 1, 2])
    elif kind == "concurrent":
        normal, centres = rng.standard_normal((k, 2)), rng.uniform(-0.9, 0.9, (1 + k // 4, 2))
        lines = np.column_stack([normal, -(normal * centres[rng.integers(len(centres), size=k)]).sum(1)])
    elif kind == "slivers":
        base = rng.standard_normal((1 + k // 5, 3)) * (1, 1, 0.3)
        copies = base[rng.integers(len(base), size=k)] * rng.choice([1, -1, 2, 0.5], (k, 1))
        lines = copies + rng.standard_normal((k, 3)) * 10.0 ** rng.integers(-16, -2, (k, 1))
    return lines


KINDS = ("general", "integer", "concurrent", "slivers")


@given(st.integers(0, 2**32), st.sampled_from(KINDS), st.integers(1, 40), st.floats(0, 0.1), st.booleans())
def test_any_bounds_on_random_lines(seed: int, kind: str, k: int, slack: float, each: bool) -> None:
    """``slack`` is that of all vertices, or the largest of many sizes."""
    rng = np.random.default_rng(seed)
    sub = square()
    slacks = slack * 10.0 ** -rng.uniform(0, 16, 4) if each else np.full(4, slack)
    after = cut(sub, at(sub, draw_lines(rng, kind, k)), slack=slacks)
    assert after.open >= 0
    assert areas_of(after.subdivision).sum() == pytest.approx(4, rel=1e-12)


@given(st.integers(0, 2**32), st.lists(st.sampled_from(KINDS), min_size=3, max_size=3), st.floats(-16, -1))
def test_three_stages_under_any_bounds(seed: int, kinds: list[str], exponent: float) -> None:
    """Later units are affine on the faces of earlier ones, as far as coincidences left these."""
    rng = np.random.default_rng(seed)
    cuts = Cuts()
    h = cuts.sub.vertices
    for stage, kind in enumerate(kinds):
        k = int(rng.integers(1, (20, 8, 4)[stage]))
        if stage and rng.random() < 0.5:
            z = np.ascontiguousarray(h @ rng.integers(-2, 3, (h.shape[1], k)) + rng.integers(-2, 3, k))
        else:
            z = at(cuts.sub, draw_lines(rng, kind, k))
        refinement = cuts(z, slack=10.0 ** (exponent if rng.random() < 0.7 else -15))
        h = extended(z, refinement)
        h[vanishing(refinement)] = 0.0
        h = np.maximum(h, 0)


@given(st.integers(0, 2**32), st.sampled_from([1e-12, 1e-9, 1e-6, 1e-3]))
def test_bounds_that_are_too_small(seed: int, noise: float) -> None:
    """Values off by far more than is claimed: signs and orders contradict each other, and faces may stay
    whole."""
    rng = np.random.default_rng(seed)
    sub = square()
    for stage in range(3):
        z = at(sub, draw_lines(rng, "general", int(rng.integers(1, 15))))
        z += noise * rng.standard_normal(z.shape)
        after = refine(sub, z, np.ones(z.shape[1]), np.full(len(z), 1e-16), stage)
        assert_structure(after.subdivision)
        sub = after.subdivision


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_forty_lines_under_a_bound_of_a_thousandth(kind: str, seed: int) -> None:
    cut(square(), at(square(), draw_lines(np.random.default_rng(seed), kind, 40)), slack=1e-3)


@pytest.mark.parametrize("k", [1, 5, 20, 60, 300])
def test_signs_that_change_four_times_round_a_face(k: int) -> None:
    """No affine function does that; values on a face that rounding bent may. Nothing is drawn, every unit is
    counted."""
    z = np.outer([1, -1, 1, -1], np.arange(1.0, k + 1)) + np.linspace(0, 0.3, k)
    after = refine(square(), np.ascontiguousarray(z), np.ones(k), np.zeros(4), 0)
    assert_structure(after.subdivision)
    assert len(after.subdivision.faces) == 1 and after.open == k


def test_points_taken_as_one_never_leave_a_face_of_two_sides() -> None:
    """Six lines of which two that do not cross share an end and, by the bound, a further point."""
    found = np.random.default_rng(642).standard_normal((6, 3)) * (1, 1, 0.5)
    assert cut(square(), at(square(), found), slack=1e-3).open > 0


def test_a_bound_larger_than_all_values_leaves_everything_open() -> None:
    after = cut(square(), at(square(), draw_lines(np.random.default_rng(0), "general", 10)), slack=1.0)
    assert len(after.subdivision.faces) == 1
    assert (after.zeros, after.open) == (40, 40)
    assert (after.on == 0).all()


@pytest.mark.parametrize("n", [300, 600])
def test_a_wide_layer_without_bias(n: int) -> None:
    """All its lines meet in one point, and this is no slower than if they did not."""
    normal = np.random.default_rng(n).standard_normal((n, 2))
    after = cut(square(), at(square(), np.column_stack([normal, -normal @ (0.1, 0.2)])), slack=1e-15)
    assert len(after.subdivision.faces) == 2 * n
    assert after.open > 0


def test_thin_windows() -> None:
    for thin in (1e-3, 1e-9, 1e-13):
        window = np.array([[0, 0], [1, 0], [1, thin], [0, thin]])
        sub = Subdivision.from_polygons([window])
        lines = np.column_stack([np.ones(9), np.linspace(-0.4, 0.4, 9) / thin, -np.linspace(0.1, 0.9, 9)])
        after = cut(sub, at(sub, lines), slack=1e-16)
        assert len(after.subdivision.faces) >= 10


def test_many_windows_far_apart_in_size() -> None:
    polygons = [polygon(6, 10.0**-e) + np.array([3.0 * e, 0]) for e in range(9)]
    sub = Subdivision.from_polygons(polygons)
    lines = np.array([[1, e, -3.0 * e] for e in range(9)] + [[-e, 1, 3.0 * e * e] for e in range(9)])
    slack = np.repeat(1e-15 * (1 + 3.0 * np.arange(9)), 6)
    after = cut(sub, at(sub, lines), slack=slack, n_windows=9)
    assert len(after.subdivision.faces) >= 9 + 18
