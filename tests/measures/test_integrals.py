"""Integrals over a slice: closed forms, exact arithmetic, and proven errors that hold."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import shapely
import torch
from scipy.integrate import dblquad, quad
from torch import nn

import splineviz as sv
from splineviz.measures.integrals import Integrals
from tests.oracles.network import linear, relu, sequential
from tests.oracles.rational import ExactSlice, slice_exactly

TIGHT = 1e-12
SOFTMAX = ("cross-entropy", "entropy", "confidence", "probability")


def bands() -> nn.Module:
    """|u| - 1/2: class 1 left and right of a strip of class 0."""
    first, last = nn.Linear(2, 2, bias=False), nn.Linear(2, 1)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
        last.weight.copy_(torch.tensor([[1.0, 1.0]]))
        last.bias.fill_(-0.5)
    return nn.Sequential(first, nn.ReLU(), last)


def arranged(model: nn.Module, *box: float, **how: str) -> sv.Arrangement:
    program = sv.load_program(model, input_shape=(2,))
    return sv.arrange(program, sv.Plane.identity(), sv.Window.box(*box), **how)


def measured(arr: sv.Arrangement, **asked: object) -> Integrals:
    found = arr.measure("integrals", **asked)
    assert isinstance(found, Integrals)
    return found


def random_network(seed: int, *widths: int) -> nn.Sequential:
    """Weights and biases are small dyadic numbers, so that exact arithmetic is quick."""
    rng = np.random.default_rng(seed)
    modules: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layer = nn.Linear(n_in, n_out).double()
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(rng.integers(-64, 65, (n_out, n_in)) / 32.0))
            layer.bias.copy_(torch.tensor(rng.integers(-64, 65, n_out) / 64.0))
        modules += [layer, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def exactly(model: nn.Sequential, corners: Sequence[Sequence[float]]) -> ExactSlice:
    """The same cells in exact arithmetic, with none of the engine's code."""
    layers = [
        linear(layer.weight.tolist(), layer.bias.tolist()) if isinstance(layer, nn.Linear) else relu()
        for layer in model
    ]
    return slice_exactly(sequential(2, layers), corners)


def integral_exactly(cells: ExactSlice, of: int, other: int | None = None) -> Fraction:
    """Integral of an output, or of the product of two, by fans of triangles."""
    found = Fraction(0)
    for cell in cells.cells:
        ring = cell.polygon
        values = [
            [a * u + b * v + c for a, b, c in (cell.output[k] for k in (of, other or of))] for u, v in ring
        ]
        for k in range(1, len(ring) - 1):
            (x0, y0), (x1, y1), (x2, y2) = ring[0], ring[k], ring[k + 1]
            area = ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)) / 2
            f, g = zip(values[0], values[k], values[k + 1], strict=True)
            products = sum(x * y for x, y in zip(f, g, strict=True)) + sum(f) * sum(g)
            found += area * sum(f) / 3 if other is None else area * products / 12
    return found


def test_an_absolute_value_in_closed_form() -> None:
    found = measured(arranged(bands(), -1, 1, -1, 2), target=[-0.5], truth=1)
    assert found["area"] == 6
    assert found["mean", "output 0"] == pytest.approx(0, abs=TIGHT)  # |u| has mean 1/2
    assert found["variance", "output 0"] == pytest.approx(1 / 12, abs=TIGHT)
    assert found["mean squared error"] == pytest.approx(1 / 3, abs=TIGHT)
    assert found["total variation", "output 0"] == pytest.approx(6, abs=TIGHT)
    assert found["mean Lipschitz constant", "the slice"] == pytest.approx(1, abs=TIGHT)
    assert found["accuracy"] == found["share", "class 1"] == pytest.approx(0.5, abs=TIGHT)
    closed = [q.error for q in found.quantities if q.name not in SOFTMAX]
    assert len(closed) == 10 and all(error is not None and error < TIGHT for error in closed)


