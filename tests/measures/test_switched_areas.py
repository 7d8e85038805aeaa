"""Areas on which units switch: closed forms, the overlay of the engine, and dense samples."""

from __future__ import annotations

import copy
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import splineviz as sv
from splineviz.measures.switched_areas import state_regions, switched_areas

UNIT = sv.Window.box(-1, 1, -1, 1)


def one_line(angle: float, offset: float) -> nn.Module:
    """x cos(angle) + y sin(angle) > offset."""
    net = nn.Sequential(nn.Linear(2, 1), nn.ReLU()).double()
    net[0].weight.data = torch.tensor([[np.cos(angle), np.sin(angle)]]).double()
    net[0].bias.data = torch.tensor([-offset]).double()
    return net


def between(
    one: nn.Module, other: nn.Module, window: sv.Window = UNIT
) -> tuple[np.ndarray, np.ndarray | None]:
    arrs = [sv.arrange(net, sv.Plane.identity(), window) for net in (one, other)]
    n_units = arrs[0].info.n_units  # type: ignore[union-attr]
    return switched_areas(*map(state_regions, arrs), n_units)


def test_a_line_that_is_shifted() -> None:
    areas, errors = between(one_line(0.0, -0.25), one_line(0.0, 0.5))
    assert areas[0] == pytest.approx(1.5, abs=1e-14)
    assert errors is not None and 0 <= errors[0] < 1e-12


@pytest.mark.parametrize("turn", [0.1, 0.5, -0.7])
def test_a_line_that_turns_about_the_middle(turn: float) -> None:
    """Two triangles on either side: of height 1, and of the base tan(turn)."""
    areas, _ = between(one_line(0.0, 0.0), one_line(turn, 0.0))
    assert areas[0] == pytest.approx(np.tan(abs(turn)), abs=1e-13)


def test_a_line_that_turns_by_right_angles() -> None:
    assert between(one_line(0.0, 0.0), one_line(np.pi, 0.0))[0][0] == pytest.approx(4.0, abs=1e-14)
    assert between(one_line(0.0, 0.0), one_line(np.pi / 2, 0.0))[0][0] == pytest.approx(2.0, abs=1e-14)


def test_a_unit_without_a_line_that_switches_everywhere() -> None:
    areas, _ = between(one_line(0.0, -5.0), one_line(0.0, 5.0))
    assert areas[0] == pytest.approx(4.0, abs=1e-14)
    assert between(one_line(0.0, -5.0), one_line(1.0, -5.0))[0][0] == 0.0


def test_what_does_not_move_is_zero_to_the_last_bit() -> None:
    net, window = small(0), sv.Window.box(-3.3, 2.9, -2.7, 3.1)
    assert (between(net, copy.deepcopy(net), window)[0] == 0).all()


def small(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(2, 9), nn.ReLU(), nn.Linear(9, 9), nn.Hardtanh(), nn.Linear(9, 3))
    with torch.no_grad():
        net[2].weight *= 4
    return net.double()


@pytest.mark.parametrize("seed", range(4))
def test_against_the_overlay(seed: int) -> None:
    nets, window = [small(seed), small(seed + 100)], sv.Window.box(-3.3, 2.9, -2.7, 3.1)
    moves = sv.compare(nets, sv.Plane.identity(), window).pair(0, 1).units
    assert moves is not None
    areas, errors = between(*nets, window)
    place = np.where(moves.stage == 0, 0, 9) + moves.unit
    np.testing.assert_allclose(areas[place], moves.switched, atol=1e-11)
    assert errors is not None and (np.abs(areas[place] - moves.switched) <= errors[place]).all()


