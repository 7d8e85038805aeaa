"""Exact integrated gradients: closed forms, sums over dense steps by autograd, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.measures.attribution import attribution, gradients


def dense(seed: int = 0, n_in: int = 5, outputs: int = 3) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = (nn.Linear(n_in, 16), nn.ReLU(), nn.Linear(16, 16), nn.LeakyReLU(0.1), nn.Linear(16, outputs))
    return nn.Sequential(*layers).double()


def convolutional(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    layers = (nn.Conv2d(1, 4, 3, padding=1), nn.Hardtanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2))
    return nn.Sequential(*layers).double()


def by_steps(net: nn.Module, x: torch.Tensor, start: torch.Tensor, target: int, steps: int) -> torch.Tensor:
    t = (torch.arange(steps, dtype=torch.float64) + 0.5) / steps
    points = (start + t.reshape(-1, *[1] * x.ndim) * (x - start)).requires_grad_()
    (gradient,) = torch.autograd.grad(net(points)[:, target].sum(), points)
    return (x - start) * gradient.mean(0)


def test_one_kink_is_a_closed_form() -> None:
    """relu(2 x - y - 1) on the way from 0 to (3, 1): on after a quarter of the path."""
    net = nn.Sequential(nn.Linear(2, 1), nn.ReLU()).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[2.0, -1.0]]))
        net[0].bias.fill_(-1.0)
    found = sv.IntegratedGradients(net).attribute(torch.tensor([[3.0, 1.0]]))
    torch.testing.assert_close(found, torch.tensor([[4.8, -0.8]], dtype=torch.float64), rtol=0, atol=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_attributions_add_up_to_the_rise(seed: int) -> None:
    net, x = dense(seed), torch.randn(4, 5, dtype=torch.float64) * 3
    start = torch.randn(4, 5, dtype=torch.float64)
    target = torch.tensor([0, 1, 2, 0])
    found = sv.IntegratedGradients(net).attribute(x, start, target)
    rows = torch.arange(4)
    rise = (net(x) - net(start))[rows, target]
    torch.testing.assert_close(found.sum(1), rise, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("net", "shape"), [(dense(), (5,)), (convolutional(), (1, 6, 6))])
def test_many_steps_of_autograd_come_near(net: nn.Module, shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    x, start = torch.randn(shape, dtype=torch.float64), torch.randn(shape, dtype=torch.float64)
    found = sv.IntegratedGradients(net, input_shape=shape).attribute(x[None], start[None], 1)[0]
    near = by_steps(net, x, start, 1, 20_000)
    torch.testing.assert_close(found, near, rtol=0, atol=2e-3 * float(found.abs().max()))


def test_the_errors_of_few_steps_are_those_of_the_quadrature() -> None:
    net, x, start = dense(3), torch.full((5,), 2.0, dtype=torch.float64), torch.zeros(5, dtype=torch.float64)
    found = attribution(sv.segment(net, start, x), 2)
    at, weight = np.polynomial.legendre.leggauss(20)
    points = (torch.from_numpy((at + 1) / 2)[:, None] * x).requires_grad_()
    (gradient,) = torch.autograd.grad(net(points)[:, 2].sum(), points)
    rule = (x * (torch.from_numpy(weight / 2) @ gradient)).numpy()
    error = np.abs(rule - found.attributions).max() / np.abs(found.attributions).max()
    assert found["error of 20 steps", "output 2"] == pytest.approx(error, rel=1e-9)
    assert abs(found["completeness"]) <= 1e-12
    assert found["rise", "output 2"] == pytest.approx(float((net(x) - net(start))[2].detach()), abs=1e-12)


def test_sign_changes_are_those_of_autograd_between_the_knots() -> None:
    net = dense(4)
    path = sv.segment(net, np.full(5, -2.0), np.full(5, 2.0))
    middle = torch.from_numpy((path.points[1:] + path.points[:-1]) / 2).requires_grad_()
    (gradient,) = torch.autograd.grad(net(middle)[:, 0].sum(), middle)
    signs = np.sign(gradient.numpy())
    np.testing.assert_allclose(np.concatenate([g.numpy() for _, g in gradients(path)]), gradient, atol=1e-13)
    wanted = [
        (entry, cell)
        for cell in range(1, len(signs))
        for entry in range(5)
        if signs[cell, entry] != signs[cell - 1, entry]
    ]
    found = attribution(path)
    assert sorted(map(tuple, found.flips.tolist())) == sorted(wanted)
    assert found["sign changes", "output 0"] == len(wanted) > 0


def test_a_sign_that_comes_back_after_zeros_is_no_change() -> None:
    """relu(x - 2) - relu(x - 1) + relu(1 - x)...: slope -1, then 0, then -1, then +1."""
    net = nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[-1.0], [1], [1], [1]]))
        net[0].bias.copy_(torch.tensor([1.0, -2, -3, -4]))
        net[2].weight.copy_(torch.tensor([[1.0, -1, 2, 0]]))
    found = attribution(sv.segment(net, [0.0], [5.0]))
    assert [path for _, path in found.flips.tolist()] == [3]
    assert found.segment.knots[3] == pytest.approx(0.6, abs=1e-15)


def test_an_input_that_is_its_baseline_has_no_attribution() -> None:
    x = torch.ones(2, 5, dtype=torch.float64)
    assert not sv.IntegratedGradients(dense()).attribute(x, x[:1], 0).any()


def test_arrays_numbers_and_the_shape_of_the_input_are_taken() -> None:
    net, x = convolutional(), np.random.default_rng(0).normal(size=(2, 1, 6, 6))
    found = sv.IntegratedGradients(net).attribute(x, 0.5, [0, 1])
    assert found.shape == (2, 1, 6, 6)
    one = sv.IntegratedGradients(net).attribute(torch.from_numpy(x[1:]), torch.full((1, 1, 6, 6), 0.5), 1)
    torch.testing.assert_close(found[1:], one)


@pytest.mark.parametrize(
    ("inputs", "asked", "said"),
    [
        (torch.ones(5), {"target": 0}, "inputs have a batch axis"),
        (torch.ones(1, 5), {}, "3 outputs, so the attribution needs a target"),
        (torch.ones(1, 5), {"target": 3}, r"target must be in 0 \.\. 2, got 3"),
        (torch.ones(2, 5), {"target": torch.tensor([0, 1, 2])}, "one for each of 2 inputs"),
        (torch.ones(1, 5), {"target": 0.5}, "index of an output"),
        (torch.ones(1, 5), {"target": 0, "baselines": torch.ones(1, 4)}, r"shape \(1, 4\) do not fit"),
        (torch.ones(1, 4), {"target": 0}, "5"),
    ],
)
def test_bad_requests(inputs: torch.Tensor, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(sv.InputError, match=said):
        sv.IntegratedGradients(dense()).attribute(inputs, **asked)


@pytest.mark.parametrize(
    "kind", [torch.int64, torch.bool, torch.float16, torch.bfloat16, torch.float64], ids=str
)
def test_inputs_of_any_kind_of_number(kind: torch.dtype) -> None:
    inputs = torch.eye(5)[:2].to(kind).requires_grad_(kind.is_floating_point)
    exact = sv.IntegratedGradients(dense())
    found = exact.attribute(inputs, target=0)
    assert found.dtype == torch.float64 and not found.requires_grad
    torch.testing.assert_close(found, exact.attribute(np.eye(5)[:2], target=0), rtol=0, atol=0)
    assert exact.attribute(inputs[:0], target=0).shape == (0, 5)
    with pytest.raises(sv.InputError, match="NaN or infinite"):
        exact.attribute(torch.full((1, 5), torch.nan), target=0)
    with pytest.raises(sv.InputError, match="inputs must hold real numbers"):
        exact.attribute(torch.ones(1, 5, dtype=torch.complex64), target=0)
    with pytest.raises(sv.InputError, match="inputs must be numbers"):
        exact.attribute(torch.ones(1, 5, device="meta"), target=0)


def test_networks_that_are_not_piecewise_affine_are_refused() -> None:
    net = nn.Sequential(nn.Linear(2, 4), nn.GELU(), nn.Linear(4, 1))
    with pytest.raises(sv.NotPiecewiseAffineError):
        sv.IntegratedGradients(net).attribute(torch.ones(1, 2))
