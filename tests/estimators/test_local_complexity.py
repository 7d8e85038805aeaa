"""The proxy against hooks, against itself in other batches and lists, and against closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.estimators.precision import sign_disagreements
from tests.estimators.by_hooks import counted
from tests.estimators.nets import perceptron

M_P = {1: 0.79788, 2: 1.12838, 5: 1.56983, 10: 1.88072, 20: 2.16657, 25: 2.25353, 50: 2.50960, 100: 2.74696, 200: 2.96860}
"""Mean of the largest of P |N(0, 1)|, by quadrature."""


def activations(network: nn.Module, kind: type[nn.Module] = nn.ReLU) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


class Residual(nn.Module):
    """A batch norm, an addition in place, one activation used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.second, self.relu, self.head = nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Linear(4, 3)
        nn.init.normal_(self.norm.running_mean, 0.0, 0.3)  # type: ignore[arg-type]
        nn.init.uniform_(self.norm.weight, -1.5, 1.5)

    def forward(self, x: Tensor) -> Tensor:
        a = self.relu(self.norm(self.first(x)))
        y = self.second(a)
        y += a
        return self.head(self.relu(y).mean((2, 3)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("radius", [0.02, 0.5, 5.0])
@pytest.mark.parametrize("directions", [1, 2, 7])
def test_same_as_hooks(radius: float, directions: int) -> None:
    network = perceptron(9, 20, 20, 20, 3)
    points = torch.randn(6, 9, dtype=torch.float64)
    expected = counted(network, points, radius, directions, activations(network))
    assert np.array_equal(sv.local_complexity(network, points, radius=radius, directions=directions).counts[0, 0], expected)


@pytest.mark.parametrize("kind", [nn.GELU, nn.SiLU, nn.Tanh, nn.LeakyReLU, nn.ELU])
def test_sign_of_what_enters_any_activation(kind: type[nn.Module]) -> None:
    network = perceptron(6, 15, 15, 2, activation=kind)
    points = torch.randn(5, 6, dtype=torch.float64)
    expected = counted(network, points, 0.4, 4, activations(network, kind))
    assert np.array_equal(sv.local_complexity(network, points, radius=0.4, directions=4).counts[0, 0], expected)


def test_convolutions_batch_norm_residual_and_reuse() -> None:
    torch.manual_seed(1)
    network = Residual().double().eval()
    points = torch.randn(4, 2, 6, 6, dtype=torch.float64)
    expected = counted(network, points, 0.3, 5, [network.relu])
    estimate = sv.local_complexity(network, points, radius=0.3, directions=5)
    assert np.array_equal(estimate.counts[0, 0], expected)
    program = sv.load_program(network, input_shape=(2, 6, 6))
    assert estimate.stages == program.stages
    assert np.array_equal(sv.local_complexity(program, points, radius=0.3, directions=5).counts, estimate.counts)


@pytest.mark.parametrize("batch_first", [True, False])
def test_attention(batch_first: bool) -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(8, 2, 12, activation=nn.GELU(), batch_first=batch_first)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.layer(x if batch_first else x.transpose(0, 1))
            return y if batch_first else y.transpose(0, 1)

    torch.manual_seed(2)
    network, points = Block().double().eval(), torch.randn(3, 5, 8, dtype=torch.float64)
    estimate = sv.local_complexity(network, points, radius=0.5, directions=6)
    assert [(stage.kind, stage.n_units) for stage in estimate.stages] == [("gelu", 60)]
    axes = torch.from_numpy(_frame(40, 6)).reshape(6, 5, 8)
    layer = network.layer
    for point, count in zip(points, estimate.counts[0, 0, :, 0], strict=True):
        v = torch.cat([point + 0.5 * axes, point - 0.5 * axes])
        v = v if batch_first else v.transpose(0, 1)
        inner = layer.norm1(v + layer.self_attn(v, v, v, need_weights=False)[0])
        on = layer.linear1(inner) > 0
        on = on if batch_first else on.transpose(0, 1)
        assert int((on.any(0) & ~on.all(0)).sum()) == count


def _frame(dim: int, directions: int) -> np.ndarray:
    from splineviz.estimators.frames import shared_frame

    return shared_frame(dim, directions, 0)


def test_max_pool_counts_winners_and_no_dead_ties() -> None:
    network = nn.Sequential(nn.Unflatten(1, (1, 4)), nn.MaxPool1d(2), nn.Flatten()).double()
    dead = nn.Sequential(nn.ReLU(), *network)
    points = torch.tensor([[0.0, 0.05, 1.0, 5.0], [-3.0, -4.0, -3.0, -4.0]], dtype=torch.float64)
    pooled = sv.local_complexity(network, points, radius=0.1, directions=4)
    assert pooled.totals[0, 0].tolist() == [1, 0]
    both = sv.local_complexity(dead, points, radius=0.1, directions=4)
    assert both.counts[0, 0, :, 1].tolist() == [1, 0]
    assert both.zeros[0, 0, 1, 1] == 2


def test_pools_of_every_shape_count_changes_of_the_arg_max() -> None:
    torch.manual_seed(3)
    points = torch.randn(5, 2, 7, 9, dtype=torch.float64)
    axes = torch.from_numpy(_frame(126, 10)).reshape(10, 2, 7, 9)
    odd = nn.MaxPool2d((2, 3), (1, 2), ceil_mode=True)
    for pool in (nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), odd, nn.MaxPool2d(2, 1, dilation=2)):
        estimate = sv.local_complexity(nn.Sequential(pool), points, radius=0.2, directions=10)
        pool.return_indices = True
        for point, count in zip(points, estimate.totals[0, 0], strict=True):
            places = pool(torch.cat([point + 0.2 * axes, point - 0.2 * axes]))[1]
            assert int((places != places[:1]).any(0).sum()) == count
    adaptive = nn.AdaptiveMaxPool2d((3, 4), return_indices=True)
    estimate = sv.local_complexity(nn.Sequential(nn.AdaptiveMaxPool2d((3, 4))), points, radius=0.2, directions=10)
    for point, count in zip(points, estimate.totals[0, 0], strict=True):
        places = adaptive(torch.cat([point + 0.2 * axes, point - 0.2 * axes]))[1]
        assert int((places != places[:1]).any(0).sum()) == count


class Larger(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.maximum(x[:, :2], x[:, 2:]) + x.amax(1, keepdim=True)


def test_maximum_of_two_and_over_an_axis() -> None:
    points = torch.tensor([[0.0, 5.0, 0.01, 0.0], [9.0, 0.0, 5.0, 8.99]], dtype=torch.float64)
    estimate = sv.local_complexity(Larger(), points, radius=0.1, directions=4)
    assert [stage.kind for stage in estimate.stages] == ["maximum", "amax"]
    assert estimate.counts[0, 0].tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("frame", ["shared", "per-point"])
def test_lists_batches_and_single_requests_agree(frame: str) -> None:
    network, points = perceptron(8, 30, 30, 2), torch.randn(11, 8, dtype=torch.float64)
    radii, directions = [0.3, 0.05], [5, 2, 8]
    whole = sv.local_complexity(network, points, radius=radii, directions=directions, frame=frame, seed=4)  # type: ignore[arg-type]
    assert whole.radii == (0.3, 0.05) and whole.directions == (5, 2, 8)
    for i, radius in enumerate(radii):
        for j, p in enumerate(directions):
            one = sv.local_complexity(network, points, radius=radius, directions=p, frame=frame, seed=4, batch=3)  # type: ignore[arg-type]
            assert np.array_equal(one.counts[0, 0], whole.counts[i, j])
            assert np.array_equal(whole.at(radius, p), one.totals[0, 0])


def test_a_smooth_function_at_the_end_is_the_output() -> None:
    network = nn.Sequential(*perceptron(4, 8, 3), nn.Sigmoid())
    assert [stage.kind for stage in sv.local_complexity(network, torch.randn(2, 4), directions=2).stages] == ["relu"]


def test_exact_zeros_are_off_and_reported() -> None:
    network = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 1)).double()
    with torch.no_grad():
        # on one vertex only, on two, and dead
        network[0].weight.copy_(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], dtype=torch.float64))
    axes = torch.eye(2, dtype=torch.float64)
    estimate = sv.local_complexity(network, axes[:1] * 0.0, radius=1.0, directions=2)
    assert estimate.totals.tolist() == [[[2]]]
    assert estimate.zeros.sum() == 1


