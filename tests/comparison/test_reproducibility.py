"""Reproducibility of decisions: closed forms, samples, and exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.comparison.decision_agreement import Reproducibility
from splineviz.comparison.over_planes import reproducibility
from tests.measures.test_integrals import exactly, random_network
from tests.oracles.decisions import pieces
from tests.oracles.polygon import Polygon
from tests.oracles.rational import ExactSlice

BOX = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]


def halves(at: float) -> nn.Module:
    """u > at."""
    model = nn.Linear(2, 1).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 0.0]]))
        model.bias.fill_(-at)
    return model


def compared(*models: nn.Module, box: tuple[float, ...] = (-1, 1, -1, 1)) -> sv.Comparison:
    return sv.compare(
        models, sv.Plane.identity(), sv.Window.box(*box), names=[f"net {k}" for k in range(len(models))]
    )


def error_of(found: Reproducibility, name: str, of: str) -> float:
    error = next(q.error for q in found.quantities if (q.name, q.of) == (name, of))
    assert error is not None
    return error


def test_two_halves() -> None:
    """u > 0 and u > 1/2 on a square of side 2: alike on 3/4."""
    found = compared(halves(0.0), halves(0.5)).measure("reproducibility")
    of = "net 0 and net 1"
    assert abs(found["agreement", of] - 0.75) <= error_of(found, "agreement", of) < 1e-13
    for c, wanted in ((0, 2 / 3), (1, 1 / 2)):
        overlap = f"class {c}, {of}"
        error = error_of(found, "intersection over union", overlap)
        assert abs(found["intersection over union", overlap] - wanted) <= error < 1e-13


def test_planes_and_pairs_are_averaged() -> None:
    nets = halves(0.0), halves(0.5), halves(1.0)
    found = reproducibility([compared(*nets), compared(*nets, box=(0, 1, 0, 1))])
    np.testing.assert_allclose(found.agreements, [[0.75, 0.5, 0.75], [0.5, 0.0, 0.5]], atol=1e-14)
    assert found["agreement"] == pytest.approx(0.5, abs=1e-14)
    assert found["standard error over planes"] == pytest.approx(1 / 6, abs=1e-14)
    assert found["agreement", "net 0 and net 2"] == pytest.approx(0.25, abs=1e-14)
    common = found["intersection over union", "class 1, net 0 and net 1"]
    assert common == pytest.approx((1 + 0.5) / (2 + 1), abs=1e-14)
    assert "3 pairs of networks on 2 planes" in repr(found)


def by_class(exact: ExactSlice) -> list[tuple[int, Polygon]]:
    return [piece for cell in exact.cells for piece in pieces(cell).items()]


def common_area(one: Polygon, other: Polygon) -> Fraction:
    part: Polygon | None = one
    for line in other.lines:
        part = part.cut(line)[1] if part is not None else None
    return Fraction(0) if part is None else part.area


@pytest.mark.parametrize("seed", range(3))
def test_errors_hold_against_exact_arithmetic(seed: int) -> None:
    models = [random_network(2 * seed + k, 2, 5, 5, 3) for k in (0, 1)]
    found = compared(*models).measure("reproducibility")
    first, second = (by_class(exactly(model, BOX)) for model in models)
    alike = sum((common_area(p, q) for a, p in first for b, q in second if a == b), Fraction(0))
    of = "net 0 and net 1"
    assert abs(Fraction(found["agreement", of]) - alike / 4) <= error_of(found, "agreement", of) < 1e-9


def test_against_samples() -> None:
    models = [random_network(k, 2, 12, 12, 4) for k in (5, 6)]
    found = compared(*models).measure("reproducibility")
    points = torch.rand(200_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        one, other = (model(points).argmax(1) for model in models)
    assert found["agreement"] == pytest.approx((one == other).double().mean().item(), abs=5e-3)
    for c in torch.cat([one, other]).unique().tolist():
        share = ((one == c) & (other == c)).sum() / ((one == c) | (other == c)).sum()
        told = found["intersection over union", f"class {c}, net 0 and net 1"]
        assert told == pytest.approx(share.item(), abs=1e-2)


def test_without_a_proof_there_is_no_error() -> None:
    nets = halves(0.0), halves(0.5)
    both = sv.compare(nets, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), certify="off")
    assert all(q.error is None for q in both.measure("reproducibility").quantities)


def test_what_cannot_be_measured() -> None:
    with pytest.raises(sv.InputError, match="at least one comparison"):
        reproducibility([])
    both = compared(halves(0.0), random_network(0, 2, 3, 3))
    with pytest.raises(sv.InputError, match="different numbers of outputs"):
        both.measure("reproducibility")
    with pytest.raises(sv.InputError, match="of different networks"):
        reproducibility([both, compared(halves(0.0), halves(1.0), halves(0.5))])
    with pytest.raises(sv.InputError, match="no measure 'regions' of a comparison"):
        both.measure("regions")
