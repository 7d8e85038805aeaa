"""Density, local rank, total variation and bounds: the paper's examples, Monte Carlo, and inequalities on random networks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.estimators import bounds
from splineviz.estimators.density import density
from splineviz.estimators.derivatives import Noise
from splineviz.estimators.theory import local_rank, moments, total_variation
from tests.estimators.nets import perceptron, with_biases


def normal(value: float | np.ndarray, sigma: float) -> float | np.ndarray:
    return np.exp(-(np.asarray(value) ** 2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)


@pytest.mark.parametrize(("w", "beta", "sigma"), [(2.0, 0.3, 0.5), (-0.7, -1.0, 0.05)])
def test_a_single_neuron(w: float, beta: float, sigma: float) -> None:
    """The paper's first example: f(x) = |w| N(wx; beta, sigma^2), beta minus the bias of torch."""
    network = with_biases([[[w]], [[1.7]]], [[-beta], [0.0]])
    x = np.linspace(-2, 2, 9)[:, None]
    assert np.allclose(density(network, x, sigma=sigma, samples=2).totals, abs(w) * normal(w * x[:, 0] - beta, sigma))


def test_two_neurons_on_top_of_each_other() -> None:
    """The paper's second example, its expectations over the biases by quadrature."""
    w1, w2, beta1, beta2, sigma, x = 1.3, 0.8, 0.2, 0.1, 0.4, 0.5
    network = with_biases([[[w1]], [[w2]], [[1.0]]], [[-beta1], [-beta2], [0.0]])
    found, kinks = (density(network, np.full((400, 1), x), sigma=sigma, samples=20, variant=v) for v in ("theorem", "kinks"))
    error = np.linalg.norm(found.error, axis=0) / 400
    b1 = np.linspace(beta1 - 8 * sigma, beta1 + 8 * sigma, 40_001)
    weight = normal(b1 - beta1, sigma) * (b1[1] - b1[0])
    z2 = w2 * np.maximum(w1 * x - b1, 0)
    second = (weight * (w1 * x > b1) * abs(w1 * w2) * normal(z2 - beta2, sigma)).sum()
    # the second neuron is open where z2 exceeds its noisy bias
    open_ = (weight * 0.5 * (1 + np.array([math.erf((z - beta2) / (sigma * math.sqrt(2))) for z in z2]))).sum()
    first = abs(w1) * normal(w1 * x - beta1, sigma)
    assert (np.abs(found.values.mean(0) - np.array([first * open_, second])) < 4 * error).all()
    # where the first neuron switches it passes nothing on, and the second is open if 0 exceeds its bias
    on_breakpoint = first * 0.5 * (1 + math.erf(-beta2 / (sigma * math.sqrt(2))))
    assert (np.abs(kinks.values.mean(0) - np.array([on_breakpoint, second])) < 4 * np.linalg.norm(kinks.error, axis=0) / 400).all()
    assert abs(found.values.mean(0)[0] - on_breakpoint) > 8 * error[0]


def test_mean_length_of_exact_edges_under_noise_on_the_biases() -> None:
    """Edges per area over draws of the biases = window mean of the density with in-plane gradients and all edges."""
    sigma, draws = 0.3, 60
    network = perceptron(5, 6, 6, 1, seed=3)
    program = sv.load_program(network)
    plane, window = sv.Plane.at(np.zeros(5), seed=1), sv.Window.box(-1, 1, -1, 1)
    generator = torch.Generator().manual_seed(4)
    state = network.state_dict()
    lengths = []
    for _ in range(draws):
        noise = {
            k: sigma * torch.randn(v.shape, generator=generator, dtype=v.dtype)
            for k, v in state.items()
            if k in ("0.bias", "2.bias")
        }
        arr = sv.arrange(program.rebind({k: v + noise.get(k, 0.0) for k, v in state.items()}), plane, window)
        inner = arr.edges[(arr.edge_cells >= 0).all(1)]
        lengths.append(np.linalg.norm(arr.vertices[inner[:, 0]] - arr.vertices[inner[:, 1]], axis=1).sum() / 4)
    grid = (np.stack(np.meshgrid(*[np.arange(20) / 10 - 0.95] * 2), -1)).reshape(-1, 2)
    found = density(network, plane.lift(grid), sigma=sigma, samples=20, variant="all-edges", basis=plane.basis)
    error = math.hypot(np.std(lengths) / math.sqrt(draws), float(np.linalg.norm(found.error)) / len(grid))
    assert abs(np.mean(lengths) - found.local_complexity) < 4 * error