@pytest.mark.parametrize("ratio", [0.1, 1.0, 3.0])
def test_random_lines_cut_a_diamond(ratio: float) -> None:
    torch.manual_seed(5)
    n = 40_000
    network = nn.Sequential(nn.Linear(2, n), nn.ReLU(), nn.Linear(n, 1)).double()
    nn.init.normal_(network[0].weight)
    nn.init.normal_(network[0].bias)
    share = sv.local_complexity(network, torch.zeros(1, 2), radius=ratio, directions=2).fractions.item()
    expected = 1 - 2 / math.pi * math.asin(1 / (1 + ratio**2))
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / n)


def test_more_directions_count_more_by_a_known_factor() -> None:
    torch.manual_seed(6)
    n, radius = 60_000, 0.05
    network = nn.Sequential(nn.Linear(200, n), nn.ReLU(), nn.Linear(n, 1)).double()
    nn.init.normal_(network[0].weight)
    nn.init.normal_(network[0].bias)
    estimate = sv.local_complexity(network, torch.zeros(1, 200), radius=radius, directions=list(M_P))
    for p, share in zip(M_P, estimate.fractions.ravel(), strict=True):
        expected = 2 * radius * M_P[p] / math.sqrt(2 * math.pi)
        # the second factor is the curvature of the density over the neighbourhood
        assert abs(share - expected) < 4 * math.sqrt(expected / n) + expected * (radius * 4) ** 2 / 6


