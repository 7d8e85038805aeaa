from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.arrangement import jacobians
from splineviz.arrangement.affine_maps import affine_maps
from splineviz.arrangement.jacobians import _split, jacobian_norms
from splineviz.arrangement.result import Arrangement
from splineviz.program.program import Program
from tests.arrangement.hand_made import linear, program_of, random_mlp

BOX = sv.Window.box(-1, 1, -1, 1)


class Branches(nn.Module):
    """A skip from the input, a concatenation, one module used twice and a clamp."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.again, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        h = torch.relu(self.again(h)) + x
        return self.last(torch.cat([torch.clamp(self.again(h), -0.2, 0.3), h], dim=1))


def _branches() -> tuple[Program, sv.Plane]:
    torch.manual_seed(3)
    model = Branches()
    return sv.load_program(model, input_shape=(6,)), sv.Plane.at(torch.full((6,), 0.1), seed=1)


def _at_interior(arr: Arrangement) -> tuple[np.ndarray, np.ndarray]:
    """Output of the maps, and of a forward pass, at an interior point of each cell."""
    uv = arr.interior_points
    lifted = np.stack([arr.planes[w].lift(p) for w, p in zip(arr.cell_window, uv, strict=True)])
    assert arr.program is not None
    with torch.no_grad():
        expected = arr.program.forward(torch.from_numpy(lifted)).reshape(arr.n_cells, -1).numpy()
    return np.einsum("fck,fk->fc", arr.affine, np.column_stack([uv, np.ones(len(uv))])), expected


@pytest.mark.parametrize("hardtanh", [False, True])
def test_maps_reproduce_the_forward_pass_inside_every_cell(hardtanh: bool) -> None:
    arr = sv.arrange(
        random_mlp(2, 12, 12, 3, hardtanh=hardtanh), sv.Plane.identity(), sv.Window.box(-4, 4, -4, 4)
    )
    assert arr.n_cells > 50
    found, expected = _at_interior(arr)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_maps_follow_branches_and_reused_modules() -> None:
    program, plane = _branches()
    arr = sv.arrange(program, plane, sv.Window.box(-3, 3, -3, 3))
    assert arr.n_cells > 20
    found, expected = _at_interior(arr)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_each_window_has_its_own_plane() -> None:
    program = random_mlp(5, 10, 10, 2)
    planes = [sv.Plane.at(np.full(5, 0.3 * i), seed=i) for i in range(4)]
    arr = sv.arrange(program, planes, [sv.Window.diamond(1.0)] * 4)
    assert set(arr.cell_window.tolist()) == {0, 1, 2, 3}
    found, expected = _at_interior(arr)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_small_budgets_change_nothing_but_rounding() -> None:
    arr = sv.arrange(random_mlp(5, 10, 10, 2), sv.Plane.at(np.zeros(5)), sv.Window.diamond(3.0))
    assert arr.n_cells > 20
    np.testing.assert_allclose(
        affine_maps(arr, arr.program, budget_bytes=1), affine_maps(arr, arr.program), rtol=0, atol=1e-14
    )
    np.testing.assert_allclose(
        jacobian_norms(arr, arr.program, budget_bytes=1), jacobian_norms(arr, arr.program), rtol=1e-13
    )


def test_a_network_without_units_has_one_map() -> None:
    arr = sv.arrange(program_of(linear([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0])), sv.Plane.identity(), BOX)
    np.testing.assert_array_equal(arr.affine, [[[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]])


@pytest.mark.parametrize("n_out", [1, 3, 5, 9], ids=["gradient", "by outputs", "in steps", "by inputs"])
def test_jacobian_norms_are_those_of_autograd(n_out: int) -> None:
    program = random_mlp(5, 8, 8, n_out)
    arr = sv.arrange(program, sv.Plane.at(np.full(5, 0.2)), sv.Window.diamond(2.0))
    assert arr.n_cells > 10
    x = torch.from_numpy(arr.planes[0].lift(arr.interior_points))
    exact = [torch.autograd.functional.jacobian(lambda p: program.forward(p[None])[0], point) for point in x]
    expected = [float(torch.linalg.matrix_norm(j, 2)) for j in exact]
    np.testing.assert_allclose(jacobian_norms(arr, arr.program), expected, rtol=1e-12)


def test_jacobian_norms_follow_branches() -> None:
    program, plane = _branches()
    arr = sv.arrange(program, plane, sv.Window.box(-3, 3, -3, 3))
    x = torch.from_numpy(plane.lift(arr.interior_points))
    exact = [torch.autograd.functional.jacobian(lambda p: program.forward(p[None])[0], point) for point in x]
    np.testing.assert_allclose(
        jacobian_norms(arr, arr.program), [float(torch.linalg.matrix_norm(j, 2)) for j in exact], rtol=1e-12
    )


class Peaks(nn.Module):
    """Maxima between two stages of units, with twin units, dead ones, and one of a size of its own."""

    def __init__(self, size: float) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(7, 12), nn.Linear(6, 9), nn.Linear(9, 5)
        with torch.no_grad():
            self.first.weight[1], self.first.bias[1] = self.first.weight[4], self.first.bias[4]
            self.first.bias[2] = -100.0
            self.second.weight[3] *= size
            self.second.bias[3] *= size

    def forward(self, x: Tensor) -> Tensor:
        h = torch.nn.functional.max_pool1d(torch.relu(self.first(x)).unsqueeze(1), 2).squeeze(1)
        y: Tensor = self.last(torch.nn.functional.leaky_relu(self.second(h), 0.0))
        return y


@pytest.mark.parametrize("size", [1.0, 1e13])
def test_jacobian_norms_in_steps_are_those_of_full_sweeps(
    size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Across maxima and edges of several units there are none; behind a large unit little would be left."""
    torch.manual_seed(1)
    program = sv.load_program(Peaks(size).double(), input_shape=(7,))
    arr = sv.arrange(program, sv.Plane.at(np.full(7, 0.1), seed=4), sv.Window.diamond(8.0))
    assert arr.n_cells > 50
    found = jacobian_norms(arr, program)
    monkeypatch.setattr(jacobians, "_FEW", 6)
    full = jacobian_norms(arr, program)
    assert (found != full).any()
    np.testing.assert_allclose(found, full, rtol=1e-12)


