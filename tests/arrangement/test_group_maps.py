"""Maps of cells that share products: against exact ones, and against those of each cell alone."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.arrangement import cell_groups
from splineviz.arrangement.affine_maps import BoundedMaps, bounded_maps
from splineviz.arrangement.exact_cells import exact_cells, exact_maps
from splineviz.arrangement.result import Arrangement


def _arranged(scale: float, activation: nn.Module) -> Arrangement:
    """Units of all sizes, some twice and some dead, in two stages."""
    torch.manual_seed(5)
    first, second, last = (nn.Linear(*shape, dtype=torch.float64) for shape in ((2, 12), (12, 10), (10, 3)))
    with torch.no_grad():
        sizes = scale ** torch.linspace(-1.0, 1.0, 12, dtype=torch.float64)
        first.weight *= sizes[:, None]
        first.bias *= sizes
        first.weight[3], first.bias[3] = first.weight[8], first.bias[8]
        first.weight[5], first.bias[5] = 0.0, -1.0
        second.weight /= sizes
        second.weight[6], second.bias[6] = -second.weight[2], -second.bias[2]
    model = nn.Sequential(first, activation, second, activation, last)
    return sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2), jobs=1)


def _alone(arr: Arrangement) -> BoundedMaps:
    """Without room for groups."""
    return bounded_maps(arr, arr.program, budget_bytes=1)


ACTIVATIONS = {
    "relu": nn.ReLU(),
    "prelu": nn.PReLU(init=-0.4).double(),
    "hardtanh": nn.Hardtanh(-0.4, 0.3),
}


@pytest.mark.parametrize("scale", [1e3, 1e150])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_maps_and_lines_are_within_their_bounds(scale: float, activation: str) -> None:
    arr = _arranged(scale, ACTIVATIONS[activation])
    assert arr.program is not None and arr.n_cells > 50
    found, alone = bounded_maps(arr, arr.program), _alone(arr)
    assert (found.maps != alone.maps).any()
    cells = np.arange(0, arr.n_cells, 11)
    for cell, (forms, factor) in zip(cells, exact_maps(arr, arr.program, cells) or [], strict=True):
        for form, exact in zip(found.maps[cell], forms, strict=True):
            for x, y, bound in zip(form, exact, found.errors[cell], strict=True):
                assert abs(Fraction(float(x)) - y * factor) <= bound
    for cell, exact in zip(cells[:10], exact_cells(arr, arr.program, cells[:10]) or [], strict=True):
        sides = range(arr.cells.offsets[cell], arr.cells.offsets[cell + 1])
        for name, (x, y, w) in zip(exact.polygon.names, exact.polygon.corners, strict=True):
            line, error = found.lines[sides[name]], found.line_errors[sides[name]]
            if np.isfinite(line).all() and np.isfinite(error).all():
                at = [Fraction(x, w), Fraction(y, w), Fraction(1)]
                value = sum(Fraction(float(c)) * p for c, p in zip(line, at, strict=True))
                assert abs(value) <= sum(Fraction(float(e)) * abs(p) for e, p in zip(error, at, strict=True))
    assert (np.abs(found.maps - alone.maps) <= (found.errors + alone.errors)[:, None]).all()
    assert (found.errors <= 8 * alone.errors).all()


def test_products_that_overflow_reach_no_other_cell() -> None:
    torch.manual_seed(0)
    layers = nn.Linear(2, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 2)
    model = nn.Sequential(*layers).double()
    program = sv.load_program(model)
    with torch.no_grad():
        model[0].weight[0] *= 1e120
        model[2].weight[:, 0] *= 1e120
        model[4].weight *= 1e120
    arr = sv.arrange(
        program.rebind(model.state_dict()), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), jobs=1
    )
    finite = np.isfinite(_alone(arr).maps).all((1, 2))
    assert finite.any() and not finite.all()
    np.testing.assert_array_equal(np.isfinite(bounded_maps(arr, arr.program).maps).all((1, 2)), finite)


class Joined(nn.Module):
    """A skip across stages, maxima of units, a concatenation with constants, and the input again."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(2, 12), nn.Linear(6, 6), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        pooled = torch.nn.functional.max_pool1d(h.unsqueeze(1), 2).squeeze(1)
        joined = torch.nn.functional.hardtanh(self.second(pooled), -0.3, 0.4) + pooled
        padded = torch.nn.functional.pad(torch.relu(joined - 0.2), (1, 1), value=0.5)
        y: Tensor = self.last(torch.cat([padded, x, pooled], dim=1))
        return y


def test_maps_of_branches_and_maxima_are_exact_within_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for cost in ("_ADDED", "_UNIT"):  # groups as large as can be, of a network that is too small for any
        monkeypatch.setattr(cell_groups, cost, 0.0)
    torch.manual_seed(2)
    program = sv.load_program(Joined().double(), input_shape=(2,))
    planes = [sv.Plane.identity(), sv.Plane.at(np.array([0.5, -0.5]), directions=np.eye(2))]
    arr = sv.arrange(program, planes, [sv.Window.box(-3, 3, -3, 3), sv.Window.diamond(1.0)], jobs=1)
    found = bounded_maps(arr, program)
    assert arr.n_cells > 50 and (found.maps != _alone(arr).maps).any()
    cells = np.arange(0, arr.n_cells, 7)
    for cell, (forms, factor) in zip(cells, exact_maps(arr, program, cells) or [], strict=True):
        for form, exact in zip(found.maps[cell], forms, strict=True):
            for x, y, bound in zip(form, exact, found.errors[cell], strict=True):
                assert abs(Fraction(float(x)) - y * factor) <= bound


def test_a_large_unit_that_is_off_leaves_no_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """x1 has slope 1e9 where it is on; where it is off the output is x2 exactly, in one group with the others."""
    for cost in ("_ADDED", "_UNIT"):
        monkeypatch.setattr(cell_groups, cost, 0.0)
    first, last = nn.Linear(2, 2, bias=False).double(), nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1e9, 0.0], [0.125, 0.375]]))
        last.weight.fill_(1.0)
    program = sv.load_program(nn.Sequential(first, nn.ReLU(), last))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), jobs=1)
    off = arr.interior_points[:, 0] < 0
    small = np.where((arr.interior_points @ [0.125, 0.375] > 0)[:, None], [0.125, 0.375, 0.0], 0.0)
    np.testing.assert_array_equal(arr.affine[off, 0], small[off])
    np.testing.assert_array_equal(arr.affine[~off, 0], small[~off] + np.array([1e9, 0.0, 0.0]))