def test_without_biases_a_linear_network_shows_every_unit_and_a_relu_network_those_of_its_first_layer() -> None:
    torch.manual_seed(7)
    for kind in (lambda: nn.LeakyReLU(1.0), nn.ReLU):
        layers = [layer for _ in range(6) for layer in (nn.Linear(60, 60, bias=False), kind())]
        network = nn.Sequential(*layers, nn.Linear(60, 1)).double()
        estimate = sv.local_complexity(network, torch.zeros(1, 60), radius=[1e-4, 10.0], directions=[2, 25])
        shares = estimate.fractions[:, :, 0]
        assert (shares[..., 0] == 1).all()
        assert (shares == 1).all() if kind is not nn.ReLU else (shares[..., -1] < 1).all()
        assert np.array_equal(shares[0], shares[1])  # rays know no scale


def test_without_biases_a_published_size_of_network() -> None:
    """12 x 400 units on 784 inputs show 2345, 3448, 3751 of 4800 for P = 2, 10, 25, at every radius."""
    torch.manual_seed(0)
    layers = [layer for k in range(12) for layer in (nn.Linear(400 if k else 784, 400, bias=False), nn.ReLU())]
    network = nn.Sequential(*layers, nn.Linear(400, 1, bias=False)).double()
    estimate = sv.local_complexity(network, torch.zeros(1, 784), radius=[1e-4, 10.0], directions=[2, 10, 25])
    assert np.array_equal(estimate.totals[0], estimate.totals[1])
    assert np.allclose(estimate.totals[0, :, 0], [2345, 3448, 3751], rtol=0.05)
    assert (estimate.counts[..., 0] == 400).all()


def test_falls_away_from_the_origin_saturates_in_directions_and_grows_with_the_radius() -> None:
    """Figure 17 of the paper: depth 18, width 100, centres from the origin to (10, ..., 10)."""
    torch.manual_seed(0)
    layers = [layer for k in range(17) for layer in (nn.Linear(100 if k else 784, 100), nn.LeakyReLU(0.01))]
    program = sv.load_program(nn.Sequential(*layers, nn.Linear(100, 10)))
    centres = np.repeat([0.0, 1.0, 3.0, 10.0], 8)[:, None] * np.ones(784)
    asked: dict[str, Any] = {"radius": [0.5, 5.0, 50.0], "directions": [2, 10, 50, 100, 200], "frame": "per-point"}
    totals = sv.local_complexity(program, centres, **asked).totals.reshape(3, 5, 4, 8).mean(-1)
    assert (np.diff(totals[:2], axis=2) < 0).all()
    assert (np.diff(totals[2, :, 1:], axis=1) < 0).all()  # a neighbourhood of 50 holds the origin for the first step of 28
    assert (np.diff(totals, axis=0) > 0).all()
    gains = np.diff(totals.sum(2), axis=1)
    assert (gains > 0).all() and (gains[:, 3] < gains[:, 0] / 2).all()  # from 100 to 200, and from 2 to 10


