from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.arrangement import jumps as regions
from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.unread_units import without_effect
from tests.arrangement.hand_made import linear, program_of, random_mlp

BOX = sv.Window.box(-1, 1, -1, 1)


def _arrange(*layers: nn.Module) -> Arrangement:
    return sv.arrange(program_of(*layers), sv.Plane.identity(), BOX)


def test_in_general_position_every_cell_is_a_linear_region() -> None:
    arr = sv.arrange(random_mlp(2, 12, 12, 3), sv.Plane.identity(), BOX)
    inner = (arr.edge_cells >= 0).all(1)
    assert arr.n_linear_regions == arr.n_cells > 30
    assert (arr.edge_jump[inner] > 0).all() and (arr.edge_jump[~inner] == 0).all()


def test_the_jump_is_the_kink_of_the_unit() -> None:
    arr = _arrange(linear([[3.0, 4.0]], [0.5]), nn.ReLU(), linear([[2.0], [-1.0]]))
    inner = (arr.edge_cells >= 0).all(1)
    np.testing.assert_allclose(arr.edge_jump[inner], [5.0 * np.hypot(2.0, 1.0)], rtol=1e-15)


def test_a_unit_that_nothing_reads_bends_nothing() -> None:
    arr = _arrange(linear([[1.0, 0.0], [0.0, 1.0]]), nn.ReLU(), linear([[1.0, 0.0]]))
    assert (arr.n_cells, arr.n_linear_regions) == (4, 2)
    labels = arr.linear_regions[arr.locate([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])]
    assert labels[0] == labels[1] != labels[2] == labels[3]


@pytest.mark.parametrize("scale", [2.0**-27, 1.0, 2.0**27])
def test_cancelling_kinks_join_cells(scale: float) -> None:
    """relu(z) - relu(-3 z) / 3 = z, up to the rounding of 1/3."""
    w = np.array([0.5, 0.75]) * scale
    first = linear([w.tolist(), (-3 * w).tolist(), [1.0, 0.25]], [0.125 * scale, -0.375 * scale, 0.1])
    arr = _arrange(first, nn.ReLU(), linear([[1.0, -1.0 / 3.0, 0.0]]))
    assert arr.n_cells == 4
    assert arr.n_linear_regions == 1


@pytest.mark.parametrize(
    ("third", "regions_", "jump"),
    [(0.5, 1, 0.0), (0.5 + 2.0**-53, 2, 2.0**-52), (0.5 + 2.0**-45, 2, 2.0**-44)],
)
def test_kinks_within_rounding_are_asked_exactly(third: float, regions_: int, jump: float) -> None:
    """relu(z) - relu(-2 z) w bends by 2 w - 1 at z = 0, which float64 gradients cannot tell from rounding."""
    net = nn.Sequential(linear([[0.3, 0.7], [-0.6, -1.4]]), nn.ReLU(), linear([[1.0, -third]]))
    arr = sv.arrange(sv.load_program(net), sv.Plane.identity(), BOX)
    inner = (arr.edge_cells >= 0).all(1)
    assert (arr.n_cells, arr.n_linear_regions) == (2, regions_)
    assert (arr.edge_jump[inner] > 0).tolist() == [regions_ == 2]
    np.testing.assert_allclose(arr.edge_jump[inner], [jump * np.hypot(0.3, 0.7)], rtol=1e-3, atol=1e-15)
    assert arr.exact["linear_regions"] == 0 and arr.certified


def test_a_tiny_kink_beside_a_steep_map_is_found() -> None:
    """The gradients differ by one part in 1e13 only: their difference would not tell the kink from
    rounding."""
    big = linear([[1.0, 0.3], [0.2, 1.0]], [3.0, 0.0])
    arr = _arrange(big, nn.ReLU(), linear([[1e6, 1e-7]]), linear([[0.7]]))
    inner = (arr.edge_cells >= 0).all(1)
    assert arr.n_linear_regions == arr.n_cells == 2
    np.testing.assert_allclose(arr.edge_jump[inner], [0.7e-7 * np.hypot(0.2, 1.0)], rtol=1e-12)


