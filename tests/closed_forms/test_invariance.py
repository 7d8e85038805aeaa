"""What must not change the cells: the choice of coordinates, of scale, of the order of units; and how deeper
stages refine them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.plane import Plane, Window
from tests.oracles.compare import patterns_of
from tests.oracles.harness import arranged
from tests.oracles.invariants import assert_valid
from tests.oracles.network import Linear, Pointwise, linear, relu, sequential
from tests.oracles.twin import to_torch

Layers = list[tuple[np.ndarray, np.ndarray]]


def random_layers(seed: int, inputs: int = 2, width: int = 10) -> Layers:
    """Weights and biases of three hidden layers and three outputs, spread like torch's own."""
    rng = np.random.default_rng(seed)
    sizes = [inputs, width, width, width, 3]
    return [
        (rng.uniform(-1, 1, (after, before)) / before**0.5, rng.uniform(-1, 1, after) / before**0.5)
        for before, after in pairwise(sizes)
    ]


def mlp(layers: Layers) -> nn.Module:
    ops: list[Linear | Pointwise] = []
    for weight, bias in layers:
        ops += [linear(weight, bias), relu()]
    return to_torch(sequential(layers[0][0].shape[1], ops[:-1]))


def by_pattern(arr: Arrangement) -> dict[bytes, float]:
    return {row.tobytes(): float(area) for row, area in zip(patterns_of(arr), arr.areas, strict=True)}


def assert_same_cells(one: Arrangement, other: Arrangement, scale: float = 1.0) -> None:
    """The same patterns, and areas in one ratio."""
    mine, theirs = by_pattern(one), by_pattern(other)
    assert mine.keys() == theirs.keys()
    np.testing.assert_allclose(
        [theirs[key] for key in mine], [scale * area for area in mine.values()], rtol=0, atol=1e-9 * scale
    )
    assert (one.n_vertices, one.n_edges, one.n_linear_regions) == (
        other.n_vertices,
        other.n_edges,
        other.n_linear_regions,
    )
    assert set(map(tuple, one.pattern_hash.tolist())) == set(map(tuple, other.pattern_hash.tolist()))


@pytest.mark.parametrize("seed", [0, 1])
def test_affine_map_of_the_input(seed: int) -> None:
    layers = random_layers(seed)
    turn, shift = np.array([[0.8, -0.3], [0.5, 1.1]]), np.array([0.2, -0.1])
    corners = np.linalg.solve(turn, (Window.box(-1, 1, -1, 1).vertices - shift).T).T
    behind = nn.Sequential(to_torch(sequential(2, [linear(turn, shift)])), mlp(layers))
    one, other = arranged(mlp(layers)), arranged(behind, Window.polygon(corners))
    assert one.n_cells > 30
    assert_same_cells(one, other, 1 / float(np.linalg.det(turn)))


@pytest.mark.parametrize("power", [-30, 5, 40])
def test_power_of_two_rescaling_is_bit_identical(power: int) -> None:
    (w0, b0), (w1, b1), *rest = random_layers(2)
    one = arranged(mlp([(w0, b0), (w1, b1), *rest]))
    two = arranged(mlp([(w0 * 2.0**power, b0 * 2.0**power), (w1 * 2.0**-power, b1), *rest]))
    np.testing.assert_array_equal(one.vertices, two.vertices)
    np.testing.assert_array_equal(one.edges, two.edges)
    np.testing.assert_array_equal(one.cells.values, two.cells.values)
    np.testing.assert_array_equal(one.pattern_hash, two.pattern_hash)
    np.testing.assert_array_equal(one.affine, two.affine)


def test_permutation_of_units() -> None:
    (w0, b0), (w1, b1), *rest = random_layers(3)
    order = np.random.default_rng(0).permutation(10)
    one = arranged(mlp([(w0, b0), (w1, b1), *rest]))
    two = arranged(mlp([(w0[order], b0[order]), (w1[:, order], b1), *rest]))
    sorted_back = np.concatenate([np.argsort(order), np.arange(10, 30)])
    mine = by_pattern(one)
    theirs = {row[sorted_back].tobytes(): area for row, area in zip(patterns_of(two), two.areas, strict=True)}
    assert mine.keys() == theirs.keys()
    np.testing.assert_allclose([theirs[key] for key in mine], list(mine.values()), rtol=0, atol=1e-11)


