"""What the proxy takes for a unit: activations, pools, residuals, attention, zeros, the output."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import splineviz as sv
from tests.estimators.by_hooks import counted
from tests.estimators.nets import Residual, activations, frame_of, perceptron


@pytest.mark.parametrize("kind", [nn.GELU, nn.SiLU, nn.Tanh, nn.LeakyReLU, nn.ELU])
def test_sign_of_what_enters_any_activation(kind: type[nn.Module]) -> None:
    network = perceptron(6, 15, 15, 2, activation=kind)
    points = torch.randn(5, 6, dtype=torch.float64)
    expected = counted(network, points, 0.4, 4, activations(network, kind))
    assert np.array_equal(
        sv.local_complexity(network, points, radius=0.4, directions=4).counts[0, 0], expected
    )


FORMS: dict[str, tuple[Callable[[Tensor], Tensor], tuple[float, ...]]] = {
    "where": (lambda z: torch.where(z < 0.3, z, 0.3), (0.3,)),
    "clamp from below": (lambda z: z.clamp(min=0.2), (0.2,)),
    "clamp": (lambda z: z.clamp(-0.5, 0.5), (-0.5, 0.5)),
    "in place": (lambda z: functional.relu6(z.clone(), inplace=True), (0.0, 6.0)),
    "gate": (lambda z: z * torch.sigmoid(z), (0.0,)),
    "mask": (lambda z: z * (z > 0), (0.0,)),
    "abs": (torch.abs, (0.0,)),
    "maximum": (lambda z: torch.maximum(z, torch.full_like(z, 0.1)), (0.1,)),
    "hardsigmoid": (functional.hardsigmoid, (-3.0, 3.0)),
    "softshrink": (lambda z: functional.softshrink(z, 0.4), (-0.4, 0.4)),
    "threshold": (lambda z: functional.threshold(z, 0.4, 0.4), (0.4,)),
    "softplus": (functional.softplus, (0.0,)),
    "hardswish": (functional.hardswish, (0.0,)),
    "a power behind": (lambda z: torch.relu(z) ** 2, (0.0,)),
}


@pytest.mark.parametrize("form", FORMS)
def test_functional_forms_switch_where_they_bend(form: str) -> None:
    bend, levels = FORMS[form]

    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.outer = nn.Linear(6, 30), nn.Linear(30, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.outer(bend(self.inner(x)))  # type: ignore[no-any-return]

    torch.manual_seed(4)
    network, points = Around().double().eval(), torch.randn(7, 6, dtype=torch.float64)
    axes = 0.5 * torch.from_numpy(frame_of(6, 4))
    expected = []
    for point in points:
        on = network.inner(torch.cat([point + axes, point - axes]))[..., None] > torch.tensor(levels)
        expected.append(int((on.any(0) & ~on.all(0)).sum()))
    assert sv.local_complexity(network, points, radius=0.5, directions=4).totals[0, 0].tolist() == expected


def test_convolutions_batch_norm_residual_and_reuse() -> None:
    torch.manual_seed(1)
    network = Residual().double().eval()
    points = torch.randn(4, 2, 6, 6, dtype=torch.float64)
    expected = counted(network, points, 0.3, 5, [network.relu])
    estimate = sv.local_complexity(network, points, radius=0.3, directions=5)
    assert np.array_equal(estimate.counts[0, 0], expected)
    program = sv.load_program(network, input_shape=(2, 6, 6))
    assert estimate.stages == program.stages
    assert np.array_equal(
        sv.local_complexity(program, points, radius=0.3, directions=5).counts, estimate.counts
    )


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
    axes = torch.from_numpy(frame_of(40, 6)).reshape(6, 5, 8)
    layer = network.layer
    for point, count in zip(points, estimate.counts[0, 0, :, 0], strict=True):
        v = torch.cat([point + 0.5 * axes, point - 0.5 * axes])
        v = v if batch_first else v.transpose(0, 1)
        inner = layer.norm1(v + layer.self_attn(v, v, v, need_weights=False)[0])
        on = layer.linear1(inner) > 0
        on = on if batch_first else on.transpose(0, 1)
        assert int((on.any(0) & ~on.all(0)).sum()) == count


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
    axes = torch.from_numpy(frame_of(126, 10)).reshape(10, 2, 7, 9)
    odd = nn.MaxPool2d((2, 3), (1, 2), ceil_mode=True)
    for pool in (nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), odd, nn.MaxPool2d(2, 1, dilation=2)):
        estimate = sv.local_complexity(nn.Sequential(pool), points, radius=0.2, directions=10)
        pool.return_indices = True
        for point, count in zip(points, estimate.totals[0, 0], strict=True):
            places = pool(torch.cat([point + 0.2 * axes, point - 0.2 * axes]))[1]
            assert int((places != places[:1]).any(0).sum()) == count
    adaptive = nn.AdaptiveMaxPool2d((3, 4), return_indices=True)
    estimate = sv.local_complexity(
        nn.Sequential(nn.AdaptiveMaxPool2d((3, 4))), points, radius=0.2, directions=10
    )
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


def test_a_smooth_function_at_the_end_is_the_output() -> None:
    network = nn.Sequential(*perceptron(4, 8, 3), nn.Sigmoid())
    assert [stage.kind for stage in sv.local_complexity(network, torch.randn(2, 4), directions=2).stages] == [
        "relu"
    ]


def test_exact_zeros_are_off_and_reported() -> None:
    network = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 1)).double()
    with torch.no_grad():
        # on one vertex only, on two, and dead
        network[0].weight.copy_(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], dtype=torch.float64))
    axes = torch.eye(2, dtype=torch.float64)
    estimate = sv.local_complexity(network, axes[:1] * 0.0, radius=1.0, directions=2)
    assert estimate.totals.tolist() == [[[2]]]
    assert estimate.zeros.sum() == 1


def test_units_of_a_recurrent_cell_are_those_of_its_relu() -> None:
    """Its first state is a constant for each input of the batch."""
    torch.manual_seed(0)
    cell = nn.RNNCell(2, 5, nonlinearity="relu")
    by_hand = nn.Sequential(nn.Linear(2, 5), nn.ReLU())
    with torch.no_grad():
        by_hand[0].weight.copy_(cell.weight_ih)
        by_hand[0].bias.copy_(cell.bias_ih + cell.bias_hh)
    points = torch.randn(20, 2)
    found, expected = (sv.local_complexity(net, points, radius=1.0, directions=2) for net in (cell, by_hand))
    assert found.totals.sum() > 0 and (found.totals == expected.totals).all()


def test_networks_without_units_or_with_uncountable_ones_are_refused() -> None:
    class Unsorted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.topk(2, sorted=False).values

    class Gathered(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.index_reduce(1, torch.tensor([0, 0, 1, 1]), x, "amax")

    class Mixed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x - x.mean(0))

    for network, words in (
        (nn.Sequential(nn.Linear(4, 4), nn.Softmax(1)), "has no unit"),
        (Unsorted(), "'topk' switches in ways that have no count"),
        (Gathered(), "'index_reduce' switches in ways that have no count"),
        (Mixed(), "mixes the inputs"),
    ):
        with pytest.raises(sv.InputError, match=words):
            sv.local_complexity(network, torch.randn(3, 4), directions=2)


WAYS: dict[str, list[Callable[[Tensor], Tensor]]] = {
    "largest": [
        lambda z: z.unflatten(1, (2, 3)).max(2).values,
        lambda z: z.reshape(-1, 3).max(1).values.reshape(-1, 2),
        lambda z: z.unflatten(1, (2, 3)).movedim(2, 0).amax(0),
        lambda z: torch.stack(z.unflatten(1, (2, 3)).unbind(2)).max(0).values,
    ],
    "smallest so far": [
        lambda z: z.unflatten(1, (2, 3)).cummin(2).values.flatten(1),
        lambda z: z.reshape(-1, 3).cummin(-1).values.reshape(-1, 6),
        lambda z: z.unflatten(1, (2, 3)).movedim(2, 0).cummin(0).values.movedim(0, 2).flatten(1),
    ],
}


@pytest.mark.parametrize("name", WAYS)
def test_maxima_along_an_axis_wherever_the_batch_is(name: str) -> None:
    class Behind(nn.Module):
        def __init__(self, way: Callable[[Tensor], Tensor]) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.layer, self.way = nn.Linear(6, 6), way

        def forward(self, x: Tensor) -> Tensor:
            return self.way(self.layer(x))

    points = torch.randn(30, 6)
    first, *others = (sv.local_complexity(Behind(way), points, radius=0.6).totals for way in WAYS[name])
    assert first.sum() > 10
    assert all((other == first).all() for other in others)


def test_the_modulus_of_complex_numbers_switches_nowhere() -> None:
    class Spectrum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(torch.fft.rfft(x).abs() - 1.5)

    class BySquares(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            z = torch.view_as_real(torch.fft.rfft(x))
            return torch.relu(z.square().sum(-1).sqrt() - 1.5)

    points = torch.randn(30, 6)
    found, expected = (sv.local_complexity(net(), points, radius=0.6) for net in (Spectrum, BySquares))
    assert found.totals.sum() > 10 and (found.totals == expected.totals).all()
