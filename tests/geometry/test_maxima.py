"""Refinements by maxima, as arrays: structure, descent, parts of edges, and merges that cannot be made."""

from __future__ import annotations

import numpy as np
import pytest

from splineviz.geometry.refine_maxima import Candidates, Maxima, refine_by_maxima
from splineviz.geometry.subdivision import Subdivision
from tests.geometry.hand import SQUARE, at, cut, polygon, square
from tests.geometry.structure import areas_of, assert_geometry, assert_structure, left_right


def rounds_of(windows: np.ndarray) -> np.ndarray:
    """One candidate a round; entries that windows share must have one place."""
    return np.ascontiguousarray(np.where(windows >= 0, np.arange(windows.shape[1]), -1).T)


def maxima(
    sub: Subdivision,
    x: np.ndarray,
    windows: list[list[int]],
    *,
    slack: float = 1e-15,
    n_windows: int = 1,
    rounds: object = None,
) -> Maxima:
    """Refine; check structure, coordinates, descent and every winner at the middle of its face."""
    table = np.array(windows)
    slacks, order = np.full(len(x), slack), rounds_of(table) if rounds is None else np.array(rounds)
    result = refine_by_maxima(sub, Candidates(x, np.ones(x.shape[1]), slacks, 2 * slacks), table, order, 7)
    after = result.refinement
    assert_structure(after.subdivision, n_windows)
    assert_geometry(after.subdivision)
    _assert_descent(sub, result)
    _assert_winners(x, table, result)
    return result


def extended(values: np.ndarray, result: Maxima) -> np.ndarray:
    """(V, n) the same affine functions at the vertices of the refinement."""
    birth, out = result.refinement.birth, list(values)
    for row in birth:
        out.append(out[row["a"]] + row["t"] * (out[row["b"]] - out[row["a"]]))
    return np.array(out)[result.refinement.kept]


def winners_of(result: Maxima, n_candidates: int, n_windows: int) -> np.ndarray:
    planes = np.split(result.refinement.on, max(1, (n_candidates - 1).bit_length()), axis=1)
    bits = [
        np.unpackbits(np.ascontiguousarray(p).view(np.uint8), axis=1, bitorder="little")[:, :n_windows]
        for p in planes
    ]
    return np.sum([bit.astype(np.int64) << b for b, bit in enumerate(bits)], axis=0)


def _assert_descent(before: Subdivision, result: Maxima) -> None:
    after, sub = result.refinement, result.refinement.subdivision
    assert after.kept is not None
    n_old = len(before.vertices)
    np.testing.assert_array_equal(after.kept[:n_old], np.arange(n_old))
    assert (np.diff(after.kept) > 0).all()
    np.testing.assert_array_equal(extended(before.vertices, result), sub.vertices)
    born = np.arange(n_old, n_old + len(after.birth))
    assert (after.birth["a"] < born).all() and (after.birth["b"] < born).all()
    assert (np.diff(after.parent) >= 0).all(), "siblings do not follow each other"
    np.testing.assert_allclose(np.bincount(after.parent, areas_of(sub)), areas_of(before), atol=1e-12)
    # Every older edge is a run of new ones, in order.
    assert len(after.first_part) == len(before.edges) + 1
    for e, (a, b) in enumerate(before.edges.tolist()):
        run = sub.edges[after.first_part[e] : after.first_part[e + 1]]
        assert run[0, 0] == a and run[-1, 1] == b
        np.testing.assert_array_equal(run[1:, 0], run[:-1, 1])
        np.testing.assert_array_equal(
            sub.edge_source[after.first_part[e] : after.first_part[e + 1]], [before.edge_source[e]] * len(run)
        )
    assert (sub.edge_source[after.first_part[-1] :, 0] == 7).all()
    # A vertex made here with two edges only would be one where both its faces go straight on.
    degree = np.bincount(sub.edges.ravel(), minlength=len(sub.vertices))
    assert (degree[n_old:] >= 3).all()


