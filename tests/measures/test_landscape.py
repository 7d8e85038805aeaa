"""Loss landscapes: closed forms, autograd, and dense samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

import splineviz as sv
from splineviz.arrangement.exact_cells import exact_maps
from splineviz.geometry.csr import Csr
from splineviz.measures.landscape import Landscape
from splineviz.measures.losses import Loss
from splineviz.measures.quadratics import Quadratics, minima_on_cells
from splineviz.measures.weight_plane import WeightPlane

UNIT = sv.Window.box(-1, 1, -1, 1)


class Residual(nn.Module):
    """What skips the layer is held while it moves."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.outer(torch.relu(x + torch.relu(self.inner(x))))
        return y


def networks() -> dict[str, tuple[nn.Module, str, tuple[int, ...]]]:
    torch.manual_seed(0)
    dense = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.LeakyReLU(0.2), nn.Linear(6, 3))
    layers = (
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8, 3),
    )
    return {
        "first": (dense, "0", (4,)),
        "second": (dense, "2", (4,)),
        "last": (dense, "4", (4,)),
        "residual": (Residual(), "inner", (4,)),
        "convolution": (nn.Sequential(*layers).eval(), "0", (1, 6, 6)),
    }


def plane_of(name: str, n: int = 6, **how: Any) -> tuple[nn.Module, WeightPlane]:
    net, layer, shape = networks()[name]
    random = np.random.default_rng(1)
    data, labels = random.normal(size=(n, *shape)), random.integers(0, 3, n)
    return net.double(), sv.weight_plane(net, layer, data=data, labels=labels, **how)


def by_torch(net: nn.Module, plane: WeightPlane, st: torch.Tensor, loss: Loss) -> torch.Tensor:
    p, q = torch.from_numpy(plane.directions)
    weight = torch.from_numpy(plane.weight) + st[0] * p + st[1] * q
    y = functional_call(net, {f"{plane.layer}.weight": weight}, (torch.from_numpy(plane.data),))
    labels = torch.from_numpy(plane.labels)
    if loss == "squared error":
        return nn.functional.mse_loss(y, nn.functional.one_hot(labels, 3).double())
    return nn.functional.cross_entropy(y, labels)


def landscape(plane: WeightPlane, **how: Any) -> Landscape:
    return sv.loss_landscape(sv.arrange(plane.program, sv.Plane.identity(), UNIT), plane, **how)


@pytest.mark.parametrize("loss", ["squared error", "cross-entropy"])
@pytest.mark.parametrize("name", networks())
def test_loss_and_hessians_are_those_of_autograd(name: str, loss: Loss) -> None:
    net, plane = plane_of(name)
    found = landscape(plane, loss=loss)
    points = np.random.default_rng(2).uniform(-1, 1, (40, 2))
    mine = found.at(points)
    for st, own in zip(torch.from_numpy(points), mine.tolist(), strict=True):
        assert own == pytest.approx(float(by_torch(net, plane, st, loss).detach()), abs=1e-12)
    large = np.argsort(found.arrangement.areas)[-10:]
    for cell in large.tolist():
        at = torch.from_numpy(found.functions.at[cell])
        hessian = torch.autograd.functional.hessian(lambda st: by_torch(net, plane, st, loss), at)
        np.testing.assert_allclose(found.functions.hessian[cell], hessian, rtol=0, atol=1e-12)


def test_ten_thousand_points_have_the_loss_of_the_module() -> None:
    net, plane = plane_of("second")
    points = np.random.default_rng(3).uniform(-1, 1, (10_000, 2))
    found = landscape(plane).at(points)
    with torch.no_grad():
        st = torch.from_numpy(points)
        wanted = torch.vmap(lambda one: by_torch(net, plane, one, "squared error"))(st)
    assert np.abs(found - wanted.numpy()).max() <= 1e-9


def test_linear_regression_is_one_cell_with_a_known_minimum() -> None:
    """|A (s, t) - b|^2 / n, whose minimum the normal equations give."""
    net = nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        net.weight.zero_()
    data = np.array([[1.0, 0], [0, 2], [1, 1]])
    targets = np.array([[0.25], [0.5], [0.75]])
    wrapped = nn.Sequential(net)
    plane = sv.weight_plane(wrapped, "0", directions=np.eye(2)[:, None], data=data)
    found = landscape(plane, targets=targets)
    best, residual, *_ = np.linalg.lstsq(data, targets[:, 0], rcond=None)
    assert found["cells"] == 1
    np.testing.assert_allclose(found.minimum, best, atol=1e-12)
    assert found["least loss"] == pytest.approx(residual[0] / 3, abs=1e-12)
    np.testing.assert_allclose(found.functions.hessian[0], 2 * data.T @ data / 3, atol=1e-12)
    assert found.conditions[0] == pytest.approx(np.linalg.cond(data.T @ data), rel=1e-12)