def test_a_target_may_be_a_map() -> None:
    found = measured(arranged(bands(), 0, 1, 0, 1), target=[[1.0, 0.0, 0.0]])
    assert found["mean squared error", "output 0"] == pytest.approx(0.25, abs=TIGHT)


def test_a_triangle_in_closed_form() -> None:
    """On the triangle of corners (-1, 0), (1, 0), (0, 1) the mean of |u| is 1/3, and that of u^2 is 1/6."""
    corners = [[1, 0], [0, 1], [-1, 0]]
    found = measured(arranged(bands(), -2, 2, -2, 2), polygon=corners, target=[-0.5])
    assert found["area"] == pytest.approx(1, abs=TIGHT)
    assert found["mean", "output 0"] == pytest.approx(1 / 3 - 0.5, abs=TIGHT)
    assert found["mean squared error"] == pytest.approx(1 / 6, abs=TIGHT)
    assert found["share", "class 1"] == pytest.approx(0.25, abs=TIGHT)
    half = measured(arranged(bands(), 0, 2, -2, 2), polygon=corners)
    assert half["area"] == pytest.approx(0.5, abs=TIGHT)


@pytest.mark.parametrize("seed", range(4))
def test_errors_hold_against_exact_arithmetic(seed: int) -> None:
    model = random_network(seed, 2, 9, 8, 3)
    corners = [[-2.0, -2.0], [2.0, -2.0], [2.0, 1.0], [-2.0, 1.0]]
    cells, arr = exactly(model, corners), arranged(model, -2, 2, -2, 1, certify="full")
    found, area = measured(arr, target=[0.5, 0.0, -0.25]), Fraction(12)
    exact = {("area", ""): area}
    means = [integral_exactly(cells, k) / area for k in range(3)]
    squares = [integral_exactly(cells, k, k) / area for k in range(3)]
    for k, wanted in enumerate([Fraction(1, 2), Fraction(0), Fraction(-1, 4)]):
        of = f"output {k}"
        exact["mean", of] = means[k]
        exact["variance", of] = squares[k] - means[k] ** 2
        exact["mean squared error", of] = squares[k] - 2 * wanted * means[k] + wanted**2
    for (_, winner), own in _by_class(cells).items():
        exact["share", f"class {winner}"] = own / area
    for q in found.quantities:
        if (q.name, q.of) in exact:
            assert q.error is not None
            assert q.error < 1e-9 * max(1.0, abs(q.value))
            assert abs(Fraction(q.value) - exact[q.name, q.of]) <= Fraction(q.error), q
    covariance = integral_exactly(cells, 0, 2) / area - means[0] * means[2]
    assert abs(Fraction(found.covariances[0, 2]) - covariance) <= Fraction(found.covariance_error)
    gradients = [[float(x) for x in cell.output[1][:2]] for cell in cells.cells]
    variation = sum(float(c.area) * np.hypot(*g) for c, g in zip(cells.cells, gradients, strict=True))
    assert found["total variation", "output 1"] == pytest.approx(variation, rel=1e-11)


def _by_class(cells: ExactSlice) -> dict[tuple[int, int], Fraction]:
    found: dict[tuple[int, int], Fraction] = {}
    for (_, winner), area in cells.decisions.items():
        found[0, winner] = found.get((0, winner), Fraction(0)) + area
    return found


