"""What is sound is found to be so, in float64 and in exact arithmetic."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.checking import Verdict
from tests.checking.networks import SOUND, Sound, linear, mlp, unit_square
from tests.fuzz.hostile import repeated_rows
from tests.oracles.harness import program_of


@pytest.mark.parametrize("case", SOUND, ids=lambda case: case.name)
def test_sound_arrangements_pass(case: Sound, tmp_path: Path) -> None:
    program, arr = case.arranged()
    sv.save(arr, tmp_path / "cells.npz")
    report = sv.check(tmp_path / "cells.npz", program, points=300, segments=8)
    assert not report.failures and not report.open, str(report)
    assert (report.cells, report.vertices, report.edges) == (arr.n_cells, arr.n_vertices, arr.n_edges)
    every = sv.check(arr, program, exact_cells="all", points=1, segments=1)
    assert every.ok and every["exact"].examined == arr.n_cells
    assert every["exact areas"].verdict is (Verdict.HOLDS if arr.status.covers else Verdict.SKIPPED)


def test_what_the_file_does_not_claim_is_not_asked(tmp_path: Path) -> None:
    program = sv.load_program(mlp(2, 8, 2))
    arr = sv.arrange(program, sv.Plane.identity(), unit_square())
    sv.save(arr, tmp_path / "cells.npz", affine=False)
    report = sv.check(tmp_path / "cells.npz", program)
    skipped = {check.name for check in report.checks if check.verdict is Verdict.SKIPPED}
    assert skipped == {"exact", "exact areas", "thin areas", "maps", "regions", "kink sizes", "trust"}
    assert f"there are {arr.n_linear_regions}" in report["regions"].note


def test_batches_of_a_stream_are_checked_one_by_one() -> None:
    program = sv.load_program(mlp(2, 24, 24, 1))
    batches = list(sv.stream(program, sv.Plane.identity(), unit_square(), max_memory=2**16))
    assert len(batches) > 3
    for batch in batches[:3]:
        report = sv.check(batch, program, points=500, segments=8)
        assert not report.failures, str(report)
        assert report["rim"].verdict is Verdict.SKIPPED


def _thin(power: int) -> sv.Program:
    """A column of cells 2^-power wide, right of u = 1."""
    first = linear([[1.0, 0.0], [0.0, 1.0]], [-1.0, -1.0])
    second = linear([[2.0**power, 0.0], [0.0, 1.0]], [-1.0, -0.5])
    return sv.load_program(nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), linear([[1.0, 1.0]], [0.0])))


@pytest.mark.parametrize("power", [53, 60, 200])
def test_cells_below_the_spacing_of_float64_are_derived_exactly(power: int) -> None:
    """Cells of a wide column, with the coordinates that a narrow one has when it is rounded."""
    wide = sv.arrange(_thin(20), sv.Plane.identity(), unit_square())
    assert wide.n_cells == 9
    program = _thin(power)
    vertices = np.where(np.abs(wide.vertices - 1 - 2.0**-20) < 1e-9, 1 + 2.0**-power, wide.vertices)
    narrow = dataclasses.replace(wide, vertices=vertices, info=program.info)
    report = sv.check(narrow, program)
    assert not report.failures and not report.open, str(report)
    assert report["exact"].examined >= 3
    assert sv.check(narrow, program, exact_cells="all")["exact areas"].verdict is Verdict.HOLDS
    limited = sv.check(narrow, program, exact_cells=0)
    assert limited.ok and {check.name for check in limited.open} >= {"exact", "patterns", "kinks"}
    assert limited["exact"].note == "only 0 cells were to be settled exactly"


def test_the_same_seed_gives_the_same_report() -> None:
    program, arr = SOUND[0].arranged()
    one, two = (sv.check(arr, program, seed=3).to_dict() for _ in range(2))
    assert {**one, "seconds": 0} == {**two, "seconds": 0}


def test_the_model_by_name(tmp_path: Path) -> None:
    arr = sv.slice("demo", sv.demo.load_points(), stage=0)
    sv.save(arr, tmp_path / "cells.npz")
    assert sv.check(str(tmp_path / "cells.npz"), "demo", points=100, segments=2).ok


@pytest.mark.parametrize("window", [unit_square(), sv.Window.box(-1e8, 1e8, -1e8, 1e8)], ids=["1", "1e8"])
def test_corners_that_fall_together_or_fold_their_cells(window: sv.Window) -> None:
    """Between rows one unit in the last place apart; each cell that float64 does not tell is derived
    exactly."""
    program = program_of(repeated_rows(0, [2, 16, 16, 2]))
    arr = sv.arrange(program, sv.Plane.identity(), window, jobs=1, certify="full")
    report = sv.check(arr, program, points=300, segments=4)
    assert not report.failures and not report.open, str(report)
    assert report["exact"].examined >= len(arr.thin_cells) > 100
    unsettled = sv.check(arr, program, points=300, segments=4, exact_cells=0)
    assert unsettled.ok and {check.name for check in unsettled.open} >= {"exact", "coverage"}
    moved = np.where(np.arange(arr.n_vertices)[:, None] == arr.cells[int(arr.thin_cells[0])][0], 1.25, 1.0)
    spoilt = dataclasses.replace(arr, vertices=arr.vertices * moved)
    assert {check.name for check in sv.check(spoilt, program).failures} >= {"exact"}


def test_thin_cells_of_maxima_are_told_by_their_stored_patterns() -> None:
    """Their neighbours have the same corners up to rounding, and no edge says which candidate leads."""
    torch.manual_seed(1)
    first = nn.Linear(2, 16).double()
    with torch.no_grad():
        for parameter in first.parameters():
            parameter[8:] = torch.nextafter(parameter[:8], torch.tensor(math.inf, dtype=torch.float64))
    pool = nn.Sequential(nn.PReLU(), nn.Unflatten(1, (1, 4, 4)), nn.MaxPool2d(2, 1), nn.Flatten())
    net = nn.Sequential(first, pool, nn.Linear(9, 2)).double()
    program = sv.load_program(net, input_shape=(2,))
    for window in (unit_square(), sv.Window.box(-1e8, 1e8, -1e8, 1e8)):
        arr = sv.arrange(program, sv.Plane.identity(), window, jobs=1, certify="full")
        report = sv.check(arr, program, points=300, segments=4)
        assert arr.certified and len(arr.thin_cells) > 10
        assert not report.failures and not report.open, str(report)
        none = dataclasses.replace(arr, patterns=())
        assert sv.check(none, program, points=10, segments=1)["states"].verdict is Verdict.SKIPPED


def test_maps_beyond_float64_are_open() -> None:
    net = nn.Sequential(
        linear([[3.0, 1.0], [1.0, 2.0]], [0.0, 0.5]),
        nn.ReLU(),
        linear([[2.0, 1.0], [1.0, 1.0]], [0.0, 0.0]),
        nn.ReLU(),
        linear([[1.0, 1.0]], [0.0]),
    )
    scaled = {name: values * 1e120 for name, values in net.state_dict().items()}
    program = sv.load_program(net).rebind(scaled)
    arr = sv.arrange(program, sv.Plane.identity(), unit_square(), certify="full")
    report = sv.check(arr, program, points=100, segments=2, exact_cells="all")
    assert report.ok and {check.name for check in report.open} == {"continuity", "corners"}, str(report)


def test_kinks_in_a_window_far_smaller_than_values() -> None:
    """Rounding of values of size 1 reaches farther there than corners may be off."""
    first = linear([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]], [1.0, 1.5, 0.0])
    second = linear([[2.0, -1.0, 0.5], [0.7, 0.1, -1.0]], [-0.5, -0.85])
    program = sv.load_program(nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), linear([[1.0, 1.0]], [0.0])))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-1e-8, 1e-8, -1e-8, 1e-8), certify="full")
    report = sv.check(arr, program, points=100, segments=2)
    assert arr.n_cells > 2 and not report.failures, str(report)