def test_regions_that_touch_in_one_vertex_stay_apart() -> None:
    """(relu(x) - relu(-x)) and |x| + |y| shapes: here opposite quadrants share the zero map."""
    h = linear([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])  # min(x, y) and zero: relu(x) + relu(y) - relu(x + y)
    arr = _arrange(h, nn.ReLU(), linear([[-1.0, 1.0, 1.0]]))
    quadrants = arr.linear_regions[arr.locate([[0.5, 0.4], [-0.5, -0.4]])]
    np.testing.assert_allclose(arr.affine[arr.locate([[0.5, 0.4], [-0.5, -0.4]]), 0], 0.0, atol=1e-16)
    assert quadrants[0] != quadrants[1]


def test_a_dead_network_is_one_region() -> None:
    arr = _arrange(
        linear([[1.0, 0.2], [0.3, 1.0]]),
        nn.ReLU(),
        linear([[-1.0, -1.0]], [-1.0]),
        nn.ReLU(),
        linear([[1.0], [2.0]]),
    )
    assert arr.n_cells == 4
    assert arr.n_linear_regions == 1
    assert (arr.edge_jump == 0).all()


def test_the_carried_jump_agrees_with_the_difference_of_gradients() -> None:
    torch.manual_seed(0)
    arr = sv.arrange(random_mlp(6, 16, 16, 3), sv.Plane.at(np.zeros(6)), sv.Window.diamond(3.0))
    inner = np.flatnonzero((arr.edge_cells >= 0).all(1))
    assert len(inner) > 50
    np.testing.assert_allclose(
        regions._carried_jump(arr, arr.program, inner, True)[0], arr.edge_jump[inner], rtol=1e-9
    )


class _Residual(nn.Module):
    """Every kind of node on the way to the output; its second branch is often off as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = (
            nn.Conv2d(1, 3, 3),
            nn.Conv2d(3, 3, 3, padding=1),
            nn.Linear(12, 3),
        )
        nn.init.constant_(self.second.bias, -0.8)

    def forward(self, x: Tensor) -> Tensor:
        h = nn.functional.hardtanh(self.first(x))
        h = nn.functional.max_pool2d(h.relu() + self.second(h).relu(), 2)
        return self.last(h.flatten(1)).relu()


@pytest.mark.parametrize("seed", range(3))
def test_what_the_output_does_not_read_has_no_jump(seed: int) -> None:
    torch.manual_seed(seed)
    program = sv.load_program(_Residual(), input_shape=(1, 6, 6))
    arr = sv.arrange(
        program, sv.Plane.at(np.random.default_rng(seed).normal(size=(1, 6, 6))), sv.Window.diamond(5.0)
    )
    assert arr.status is sv.Status.COMPLETE
    inner = np.flatnonzero((arr.edge_cells >= 0).all(1))
    unread = without_effect(arr, program, inner)
    carried, _ = regions._carried_jump(arr, arr.program, inner, True)
    assert 300 < unread.sum() < len(inner) - 200
    assert len(np.unique(arr.edge_stage[inner[unread]])) > 1
    assert (carried[unread] == 0).all()
    np.testing.assert_array_equal(arr.edge_jump[inner] == 0, carried == 0)
    # What is read may still cancel: where a maximum goes from one saturated entry to another.
    assert 0 < (carried[~unread] == 0).sum() < 50


def test_labels_count_from_zero_in_the_order_of_cells() -> None:
    arr = sv.arrange(random_mlp(2, 8, 2), sv.Plane.identity(), BOX)
    _, first = np.unique(arr.linear_regions, return_index=True)
    assert (np.diff(first) > 0).all() and arr.linear_regions[0] == 0


@pytest.mark.parametrize("inner", [1.0, 1e-150])
@pytest.mark.parametrize("outer", [1e-150, 1e-170, 1e150])
def test_jumps_whose_squares_no_number_holds(inner: float, outer: float) -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    with torch.no_grad():
        rows = torch.tensor([[1, 0], [0, 1], [1, 1]], dtype=torch.float64)
        net[0].weight.copy_(inner * rows)
        net[0].bias.copy_(inner * torch.tensor([0.1, 0.2, -0.3], dtype=torch.float64))
        net[2].weight.copy_(outer * torch.tensor([[1, 2, 3]], dtype=torch.float64))
        net[2].bias.zero_()
    arr = sv.arrange(sv.load_program(net), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), certify="off")
    assert (arr.n_cells, arr.n_linear_regions) == (7, 7)
    bends = sorted(set(np.round(arr.edge_jump[(arr.edge_cells >= 0).all(1)] / (inner * outer), 3)))
    assert bends == [1.0, 2.0, 4.243], "the kinks of the three units: 1, 2, and 3 times the root of 2"