class Pooled(nn.Module):
    """A maximum of four, and a maxout, as units of a slice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(2, 16), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.last(
            nn.functional.max_pool2d(self.first(x).reshape(-1, 1, 4, 4), 2).flatten(1)
        )
        return y


def test_maxima_against_the_overlay() -> None:
    torch.manual_seed(0)
    nets = [Pooled().double().eval() for _ in range(2)]
    moves = sv.compare(nets, sv.Plane.identity(), UNIT).pair(0, 1).units
    assert moves is not None and len(moves.unit) == 4
    np.testing.assert_allclose(between(*nets)[0], moves.switched, atol=1e-13)


def test_against_dense_samples() -> None:
    nets = [small(5), small(6)]
    areas, _ = between(*nets, sv.Window.box(-2, 2, -2, 2))
    ticks = np.linspace(-2, 2, 801)[:-1] + 0.0025
    grid = torch.tensor(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2))
    with torch.no_grad():
        first = [(net[0](grid) > 0).numpy() for net in nets]
        second = [net[2](torch.relu(net[0](grid))).numpy() for net in nets]
    on = [np.concatenate([a, z > -1, z > 1], axis=1) for a, z in zip(first, second, strict=True)]
    np.testing.assert_allclose(areas, 16 * (on[0] != on[1]).mean(0), atol=0.05)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 2 * np.pi), st.floats(0, 2 * np.pi), st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_it_is_a_distance(a: float, b: float, p: float, q: float, r: float) -> None:
    """Symmetric, and no longer than by way of a third line."""
    one, other, third = one_line(a, p), one_line(b, q), one_line(a, r)
    direct, back = between(one, other)[0][0], between(other, one)[0][0]
    assert direct == pytest.approx(back, abs=1e-13) and 0 <= direct <= 4 + 1e-13
    assert direct <= between(one, third)[0][0] + between(third, other)[0][0] + 1e-12


def test_integer_networks_of_many_coincidences() -> None:
    random = np.random.default_rng(4)
    nets = []
    for _ in range(2):
        net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU()).double()
        for layer in (net[0], net[2]):
            layer.weight.data = torch.tensor(random.integers(-2, 3, layer.weight.shape)).double()
            layer.bias.data = torch.tensor(random.integers(-1, 2, layer.bias.shape)).double()
        nets.append(net)
    window = sv.Window.box(-2, 2, -2, 2)
    moves = sv.compare(nets, sv.Plane.identity(), window).pair(0, 1).units
    assert moves is not None
    areas, _ = between(*nets, window)
    place = np.where(moves.stage == 0, 0, 8) + moves.unit
    np.testing.assert_allclose(areas[place], moves.switched, atol=1e-12)


def test_errors_hold_far_from_the_origin() -> None:
    """Two lines that cross the lower and the upper side at 1e6, where rounding shows; the area between them in
    rational arithmetic of the very weights."""
    window, coefficients = (
        sv.Window.box(1e6, 1e6 + 1, 0.0, 1.0),
        ((1.0, 0.3, -1e6 - 0.7), (1.1, 0.2, -1.1e6 - 0.5)),
    )
    nets = []
    for a, b, c in coefficients:
        net = one_line(0.0, 0.0)
        net[0].weight.data, net[0].bias.data = torch.tensor([[a, b]]).double(), torch.tensor([c]).double()
        nets.append(net)
    areas, errors = between(*nets, window)
    exact = [
        [Fraction(-c) / Fraction(a) - Fraction(b) / Fraction(a) * v for a, b, c in weights(nets)]
        for v in (0, 1)
    ]
    low, high = exact[0][1] - exact[0][0], exact[1][1] - exact[1][0]
    between_them = (
        abs(low + high) / 2 if low * high >= 0 else (low**2 + high**2) / (2 * (abs(low) + abs(high)))
    )
    assert errors is not None and 0 < errors[0] < 1e-6
    assert abs(Fraction(areas[0]) - between_them) <= Fraction(errors[0])
    assert areas[0] != float(between_them)  # so that there was something to bound


def weights(nets: list[nn.Module]) -> list[tuple[float, float, float]]:
    return [(*net[0].weight[0].tolist(), net[0].bias.item()) for net in nets]  # type: ignore[index]


def test_a_window_that_is_no_rectangle_is_refused() -> None:
    arr = sv.arrange(one_line(0.0, 0.0), sv.Plane.identity(), sv.Window.diamond(1.0))
    with pytest.raises(sv.InputError, match="need a rectangle along u and v, got a polygon of 4 corners"):
        state_regions(arr)
