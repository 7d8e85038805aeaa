"""Integrals along a segment: closed forms, and dense sampling."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from operator import mul

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.measures.along import IntegralsAlong
from tests.measures.test_integrals import TIGHT, bands, random_network
from tests.oracles.rational import crossings
from tests.oracles.twin import from_torch


def measured(model: nn.Module, a: list[float], b: list[float], **asked: object) -> IntegralsAlong:
    program = sv.load_program(model, input_shape=(2,))
    found = sv.segment(program, a, b).measure("integrals", **asked)
    assert isinstance(found, IntegralsAlong)
    return found


def test_an_absolute_value_in_closed_form() -> None:
    """|u| - 1/2 for u from -1 to 2."""
    found = measured(bands(), [-1, 0], [2, 0], truth=1, target=[-0.5], tolerance=1e-12)
    assert found["length"] == 3
    assert found["mean", "output 0"] == pytest.approx(2.5 / 3 - 0.5, abs=TIGHT)
    assert found["variance", "output 0"] == pytest.approx(1 - (2.5 / 3) ** 2, abs=TIGHT)
    assert found["mean squared error"] == pytest.approx(1, abs=TIGHT)
    assert found["total variation", "output 0"] == pytest.approx(3, abs=TIGHT)
    assert found["share", "class 0"] == pytest.approx(1 / 3, abs=TIGHT)
    assert found["accuracy"] == found["share", "class 1"] == pytest.approx(2 / 3, abs=TIGHT)
    halves = np.logaddexp(0, [0.5, 1.5]) - np.logaddexp(0, -0.5)
    assert found["probability", "class 1"] == pytest.approx(halves.sum() / 3, abs=1e-11)
    assert {q.error for q in found.quantities} == {None}


def test_the_nearer_end_says_what_is_right() -> None:
    found = measured(bands(), [0, 0], [2, 0], truth=[0, 1])
    assert found["accuracy"] == pytest.approx(0.75, abs=TIGHT)
    assert measured(bands(), [0, 0], [2, 0], truth=[1, 0])["accuracy"] == pytest.approx(0.25, abs=TIGHT)


def test_against_dense_sampling() -> None:
    model = random_network(3, 2, 16, 16, 4)
    a, b = np.array([-1.5, 0.5]), np.array([1.0, -1.75])
    found = measured(model, a.tolist(), b.tolist(), truth=[2, 0], tolerance=1e-9)
    t = (np.arange(1_000_000) + 0.5) / 1_000_000
    with torch.no_grad():
        z = model(torch.tensor(a + t[:, None] * (b - a)))
    p, right = torch.softmax(z, 1), torch.where(torch.tensor(t < 0.5), z[:, 2], z[:, 0])
    assert found["cross-entropy"] == pytest.approx(float((torch.logsumexp(z, 1) - right).mean()), abs=1e-7)
    entropy = torch.distributions.Categorical(p).entropy().mean()
    assert found["entropy"] == pytest.approx(float(entropy), abs=1e-7)
    assert found["confidence"] == pytest.approx(float(p.amax(1).mean()), abs=1e-7)
    assert found.means == pytest.approx(z.mean(0).numpy(), abs=1e-7)
    assert found.covariances == pytest.approx(np.cov(z.numpy().T, bias=True), abs=1e-6)
    variations = z.diff(dim=0).abs().sum(0).tolist()
    for k, variation in enumerate(variations):
        assert found["total variation", f"output {k}"] == pytest.approx(variation, rel=1e-5)
    for c, share in enumerate(torch.bincount(z.argmax(1), minlength=4).tolist()):
        told = found["share", f"class {c}"] if share else 0.0
        assert told == pytest.approx(share / 1e6, abs=3e-6)
    assert all(0 < width < 1e-8 for width in found.half_widths.values())


def exact_forward(model: nn.Sequential, x: list[Fraction]) -> list[Fraction]:
    """Outputs of linear layers and relus in exact arithmetic."""
    for module in model:
        if isinstance(module, nn.Linear):
            rows = [[Fraction(w) for w in row] for row in module.weight.tolist()]
            bias = [Fraction(b) for b in module.bias.tolist()]
            x = [sum(map(mul, row, x), b) for row, b in zip(rows, bias, strict=True)]
        else:
            x = [max(Fraction(0), one) for one in x]
    return x


def mean_square(a: Fraction, b: Fraction) -> Fraction:
    """Of an affine function from a to b."""
    return (a * a + a * b + b * b) / 3


def positive_share(a: Fraction, b: Fraction) -> Fraction:
    """Share of an interval on which an affine function from a to b is positive."""
    return Fraction(a + b > 0) if a * b >= 0 else max(a, b) / abs(a - b)


@pytest.mark.parametrize("seed", range(4))
def test_errors_hold_against_exact_arithmetic(seed: int) -> None:
    model = random_network(seed, 2, 9, 9, 2)
    a, b = [-1.5, 0.3], [1.1, -1.7]
    found = measured(model, a, b, truth=[1, 0], target=[0.3, -1.0], exact=True)
    ends = [[Fraction(x) for x in point] for point in (a, b)]
    knots = sorted({Fraction(0), *crossings(from_torch(model, 2), a, b), Fraction(1)})
    values = [exact_forward(model, [p + t * (q - p) for p, q in zip(*ends, strict=True)]) for t in knots]
    pieces = [(t - s, y, z) for (s, t), (y, z) in zip(pairwise(knots), pairwise(values), strict=True)]
    wanted: dict[tuple[str, str], Fraction] = {}
    for k, target in enumerate((Fraction(0.3), Fraction(-1))):
        mean = sum((size * (y[k] + z[k]) / 2 for size, y, z in pieces), Fraction(0))
        wanted["mean", f"output {k}"] = mean
        for name, about in (("variance", mean), ("mean squared error", target)):
            squares = (size * mean_square(y[k] - about, z[k] - about) for size, y, z in pieces)
            wanted[name, f"output {k}"] = sum(squares, Fraction(0))
        wanted["total variation", f"output {k}"] = sum((abs(z[k] - y[k]) for _, y, z in pieces), Fraction(0))
    second = sum((size * positive_share(y[1] - y[0], z[1] - z[0]) for size, y, z in pieces), Fraction(0))
    wanted |= {("share", "class 0"): 1 - second, ("share", "class 1"): second}
    for q in found.quantities:
        assert q.error is not None and q.error < 1e-5
        if (q.name, q.of) in wanted:
            assert abs(Fraction(q.value) - wanted.pop((q.name, q.of))) <= q.error < 1e-10
    assert not any(wanted.values()), "all that there is has been told"
    plain = measured(model, a, b, truth=[1, 0], target=[0.3, -1.0], tolerance=1e-12)
    for one, other in zip(found.quantities, plain.quantities, strict=True):
        assert abs(one.value - other.value) <= (one.error or 0.0) + 1e-10


def test_kinks_that_float64_cannot_tell_apart() -> None:
    """-relu(x - 1/2) + 2 relu(2^30 (x - 1/2 - 2^-53)): the second kink is rounded to the first."""
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1, bias=False)).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0], [2.0**30]]))
        model[0].bias.copy_(torch.tensor([-0.5, -(2.0**29)], dtype=torch.float64))
        model[0].bias[1] = -(2.0**29) * (1 + 2.0**-52)
        model[2].weight.copy_(torch.tensor([[-1.0, 2.0]]))
    kink = -Fraction(model[0].bias[1].item()) / 2**30
    assert kink == Fraction(1, 2) + Fraction(1, 2**53)
    found = sv.segment(model, [0.0], [1.0]).measure("integrals", exact=True)
    quantity = next(q for q in found.quantities if q.name == "mean")
    wanted = -Fraction(1, 8) + 2**30 * (1 - kink) ** 2
    assert quantity.error is not None
    assert abs(Fraction(quantity.value) - wanted) <= quantity.error < 1e-4


def test_long_segments_take_exact_arithmetic_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("splineviz.measures.path_values.affordable", lambda *_: False)
    with pytest.raises(sv.InputError, match="take exact arithmetic more than a few seconds"):
        measured(bands(), [-1, 0], [2, 0], exact=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"polygon": [[0, 0], [1, 0], [0, 1]]}, "are not asked with polygon="),
        ({"truth": 2}, "truth, a class, must be in 0 .. 1, got 2"),
        ({"truth": [0, 1, 1]}, "one for each end, got 3"),
        ({"target": [1.0, 2.0]}, "target must be 1 finite outputs"),
        ({"tolerance": -1.0}, "tolerance must be a number >= 1e-15, got -1.0"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, object], said: str) -> None:
    with pytest.raises(sv.InputError, match=said):
        measured(bands(), [0, 0], [1, 0], **asked)
    with pytest.raises(sv.InputError, match="no measure 'regions' of a segment"):
        sv.segment(sv.load_program(bands(), input_shape=(2,)), [0, 0], [1, 0]).measure("regions")
