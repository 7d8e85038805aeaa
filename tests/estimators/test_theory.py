"""Local rank, total variation and bounds: against autograd, and as inequalities on random networks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.choices import Noise
from splineviz.estimators import bounds
from splineviz.estimators.theory import local_rank, moments, total_variation
from tests.estimators.nets import Tokens, perceptron, with_biases


def test_rank_and_variation_are_those_of_autograd() -> None:
    network, x = perceptron(9, 6, 20, 3), torch.randn(5, 9, dtype=torch.float64)
    jacobians = [torch.autograd.functional.jacobian(network, point[None])[0, :, 0] for point in x]  # type: ignore[no-untyped-call]
    assert np.isclose(total_variation(network, x), np.mean([float(j.norm()) for j in jacobians]))
    inner = [torch.autograd.functional.jacobian(network[:3], point[None])[0, :, 0] for point in x]  # type: ignore[no-untyped-call]
    expected = np.mean([int((torch.linalg.svdvals(j) >= 0.2).sum()) for j in inner])
    assert np.allclose(
        local_rank(network, x, epsilon=0.2),
        [np.sum(np.linalg.svd(network[0].weight.detach())[1] >= 0.2), expected],
    )
    dead = with_biases([[[1.0], [1.0]], [[1.0, 0.0]], [[0.0]]], [[0.0, 0.0], [-5.0], [0.0]])
    assert moments(dead, [[1.0]], sigma=0.01).mean_not_good == 3


CHAINS = (bounds.bound_7, bounds.bound_8, bounds.bound_11, bounds.bound_12, bounds.bound_13, bounds.bound_14)


def test_corrected_bounds_hold_on_random_networks() -> None:
    for seed in range(30):
        r = np.random.default_rng(seed)
        widths = [
            int(r.integers(1, 6)),
            *(int(n) for n in r.integers(1, 30, int(r.integers(1, 4)))),
            int(r.integers(1, 3)),
        ]
        network = perceptron(*widths, seed=seed)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter *= r.choice([0.3, 1.0, 3.0])
        m = moments(
            network,
            r.standard_normal((5, widths[0])),
            sigma=r.choice([0.05, 0.5, 2.0]),
            samples=3,
            epsilon=r.choice([0.01, 3.0]),
        )
        for bound in CHAINS:
            assert bound(m).holds, (seed, bound.__name__)


@pytest.mark.parametrize("noise", ["bias", "weights"])
@pytest.mark.parametrize(
    "make", [lambda: nn.Hardtanh(-0.01, 0.01), lambda: nn.PReLU(init=5.0), nn.ReLU6, nn.Identity]
)
def test_corrected_bounds_hold_for_other_activations(make: Callable[[], nn.Module], noise: Noise) -> None:
    """Two breakpoints, steep slopes, linear layers in a row."""
    for seed in range(4):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Linear(1, 12),
            make(),
            nn.Linear(12, 9),
            nn.ReLU(),
            nn.Linear(9, 2),
            nn.Linear(2, 7),
            make(),
            nn.Linear(7, 2),
        )
        for parameter in network.parameters():
            parameter.data *= 3
        m = moments(network, torch.randn(5, 1), sigma=0.5, samples=3, noise=noise, epsilon=0.5)
        for bound in CHAINS[:-1]:
            assert bound(m).holds, (seed, bound.__name__)
        if isinstance(make(), nn.PReLU) or noise == "weights":
            with pytest.raises(sv.InputError, match="without noise and activations of slope at most 1"):
                bounds.bound_14(m)
        else:
            assert bounds.bound_14(m).holds


def test_bounds_are_close_where_they_can_be() -> None:
    """Equal rows, far apart from nothing: (7), (11) and (14) are equations up to the width of the
    breakpoints."""
    clamp = nn.Sequential(nn.Linear(1, 50), nn.Hardtanh(-0.01, 0.01), nn.Linear(50, 1)).double()
    with torch.no_grad():
        clamp[0].weight.fill_(1.0)
        clamp[0].bias.zero_()
    m = moments(clamp, [[0.0]], sigma=0.5, epsilon=1e-3)
    for bound in (bounds.bound_7, bounds.bound_11, bounds.bound_14):
        assert bound(m).holds and bound(m).left == pytest.approx(bound(m).right, rel=1e-3)
    steep = nn.Sequential(nn.Linear(1, 1), nn.PReLU(init=1e4), nn.Linear(1, 1)).double()
    with torch.no_grad():
        for parameter in (steep[0].weight, steep[2].weight):
            parameter.fill_(1.0)
        for parameter in (steep[0].bias, steep[2].bias):
            parameter.zero_()
    m = moments(steep, [[-0.01]], sigma=0.5)
    assert m.total_variation > 1e3 and bounds.bound_13(m).holds


def test_moments_of_some_of_the_points() -> None:
    network, x = perceptron(4, 9, 7, 2), torch.randn(6, 4)
    whole, part = moments(network, x, sigma=0.0), moments(network, x[[4, 1, 1]], sigma=0.0)
    for name in ("rank", "gradients", "variation", "largest_jacobian", "largest_sensitivity"):
        assert np.allclose(getattr(whole.take(np.array([4, 1, 1])), name), getattr(part, name))
    inner = network[:3]
    rows = [torch.autograd.functional.jacobian(inner, p.double()[None])[0, :, 0] for p in x]  # type: ignore[no-untyped-call]
    assert np.allclose(whole.largest_jacobian[:, 1], [float(torch.linalg.matrix_norm(j, 2)) for j in rows])
    assert np.allclose(whole.largest_gradient[:, 1], [float(j.norm(dim=1).max()) for j in rows])
    behind = [torch.autograd.functional.jacobian(network[3:], inner(p.double()[None]))[0, :, 0] for p in x]  # type: ignore[no-untyped-call]
    assert np.allclose(
        whole.largest_sensitivity[:, 1], [float(torch.linalg.matrix_norm(j, 2)) for j in behind]
    )


def test_where_the_printed_bounds_fail() -> None:
    many = with_biases([[[1.0]] * 100, [[1.0] * 100]], [[0.0] * 100, [0.0]])
    m = moments(many, [[0.0]], sigma=0.5)
    assert not bounds.bound_11(m, "printed").holds and bounds.bound_11(m).holds
    assert bounds.bound_11(m).left == pytest.approx(100.0)
    steep = with_biases([[[100.0]], [[1.0]]], [[0.0], [0.0]])
    m = moments(steep, [[0.0]], sigma=0.5, epsilon=100.0)
    assert not bounds.bound_12(m, "printed").holds and bounds.bound_12(m).holds
    deep = perceptron(3, 40, 40, 1, seed=1)
    m = moments(deep, torch.randn(5, 3), sigma=0.1)
    assert not bounds.bound_14(m, "printed").holds and bounds.bound_14(m).holds
    assert bounds.sides_17(m, 0.01).right == pytest.approx(math.log(100))
    assert bounds.sides_17(m, 0.01, "printed").left > bounds.sides_17(m, 0.01).left


def test_bounds_that_do_not_apply_say_so() -> None:
    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(torch.relu(self.first(x)) + x)  # type: ignore[no-any-return]

    m = moments(Around(), torch.randn(2, 3))
    assert bounds.bound_11(m).holds
    for bound, words in ((bounds.bound_13, "chains of layers"), (bounds.bound_14, "chains of linear layers")):
        with pytest.raises(sv.InputError, match=words):
            bound(m)
    with pytest.raises(sv.InputError, match="without"):
        bounds.bound_7(moments(Around(), torch.randn(2, 3), sigma=0.0))


@pytest.mark.parametrize("batch_first", [True, False])
def test_gradients_within_attention_are_those_of_autograd(batch_first: bool) -> None:
    torch.manual_seed(1)
    network, points = (
        Tokens(batch_first, attention=True).double().eval(),
        torch.randn(3, 3, 4, dtype=torch.float64),
    )
    found = moments(network, points, sigma=0.0)
    for point, gradients, variation in zip(points, found.gradients, found.variation, strict=True):

        def enters(x: torch.Tensor) -> torch.Tensor:
            layer = network.body.layers[0]
            y = x[None] if batch_first else x[:, None]
            inner = layer.linear1(layer.norm1(y + layer.self_attn(y, y, y, need_weights=False)[0]))
            return torch.cat([inner.flatten(), network(x[None]).flatten()])

        jacobian = torch.autograd.functional.jacobian(enters, point).flatten(1)  # type: ignore[no-untyped-call]
        assert gradients[0] == pytest.approx(float(jacobian[:18].norm(dim=1).sum()))
        assert variation == pytest.approx(float(jacobian[18:].norm()))