@pytest.mark.parametrize("name", ["first", "residual"])
def test_nothing_is_less_than_the_least(name: str) -> None:
    _, plane = plane_of(name)
    points = np.random.default_rng(4).uniform(-1, 1, (20_000, 2))
    squared = landscape(plane)
    assert squared["least loss"] <= squared.at(points).min() + 1e-12
    assert squared.at(squared.minimum) == pytest.approx(squared["least loss"], abs=1e-12)
    entropy = landscape(plane, loss="cross-entropy")
    assert (
        entropy["lower bound of the least loss"] <= entropy["least loss"] <= entropy.at(points).min() + 1e-12
    )
    assert entropy["least loss"] - entropy["lower bound of the least loss"] <= 1e-9
    assert entropy.at(entropy.minimum) == pytest.approx(entropy["least loss"], abs=1e-12)


def test_minima_on_a_square_are_inside_on_a_side_or_at_a_corner() -> None:
    corners = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    cells = Csr(np.array([0, 4, 8, 12, 16]), np.tile(np.arange(4), 4))
    bowls = np.array([[0.25, 0.75], [2.0, 0.5], [-1.0, 3.0], [0.5, 0.5]])
    hessian = np.repeat(2 * np.eye(2)[None], 4, axis=0)
    hessian[3] = [[2.0, 0.0], [0.0, 0.0]]  # a valley
    functions = Quadratics(bowls, np.zeros(4), np.zeros((4, 2)), hessian)
    found = minima_on_cells(functions, corners, cells)
    np.testing.assert_allclose(found.value, [0, 1, 1 + 4, 0], atol=1e-15)
    np.testing.assert_allclose(found.uv[:3], [[0.25, 0.75], [1, 0.5], [0, 1]], atol=1e-15)
    assert found.uv[3, 0] == pytest.approx(0.5)


