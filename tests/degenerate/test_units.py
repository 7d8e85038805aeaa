"""Units that do nothing, or nearly: dead ones, constant ones, those that only touch zero, slopes without a
kink."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from splineviz.plane import Plane, Window
from tests.oracles.compare import assert_same
from tests.oracles.harness import agree, arranged, exact_slice
from tests.oracles.invariants import assert_valid
from tests.oracles.network import (
    Add,
    Linear,
    Network,
    Pointwise,
    Step,
    absolute,
    hardtanh,
    leaky_relu,
    linear,
    prelu,
    relu,
    sequential,
)
from tests.oracles.twin import linear_of


def test_dead_units_and_units_that_are_always_on() -> None:
    arr = agree(
        sequential(
            2, [linear([[1, 1], [1, 1], [1, 0]], [-50, 50, 0]), relu(), linear([[1, 1, -3]], [-50]), relu()]
        )
    )
    np.testing.assert_array_equal(arr.pattern_bits(0)[:, :2], np.tile([False, True], (arr.n_cells, 1)))


@pytest.mark.parametrize("bias", [0, 1, -1])
def test_constant_layers_and_zero_weights(bias: int) -> None:
    network = sequential(
        2,
        [
            linear([[0, 0], [0, 0]], [bias, 0]),
            relu(),
            linear([[0, 0], [1, 2]], [bias, 0]),
            absolute(),
            linear([[1, 1]]),
        ],
    )
    assert (agree(network).n_cells, agree(network).n_linear_regions) == (1, 1)


def test_a_constant_unit_among_others() -> None:
    agree(
        sequential(
            2, [linear([[1, 1], [0, 0], [1, -2]], [0, 0, 0]), relu(), linear([[0, 1, 0], [1, 0, -1]]), relu()]
        )
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_a_unit_that_only_touches_zero(sign: int) -> None:
    """relu(x) and then relu(-relu(x)): the second is zero on one half and below on the other."""
    network = sequential(2, [linear([[1, 0.5]]), relu(), linear([[-sign]]), relu(), linear([[1]])])
    arr = agree(network)
    assert (arr.n_cells, arr.n_linear_regions) == (2, 1 if sign == 1 else 2)


def test_units_that_touch_zero_along_edges_and_at_vertices() -> None:
    """-|x|, -|x| - |y| and |x| - |y| vanish on an edge, at a vertex, and along two chords through it."""
    network = sequential(
        2, [absolute(), linear([[-1, 0], [-1, -1], [1, -1], [1, 1]]), relu(), linear([[1, 1, 1, 1]])]
    )
    arr = agree(network)
    assert arr.n_cells == 8


def test_relu_twice_cuts_once() -> None:
    once = agree(sequential(2, [linear([[1, 2], [2, 1]], [0.5, 0]), relu(), linear([[1, 1]])]))
    twice = agree(
        sequential(2, [linear([[1, 2], [2, 1]], [0.5, 0]), relu(), relu(), relu(), linear([[1, 1]])])
    )
    assert once.n_cells == twice.n_cells
    assert twice.edge_units.lengths.max() == 3


@pytest.mark.parametrize("slope", [0.0, 1.0, -1.0, 2.5, 0.01])
def test_leaky_slopes(slope: float) -> None:
    """With slope 1 there is a cell on either side and one linear region."""
    network = sequential(
        2,
        [
            linear([[1, 2], [2, -1]], [0.5, 0]),
            leaky_relu(slope),
            linear([[1, 1], [1, -2]], [0, 0.25]),
            leaky_relu(slope),
        ],
    )
    arr = agree(network)
    assert (arr.n_linear_regions == 1) == (slope == 1.0)


def test_prelu_with_one_slope_per_unit() -> None:
    agree(
        sequential(
            2,
            [
                linear([[1, 2], [2, -1], [1, 0]], [0.5, 0, 0]),
                prelu([1, -1, 0.5]),
                linear([[1, 1, 1], [1, -2, 0]]),
                relu(),
            ],
        )
    )


def test_hardtanh_breakpoints_that_meet_other_units() -> None:
    """The second clamp saturates where the first one does, so its units vanish on whole cells."""
    agree(
        sequential(
            2,
            [
                linear([[2, 0], [0, 2]]),
                hardtanh(),
                linear([[1, 0], [1, 1]]),
                hardtanh(),
                linear([[1, 1]]),
                relu(),
            ],
        )
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bias", [0, 1])
def test_deep_integer_networks(seed: int, bias: int) -> None:
    rng = np.random.default_rng(seed)
    ops: list[Linear | Pointwise] = []
    for inputs, outputs in ((2, 5), (5, 4), (4, 4)):
        ops += [linear(rng.integers(-2, 3, (outputs, inputs)), bias * rng.integers(-2, 3, outputs)), relu()]
    agree(sequential(2, [*ops, linear(rng.integers(-2, 3, (2, 4)))]))


def test_residual_blocks_of_integers() -> None:
    rng = np.random.default_rng(7)
    steps = [Step(linear(rng.integers(-2, 3, (4, 2))), (0,))]
    for block in range(2):
        start = 4 * block + 1
        steps += [
            Step(relu(), (start,)),
            Step(linear(rng.integers(-1, 2, (4, 4)), rng.integers(-1, 2, 4)), (start + 1,)),
            Step(Add(), (start, start + 2)),
            Step(relu(), (start + 3,)),
        ]
    agree(Network(2, (*steps, Step(linear([[1, 1, -1, 1]]), (len(steps),)))))


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(2, 2, dtype=torch.float64)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.mix(self.act(self.mix(self.act(self.mix(x)))))
        return y


def test_a_module_used_twice_is_two_stages() -> None:
    torch.manual_seed(4)
    module = Twice()
    mix = linear(module.mix.weight, module.mix.bias)
    arr = arranged(module, Window.box(-3, 3, -3, 3))
    assert arr.program is not None
    assert len(arr.program.stages) == 2
    assert_valid(arr, arr.program)
    assert_same(arr, exact_slice(sequential(2, [mix, relu(), mix, relu(), mix]), Window.box(-3, 3, -3, 3)))


def test_convolution_and_average_pool() -> None:
    """Small integer images and kernels: units in the order (channel, row, column), and many coincidences."""
    rng = np.random.default_rng(3)
    conv, pool, last = nn.Conv2d(1, 2, 3, padding=1, bias=False), nn.AvgPool2d(2), nn.Linear(8, 1)
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(rng.integers(-2, 3, (2, 1, 3, 3))))
    module = nn.Sequential(conv, nn.ReLU(), pool, nn.ReLU(), nn.Flatten(), last).double()
    network = sequential(
        16,
        [
            linear_of(conv, (1, 4, 4)),
            relu(),
            linear_of(pool, (2, 4, 4)),
            relu(),
            linear(last.weight, last.bias),
        ],
    )
    basis = np.zeros((2, 16))
    basis[0, :2] = basis[1, 6:8] = 0.5
    basis[0, 12:14] = basis[1, 9:11] = -0.5
    plane = Plane(rng.integers(-1, 2, 16) / 2, basis, (1, 4, 4), np.zeros((0, 2)))
    window = Window.box(-2, 2, -2, 2)
    arr = arranged(module, window, plane)
    assert arr.program is not None
    assert_valid(arr, arr.program)
    assert arr.n_cells > 10
    assert_same(arr, exact_slice(network, window, plane))


def test_a_plane_in_a_space_that_the_network_hardly_sees() -> None:
    """Rows orthogonal to the plane up to rounding: the float frame decides, exactly."""
    plane = Plane.at([0.1, 0.2, 0.3, 0.4], directions=[[1.0, 2.0, 3.0, 1.0], [0.0, 1.0, -1.0, 0.5]])
    network = sequential(
        4, [linear([[1, 0, 0, -1], [2, -1, 0, 0], [1, 1, 1, 1]], [0, 0, -1]), relu(), linear([[1, 1, 1]])]
    )
    agree(network, Window.box(-2, 2, -2, 2), plane)