@pytest.mark.parametrize("factor", [1.0, 3.0, -1.0, -0.1])
def test_a_duplicate_unit_cuts_nothing_new(factor: float) -> None:
    """A repeated, rescaled or opposite copy lies on the same edges, which then belong to two units.

    By 3 and 0.1 the rounded copy is another line, an ulp away: the copy's source is made short enough for an
    exact product.
    """
    (w0, b0), (w1, b1), *rest = random_layers(4)
    factor = float(np.float32(factor))
    w0, b0 = w0.astype(np.float32).astype(float), b0.astype(np.float32).astype(float)
    one = arranged(mlp([(w0, b0), (w1, b1), *rest]))
    wide = np.vstack([w0, factor * w0[3]]), np.append(b0, factor * b0[3])
    two = arranged(mlp([wide, (np.column_stack([w1, np.zeros(10)]), b1), *rest]))
    assert two.program is not None
    assert_valid(two, two.program)
    assert (one.n_cells, one.n_vertices, one.n_edges) == (two.n_cells, two.n_vertices, two.n_edges)
    assert one.n_linear_regions == two.n_linear_regions
    np.testing.assert_allclose(np.sort(one.areas), np.sort(two.areas), rtol=0, atol=1e-12)
    rows = two.edge_units.values
    of_third = two.edge_units.row_of[(rows == (0, 3)).all(axis=1)]
    of_copy = two.edge_units.row_of[(rows == (0, 10)).all(axis=1)]
    assert len(of_third) > 0
    np.testing.assert_array_equal(of_third, of_copy)


def test_rotated_basis() -> None:
    rng = np.random.default_rng(0)
    plane = Plane.at(rng.standard_normal(6), seed=1)
    module = mlp(random_layers(5, inputs=6))
    c, s = np.cos(0.7), np.sin(0.7)
    turned = Plane(plane.origin, np.array([[c, s], [-s, c]]) @ plane.basis, plane.input_shape, plane.anchors)
    corners = Window.box(-2, 2, -2, 2).vertices @ np.array([[c, s], [-s, c]]).T
    one, two = (
        arranged(module, Window.box(-2, 2, -2, 2), plane),
        arranged(module, Window.polygon(corners), turned),
    )
    assert one.n_cells > 20
    assert_same_cells(one, two)


def test_permuted_anchors() -> None:
    a, b, c = np.random.default_rng(2).standard_normal((3, 6))
    module = mlp(random_layers(6, inputs=6))
    arrangements = []
    for anchors in ((a, b, c), (b, c, a), (c, b, a)):
        plane = Plane.through(*anchors)
        arrangements.append(arranged(module, Window.polygon(plane.anchors), plane))
    assert arrangements[0].n_cells > 5
    assert_same_cells(arrangements[0], arrangements[1])
    assert_same_cells(arrangements[0], arrangements[2])


def test_deeper_stages_refine_the_cells() -> None:
    """Each deeper cell lies in one parent, which has the first part of its pattern, and the areas add up."""
    layers = random_layers(7)
    program = sv.load_program(mlp(layers), input_shape=(2,))
    full = sv.arrange(program, Plane.identity(), Window.box(-1, 1, -1, 1))
    assert_valid(full, program)
    for depth in (1, 2, 3):
        parents = arranged(mlp([*layers[:depth], (np.eye(10), np.zeros(10))]))
        prefix = patterns_of(full)[:, : 10 * depth]
        total: dict[bytes, float] = {}
        for row, area in zip(prefix, full.areas, strict=True):
            total[row.tobytes()] = total.get(row.tobytes(), 0.0) + float(area)
        assert total == pytest.approx(by_pattern(parents), abs=1e-12)
        assert full.stats.cells_per_stage[depth - 1] == parents.n_cells
        stopped = sv.arrange(program, Plane.identity(), Window.box(-1, 1, -1, 1), stage=depth - 1)
        assert (stopped.n_cells, stopped.n_vertices) == (parents.n_cells, parents.n_vertices)
        inside = parents.locate(full.interior_points)
        np.testing.assert_array_equal(patterns_of(parents)[inside], prefix)
        assert np.isin(parents.vertices.round(12), full.vertices.round(12)).all()


def test_pattern_of_one_cell_is_its_row_of_bits() -> None:
    arr = arranged(mlp(random_layers(8)))
    rows = patterns_of(arr)
    for cell in (0, arr.n_cells // 2, arr.n_cells - 1):
        np.testing.assert_array_equal(
            np.concatenate([np.ravel(part) for part in arr.pattern(cell)]), rows[cell]
        )
