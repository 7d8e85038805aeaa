"""Maps of cells that share products: against exact ones, and against products in full."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement import affine_maps, sibling_runs
from splineviz.arrangement.affine_maps import BoundedMaps, bounded_maps
from splineviz.arrangement.exact_cells import exact_cells, exact_maps
from splineviz.arrangement.result import Arrangement
from splineviz.geometry.bit_sets import bits_of


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


def _in_full(arr: Arrangement, monkeypatch: pytest.MonkeyPatch) -> BoundedMaps:
    with monkeypatch.context() as patch:
        patch.setattr(affine_maps, "_SWITCHES", 0)
        return bounded_maps(arr, arr.program)


ACTIVATIONS = {
    "relu": nn.ReLU(),
    "prelu": nn.PReLU(init=-0.4).double(),
    "hardtanh": nn.Hardtanh(-0.4, 0.3),
}


@pytest.mark.parametrize("scale", [1e3, 1e150])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_maps_and_lines_are_within_their_bounds(
    scale: float, activation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arr = _arranged(scale, ACTIVATIONS[activation])
    assert arr.program is not None and arr.n_cells > 50
    found, full = bounded_maps(arr, arr.program), _in_full(arr, monkeypatch)
    assert (found.maps != full.maps).any()
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
    np.testing.assert_allclose(found.errors, full.errors, rtol=1e-9)  # sums of squares in another order
    assert (np.abs(found.maps - full.maps) <= 2 * full.errors[:, None]).all()


def test_products_that_overflow_reach_no_other_cell(monkeypatch: pytest.MonkeyPatch) -> None:
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
    finite = np.isfinite(_in_full(arr, monkeypatch).maps).all((1, 2))
    assert finite.any() and not finite.all()
    np.testing.assert_array_equal(np.isfinite(bounded_maps(arr, arr.program).maps).all((1, 2)), finite)


def test_runs_hold_what_siblings_share() -> None:
    """A large unit that is on, then off, is in no sum of a cell on which it is off."""
    z = np.array([1e9, 1.0, -2.0, 4.0])
    words = np.array([[0b1111], [0b1110], [0b1010], [0b1011], [0b1011]], dtype=np.uint64)
    family = sibling_runs.Family(
        np.stack([z, z])[:, None].repeat(2, 1),
        z[None].repeat(2, 0),
        np.array([0, 0, 0, 0, 1]),
        words,
        np.array([[0.0] * 4, [1.0] * 4]),
        np.zeros((2, 4)),
    )
    shared = sibling_runs.runs(family, 2, family.entries)
    assert shared.first.tolist() == [0, 4, 5]  # another face is another run
    assert sorted(shared.switching) == [0, 2]
    np.testing.assert_array_equal(shared.u, [[0, 1, 0, 4], [1e9, 1, 0, 4]])
    np.testing.assert_allclose(shared.norms[2], [np.linalg.norm(z * on) for on in bits_of(words, 4)])
    assert sibling_runs.runs(family, 1, family.entries).first.tolist() == [0, 2, 4, 5]
    assert sibling_runs.runs(family, 0, family.entries).first.tolist() == [0, 1, 2, 3, 4, 5]
    columns = np.array([[1e-9, 0.0], [1.0, 1.0], [1.0, 2.0], [0.25, 0.0]])
    products = [part @ columns for part in (shared.u, shared.v, shared.w)]
    tangent, constant = sibling_runs.results(family, shared, *products, columns, np.array([10.0, 0.0]))
    expected = (z * bits_of(words, 4)) @ columns
    np.testing.assert_array_equal(tangent, [expected, expected])
    np.testing.assert_array_equal(constant, expected + np.array([10.0, 0.0]))
