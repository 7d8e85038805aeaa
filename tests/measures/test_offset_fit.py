"""Offsets of hyperplanes and batch-norm: the claim exactly, numerical minima, and autograd as a witness."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from torch import nn

import splineviz as sv
from splineviz.measures.offset_fit import offset_fit

DATA = np.random.default_rng(0).normal(1.0, 2.0, (70, 5))


def fitted(net: nn.Sequential, x: np.ndarray) -> nn.Sequential:
    """Batch-norms given the statistics of the data, one after the other, each on what reaches it in eval
    mode."""
    net.double().eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = None
            module.train()
            with torch.no_grad():
                net(torch.tensor(x))
            module.eval()
    return net


def normed() -> nn.Sequential:
    torch.manual_seed(0)
    layers = (nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 6), nn.BatchNorm1d(6), nn.ReLU())
    return fitted(nn.Sequential(*layers, nn.Linear(6, 2)), DATA)


def test_batch_norm_takes_the_best_offset_of_every_unit() -> None:
    """The claim: through the mean of the inputs, with the least sum of squared distances over offsets."""
    net = normed()
    found = offset_fit(net, DATA)
    np.testing.assert_allclose(found.squares, found.least, rtol=1e-12)
    np.testing.assert_allclose(found.offset, 0.0, atol=1e-12)
    assert (found.without > found.least * (1 + 1e-6)).all()
    h = torch.tensor(DATA)
    for stage, layer in enumerate((0, 3)):
        w, c = net[layer].weight.detach().numpy(), net[layer].bias.detach().numpy()
        own, inputs = found.stage == stage, h.detach().numpy()
        for k in range(len(w)):
            distance = lambda offset, k=k, w=w, inputs=inputs: float(  # noqa: E731
                ((inputs @ w[k] + offset) ** 2).sum() / (w[k] @ w[k])
            )
            best = minimize_scalar(distance)
            assert best.x == pytest.approx(-(inputs @ w[k]).mean(), abs=1e-6)
            assert found.least[own][k] == pytest.approx(best.fun, rel=1e-9)
            assert found.without[own][k] == pytest.approx(distance(c[k]), rel=1e-12)
        h = net[: layer + 3](torch.tensor(DATA))


def test_a_learned_shift_moves_away_from_the_best() -> None:
    net = normed()
    net[1].bias.data += 0.5
    found = offset_fit(net, DATA)
    assert (found.squares > found.least)[found.stage == 0].all()
    np.testing.assert_allclose(found.offset[found.stage == 0], -0.5, atol=1e-12)
    scale = (net[1].weight / torch.sqrt(net[1].running_var + net[1].eps)).detach().numpy()
    norms = scale * np.linalg.norm(net[0].weight.detach().numpy(), axis=1)
    extra = (found.squares - found.least)[found.stage == 0]
    np.testing.assert_allclose(extra, 70 * 0.25 / norms**2, rtol=1e-9)


def test_without_batch_norm() -> None:
    net = nn.Sequential(nn.Linear(5, 4), nn.Hardtanh(), nn.Linear(4, 2)).double()
    found = offset_fit(net, DATA)
    assert np.isnan(found.without).all() and len(found.unit) == 8
    z = net[0](torch.tensor(DATA)).detach().numpy()
    norms = np.linalg.norm(net[0].weight.detach().numpy(), axis=1)
    for place, level in ((slice(0, 4), -1.0), (slice(4, 8), 1.0)):
        np.testing.assert_allclose(found.squares[place], ((z - level) ** 2).sum(0) / norms**2, rtol=1e-12)
        np.testing.assert_allclose(found.offset[place], level - z.mean(0), atol=1e-12)
    assert found["squares over the least", "stage 0"] > 1


def test_a_convolution_fits_one_offset_to_all_patches() -> None:
    torch.manual_seed(1)
    x = np.random.default_rng(1).normal(0.5, 1.0, (300, 2, 6, 6))
    layers = (nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2))
    net = fitted(nn.Sequential(*layers), x)
    found = offset_fit(net, x)
    np.testing.assert_allclose(found.squares, found.least, rtol=1e-12)
    assert found.inputs.tolist() == [300 * 16] * 3 and (found.without > found.least).all()
    patches = nn.functional.unfold(torch.tensor(x), 3).transpose(1, 2).reshape(-1, 18).numpy()
    w = net[0].weight.detach().numpy().reshape(3, -1)
    projected = patches @ w.T / np.linalg.norm(w, axis=1)
    np.testing.assert_allclose(found.least, 4800 * projected.var(0), rtol=1e-9)


def test_distances_are_those_to_hyperplanes() -> None:
    """By the gradient of what enters a unit, of a chain of a product, a scale and a reshaping."""
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(5, 6), nn.Unflatten(1, (2, 3)), nn.BatchNorm1d(2), nn.Flatten(), nn.ReLU())
    net[2].running_mean.uniform_(-1, 1)  # type: ignore[operator]
    net[2].running_var.uniform_(0.5, 2)  # type: ignore[operator]
    net.double().eval()
    found = offset_fit(net, DATA)
    x = torch.tensor(DATA)
    z = net[:4](x)
    gradient = torch.autograd.functional.jacobian(lambda one: net[:4](one[None])[0], x[0])
    expected = (z.square().sum(0) / gradient.square().sum(1)).detach().numpy()
    np.testing.assert_allclose(found.squares, expected, rtol=1e-12)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.a(x))
        y: torch.Tensor = self.c(torch.relu(h + self.b(h)))
        return y


def test_sums_of_several_layers_are_left_out() -> None:
    found = offset_fit(Residual().double(), DATA)
    assert np.unique(found.stage).tolist() == [0]


def test_batches_add_up_and_bad_points_are_refused() -> None:
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(5, 4), nn.ReLU()).double()
    many = np.random.default_rng(2).normal(1e4, 1.0, (700, 5))
    found = offset_fit(net, many)
    z = net[0](torch.tensor(many)).detach().numpy()
    norms = np.linalg.norm(net[0].weight.detach().numpy(), axis=1)
    np.testing.assert_allclose(found.least, 700 * z.var(0) / norms**2, rtol=1e-9)
    with pytest.raises(sv.InputError, match="there is no point"):
        offset_fit(net, np.zeros((0, 5)))
