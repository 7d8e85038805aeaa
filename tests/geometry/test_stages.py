"""Refinements in a row: what edges, faces and values inherit."""

from __future__ import annotations

import numpy as np
import pytest

from splineviz.geometry.lineage import inherit
from splineviz.geometry.subdivision import Subdivision
from splineviz.values.extension import TensorErrors, extend_values
from tests.geometry.hand import Cuts, at, bits, extended, square, units_of_edges
from tests.geometry.structure import areas_of, left_right, vanishing


def relu_stage(cuts: Cuts, z: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """Cut along z and return relu(z) at the new vertices."""
    refinement = cuts(z, slack)
    values = extended(z, refinement)
    values[vanishing(refinement)] = 0.0
    return np.asarray(np.maximum(values, 0.0))


def inner_edges_on(sub: Subdivision, u: float) -> np.ndarray:
    """Inner edges on the line with first coordinate u."""
    _, right = left_right(sub)
    return np.flatnonzero((right >= 0) & (sub.vertices[sub.edges, 0] == u).all(axis=1))


def test_parts_of_an_edge_keep_its_units() -> None:
    cuts = Cuts()
    cuts(at(cuts.sub, [[1, 0, 0], [-2, 0, 0]]), slack=1e-16)
    cuts(at(cuts.sub, [[0, 1, 0.5], [0, 1, -0.25], [0.1, 1, 0.1]]), slack=1e-16)
    middle = inner_edges_on(cuts.sub, 0.0)
    assert len(middle) == 4
    units = units_of_edges(cuts.sub)
    assert all(units[edge] == {(0, 0), (0, 1)} for edge in middle)
    assert (cuts.sub.edge_source[middle, 0] == 0).all()
    cuts.assert_edges()


def test_rim_stays_rim() -> None:
    cuts = Cuts()
    cuts(at(cuts.sub, [[1, 0.3, 0.1]]))
    cuts(at(cuts.sub, [[0.2, 1, 0.1], [1, -1, 0.3]]), slack=1e-16)
    rim = left_right(cuts.sub)[1] < 0
    length = np.hypot(
        *(cuts.sub.vertices[cuts.sub.edges[rim, 0]] - cuts.sub.vertices[cuts.sub.edges[rim, 1]]).T
    ).sum()
    assert length == pytest.approx(8, rel=1e-14)
    assert rim.sum() == 4 + 6


@pytest.mark.parametrize(
    ("name", "listed"),
    [("identical", True), ("relu", True), ("off", True), ("absolute", False), ("tent", False)],
)
def test_a_later_unit_that_vanishes_along_an_old_edge(name: str, listed: bool) -> None:
    """It is named there if and only if its states on the two sides differ."""
    cuts = Cuts()
    cuts(at(cuts.sub, [[1, 0, 0], [0, 1, 0.5]]))
    x = cuts.sub.vertices[:, :1].copy()
    later = {"identical": x, "relu": np.maximum(x, 0), "off": np.minimum(x, 0) + np.maximum(3 * x, 0)}
    later |= {"absolute": np.abs(x), "tent": -np.abs(x)}
    n_before = len(cuts.sub.faces)
    cuts(later[name].copy())
    assert len(cuts.sub.faces) == n_before
    units = units_of_edges(cuts.sub)
    assert all(((1, 0) in units[edge]) == listed for edge in inner_edges_on(cuts.sub, 0.0))
    assert sum((1, 0) in u for u in units) == (len(inner_edges_on(cuts.sub, 0.0)) if listed else 0)
    cuts.assert_edges()


def test_a_unit_may_cut_one_side_of_an_old_edge_and_touch_it_from_the_other() -> None:
    """z = x on the right, 0 on the left, minus y above: chords end on the old edge, which every face still
    shares."""
    cuts = Cuts()
    h = relu_stage(cuts, at(cuts.sub, [[1, 0, 0], [0, 1, 0]]), slack=1e-16)
    cuts(h @ np.array([[1.0], [-1.0]]) - 0.0, slack=1e-16)
    cuts.assert_edges()
    assert areas_of(cuts.sub).sum() == pytest.approx(4, rel=1e-15)
    assert len(cuts.sub.faces) == 5


@pytest.mark.parametrize("seed", range(4))
def test_an_edge_that_many_units_cross_is_shared_point_by_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cuts = Cuts()
    cuts(at(cuts.sub, [[1, 0.1, 0.02]]))
    lines = np.column_stack([0.2 * rng.standard_normal(50), np.ones(50), rng.uniform(-0.9, 0.9, 50)])
    cuts(at(cuts.sub, lines), slack=1e-16)
    drawn = [edge for edge, units in enumerate(units_of_edges(cuts.sub)) if (0, 0) in units]
    assert len(drawn) == 51
    assert (left_right(cuts.sub)[1][drawn] >= 0).all()
    cuts.assert_edges()


@pytest.mark.parametrize(
    ("widths", "seed"), [((6, 6, 6), 0), ((12, 5, 3), 1), ((3, 20, 4), 2), ((2, 2, 2, 2, 2), 3)]
)
def test_relu_stages(widths: tuple[int, ...], seed: int) -> None:
    """Every stage cuts the faces of the one before; the states of all stages differ across exactly the edges
    that say so."""
    rng = np.random.default_rng(seed)
    cuts = Cuts()
    h = cuts.sub.vertices
    counts = []
    for width in widths:
        weight, bias = rng.standard_normal((h.shape[1], width)), 0.3 * rng.standard_normal(width)
        h = relu_stage(cuts, np.ascontiguousarray(h @ weight + bias), slack=1e-14)
        counts.append(len(cuts.sub.faces))
    assert cuts.open == 0
    assert counts == sorted(counts) and counts[-1] > 6
    everything = np.concatenate(cuts.states, axis=1)
    assert len(np.unique(everything, axis=0)) == counts[-1]
    cuts.assert_edges()


def test_integer_relu_stages_with_zeros_everywhere() -> None:
    """Small integers make units vanish at corners, along edges and on whole faces, and lines meet in one
    point."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        cuts = Cuts()
        h = 4 * cuts.sub.vertices
        for width in (3, 3, 2):
            z = h @ rng.integers(-2, 3, (h.shape[1], width)) + rng.integers(-2, 3, width)
            h = relu_stage(cuts, np.ascontiguousarray(z), slack=1e-15)
        cuts.assert_edges()


def hashed(before: np.ndarray, parent: np.ndarray, on: np.ndarray) -> np.ndarray:
    nothing = np.zeros(len(before), np.int64)
    _, _, hashes = inherit(parent, on, nothing, nothing, before, 0)
    return np.asarray(hashes)


def test_hashes_tell_patterns_apart() -> None:
    cuts = Cuts()
    first = cuts(at(cuts.sub, np.random.default_rng(0).standard_normal((20, 3)) * (1, 1, 0.4)), slack=1e-16)
    second = cuts(at(cuts.sub, np.random.default_rng(1).standard_normal((20, 3)) * (1, 1, 0.4)), slack=1e-16)
    one = hashed(np.zeros((1, 2), np.uint64), first.parent, first.on)
    two = hashed(one, second.parent, second.on)
    assert (
        len(np.unique(two, axis=0))
        == len(np.unique(np.concatenate(cuts.states, axis=1), axis=0))
        == len(cuts.sub.faces)
    )
    for lane in range(2):
        assert len(np.unique(two[:, lane])) == len(two), "each half alone should already do"
    np.testing.assert_array_equal(two, hashed(one, second.parent, second.on))
    start, whole = np.zeros((1, 2), np.uint64), np.zeros(1, np.int64)
    swapped = hashed(hashed(start, whole, second.on[:1]), whole, first.on[:1])
    assert (swapped != hashed(hashed(start, whole, first.on[:1]), whole, second.on[:1])).all()


@pytest.mark.parametrize("relu", [False, True])
def test_values_are_carried_to_new_vertices_within_their_error(relu: bool) -> None:
    cuts = Cuts()
    refinement = cuts(
        at(cuts.sub, np.random.default_rng(2).standard_normal((15, 3)) * (1, 1, 0.4)), slack=1e-16
    )
    rng = np.random.default_rng(3)
    lines = rng.standard_normal((7, 3))
    values = at(square(), lines)
    out = np.empty((len(cuts.sub.vertices), 7))
    small, none = np.full(4, 1e-15), np.empty(0)
    errors = TensorErrors(np.ones(7), small, small, none, none, none)
    error, norm, proof = extend_values(values, np.arange(4), refinement.birth, out, errors, relu, False)
    assert len(proof) == 0
    expected = extended(values, refinement)
    np.testing.assert_allclose(out, np.maximum(expected, 0) if relu else expected, rtol=0, atol=1e-15)
    np.testing.assert_allclose(norm, np.hypot.reduce(out, axis=1), rtol=1e-14)
    exact = at(cuts.sub, lines)
    distance = np.hypot.reduce(out - (np.maximum(exact, 0) if relu else exact), axis=1)
    assert (distance <= 16 * error).all() and (error < 1e-13).all()


def test_states_follow_the_parents() -> None:
    cuts = Cuts()
    cuts(at(cuts.sub, [[1, 0, 0.1]]))
    area = areas_of(cuts.sub)
    refinement = cuts(at(cuts.sub, [[0, 1, 0.2], [1, 1, 0.1]]), slack=1e-16)
    np.testing.assert_allclose(np.bincount(refinement.parent, areas_of(cuts.sub)), area, rtol=1e-15)
    assert bits(refinement, 2).shape == (len(cuts.sub.faces), 2)
