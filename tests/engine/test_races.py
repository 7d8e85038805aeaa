"""Threads that share what earlier generations know, at the worst moments: nothing depends on who is first."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.exact import equal_functions, resolver
from splineviz.exact.equal_functions import equal_entries
from splineviz.values.threads import each
from tests.engine.same import assert_identical

_SMALL = 200_000
"""Bytes that make batches of a small network"""


def lattice() -> sv.Program:
    """Overlapping pools over numbers so coarse that they tie all over the place."""
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=1), nn.Flatten(), nn.Linear(12, 3)
    )
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_((8 * weight).round() / 4)
    return sv.load_program(net, input_shape=(1, 4, 4))


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads that take turns a thousand times as often as they usually do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("certify", ["fast", "full"])
def test_exact_answers_are_those_of_one_thread(
    certify: Any, hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = resolver._between

    def slowly(*arguments: Any) -> Any:
        time.sleep(1e-4)  # between the moment when a place is looked for and that when it is known
        return between(*arguments)

    def exactly(self: Any) -> Iterator[Any]:
        yield self.at

    monkeypatch.setattr(resolver, "_between", slowly)
    monkeypatch.setattr(resolver.Resolver, "rungs", exactly)
    monkeypatch.setattr(resolver.Resolver, "signs", lambda _, pairs: np.full(len(pairs), resolver.UNKNOWN))
    program, plane = lattice(), sv.Plane.through(*np.eye(3, 16, -1).reshape(3, 1, 4, 4))

    def arranged(jobs: int) -> sv.Arrangement:
        window = sv.Window.box(-2, 2, -2, 2)
        return sv.arrange(program, plane, window, certify=certify, jobs=jobs, max_memory=_SMALL)

    alone = arranged(1)
    assert alone.stats.re_evaluated and alone.stats.batches > 5
    for _ in range(2):
        assert_identical(arranged(16), alone)


def test_tables_of_equal_functions_are_kept_for_all_threads(
    hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equal_functions, "_KEPT", 2)
    program = lattice()
    planes = [sv.Plane.at(np.zeros((1, 4, 4)), seed=seed) for seed in range(5)]
    expected = [equal_entries(program, [plane]) for plane in planes]
    found: list[tuple[int, Any]] = []
    each(lambda i: found.append((i, equal_entries(program, [planes[i]]))), [i % 5 for i in range(60)])
    assert len(found) == 60
    for i, tables in found:
        right = expected[i]
        assert tables is not None and right is not None and tables.keys() == right.keys()
        for stage in right:
            np.testing.assert_array_equal(tables[stage], right[stage])