def test_bad_input_is_refused_in_plain_words() -> None:
    network, good = perceptron(4, 8, 1), torch.randn(3, 4)
    spoilt = good.clone()
    spoilt[1, 2] = math.nan
    for arguments, words in (
        ({"radius": 0.0}, "the radius must be greater than 0, got 0"),
        ({"radius": [0.1, -1.0]}, "the radius must be greater than 0, got 0.1, -1"),
        ({"radius": math.inf}, "the radius must be greater than 0"),
        ({"directions": 5}, "5 orthonormal directions do not fit into an input space of 4 dimensions"),
        ({"directions": 0}, "directions must be whole numbers of at least 1"),
        ({"points": spoilt}, "1 of 3 points hold NaN or infinite values, the first is point 1"),
        ({"points": torch.zeros(3, 4, dtype=torch.uint8)}, "points must hold floating-point numbers, got uint8"),
        ({"points": torch.zeros(3, 5)}, r"points must have shape \(n, 4\), got \(3, 5\)"),
        ({"points": good[:0]}, "there is no point"),
        ({"frame": "own"}, "frame must be 'shared' or 'per-point'"),
        ({"dtype": torch.int32}, "dtype must be float64"),
        ({"device": "cuda:77"}, "the device 'cuda:77' cannot be used"),
        ({"batch": 0}, "batch must be a whole number"),
    ):
        given = {"points": good, "directions": 2} | arguments
        with pytest.raises(sv.InputError, match=words):
            sv.local_complexity(network, **given)  # type: ignore[arg-type]


def test_networks_without_units_or_with_uncountable_ones_are_refused() -> None:
    class Sorted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sort(1).values

    class Mixed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x - x.mean(0))

    for network, words in (
        (nn.Sequential(nn.Linear(4, 4), nn.Softmax(1)), "has no unit"),
        (Sorted(), "'sort' switches in ways that have no count"),
        (Mixed(), "mixes the inputs"),
    ):
        with pytest.raises(sv.InputError, match=words):
            sv.local_complexity(network, torch.randn(3, 4), directions=2)


def test_half_precision_runs_and_its_signs_are_compared() -> None:
    network, points = perceptron(20, 50, 50, 2), torch.randn(30, 20)
    for dtype in (torch.float32, torch.bfloat16):
        assert sv.local_complexity(network, points, directions=5, radius=0.5, dtype=dtype).totals.sum() > 0
    low, full = (sign_disagreements(network, points, dtype=dtype, directions=5) for dtype in ("bfloat16", "float64"))
    assert full.share == 0.0 and 0.0 < low.share < 0.05
    assert low.compared.tolist() == [10 * 50] * 2 and low.differing.shape == (30, 2)
    batched = sign_disagreements(network, points, dtype="bfloat16", directions=5, batch=7)
    assert np.array_equal(low.differing, batched.differing)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no accelerator")
def test_the_same_counts_on_an_accelerator() -> None:
    torch.manual_seed(10)
    network, points = Residual().double().eval(), torch.randn(16, 2, 6, 6, dtype=torch.float64)
    for frame in ("shared", "per-point"):
        here, there = (
            sv.local_complexity(network, points, radius=[0.05, 0.5], directions=[2, 10], frame=frame, device=device)  # type: ignore[arg-type]
            for device in ("cpu", "cuda")
        )
        assert there.device.startswith("cuda")
        assert np.abs(here.counts - there.counts).sum() <= 2  # a sign at the edge of rounding


def test_on_real_digits_nearly_every_count_is_zero_at_the_published_radius() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits().data / 16.0
    program = sv.load_program(perceptron(64, 200, 200, 10, seed=11))
    estimate = sv.local_complexity(program, digits[:300], radius=[0.001, 0.05, 0.5], directions=[2, 25])
    zeros = (estimate.totals == 0).mean(-1)
    assert zeros[0, 0] > 0.9 and (np.diff(zeros, axis=0) <= 0).all() and (np.diff(zeros, axis=1) <= 0).all()
    assert zeros[2, 1] == 0


def test_points_are_left_as_they_were() -> None:
    network, points = nn.Sequential(nn.ReLU(), nn.Linear(4, 3), nn.ReLU()).double(), torch.randn(5, 4, dtype=torch.float64)
    before = points.clone()
    sv.local_complexity(network, points, directions=2)
    assert sign_disagreements(network, points, dtype="float64", directions=2).share == 0
    assert torch.equal(points, before)


def test_single_precision_on_large_and_small_maps_counts_the_same() -> None:
    torch.manual_seed(12)
    layers = [
        nn.Conv2d(2, 5, 3),
        nn.ReLU(),
        nn.Conv2d(5, 6, 3, 2),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 7, 2),
    ]
    network = nn.Sequential(*layers, nn.PReLU(7), nn.Flatten(), nn.LazyLinear(2))
    points = torch.randn(6, 2, 24, 24)
    network(points)
    asked: dict[str, Any] = {"radius": [0.1, 1.0], "directions": [3, 8]}
    full, single = (sv.local_complexity(network.eval(), points, dtype=dtype, **asked) for dtype in ("float64", "float32"))
    assert full.counts[..., 0].sum() > 1000
    assert np.abs(full.counts - single.counts).sum() <= 3  # signs at the edge of rounding
