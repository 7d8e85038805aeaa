"""Integrals along a segment: closed forms, and dense sampling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.measures.along import IntegralsAlong
from tests.measures.test_integrals import TIGHT, bands, random_network


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


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"polygon": [[0, 0], [1, 0], [0, 1]]}, "are not asked with polygon="),
        ({"truth": 2}, "truth must be a class in 0 .. 1, got 2"),
        ({"truth": [0, 1, 1]}, "one for each end, got 3"),
        ({"target": [1.0, 2.0]}, "target must be 1 finite outputs"),
        ({"tolerance": -1.0}, "tolerance must be a number > 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, object], said: str) -> None:
    with pytest.raises(sv.InputError, match=said):
        measured(bands(), [0, 0], [1, 0], **asked)
    with pytest.raises(sv.InputError, match="no measure 'regions' of a segment"):
        sv.segment(sv.load_program(bands(), input_shape=(2,)), [0, 0], [1, 0]).measure("regions")