class Skips(nn.Module):
    """What skips the second layer moves, too."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x))
        y: torch.Tensor = self.last(x + torch.relu(self.second(x)))
        return y


def test_exact_arithmetic_follows_skip_connections() -> None:
    torch.manual_seed(2)
    plane = sv.weight_plane(Skips().double(), "first", data=np.random.default_rng(0).normal(size=(3, 4)))
    arr = sv.arrange(plane.program, sv.Plane.identity(), UNIT)
    exact = exact_maps(arr, plane.program, np.arange(arr.n_cells))
    assert exact is not None and len(exact) == arr.n_cells
    maps = [[[float(x * scale) for x in form] for form in forms] for forms, scale in exact]
    off = np.abs(arr.affine - np.array(maps)).max(1)
    assert (off <= arr._bounded.errors + 1e-15).all()


def test_a_plane_through_checkpoints_has_them_at_its_units() -> None:
    net, _, _ = networks()["second"]
    random = np.random.default_rng(5)
    ends = [random.normal(size=(6, 6)) for _ in range(2)]
    through = [ends[0], {"2.weight": torch.from_numpy(ends[1])}]
    plane = sv.weight_plane(net, "2", data=random.normal(size=(2, 4)), through=through)
    np.testing.assert_allclose(plane.at(1, 0), ends[0], atol=1e-12)
    np.testing.assert_allclose(plane.at(0, 1), ends[1], atol=1e-12)


def test_random_directions_have_the_norms_of_the_filters() -> None:
    _, plane = plane_of("convolution")
    norms = np.linalg.norm(plane.weight.reshape(2, -1), axis=1)
    for direction in plane.directions:
        np.testing.assert_allclose(np.linalg.norm(direction.reshape(2, -1), axis=1), norms, rtol=1e-12)
    assert (plane_of("convolution")[1].directions == plane.directions).all()
    assert (plane_of("convolution", seed=1)[1].directions != plane.directions).any()


@pytest.mark.parametrize(
    ("layer", "asked", "said"),
    [
        ("9", {}, "the network has no weight '9.weight'"),
        ("0", {"data": None}, "needs data points"),
        ("0", {"labels": [0]}, r"6 data points and labels of the shape \(1,\)"),
        ("0", {"data": np.full((6, 4), np.nan)}, "data must be finite points"),
        ("0", {"data": np.zeros((0, 4)), "labels": []}, r"one or more; got an array of \(0, 4\)"),
        ("0", {"data": np.full((6, 4), 1j)}, "data must hold real numbers"),
        ("0", {"labels": [0, 1, 3] * 2}, r"labels must be classes in 0 \.\. 2, got 3"),
        ("0", {"labels": [0, 1, -1] * 2}, r"labels must be classes in 0 \.\. 2, got -1"),
        ("0", {"labels": [0, 1, 0.5] * 2}, r"labels must be classes in 0 \.\. 2, got 0\.5"),
        ("0", {"labels": list("abcabc")}, "labels must hold real numbers"),
        ("0", {"directions": "ab"}, "directions must hold real numbers"),
        ("0", {"seed": -1}, "seed must be a whole number of at least 0"),
        ("0", {"directions": [np.ones((6, 4)), 2 * np.ones((6, 4))]}, "span no plane"),
        ("0", {"directions": [np.ones((6, 4)), np.ones(4)]}, "two arrays of the shape of 0.weight"),
        ("0", {"directions": [np.ones((6, 4))] * 2, "through": []}, "exclude each other"),
    ],
)
def test_bad_planes(layer: str, asked: dict[str, Any], said: str) -> None:
    how = {"data": np.random.default_rng(0).normal(size=(6, 4)), "labels": [0, 1, 2] * 2} | asked
    with pytest.raises(sv.InputError, match=said):
        sv.weight_plane(networks()["first"][0], layer, **how)


def test_data_and_labels_of_any_kind_of_number() -> None:
    x, labels = np.random.default_rng(0).integers(0, 5, size=(6, 4)), torch.tensor([0, 1, 2] * 2)
    made = [
        sv.weight_plane(networks()["first"][0], "0", data=data, labels=labels)
        for data in (x, torch.tensor(x).bfloat16().requires_grad_(), torch.tensor(x).to_sparse(), x.tolist())
    ]
    assert len({plane.program.digest for plane in made}) == 1 and made[0].labels is not None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"targets": np.full((6, 3), np.nan)}, "targets hold NaN"),
        ({"targets": np.full((6, 3), 1e308)}, "squares are beyond float64"),
        ({"targets": "wanted"}, "targets must hold real numbers"),
        ({"targets": np.zeros((5, 3))}, r"targets of the squared error are \(6, 3\); got \(5, 3\)"),
        ({"loss": "hinge"}, "there is no loss 'hinge'"),
        ({"arr": 3}, "expected the cells of a plane of weights, and the plane, got int"),
        ({"plane": None}, "expected the cells of a plane of weights, and the plane, got NoneType"),
    ],
)
def test_bad_landscapes(asked: dict[str, Any], said: str) -> None:
    plane = plane_of("first")[1]
    arr = sv.arrange(plane.program, sv.Plane.identity(), sv.Window.box(-0.1, 0.1, -0.1, 0.1))
    with pytest.raises(sv.InputError, match=said):
        sv.loss_landscape(**{"arr": arr, "plane": plane} | asked)


def test_a_layer_that_is_used_twice_is_refused() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.layer(torch.relu(self.layer(x)))
            return y

    with pytest.raises(sv.InputError, match="layer is used 2 times"):
        sv.weight_plane(Twice(), "layer", data=np.eye(3))


def test_losses_that_cannot_be_told_are_refused() -> None:
    net, plane = plane_of("first")
    arr = sv.arrange(plane.program, sv.Plane.identity(), sv.Window.box(0, 0.1, 0, 0.1))
    bare = sv.weight_plane(net, "0", data=plane.data)
    for asked, said in (
        ((arr, plane, {"loss": "hinge"}), "there is no loss 'hinge'"),
        ((arr, plane, {"targets": np.ones((2, 2))}), r"targets of the squared error are \(6, 3\)"),
        ((arr, sv.weight_plane(net, "2", data=plane.data), {}), "not those of the plane of weights"),
    ):
        with pytest.raises(sv.InputError, match=said):
            sv.loss_landscape(asked[0], asked[1], **asked[2])
    other = sv.arrange(bare.program, sv.Plane.identity(), sv.Window.box(0, 0.1, 0, 0.1))
    with pytest.raises(sv.InputError, match="needs what is right"):
        sv.loss_landscape(other, bare)


def test_the_picture_shows_cells_contours_and_the_least_loss(tmp_path: Path) -> None:
    _, plane = plane_of("second")
    found = landscape(plane, loss="cross-entropy")
    ax = found.draw(contours=5, title="A plane")
    assert ax.get_title(loc="left") == "A plane"
    assert [line.get_marker() for line in ax.lines[-2:]] == ["*", "+"]
    np.testing.assert_allclose(ax.lines[-2].get_xydata()[0], found.minimum)
    for suffix in (".png", ".svg"):
        found.save_figure(tmp_path / f"plane{suffix}")
        assert (tmp_path / f"plane{suffix}").stat().st_size > 1000
