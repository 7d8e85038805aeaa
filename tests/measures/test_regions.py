"""Decision regions: closed forms, and dense sampling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

import splineviz as sv


def bands() -> torch.nn.Module:
    """|x| - 1/2: class 1 left and right of a strip of class 0."""
    first, last = torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 1)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
        last.weight.copy_(torch.tensor([[1.0, 1.0]]))
        last.bias.fill_(-0.5)
    return torch.nn.Sequential(first, torch.nn.ReLU(), last)


def arranged(model: torch.nn.Module, *box: float) -> sv.Arrangement:
    return sv.arrange(sv.load_program(model, input_shape=(2,)), sv.Plane.identity(), sv.Window.box(*box))


def test_a_strip_parts_the_window_into_three_regions() -> None:
    found = arranged(bands(), -1, 1, -1, 2).measure("regions")
    assert found["regions"] == 3
    assert (found["regions", "class 0"], found["regions", "class 1"]) == (1, 2)
    assert found["share", "class 0"] == pytest.approx(0.5, abs=1e-15)
    assert sorted(found.areas.tolist()) == pytest.approx([1.5, 1.5, 3.0], abs=1e-15)
    assert next(q for q in found.quantities if q.name == "regions").error == 0


def test_the_level_moves_the_boundary() -> None:
    found = arranged(bands(), -1, 1, -1, 2).measure("regions", level=0.25)
    assert found["share", "class 1"] == pytest.approx(0.25, abs=1e-15)


def test_against_a_grid() -> None:
    torch.manual_seed(3)
    layers = (torch.nn.Linear(2, 24), torch.nn.ReLU(), torch.nn.Linear(24, 24), torch.nn.ReLU())
    model = torch.nn.Sequential(*layers, torch.nn.Linear(24, 3)).double()
    with torch.no_grad():
        for layer in (model[0], model[2]):
            layer.weight *= 3
    found = arranged(model, -2, 2, -2, 2).measure("regions")
    ticks = np.linspace(-2, 2, 1001)[:-1] + 0.002
    grid = torch.tensor(np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2))
    with torch.no_grad():
        classes = model(grid).argmax(1).numpy().reshape(1000, 1000)
    for number in np.unique(classes).tolist():
        assert found["share", f"class {number}"] == pytest.approx((classes == number).mean(), abs=2e-3)
        large = [n for n in np.bincount(ndimage.label(classes == number)[0].ravel())[1:] if n > 200]
        own = found.areas[found.classes == number]
        assert (own > 300 * 16e-6).sum() <= len(large) <= len(own)


def test_windows_are_measured_together_or_one_by_one() -> None:
    program = sv.load_program(bands(), input_shape=(2,))
    planes, windows = [sv.Plane.identity()] * 2, [sv.Window.box(-1, 1, 0, 1), sv.Window.box(0, 1, 0, 1)]
    arr = sv.arrange(program, planes, windows)
    assert arr.measure("regions")["regions"] == 5
    assert arr.measure("regions", window=1)["regions"] == 2
    assert arr.measure("regions", window=1).provenance["window"] == 1


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("nonsense", {}, "there is no measure 'nonsense'"),
        ("regions", {"window": 1}, r"window must be in 0 \.\. 0, got 1"),
        ("regions", {"radius": 1}, "no measure is asked with radius="),
    ],
)
def test_what_cannot_be_asked_is_refused(name: str, asked: dict[str, int], said: str) -> None:
    with pytest.raises(sv.InputError, match=said):
        arranged(bands(), -1, 1, -1, 1).measure(name, **asked)


def test_cells_of_an_earlier_stage_have_no_outputs() -> None:
    program = sv.load_program("demo")
    plane = sv.Plane.through(*sv.demo.load_points())
    arr = sv.arrange(program, plane, sv.Window.around(plane), stage=0)
    with pytest.raises(sv.InputError, match="these cells are those of stage 0"):
        arr.measure("regions")