def test_mean_length_of_exact_kinks_under_noise_on_the_biases() -> None:
    """Edges at which the output has a kink, in a network so narrow that half of all edges are none."""
    sigma, draws = 0.5, 500
    network = perceptron(2, 3, 1, 2, 1, seed=2)
    program, state = sv.load_program(network), network.state_dict()
    generator = torch.Generator().manual_seed(5)
    kinked, lengths = [], []
    for _ in range(draws):
        noisy = dict(state)
        for name in ("0.bias", "2.bias", "4.bias"):
            noisy[name] = state[name] + sigma * torch.randn(state[name].shape, generator=generator, dtype=torch.float64)
        arr = sv.arrange(program.rebind(noisy), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
        inner = (arr.edge_cells >= 0).all(1)
        ends = arr.vertices[arr.edges[inner]]
        length = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1) / 4
        one, other = arr.affine[arr.edge_cells[inner]].swapaxes(0, 1)
        kinked.append(length[np.abs(one - other)[..., :2].max((1, 2)) > 1e-9].sum())
        lengths.append(length.sum())
    grid = (np.stack(np.meshgrid(*[np.arange(20) / 10 - 0.95] * 2), -1)).reshape(-1, 2)
    found = density(network, grid, sigma=sigma, samples=50, variant="kinks")
    error = math.hypot(np.std(kinked) / math.sqrt(draws), float(np.linalg.norm(found.error)) / len(grid))
    assert abs(np.mean(kinked) - found.local_complexity) < 4 * error
    assert np.mean(lengths) - found.local_complexity > 8 * error


def test_small_neighbourhoods_count_the_density_times_a_known_factor() -> None:
    """E n_sep ~ 2 r (m_P / E|g_D|) f, over noise on the biases and random frames, in both layers."""
    dim, p, radius, sigma, draws = 12, 5, 0.05, 1.0, 100
    network = perceptron(dim, 60, 40, 1, seed=5)
    program, state = sv.load_program(network), network.state_dict()
    x = np.random.default_rng(6).standard_normal((100, dim))
    generator = torch.Generator().manual_seed(7)
    counts = []
    for k in range(draws):
        noisy = dict(state)
        for name in ("0.bias", "2.bias"):
            noisy[name] = state[name] + sigma * torch.randn(state[name].shape, generator=generator, dtype=torch.float64)
        estimate = sv.local_complexity(program.rebind(noisy), x, radius=radius, directions=p, frame="per-point", seed=k)
        counts.append(estimate.counts[0, 0].mean(0))
    length = math.sqrt(2) * math.gamma((dim + 1) / 2) / math.gamma(dim / 2)
    found = density(network, x, sigma=sigma, samples=5, variant="all-edges")
    expected = 2 * radius * 1.56983 / length * found.values.mean(0)
    assert (np.abs(np.mean(counts, 0) - expected) < 4 * np.std(counts, 0) / math.sqrt(draws)).all()
    assert (np.mean(counts, 0) > 20 * np.std(counts, 0) / math.sqrt(draws)).all()  # else the comparison would say little


def test_noise_on_weights_in_closed_form() -> None:
    """One neuron: E|w + d| N((w + d) x - beta; 0, sigma^2) over d ~ N(0, sigma^2), by quadrature."""
    w, beta, sigma, x = 0.4, 0.2, 0.5, 0.8
    network = with_biases([[[w]], [[1.0]]], [[-beta], [0.0]])
    found = density(network, [[x]], sigma=sigma, samples=1000, noise="weights")
    d = np.linspace(-8 * sigma, 8 * sigma, 40_001)
    expected = (normal(d, sigma) * abs(w + d) * normal((w + d) * x - beta, sigma)).sum() * (d[1] - d[0])
    assert abs(found.local_complexity - expected) < 4 * found.error.item()
    assert abs(abs(w) * normal(w * x - beta, sigma) - expected) > 8 * found.error.item()


