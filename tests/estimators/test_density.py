"""The density: the examples of the paper, Monte Carlo over exact arrangements, closed forms, variants."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.estimators.density import density
from tests.estimators.nets import Tokens, perceptron, with_biases


def normal(value: float | np.ndarray, sigma: float) -> float | np.ndarray:
    return np.exp(-(np.asarray(value) ** 2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)


@pytest.mark.parametrize(("w", "beta", "sigma"), [(2.0, 0.3, 0.5), (-0.7, -1.0, 0.05)])
def test_a_single_neuron(w: float, beta: float, sigma: float) -> None:
    """The paper's first example: f(x) = |w| N(wx; beta, sigma^2), beta minus the bias of torch."""
    network = with_biases([[[w]], [[1.7]]], [[-beta], [0.0]])
    x = np.linspace(-2, 2, 9)[:, None]
    assert np.allclose(
        density(network, x, sigma=sigma, samples=2).totals, abs(w) * normal(w * x[:, 0] - beta, sigma)
    )


def test_two_neurons_on_top_of_each_other() -> None:
    """The paper's second example, its expectations over the biases by quadrature."""
    w1, w2, beta1, beta2, sigma, x = 1.3, 0.8, 0.2, 0.1, 0.4, 0.5
    network = with_biases([[[w1]], [[w2]], [[1.0]]], [[-beta1], [-beta2], [0.0]])
    found, kinks = (
        density(network, np.full((400, 1), x), sigma=sigma, samples=20, variant=v)
        for v in ("theorem", "kinks")
    )
    error = np.linalg.norm(found.error, axis=0) / 400
    b1 = np.linspace(beta1 - 8 * sigma, beta1 + 8 * sigma, 40_001)
    weight = normal(b1 - beta1, sigma) * (b1[1] - b1[0])
    z2 = w2 * np.maximum(w1 * x - b1, 0)
    second = (weight * (w1 * x > b1) * abs(w1 * w2) * normal(z2 - beta2, sigma)).sum()
    # the second neuron is open where z2 exceeds its noisy bias
    open_ = (
        weight * 0.5 * (1 + np.array([math.erf((z - beta2) / (sigma * math.sqrt(2))) for z in z2]))
    ).sum()
    first = abs(w1) * normal(w1 * x - beta1, sigma)
    assert (np.abs(found.values.mean(0) - np.array([first * open_, second])) < 4 * error).all()
    # where the first neuron switches it passes nothing on, and the second is open if 0 exceeds its bias
    on_breakpoint = first * 0.5 * (1 + math.erf(-beta2 / (sigma * math.sqrt(2))))
    assert (
        np.abs(kinks.values.mean(0) - np.array([on_breakpoint, second]))
        < 4 * np.linalg.norm(kinks.error, axis=0) / 400
    ).all()
    assert abs(found.values.mean(0)[0] - on_breakpoint) > 8 * error[0]


def test_mean_length_of_exact_edges_under_noise_on_the_biases() -> None:
    """Edges per area over draws of the biases = window mean of the density with in-plane gradients and all
    edges."""
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
        lengths.append(
            np.linalg.norm(arr.vertices[inner[:, 0]] - arr.vertices[inner[:, 1]], axis=1).sum() / 4
        )
    grid = (np.stack(np.meshgrid(*[np.arange(20) / 10 - 0.95] * 2), -1)).reshape(-1, 2)
    found = density(
        network, plane.lift(grid), sigma=sigma, samples=20, variant="all-edges", basis=plane.basis
    )
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
            noisy[name] = state[name] + sigma * torch.randn(
                state[name].shape, generator=generator, dtype=torch.float64
            )
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
            noisy[name] = state[name] + sigma * torch.randn(
                state[name].shape, generator=generator, dtype=torch.float64
            )
        estimate = sv.local_complexity(
            program.rebind(noisy), x, radius=radius, directions=p, frame="per-point", seed=k
        )
        counts.append(estimate.counts[0, 0].mean(0))
    length = math.sqrt(2) * math.gamma((dim + 1) / 2) / math.gamma(dim / 2)
    found = density(network, x, sigma=sigma, samples=5, variant="all-edges")
    expected = 2 * radius * 1.56983 / length * found.values.mean(0)
    assert (np.abs(np.mean(counts, 0) - expected) < 4 * np.std(counts, 0) / math.sqrt(draws)).all()
    assert (
        np.mean(counts, 0) > 20 * np.std(counts, 0) / math.sqrt(draws)
    ).all()  # else the comparison would say little


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
    plain, everything = (
        density(network, x, sigma=0.5, samples=3, variant=v).values for v in ("theorem", "all-edges")
    )
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
    with pytest.raises(sv.InputError, match="sigma must be a number >= 1e-150"):
        density(network, x, sigma=0.0)
    with pytest.raises(sv.InputError, match="orthonormal"):
        density(network, x, basis=np.ones((2, 4)))


def test_goodness_does_not_depend_on_where_the_batch_is() -> None:
    networks = [Tokens(first, attention=False).double() for first in (True, False)]
    networks[1].load_state_dict(networks[0].state_dict())
    points = torch.randn(1, 3, 4, dtype=torch.float64).expand(300, -1, -1)
    for variant in ("theorem", "kinks"):
        one, other = (density(network, points, sigma=0.5, samples=4, variant=variant) for network in networks)
        error = np.hypot(*(np.linalg.norm(d.error, axis=0) / 300 for d in (one, other)))
        assert (np.abs(one.values.mean(0) - other.values.mean(0)) < 4 * error + 1e-12).all()
        assert (error < 0.05 * one.values.mean(0)).all()