class Narrowing(nn.Module):
    """Three affine layers that narrow the input before the first unit; with ``skip`` the input is read again
    later."""

    def __init__(self, skip: bool = False) -> None:
        super().__init__()
        self.conv, self.norm, self.first = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(32, 7)
        self.second, self.last, self.skip = (
            nn.Linear(7, 6),
            nn.Linear(6, 3),
            nn.Linear(36, 3) if skip else None,
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(self.norm(self.conv(x)).flatten(1))
        y = self.last(torch.relu(self.second(torch.relu(h))) + h[:, :6])
        return y if self.skip is None else y + self.skip(x.flatten(1))


@pytest.mark.parametrize("skip", [False, True], ids=["cut after the affine part", "input read again"])
def test_jacobian_norms_through_a_narrow_first_part(skip: bool) -> None:
    torch.manual_seed(0)
    program = sv.load_program(Narrowing(skip).eval(), input_shape=(1, 6, 6))
    arr = sv.arrange(program, sv.Plane.at(torch.full((1, 6, 6), 0.1), seed=2), sv.Window.diamond(9.0))
    assert 3 * arr.n_cells >= 36
    parts = _split(program, 1 << 20)
    assert (parts is None) == skip
    if parts is not None:
        head, rest = parts
        x = torch.randn(5, 1, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        torch.testing.assert_close(rest.forward(head.forward(x)), program.forward(x), rtol=0, atol=0)
    found, general = (
        jacobian_norms(arr, arr.program),
        jacobian_norms(arr, arr.program, budget_bytes=1),
    )  # too little for the matrix of the first part
    np.testing.assert_allclose(found, general, rtol=1e-12)
    x = torch.from_numpy(arr.planes[0].lift(arr.interior_points))
    exact = [
        torch.autograd.functional.jacobian(lambda p: program.forward(p[None])[0], point).reshape(3, 36)
        for point in x
    ]
    np.testing.assert_allclose(found, [float(torch.linalg.matrix_norm(j, 2)) for j in exact], rtol=1e-12)


def test_without_the_network_there_are_no_maps() -> None:
    arr = sv.arrange(random_mlp(2, 4, 2), sv.Plane.identity(), BOX)
    with pytest.raises(sv.InputError, match=r"loaded from a file(.|\n)*try: load it with sv.load"):
        affine_maps(arr, None)


def test_an_arrangement_that_stopped_early_has_no_maps() -> None:
    arr = sv.arrange(random_mlp(2, 6, 6, 2), sv.Plane.identity(), BOX, stage=0)
    with pytest.raises(sv.InputError, match="stopped after 1 of 2 stages"):
        affine_maps(arr, arr.program)
