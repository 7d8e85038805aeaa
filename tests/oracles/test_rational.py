"""The exact oracle against answers known in closed form."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from tests.oracles.network import (
    Add,
    Concat,
    Network,
    Step,
    absolute,
    hardtanh,
    leaky_relu,
    linear,
    prelu,
    relu,
    sequential,
)
from tests.oracles.rational import ExactSlice, crossings, frame_of, slice_exactly
from tests.oracles.twin import Abs, from_torch, to_torch

BOX = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
UNIT = [(0, 0), (1, 0), (1, 1), (0, 1)]
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)


def assert_planar(exact: ExactSlice, area: Fraction | int) -> None:
    assert sum(exact.areas) == area
    assert min(exact.areas) > 0
    assert exact.n_vertices - exact.n_edges + exact.n_cells == 1
    assert len({cell.pattern for cell in exact.cells}) == exact.n_cells


@pytest.mark.parametrize("n", [3, 5, 7])
def test_lines_in_general_position(n: int) -> None:
    angle = 2 * np.pi * np.arange(n) / n + 0.1
    half = 1.1 / math.sin(math.pi / (2 * n))
    network = sequential(2, [linear(np.stack([np.cos(angle), np.sin(angle)], 1), -np.ones(n)), relu()])
    exact = slice_exactly(network, [(half * u, half * v) for u, v in BOX])
    assert exact.n_cells == 1 + n + math.comb(n, 2)
    assert exact.n_vertices == math.comb(n, 2) + 2 * n + 4
    assert exact.n_edges == n * n + 2 * n + 4
    assert_planar(exact, (2 * Fraction(half)) ** 2)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_concurrent_lines(n: int) -> None:
    network = sequential(2, [linear([[k + 1, k * k - 3] for k in range(n)]), relu()])
    exact = slice_exactly(network, BOX)
    assert exact.n_cells == 2 * n
    assert_planar(exact, 4)


@pytest.mark.parametrize(("shift", "depth"), [(QUARTER, 1), (QUARTER, 2), (Fraction(0), 2), (Fraction(0), 3)])
def test_tents(shift: Fraction, depth: int) -> None:
    """2 relu(t + s) - 2 s - 4 relu(t - 1/2): with s = 0 the first unit only touches zero, and cuts
    nothing."""
    up = linear([[1, 0], [1, 0], [0, 1], [0, 1]], [shift, -HALF, shift, -HALF])
    down = linear([[2, -4, 0, 0], [0, 0, 2, -4]], [-2 * shift, -2 * shift])
    exact = slice_exactly(sequential(2, [up, relu(), down] * depth), UNIT)
    assert sorted(exact.areas) == [Fraction(1, 4**depth)] * 4**depth
    assert exact.n_linear_regions == 4**depth
    assert_planar(exact, 1)


def test_absolute_values_are_four_cells_from_four_units() -> None:
    rows = [[1, 0], [-1, 0], [0, 1], [0, -1]]
    exact = slice_exactly(sequential(2, [linear(rows), relu(), linear([[1, 1, 1, 1]])]), BOX)
    assert exact.areas == [1, 1, 1, 1]
    assert sorted(len(edge.units) for edge in exact.edges) == [2, 2, 2, 2]
    assert all(cell.output[0][0] ** 2 + cell.output[0][1] ** 2 == 2 for cell in exact.cells)
    same = slice_exactly(sequential(2, [absolute(), linear([[1, 1]])]), BOX)
    assert {cell.output for cell in same.cells} == {cell.output for cell in exact.cells}


def test_dead_downstream_joins_cells_across_edges_only() -> None:
    """|x| - |x| is zero: four cells, one region. A region does not continue through a single vertex."""
    gone = slice_exactly(sequential(2, [absolute(), linear([[0, 0]])]), BOX)
    assert (gone.n_cells, gone.n_linear_regions) == (4, 1)
    # relu(min(x, y)) + relu(min(-x, -y)) is zero on two quadrants that touch in one point.
    minimum = linear([[HALF, HALF, -HALF], [-HALF, -HALF, -HALF]])
    steps = (
        Step(linear([[1, -1]]), (0,)),
        Step(absolute(), (1,)),
        Step(Concat(), (0, 2)),
        Step(minimum, (3,)),
        Step(relu(), (4,)),
        Step(linear([[1, 1]]), (5,)),
    )
    corner = slice_exactly(Network(2, steps), BOX)
    assert sum(not any(cell.output[0]) for cell in corner.cells) == 2
    assert (corner.n_cells, corner.n_linear_regions) == (6, 6)


def test_residual_breaks() -> None:
    """h = x + relu(x), then relu(h - 2): breaks at 0 and 1; at 0 and 2 without the skip."""
    skip = Network(
        1, (Step(relu(), (0,)), Step(Add(), (0, 1)), Step(linear([[1]], [-2]), (2,)), Step(relu(), (3,)))
    )
    assert crossings(skip, [-3], [3]) == [HALF, Fraction(2, 3)]
    plain = sequential(1, [relu(), linear([[1]], [-2]), relu()])
    assert crossings(plain, [-3], [3]) == [HALF, Fraction(5, 6)]


def test_no_units_is_one_cell_and_hardtanh_has_two_breakpoints() -> None:
    affine = slice_exactly(sequential(2, [linear([[1, 2], [3, 4]])]), BOX)
    assert (affine.n_cells, affine.n_edges, affine.n_rim_edges) == (1, 4, 4)
    clamp = slice_exactly(sequential(2, [linear([[2, 0]]), hardtanh()]), BOX)
    assert sorted(cell.pattern for cell in clamp.cells) == [
        ((False, False),),
        ((True, False),),
        ((True, True),),
    ]
    assert [[int(c) for c in cell.output[0]] for cell in clamp.cells] == [[0, 0, -1], [2, 0, 0], [0, 0, 1]]


def test_a_unit_that_is_zero_on_an_open_set_is_off_there() -> None:
    exact = slice_exactly(sequential(2, [linear([[1, 0]]), relu(), linear([[-1]]), relu()]), BOX)
    assert sorted(cell.pattern for cell in exact.cells) == [((False,), (False,)), ((True,), (False,))]


@pytest.mark.parametrize("seed", [0, 1])
def test_outputs_are_those_of_torch(seed: int) -> None:
    torch.manual_seed(seed)
    norm = nn.BatchNorm1d(4)
    norm.running_mean, norm.running_var = torch.randn(4), torch.rand(4) + 0.5
    module = nn.Sequential(
        nn.Linear(3, 4), norm, nn.LeakyReLU(0.1), nn.Sequential(nn.Linear(4, 4), Abs()), nn.Linear(4, 3), nn.Hardtanh(),
        nn.Linear(3, 2), nn.PReLU(2), nn.Dropout(),
    ).double().eval()  # fmt: skip
    rng = np.random.default_rng(seed)
    origin, basis = rng.standard_normal(3), np.linalg.qr(rng.standard_normal((3, 2)))[0].T
    exact = slice_exactly(from_torch(module, 3), [(4 * u, 4 * v) for u, v in BOX], frame_of(origin, basis))
    assert exact.n_cells > 8
    assert_planar(exact, 64)
    middle = np.array(
        [np.mean([[float(c) for c in p] for p in cell.polygon], axis=0) for cell in exact.cells]
    )
    with torch.no_grad():
        expected = module(torch.from_numpy(origin + middle @ basis)).numpy()
    affine = np.array([[[float(c) for c in form] for form in cell.output] for cell in exact.cells])
    got = np.einsum("fck,fk->fc", affine, np.column_stack([middle, np.ones(len(middle))]))
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_the_twin_computes_the_same_function() -> None:
    steps = (
        Step(linear([[1, -2], [3, 1], [0, 1]], [1, 0, -1]), (0,)),
        Step(leaky_relu(HALF), (1,)),
        Step(Concat(), (0, 2)),
        Step(linear(np.arange(15).reshape(3, 5) - 7), (3,)),
        Step(Add(), (4, 2)),
        Step(prelu([HALF, 0, 2]), (5,)),
    )
    network = Network(2, steps)
    exact = slice_exactly(network, BOX)
    assert_planar(exact, 4)
    twin = to_torch(network)
    for cell in exact.cells:
        u, v = (sum(c) / len(cell.polygon) for c in zip(*cell.polygon, strict=True))
        want = [float(form[0] * u + form[1] * v + form[2]) for form in cell.output]
        with torch.no_grad():
            got = twin(torch.tensor([[float(u), float(v)]], dtype=torch.float64))[0].tolist()
        assert got == pytest.approx(want, abs=1e-12)


def test_crossings_are_those_of_the_cells() -> None:
    torch.manual_seed(3)
    network = from_torch(
        nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 1)), 2
    )
    exact = slice_exactly(network, BOX)
    a, b = np.array([-0.9, -0.71]), np.array([0.83, 0.67])
    met = []
    for edge in exact.edges:
        (pu, pv), (qu, qv) = edge.ends
        d, e = (Fraction(b[0]) - Fraction(a[0]), Fraction(b[1]) - Fraction(a[1])), (qu - pu, qv - pv)
        w = pu - Fraction(a[0]), pv - Fraction(a[1])
        turn = d[0] * e[1] - d[1] * e[0]
        if turn:
            t, s = (w[0] * e[1] - w[1] * e[0]) / turn, (w[0] * d[1] - w[1] * d[0]) / turn
            if 0 < t < 1 and 0 <= s <= 1:
                met.append(t)
    assert sorted(set(met)) == crossings(network, a.tolist(), b.tolist())
    assert len(met) > 3
