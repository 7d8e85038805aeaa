"""Networks that are arranged side by side are arranged as each would be alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.choices import Certify
from splineviz.engine import each
from splineviz.program.several import Several

IDENTITY, BOX = sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)


def network(seed: int, widths: Sequence[int], *before: nn.Module) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = [*before]
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).double().eval()


def checkpoints(n: int, make: Callable[[int], nn.Sequential]) -> list[sv.Program]:
    first = sv.load_program(make(0))
    return [first, *(first.rebind(make(seed).state_dict()) for seed in range(1, n))]


def assert_same(some: sv.Arrangement, other: sv.Arrangement) -> None:
    """All that is decided, and its order; coordinates up to rounding."""
    for name in ("cell_edges", "cell_window", "cell_stage", "pattern_hash", "edges", "edge_cells"):
        np.testing.assert_array_equal(getattr(some, name), getattr(other, name), err_msg=name)
    for table, same in ((some.cells, other.cells), (some.edge_units, other.edge_units)):
        np.testing.assert_array_equal(table.offsets, same.offsets)
        np.testing.assert_array_equal(table.values, same.values)
    for words, its in zip(some.patterns, other.patterns, strict=True):
        np.testing.assert_array_equal(words[0], its[0])
        np.testing.assert_array_equal(words[1], its[1])
    np.testing.assert_allclose(some.vertices, other.vertices, atol=1e-12)
    assert some.status is other.status
    assert some.program is other.program
    for name in ("cells_per_stage", "decisions_per_stage", "proven_per_stage", "undecided", "re_evaluated"):
        assert getattr(some.stats, name) == getattr(other.stats, name), name
    assert some.certified == other.certified


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were arranged side by side, each time; 0 where that did not go."""
    together, told = each._side_by_side, list[int]()

    def noted(programs: Sequence[sv.Program], *rest: object) -> list[sv.Arrangement] | None:
        found = together(programs, *rest)  # type: ignore[arg-type]
        told.append(0 if found is None else len(found))
        return found

    monkeypatch.setattr(each, "_side_by_side", noted)
    return told


@pytest.mark.parametrize("certify", ["fast", "full"])
def test_each_is_as_alone(certify: Certify, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, told = checkpoints(9, lambda seed: network(seed, (2, 16, 16, 12, 3))), counted(monkeypatch)
    found = list(sv.arrange_each(programs, IDENTITY, BOX, certify=certify))
    assert told == [8]
    for program, arr in zip(programs, found, strict=True):
        assert_same(arr, sv.arrange(program, IDENTITY, BOX, certify=certify))
        arr.check()
        np.testing.assert_allclose(arr.affine, sv.arrange(program, IDENTITY, BOX).affine, atol=1e-10)


def test_inputs_of_many_axes_on_a_plane_through_points(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).random((3, 1, 6, 6))
    plane, told = sv.Plane.through(*points), counted(monkeypatch)
    window = sv.Window.around(plane, 1.0)
    programs = checkpoints(4, lambda seed: network(seed, (36, 20, 20, 4), nn.Flatten()))
    found = list(sv.arrange_each(programs, plane, window))
    assert told == [3]
    for program, arr in zip(programs, found, strict=True):
        assert_same(arr, sv.arrange(program, plane, window))


@pytest.mark.parametrize(("base", "together"), [(2.0, [4]), (1000.0, [0])])
def test_weights_of_different_sizes(
    base: float, together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounds that hold for the largest are those of all: where that proves too little, each is alone."""

    def make(seed: int) -> nn.Sequential:
        net = network(seed, (2, 12, 12, 1))
        with torch.no_grad():
            for parameter in net.parameters():
                parameter *= base ** (seed - 2)
        return net

    programs, told = checkpoints(5, make), counted(monkeypatch)
    found = list(sv.arrange_each(programs, IDENTITY, BOX))
    assert told == together
    for program, arr in zip(programs, found, strict=True):
        assert_same(arr, sv.arrange(program, IDENTITY, BOX))


def test_what_needs_exact_arithmetic_is_asked_of_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(seed: int) -> nn.Sequential:
        net, rng = network(seed, (2, 8, 8, 1)), np.random.default_rng(seed)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.copy_(torch.from_numpy(rng.integers(-1, 2, parameter.shape)))
        return net

    programs, told = checkpoints(6, make), counted(monkeypatch)
    found = list(sv.arrange_each(programs, IDENTITY, BOX))
    assert told
    assert not any(told)
    for program, arr in zip(programs, found, strict=True):
        assert_same(arr, sv.arrange(program, IDENTITY, BOX))


def test_programs_of_other_structures_between_them() -> None:
    other = sv.load_program(network(0, (2, 9, 1)))
    wide = sv.load_program(network(0, (2, 130, 130, 1)))
    bent = sv.load_program(nn.Sequential(nn.Linear(2, 5), nn.LeakyReLU(), nn.Linear(5, 1)).double())
    line = sv.load_program(nn.Linear(2, 1).double())
    small = checkpoints(3, lambda seed: network(seed, (2, 8, 1)))
    programs = [*small, other, wide, small[0], bent, line, small[1]]
    for program, arr in zip(programs, sv.arrange_each(programs, IDENTITY, BOX), strict=True):
        assert_same(arr, sv.arrange(program, IDENTITY, BOX))


def test_wide_layers_and_other_bends_are_not_taken_together() -> None:
    wide = sv.load_program(network(0, (2, 130, 130, 1)))
    bent = sv.load_program(nn.Sequential(nn.Linear(2, 5), nn.LeakyReLU(), nn.Linear(5, 1)).double())
    small = sv.load_program(network(0, (2, 8, 1)))
    assert Several.of([small, small]) is not None
    assert Several.of([wide, wide]) is None
    assert Several.of([bent, bent]) is None
    assert Several.of([small, sv.load_program(network(0, (2, 9, 1)))]) is None


def test_without_proofs_and_with_little_memory() -> None:
    programs = checkpoints(5, lambda seed: network(seed, (2, 16, 16, 1)))
    for program, arr in zip(programs, sv.arrange_each(programs, IDENTITY, BOX, certify="off"), strict=True):
        assert_same(arr, sv.arrange(program, IDENTITY, BOX, certify="off"))
    for program, arr in zip(programs, sv.arrange_each(programs, IDENTITY, BOX, max_memory=4096), strict=True):
        alone = sv.arrange(program, IDENTITY, BOX, max_memory=4096)
        np.testing.assert_array_equal(arr.pattern_hash, alone.pattern_hash)


def test_checkpoints_are_read_when_their_turn_comes(tmp_path: pytest.TempPathFactory) -> None:
    for step in range(4):
        torch.save(network(step, (2, 8, 1)).state_dict(), f"{tmp_path}/step-{step}.pt")
    runs = sv.Checkpoints(network(0, (2, 8, 1)), f"{tmp_path}/step-*.pt")
    found = sv.arrange_each(runs, IDENTITY, BOX)
    assert next(found).n_cells == sv.arrange(runs[0], IDENTITY, BOX).n_cells
    assert [arr.n_cells for arr in found] == [sv.arrange(runs[i], IDENTITY, BOX).n_cells for i in (1, 2, 3)]


@pytest.mark.parametrize(
    "programs", [None, 3, "demo", sv.load_program(nn.Linear(2, 1))], ids=lambda p: type(p).__name__
)
def test_one_network_is_not_many(programs: Any) -> None:
    with pytest.raises(sv.InputError, match="expected several programs or checkpoints, got"):
        list(sv.arrange_each(programs, sv.Plane.identity(), sv.Window.box(0, 1, 0, 1)))