def test_a_polygon_against_shapely_and_its_pieces_add_up() -> None:
    arr = arranged(random_network(7, 2, 16, 16, 3), -2, 2, -2, 2)
    corners = np.array([[-1.5, -1.0], [1.0, -1.25], [1.75, 1.0], [-0.5, 1.5]])
    found = measured(arr, polygon=corners)
    clipped = shapely.intersection(arr.to_shapely(), shapely.Polygon(corners))
    areas = shapely.area(clipped)
    assert found["area"] == pytest.approx(areas.sum(), abs=1e-12)
    centres = shapely.get_coordinates(shapely.centroid(clipped[areas > 0]))
    of = arr.affine[areas > 0]
    values = (of * np.column_stack([centres, np.ones(len(centres))])[:, None]).sum(2)
    assert found.means == pytest.approx(areas[areas > 0] @ values / areas.sum(), abs=1e-10)
    lipschitz = np.linalg.norm(of[:, :, :2], 2, axis=(1, 2))
    mean = float(areas[areas > 0] @ lipschitz / areas.sum())
    assert found["mean Lipschitz constant", "the slice"] == pytest.approx(mean, rel=1e-10)
    halves = [measured(arr, polygon=corners[rows]) for rows in ([0, 1, 2], [0, 2, 3])]
    for key in (("area", ""), ("total variation", "output 0")):
        assert sum(half[key] for half in halves) == pytest.approx(found[key], rel=1e-11)


def test_a_sigmoid_in_closed_form() -> None:
    """Of 4 u + 1 on [-1, 2]: means of the sigmoid by its primitive, of its cross-entropy by dblquad."""
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[4.0, 0.0]]))
        layer.bias.fill_(1.0)
    found = measured(arranged(layer, -1, 2, 0, 1), tolerance=1e-12, truth=1)
    mean = (np.logaddexp(0, 9) - np.logaddexp(0, -3)) / 12
    assert found["probability", "class 1"] == pytest.approx(mean, abs=TIGHT)
    expected, _ = dblquad(lambda u, _: np.logaddexp(0, -4 * u - 1), 0, 1, -1, 2, epsabs=1e-13, epsrel=1e-13)
    assert found["cross-entropy"] == pytest.approx(expected / 3, abs=1e-11)
    confident, _ = dblquad(lambda u, _: 1 / (1 + np.exp(-abs(4 * u + 1))), 0, 1, -1, -0.25, epsabs=1e-13)
    other, _ = dblquad(lambda u, _: 1 / (1 + np.exp(-abs(4 * u + 1))), 0, 1, -0.25, 2, epsabs=1e-13)
    assert found["confidence"] == pytest.approx((confident + other) / 3, abs=1e-11)


def test_brackets_against_a_million_points() -> None:
    """Intervals are narrower than those of the sampling, and both hold."""
    model = random_network(13, 2, 24, 24, 4)
    with torch.no_grad():
        for parameter in model[-1].parameters():
            parameter /= 64
    arr = arranged(model, -2, 2, -2, 2)
    corners = np.array([[-1.5, -1.0], [1.0, -1.25], [1.75, 1.0], [-0.5, 1.5]])
    found = {(q.name, q.of): q for q in measured(arr, polygon=corners, truth=2, tolerance=1e-9).quantities}
    rng = np.random.default_rng(0)
    points = rng.uniform([-1.5, -1.25], [1.75, 1.5], (1_500_000, 2))
    steps = np.roll(corners, -1, 0) - corners
    off = points[:, None] - corners
    points = points[((steps[:, 0] * off[:, :, 1] - steps[:, 1] * off[:, :, 0]) >= 0).all(1)][:1_000_000]
    with torch.no_grad():
        logits = model(torch.tensor(points))
    p = torch.softmax(logits, 1)
    sampled = {
        ("cross-entropy", ""): torch.logsumexp(logits, 1) - logits[:, 2],
        ("entropy", ""): torch.distributions.Categorical(p).entropy(),
        ("confidence", ""): p.amax(1),
        ("probability", "class 1"): p[:, 1],
        ("share", "class 1"): (logits.argmax(1) == 1).double(),
        ("mean", "output 3"): logits[:, 3],
    }
    for key, values in sampled.items():
        error, noise = found[key].error, float(values.std()) / len(values) ** 0.5
        assert error is not None and error < noise
        assert abs(float(values.mean()) - found[key].value) < 5 * noise, key