def _assert_winners(x: np.ndarray, windows: np.ndarray, result: Maxima) -> None:
    sub = result.refinement.subdivision
    values = np.where(windows >= 0, extended(x, result)[:, windows], -np.inf)
    np.testing.assert_allclose(result.values, values.max(2), atol=1e-12)
    faces = sub.faces
    middle = np.add.reduceat(values[faces.values], faces.offsets[:-1]) / faces.lengths[:, None, None]
    best = (middle >= middle.max(2, keepdims=True) - 1e-12).argmax(2)
    winners = winners_of(result, windows.shape[1], len(windows))
    np.testing.assert_array_equal(winners, best)
    left, right = left_right(sub)
    inner = np.flatnonzero(right >= 0)
    changes = winners[left[inner]] != winners[right[inner]]
    named = np.zeros((len(sub.edges), len(windows)), dtype=bool)
    mine = np.flatnonzero(sub.edge_source[:, 0] == 7)
    named[mine, sub.edge_source[mine, 1]] = True
    rows = sub.shared[sub.shared[:, 1] == 7]
    named[rows[:, 0], rows[:, 2]] = True
    np.testing.assert_array_equal(named[inner], changes)
    assert named[mine].any(axis=1).all()


def test_nothing_to_cut() -> None:
    result = maxima(square(), at(square(), [[0, 0, 1], [0, 0, 0]]), [[0, 1], [1, 0]])
    assert len(result.refinement.subdivision.faces) == 1
    assert (result.refinement.open, len(result.refinement.birth)) == (0, 0)


@pytest.mark.parametrize("k", [2, 3, 4, 5, 9, 33])
def test_one_window(k: int) -> None:
    lines = np.column_stack([polygon(k, turn=0.4), np.zeros(k)])
    result = maxima(square(), at(square(), lines), [list(range(k))])
    assert len(result.refinement.subdivision.faces) == k


@pytest.mark.parametrize("seed", range(12))
def test_many_windows_on_what_was_cut_before(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = cut(square(), at(square(), rng.standard_normal((5, 3)) * [1, 1, 0.5]), slack=1e-15)
    sub = first.subdivision
    x = at(sub, rng.standard_normal((24, 3)) * [1, 1, 0.3])
    windows = rng.permutation(24).reshape(6, 4)
    if seed % 2:
        windows = np.where(rng.random(windows.shape) < 0.25, -1, windows)
        windows[:, 1] = rng.permutation(24)[:6]
        keep = np.unique(windows, return_index=True)[1]
        windows = np.where(np.isin(np.arange(24), keep).reshape(6, 4), windows, -1)
        windows = windows[(windows >= 0).any(1)]
    result = maxima(sub, x, windows.tolist())
    assert result.refinement.open == 0
    assert len(result.refinement.subdivision.faces) > len(sub.faces)


def test_several_pieces() -> None:
    sub = Subdivision.from_polygons([SQUARE, polygon(5) + np.array([5, 0]), polygon(3) - np.array([4, 1])])
    x = at(sub, np.random.default_rng(3).standard_normal((9, 3)))
    maxima(sub, x, np.arange(9).reshape(3, 3).tolist(), n_windows=3)


def test_entries_may_enter_in_any_order() -> None:
    """Ties belong to the lowest place, also where the higher one came first."""
    lines = [[1, 0, 0], [0, 1, 0], [1, 0, 0], [-1, -1, 0]]
    windows = [[0, 1, 2, 3]]
    plain = maxima(square(), at(square(), lines), windows)
    turned = maxima(square(), at(square(), lines), windows, rounds=[[2], [3], [1], [0]])
    for result in (plain, turned):
        assert np.unique(winners_of(result, 4, 1)).tolist() == [0, 1, 3]
        assert len(result.refinement.subdivision.faces) == 3


def test_more_than_a_word_of_windows() -> None:
    rng = np.random.default_rng(0)
    x = at(square(), rng.standard_normal((3 * 70, 3)) * [1, 1, 3])
    result = maxima(square(), x, np.arange(210).reshape(70, 3).tolist())
    assert len(result.refinement.subdivision.faces) > 70


def test_where_rounding_decides_the_topology_stays_sound() -> None:
    """With a slack that drowns most signs the winners mean little, but it is still a subdivision."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        sub = cut(square(), at(square(), rng.standard_normal((4, 3)) * [1, 1, 0.5]), slack=1e-15).subdivision
        x = at(sub, rng.standard_normal((12, 3)) * [1, 1, 0.3])
        table = np.arange(12).reshape(3, 4)
        slack = np.full(len(x), 3e-3 * (1 + seed % 4))
        result = refine_by_maxima(sub, Candidates(x, np.ones(12), slack, slack), table, rounds_of(table), 7)
        assert_structure(result.refinement.subdivision)
        assert result.refinement.open > 0