def test_variants() -> None:
    network, x = perceptron(4, 9, 7, 2), torch.randn(6, 4)
    plain, everything = (density(network, x, sigma=0.5, samples=3, variant=v).values for v in ("theorem", "all-edges"))
    assert (plain <= everything + 1e-12).all() and np.allclose(plain[:, 1], everything[:, 1])
    gradient = density(network, x, sigma=0.5, samples=3, variant="gradient").values
    weights = network[0].weight
    assert np.allclose(gradient[:, 0], weights.norm(dim=1).sum().item())
    script = density(network, x, sigma=0.5, variant="script").values[:, 0]
    s = (x.double() @ weights.T).detach()
    assert np.allclose(script, (weights.norm(dim=1) * (-(s**2) / 0.5).exp()).sum(1).detach().numpy())
    noisy = density(network, x, sigma=0.5, samples=3, noise="weights")
    assert not np.allclose(noisy.values[:, 0], everything[:, 0]) and noisy.error[:, 0].min() > 0
    with pytest.raises(sv.InputError, match="maximum of activations"):
        density(nn.Sequential(nn.Unflatten(1, (1, 4)), nn.MaxPool1d(2)), x)
    with pytest.raises(sv.InputError, match="sigma must be greater than 0"):
        density(network, x, sigma=0.0)
    with pytest.raises(sv.InputError, match="orthonormal"):
        density(network, x, basis=np.ones((2, 4)))


def test_rank_and_variation_are_those_of_autograd() -> None:
    network, x = perceptron(9, 6, 20, 3), torch.randn(5, 9, dtype=torch.float64)
    jacobians = [torch.autograd.functional.jacobian(network, point[None])[0, :, 0] for point in x]  # type: ignore[no-untyped-call]
    assert np.isclose(total_variation(network, x), np.mean([float(j.norm()) for j in jacobians]))
    inner = [torch.autograd.functional.jacobian(network[:3], point[None])[0, :, 0] for point in x]  # type: ignore[no-untyped-call]
    expected = np.mean([int((torch.linalg.svdvals(j) >= 0.2).sum()) for j in inner])
    assert np.allclose(local_rank(network, x, epsilon=0.2), [np.sum(np.linalg.svd(network[0].weight.detach())[1] >= 0.2), expected])
    dead = with_biases([[[1.0], [1.0]], [[1.0, 0.0]], [[0.0]]], [[0.0, 0.0], [-5.0], [0.0]])
    assert moments(dead, [[1.0]], sigma=0.01).mean_not_good == 3


CHAINS = (bounds.bound_7, bounds.bound_8, bounds.bound_11, bounds.bound_12, bounds.bound_13, bounds.bound_14)


def test_corrected_bounds_hold_on_random_networks() -> None:
    for seed in range(30):
        r = np.random.default_rng(seed)
        widths = [int(r.integers(1, 6)), *(int(n) for n in r.integers(1, 30, int(r.integers(1, 4)))), int(r.integers(1, 3))]
        network = perceptron(*widths, seed=seed)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter *= r.choice([0.3, 1.0, 3.0])
        m = moments(
            network, r.standard_normal((5, widths[0])), sigma=r.choice([0.05, 0.5, 2.0]), samples=3, epsilon=r.choice([0.01, 3.0])
        )
        for bound in CHAINS:
            assert bound(m).holds, (seed, bound.__name__)


@pytest.mark.parametrize("noise", ["bias", "weights"])
@pytest.mark.parametrize("make", [lambda: nn.Hardtanh(-0.01, 0.01), lambda: nn.PReLU(init=5.0), nn.ReLU6, nn.Identity])
def test_corrected_bounds_hold_for_other_activations(make: Callable[[], nn.Module], noise: Noise) -> None:
    """Two breakpoints, steep slopes, linear layers in a row."""
    for seed in range(4):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Linear(1, 12), make(), nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 2), nn.Linear(2, 7), make(), nn.Linear(7, 2)
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
    """Equal rows, far apart from nothing: (7), (11) and (14) are equations up to the width of the breakpoints."""
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
    assert np.allclose(whole.largest_sensitivity[:, 1], [float(torch.linalg.matrix_norm(j, 2)) for j in behind])


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


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no accelerator")
def test_the_same_on_an_accelerator() -> None:
    network, x = perceptron(9, 6, 20, 3), torch.randn(5, 9, dtype=torch.float64)
    here, there = (density(network, x, sigma=0.5, samples=1, variant="gradient", device=d).values[:, 0] for d in ("cpu", "cuda"))
    assert np.allclose(here, there)
    assert np.allclose(local_rank(network, x), local_rank(network, x, device="cuda"))