def test_narrower_on_request() -> None:
    arr = arranged(random_network(5, 2, 12, 12, 3), -2, 2, -2, 2)
    wide, narrow = (measured(arr, tolerance=tolerance) for tolerance in (1e-3, 1e-10))
    for one, other in zip(wide.quantities, narrow.quantities, strict=True):
        assert one.error is not None and other.error is not None
        assert abs(one.value - other.value) <= one.error + other.error
        assert other.error <= (1e-9 if other.name in ("cross-entropy", "entropy") else 1e-8)


def test_the_nearest_anchor_says_what_is_right() -> None:
    """A slice of two classes, whose halves are nearest to anchors of one each."""
    last = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))  # class 0 where u > 0
    plane = sv.Plane.through([-1.0, 0.0], [1.0, 0.0], [0.0, 4.0])
    arr = sv.arrange(sv.load_program(last, input_shape=(2,)), plane, sv.Window.box(0, 2, -1, 1))
    assert measured(arr, truth=[1, 0, 0])["accuracy"] == pytest.approx(1, abs=TIGHT)
    assert measured(arr, truth=[0, 1, 1])["accuracy"] == pytest.approx(0, abs=TIGHT)
    assert measured(arr, truth=0)["accuracy"] == pytest.approx(0.5, abs=TIGHT)
    right = measured(arr, truth=[1, 0, 0], tolerance=1e-10)["cross-entropy"]
    primitive, _ = quad(lambda u: np.logaddexp(0, -2 * abs(u)), 0, 1, epsabs=1e-13)
    assert right == pytest.approx(primitive, abs=1e-9)


def test_against_autograd_on_all_inputs() -> None:
    arr = sv.slice("demo", sv.demo.load_points())
    found = measured(arr, input_norms=True)
    norms = arr.jacobian_norms()
    mean = found["mean Lipschitz constant", "input space"]
    assert mean == pytest.approx(float(arr.areas @ norms / arr.areas.sum()), rel=1e-9)
    assert mean > found["mean Lipschitz constant", "the slice"]


def test_without_proofs_there_are_no_errors() -> None:
    model = random_network(3, 2, 8, 2)
    plain, proven = (measured(arranged(model, -1, 1, -1, 1, certify=word)) for word in ("off", "full"))
    assert {q.error for q in plain.quantities} == {None}
    assert [q.value for q in plain.quantities] == pytest.approx(
        [q.value for q in proven.quantities], rel=1e-9
    )


def test_one_window_or_all() -> None:
    program = sv.load_program(bands(), input_shape=(2,))
    planes, windows = [sv.Plane.identity()] * 2, [sv.Window.box(-1, 1, 0, 1), sv.Window.box(0, 1, 0, 1)]
    arr = sv.arrange(program, planes, windows)
    assert measured(arr)["area"] == 3
    assert measured(arr, window=1)["total variation", "output 0"] == pytest.approx(1, abs=TIGHT)
    with pytest.raises(sv.InputError, match="polygon lies on one plane, and 2 windows"):
        measured(arr, polygon=[[0, 0], [1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"polygon": [[0, 0], [1, 0], [0.25, 0.25], [0, 1]]},
            "polygon: the window polygon is not strictly convex",
        ),
        ({"polygon": [[10, 10], [11, 10], [10, 11]]}, "polygon does not meet the slice"),
        ({"truth": 2}, r"truth, a class, must be in 0 \.\. 1, got 2"),
        ({"truth": [0, 1]}, "truth has 2 classes, and the plane has 0 anchors"),
        ({"target": [1.0, 2.0]}, r"target must be 1 finite outputs"),
        ({"tolerance": 0.0}, "tolerance must be a number >= 1e-15, got 0.0"),
        ({"target": [float("nan")]}, r"target must be 1 finite outputs"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, object], said: str) -> None:
    with pytest.raises(sv.InputError, match=said):
        measured(arranged(bands(), -1, 1, -1, 1), **asked)
