"""The comparison finds every kind of fault that is planted into a right arrangement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from splineviz.arrangement.result import Arrangement
from splineviz.geometry.csr import Csr
from tests.oracles.compare import Mismatch, assert_same
from tests.oracles.harness import Case, unit_box
from tests.oracles.network import Network, absolute, linear, relu, sequential
from tests.oracles.rounding import Rounding

NETWORK = sequential(2, [
    linear([[1, 2], [2, -1], [1, 1]], [0.25, 0, -0.5]), relu(), linear([[1, -1, 1], [-1, 2, 1]], [0, -0.5]), absolute(),
    linear([[1, 1], [1, -1], [0, 1]], [0, 0.25, 0])])  # fmt: skip


def _moved(arr: Arrangement) -> Arrangement:
    vertices = arr.vertices.copy()
    vertices[-1] += 1e-13
    return replace(arr, vertices=vertices)


def _other_unit(arr: Arrangement) -> Arrangement:
    values = arr.edge_units.values.copy()
    values[0, 1] += 1
    return replace(arr, edge_units=Csr(arr.edge_units.offsets, values))


def _flipped(arr: Arrangement) -> Arrangement:
    words, parent = arr.patterns[-1]
    words = words.copy()
    words[0, 0] ^= np.uint64(1)
    return replace(arr, patterns=(*arr.patterns[:-1], (words, parent)))


def _exchanged(arr: Arrangement) -> Arrangement:
    """Two cells exchange their patterns, so that each stands where the other should."""
    words, parent = arr.patterns[-1]
    rows = np.arange(arr.n_cells)
    rows[[0, -1]] = rows[[-1, 0]]
    return replace(arr, patterns=(*arr.patterns[:-1], (words[rows], parent[rows])))


def _with(arr: Arrangement, **what: object) -> Arrangement:
    found = replace(arr)
    for name, value in what.items():
        object.__setattr__(found, name, value)  # where a cached property keeps its value
    return found


FAULTS: dict[str, Callable[[Arrangement], Arrangement]] = {
    "cells": _flipped,
    "neighbours": _exchanged,
    "units": _other_unit,
    "vertices": _moved,
    "areas": lambda arr: _with(arr, areas=arr.areas * (1 + 1e-12)),
    "affine": lambda arr: _with(arr, affine=arr.affine * (1 + 1e-12)),
    "regions": lambda arr: _with(arr, linear_regions=np.arange(arr.n_cells) // 2),
}


@pytest.mark.parametrize("what", FAULTS)
def test_planted_faults(what: str) -> None:
    case = Case(NETWORK, (unit_box(),))
    arr = case.arrange(unit_box())
    assert_same(arr, case.exact[0])
    with pytest.raises(Mismatch) as raised:
        assert_same(FAULTS[what](arr), case.exact[0])
    assert raised.value.what == what


def test_a_result_that_is_not_proven_must_be_close_and_consistent(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may lose a cell of no area to speak of, but none that can be seen, and no two may have one
    pattern."""
    near = sequential(2, [linear([[1, 0], [1, 0]], [0, Fraction(1, 2**50)]), relu()])
    once = sequential(2, [linear([[1, 0], [1, 0]], [0, 0]), relu()])
    case, arr = Case(near, (unit_box(),)), Case(once, (unit_box(),)).arrange(unit_box())
    assert (case.exact[0].n_cells, arr.n_cells) == (3, 2)

    def agree(arr: Arrangement, case: Case, certify: str) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(Case, "arrange", lambda self, window, certify=None: arr)
            case.agree(certify)

    guess = replace(arr, stats=replace(arr.stats, undecided=1))
    agree(guess, case, "fast")
    for proven, certify in ((arr, "fast"), (guess, "full")):
        with pytest.raises(Mismatch, match="cells: 1 of 3"):
            agree(proven, case, certify)
    moved = Case(sequential(2, [linear([[1, 0], [1, 0]], [0, 0.125]), relu()]), (unit_box(),))
    with pytest.raises(Mismatch, match="area of a pattern"):
        agree(guess, moved, "off")
    with pytest.raises(Mismatch, match=r"inconsistent.* activation pattern of another cell"):
        agree(replace(guess, pattern_hash=guess.pattern_hash[[0, 0]]), case, "fast")


def test_a_decision_for_another_class() -> None:
    """As if the arrangement were that of a network whose outputs are exchanged; its maps are put right
    again."""
    *head, last = [step.op for step in NETWORK.steps]
    turned = sequential(2, [*head, linear(last.weight[::-1], last.bias[::-1])])
    right, wrong = (Case(network, (unit_box(),)).arrange(unit_box()) for network in (NETWORK, turned))
    regions = wrong.decision_regions()
    faulty = _with(right, decision_regions=lambda: regions)
    with pytest.raises(Mismatch) as raised:
        assert_same(faulty, Case(NETWORK, (unit_box(),)).exact[0])
    assert raised.value.what == "decisions"


def test_a_vertex_of_lines_that_are_nearly_parallel_may_be_far_off() -> None:
    near = Fraction(1, 2**40)
    crossing, parallel = (
        Case(
            sequential(2, [linear([[1, 0], [slope, 1 - slope]], [0.125, 0.125]), relu()]), (unit_box(),)
        ).exact[0]
        for slope in (Fraction(0), 1 - near)
    )
    inner = [
        max(rounding.uv[point] for point in rounding.exact.points)
        for rounding in map(Rounding, (crossing, parallel))
    ]
    assert inner[0] < 1e-13 and inner[1] > 1e-4


@pytest.mark.parametrize(
    ("network", "decisions"),
    [
        (sequential(2, [linear([[1, 0]])]), {(0, 0): 2, (0, 1): 2}),
        (sequential(2, [linear([[1, 0], [-1, 0], [0, 0]])]), {(0, 0): 2, (0, 1): 2}),
        (sequential(2, [linear([[0, 0], [0, 0]])]), {(0, 0): 4}),
        (sequential(2, [linear([[1, 0], [-1, 0], [0, 1], [0, -1]])]), {(0, k): 1 for k in range(4)}),
    ],
)
def test_decisions_of_the_oracle(network: Network, decisions: dict[tuple[int, int], int]) -> None:
    assert Case(network, (unit_box(),)).exact[0].decisions == decisions
