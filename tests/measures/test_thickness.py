"""Thickness of the boundary on slices and along segments: closed forms, exact arithmetic, samples."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.measures.path_thickness import ThicknessAlong
from splineviz.measures.thickness import BoundaryThickness
from tests.measures.test_integrals import exactly, random_network
from tests.measures.test_regions import arranged, bands
from tests.measures.test_topology import pyramid
from tests.oracles.decisions import pieces
from tests.oracles.rational import ExactSlice

BOX = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]


def measured(arr: sv.Arrangement, *margins: float, **asked: object) -> BoundaryThickness:
    found = arr.measure("thickness", margins=margins, **asked)
    assert isinstance(found, BoundaryThickness)
    return found


def error_of(found: BoundaryThickness, name: str, of: str) -> float:
    error = next(q.error for q in found.quantities if (q.name, q.of) == (name, of))
    assert error is not None
    return error


def below(exact: ExactSlice, t: Fraction) -> Fraction:
    """Area on which the margin is below t, by cutting exact pieces."""
    area = sum(exact.areas, Fraction(0))
    for cell in exact.cells:
        for own, piece in pieces(cell).items():
            part = piece
            for other, form in enumerate(cell.candidates):
                if other == own or part is None:
                    continue
                a, b, c = (x - y for x, y in zip(cell.candidates[own], form, strict=True))
                q = t.denominator
                _, part = part.cut((a * q, b * q, c * q - t.numerator * cell.denominator))
            area -= 0 if part is None else part.area
    return area


def test_a_strip_on_either_side_of_straight_lines() -> None:
    """The margin of |u| - 1/2 has slope 1: below t it is 4 t of 6 wide."""
    found = measured(arranged(bands(), -1, 1, -1, 2), 0.125, 0.25, 0.75)
    for t, width in ((0.125, 0.25), (0.25, 0.5), (0.75, 1.0)):
        of = f"margin below {t:g}"
        assert found["mean width", of] == pytest.approx(width, abs=1e-12)
        assert abs(found["area", of] - 6 * width) <= error_of(found, "area", of) < 1e-11
    assert found["width per margin"] == pytest.approx(2.0, abs=1e-12)
    np.testing.assert_allclose(found.slopes, 1.0, atol=1e-12)


def test_between_two_squares() -> None:
    """1/2 - |u| - |v| is within t of 0 between squares of area 2 (1/2 + t)^2 and 2 (1/2 - t)^2."""
    found = measured(arranged(pyramid(1.0), -1, 1, -1, 1), 0.3)
    assert found["area", "margin below 0.3"] == pytest.approx(1.2, abs=1e-12)
    assert found["mean width", "margin below 0.3"] == pytest.approx(0.3 * math.sqrt(2), abs=1e-12)
    assert found["width per margin"] == pytest.approx(math.sqrt(2), abs=1e-12)


def test_the_level_moves_the_margin() -> None:
    found = measured(arranged(bands(), -1, 1, -1, 2), 0.25, level=0.25)
    assert found["share", "margin below 0.25"] == pytest.approx(0.5, abs=1e-12)


def test_a_boundary_along_an_edge_has_the_slopes_of_both_sides() -> None:
    """u for u < 0 and 3 u above: slopes 1 and 3, as is the level."""
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
        model[2].weight.copy_(torch.tensor([[3.0, -1.0]]))
    found = measured(arranged(model, -1, 1, -1, 1), 0.5)
    np.testing.assert_allclose(np.sort(found.slopes[0]), [1.0, 3.0], atol=1e-12)
    assert found["width per margin"] == pytest.approx(4 / 3, abs=1e-12)
    assert found["mean width", "margin below 0.5"] == pytest.approx(2 / 3, abs=1e-12)


@pytest.mark.parametrize("outputs", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_errors_hold_against_exact_arithmetic(seed: int, outputs: int) -> None:
    model = random_network(seed, 2, 8, 8, outputs)
    exact = exactly(model, BOX)
    found = measured(arranged(model, -1, 1, -1, 1), 1e-6, 0.25, 1.5)
    for t, area in zip(found.margins, found.areas, strict=True):
        error = error_of(found, "area", f"margin below {t:g}")
        assert abs(Fraction(area) - below(exact, Fraction(t))) <= error < 1e-8


def test_small_margins_follow_the_slopes() -> None:
    found = measured(arranged(random_network(7, 2, 12, 12, 3), -1, 1, -1, 1), 1e-6)
    width = found["mean width", "margin below 1e-06"] / 1e-6
    assert width == pytest.approx(found["width per margin"], rel=1e-4)


def test_against_samples() -> None:
    model = random_network(2, 2, 12, 12, 3)
    found = measured(arranged(model, -1, 1, -1, 1), 0.05, 1.0)
    ticks = np.linspace(-1, 1, 1501)[:-1] + 1 / 1500
    with torch.no_grad():
        top = model(torch.tensor(np.stack(np.meshgrid(ticks, ticks), -1))).topk(2, dim=2).values
    margin = (top[..., 0] - top[..., 1]).numpy()
    for t in found.margins:
        assert found["share", f"margin below {t:g}"] == pytest.approx((margin < t).mean(), abs=1e-3)


def test_without_a_proof_there_is_no_error() -> None:
    program = sv.load_program(bands(), input_shape=(2,))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), certify="off")
    assert all(q.error is None for q in measured(arr, 0.25).quantities)


@pytest.mark.parametrize("margins", [(0.0,), (-1.0,), (math.inf,), "a", ((1, 2),)])
def test_margins_that_are_none(margins: object) -> None:
    with pytest.raises(sv.InputError, match="margins must be finite numbers > 0"):
        arranged(bands(), -1, 1, -1, 1).measure("thickness", margins=margins)


def line(outputs: int) -> nn.Module:
    """Logits 2 x and 0, and others far below."""
    model = nn.Linear(1, outputs).double()
    with torch.no_grad():
        model.weight.zero_()
        model.weight[0] = 2.0
        model.bias.fill_(-1000.0)
        model.bias[:2] = 0.0
    return model


def along(model: object, a: object, b: object, **asked: object) -> ThicknessAlong:
    found = sv.segment(model, a, b).measure("thickness", **asked)
    assert isinstance(found, ThicknessAlong)
    return found


@pytest.mark.parametrize("outputs", [2, 5])
def test_two_probabilities_differ_by_a_hyperbolic_tangent(outputs: int) -> None:
    """p_0 - p_1 = tanh x lies between 0 and 3/4 for x from 0 to artanh 3/4."""
    found = along(line(outputs), [3.0], [-2.0], tolerance=1e-13)
    assert found.classes == (0, 1)
    wanted = math.atanh(0.75)
    assert abs(found["thickness", "0 to 1"] - wanted) <= found.half_width < 1e-11
    proven = along(line(outputs), [3.0], [-2.0], tolerance=1e-13, exact=True).quantities[1]
    assert proven.error is not None and abs(proven.value - wanted) <= proven.error < 1e-11
    found = along(line(outputs), [3.0], [-2.0], between=(-0.5, 0.5))
    assert found["thickness", "0 to 1"] == pytest.approx(2 * math.atanh(0.5), abs=found.half_width)


def test_one_output_is_a_sigmoid() -> None:
    """p_1 - p_0 = tanh(x / 2) of the output x, above its level 0."""
    model = nn.Linear(1, 1, bias=False).double()
    torch.nn.init.ones_(model.weight)
    found = along(model, [3.0], [-2.0])
    assert found.classes == (1, 0)
    assert found["thickness", "1 to 0"] == pytest.approx(2 * math.atanh(0.75), abs=found.half_width)
    moved = along(model, [3.0], [-2.0], level=1.0, between=(-0.5, 0.5))
    assert moved["thickness", "1 to 0"] == pytest.approx(4 * math.atanh(0.5), abs=moved.half_width)


def test_along_a_segment_of_the_demo_against_samples() -> None:
    a, b, _ = sv.demo.load_points()
    walk = sv.segment("demo", a, b)
    found = along("demo", a, b)
    t = np.linspace(0, 1, 100_001)
    values = np.stack([np.interp(t, walk.knots, column) for column in walk.values.T], axis=1)
    p = torch.tensor(values).softmax(1)
    first, last = found.classes
    difference = (p[:, first] - p[:, last]).numpy()
    share = ((difference > 0) & (difference < 0.75)).mean()
    told = found["thickness", f"{first} to {last}"]
    assert told == pytest.approx(share * walk.length, abs=2e-4 * walk.length)
    assert found.half_width <= 1e-9 * walk.length


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"between": (0.75, 0.0)}, "between must be two numbers"),
        ({"truth": 1}, "truth must be two different classes"),
        ({"truth": [0, 7]}, "truth must be a class in 0 .. 1"),
        ({"tolerance": 0.0}, "tolerance must be a number > 0"),
        ({"margins": (1.0,)}, "is not asked with margins="),
    ],
)
def test_what_cannot_be_asked(asked: dict[str, object], message: str) -> None:
    with pytest.raises(sv.InputError, match=message):
        along(line(2), [3.0], [-2.0], **asked)


def test_ends_of_one_class_are_refused() -> None:
    with pytest.raises(sv.InputError, match="both ends of the segment are of class 0"):
        along(line(2), [3.0], [2.0])
