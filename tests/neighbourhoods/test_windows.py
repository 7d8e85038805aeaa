"""Windows by what they hold, and units that tie at one point."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.neighbourhoods.cut_radii import cut_radii
from splineviz.neighbourhoods.radii import radii_for
from splineviz.neighbourhoods.reach import least_scale
from splineviz.neighbourhoods.ties import ties_at
from tests.estimators.nets import perceptron

PLANE, BOX = sv.Plane.identity(), sv.Window.box(-1, 1, -2, 1)


@pytest.fixture(scope="module")
def program() -> sv.Program:
    return sv.load_program(perceptron(2, 60, 60, 2, seed=1))


@pytest.mark.parametrize(
    "window", [BOX, sv.Window.diamond(0.7), sv.Window.polygon([[2, 0], [0, 1], [-1, -1]])]
)
def test_the_least_scale_is_where_samples_of_the_segment_come_in(window: sv.Window) -> None:
    rng = np.random.default_rng(0)
    a, b, about = *rng.uniform(-3, 3, (2, 200, 2)), window.centre
    found = least_scale(window, about, a, b)
    t = np.linspace(0, 1, 4001)[:, None, None]
    points = (a + t * (b - a)) - about
    corners = window.vertices - about
    along = np.roll(corners, -1, 0) - corners
    normals = np.column_stack([along[:, 1], -along[:, 0]])
    sampled = (points @ normals.T / (normals * corners).sum(1)).max(-1).min(0)
    assert (found <= sampled + 1e-12).all() and (found > sampled - 0.01).all()


@pytest.mark.parametrize("cells", [1, 2, 50, 777])
@pytest.mark.parametrize("about", [None, (0.3, 0.4)])
def test_a_fitted_window_holds_so_many_cells(
    program: sv.Program, cells: int, about: tuple[float, float] | None
) -> None:
    window = sv.fit_window(program, PLANE, BOX, cells, about=about)
    arr = sv.arrange(program, PLANE, window)
    assert arr.n_cells == cells
    scale = np.sqrt(window.area / BOX.area)
    np.testing.assert_allclose(window.vertices, BOX.scaled(scale, about).vertices, atol=1e-12)


def test_a_window_that_holds_no_more_stays_and_one_may_grow(program: sv.Program) -> None:
    n = sv.arrange(program, PLANE, BOX).n_cells
    np.testing.assert_allclose(sv.fit_window(program, PLANE, BOX, n + 1).vertices, BOX.vertices)
    grown = sv.fit_window(program, PLANE, sv.Window.diamond(0.01), 300, largest=1e6)
    assert sv.arrange(program, PLANE, grown).n_cells == 300


def test_windows_that_cannot_be_fitted(program: sv.Program) -> None:
    with pytest.raises(InputError, match="cells must be a whole number of at least 1"):
        sv.fit_window(program, PLANE, BOX, 0)
    with pytest.raises(InputError, match="about a point inside it"):
        sv.fit_window(program, PLANE, BOX, 9, about=(5, 5))
    with pytest.raises(InputError, match="time was up before a window of 9 cells"):
        sv.fit_window(program, PLANE, BOX, 9, seconds=1e-9)
    fan = nn.Linear(2, 300, bias=False)
    with pytest.raises(InputError, match="all windows round this point hold more than 9 cells"):
        sv.fit_window(sv.load_program(nn.Sequential(fan, nn.ReLU())), PLANE, sv.Window.diamond(1.0), 9)


@pytest.mark.parametrize("n_points", [1, 2, 5])
def test_the_radius_of_few_points_cuts_as_many_units_as_were_asked_for(n_points: int) -> None:
    program = sv.load_program(perceptron(7, 24, 24, 3, seed=2))
    x, axes = np.random.default_rng(3).standard_normal((n_points, 7)), np.eye(7)[None, :2]
    for units, radius in zip((1, 6), radii_for([program], x, (1, 6), axes, first=2.0**-20), strict=True):
        cut = (cut_radii(program, x, axes, 2 * radius) < radius).sum(1)
        assert (cut >= units).sum() == n_points // 2 + 1 and (n_points > 2 or cut.min() == units)


def test_a_point_on_all_lines_has_no_radius() -> None:
    fan = sv.load_program(nn.Sequential(nn.Linear(4, 30, bias=False), nn.ReLU()))
    with pytest.raises(
        InputError, match="every radius cuts 5 units: the lines of so many pass through the point"
    ):
        radii_for([fan], np.zeros((1, 4)), (5,), np.eye(4)[None, :2])
    with pytest.raises(InputError, match="time was up"):
        radii_for([fan], np.ones((1, 4)), (5,), np.eye(4)[None, :2], seconds=1e-9)


def test_ties_over_constant_background_are_found_and_jitter_ends_them() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(48, 2))
    program, rng = sv.load_program(net, input_shape=(1, 8, 8)), np.random.default_rng(0)
    x = np.zeros((1, 8, 8))
    x[0, :3, :3] = rng.random((3, 3))
    plane = sv.Plane.at(x)
    (found,) = ties_at(program, plane, (0, 0), 1.0)
    values = net[0](torch.tensor(x, dtype=torch.float32)[None])[0].detach().numpy()
    windows = np.sort(values.reshape(3, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(48, 4), axis=1)
    assert found.n_tied == (windows[:, 3] - windows[:, 2] < 1e-6).sum() > 5 and found.n_units == 48
    assert str(found) == f"{found.n_tied} of 48 maxima of stage 0 (max_pool2d) tie"
    assert ties_at(program, plane, (0.1, 0.1), 1.0) == []
    assert ties_at(program, sv.Plane.at(x + 1e-3 * rng.standard_normal(x.shape)), (0, 0), 1.0) == []


def test_what_ties_everywhere_is_no_tie() -> None:
    """Two equal candidates, and one that is off: no line comes from them."""
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Unflatten(1, (2, 2)), nn.MaxPool1d(2), nn.Flatten())
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0], [1, 0], [0, 0], [0, 0]]))
        net[0].bias.copy_(torch.tensor([1.0, 1, -1, -1]))
    assert ties_at(sv.load_program(net), PLANE, (0, 0), 1.0) == []


def test_units_at_a_breakpoint_are_said_to_be() -> None:
    fan = sv.load_program(nn.Sequential(nn.Linear(2, 30, bias=False), nn.ReLU()))
    assert [str(ties) for ties in ties_at(fan, PLANE, (0, 0), 1.0)] == [
        "30 of 30 units of stage 0 (relu) are at a breakpoint"
    ]
