"""Last bits of products belong to a library and a processor: they change no cell, and no two batches see
different ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest

import splineviz as sv
from splineviz.engine.stage_state import StageState
from splineviz.engine.walk import Walk
from splineviz.geometry.predicates import TINY
from splineviz.geometry.refine import Refinement
from splineviz.program.program import Pointwise
from tests.engine.libraries import any_order, unsteady
from tests.engine.referee import Referee
from tests.engine.same import assert_equal_cells
from tests.engine.test_batches import FAMILY, Request, arranged, residual, whole
from tests.oracles.harness import small_as_large
from tests.values.test_accelerator import mixed

SIZES = [20_000, 300_000]
LEAST = {
    mixed: 1_000_000
}  # bytes with which stages are not cut by groups of units: these may order cells in another way
WAYS = [nullcontext, small_as_large]
NAMES = ["products", "interpolated products"]

by_name = pytest.mark.parametrize("make", [*FAMILY, mixed], ids=lambda make: make.__name__)
both_ways = pytest.mark.parametrize("way", WAYS, ids=NAMES)


@pytest.mark.parametrize("alone", [False, True], ids=["as batches take them", "those taken alone, too"])
@both_ways
@pytest.mark.parametrize("size", SIZES)
@by_name
def test_last_bits_change_nothing_that_is_proven(
    make: Callable[[], Request],
    size: int,
    way: Callable[[], AbstractContextManager[None]],
    alone: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = whole(make)
    unsteady(monkeypatch, alone=alone)
    with way():
        arr = arranged(make, max(size, LEAST.get(make, 0)))
    arr.check()
    assert_equal_cells(arr, one)
    assert (arr.status, arr.stats.undecided) == (one.status, one.stats.undecided) == (sv.Status.COMPLETE, 0)


@both_ways
@by_name
def test_last_bits_change_no_estimate(
    make: Callable[[], Request],
    way: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is proven, and batches agree all the same."""
    one, counts = arranged(make, 1 << 32, certify="off"), []
    unsteady(monkeypatch)
    for size in SIZES:
        with way():
            arr = arranged(make, max(size, LEAST.get(make, 0)), certify="off")
        arr.check()
        assert_equal_cells(arr, one)
        counts.append(arr.status)
    assert set(counts) == {one.status}


@both_ways
@pytest.mark.parametrize("certify", ["fast", "off"])
@by_name
def test_batches_read_the_same_numbers_at_common_vertices(
    make: Callable[[], Request],
    certify: str,
    way: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Values to the last bit, and estimates of their errors to a few, whatever the library makes of rows
    elsewhere.

    Where there are proofs, what stands for a zero or a sign may be another in another batch: it is of no
    other consequence.
    """
    unsteady(monkeypatch)
    seen: dict[tuple[int, bytes], set[bytes]] = defaultdict(set)
    estimates: dict[tuple[int, bytes], list[float]] = defaultdict(list)
    refine = Walk._refine

    def watched(self: Walk, front: StageState, node: Pointwise, word: int) -> Refinement:
        shared, live = front.shared_vertices(), front.live[node.inputs[0]]
        if shared is not None and word == 0:
            on_faces = shared[np.isin(shared, front.subdivision.faces.values)]
            for v in on_faces.tolist():
                key = node.stage, front.subdivision.vertices[v].tobytes()
                z = np.where(np.abs(live.flat[v]) > TINY, live.flat[v], 0.0)
                seen[key].add(z.tobytes())
                estimates[key].append(float(live.entrywise()[1][v]))
        return refine(self, front, node, word)

    monkeypatch.setattr(Walk, "_refine", watched)
    with way():
        arranged(make, max(20_000, LEAST.get(make, 0)), certify=certify)
    assert sum(len(found) > 1 for found in estimates.values()) > 20
    assert all(max(found) <= (1 + 1e-12) * min(found) for found in estimates.values())
    different = [key for key, numbers in seen.items() if len(numbers) > 1]
    assert not different, f"{len(different)} of {len(seen)}"


@both_ways
@pytest.mark.parametrize(
    "make", [residual, mixed, FAMILY[0], FAMILY[3], FAMILY[6]], ids=lambda make: make.__name__
)
def test_bounds_hold_for_sums_in_any_order(
    make: Callable[[], Request],
    way: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = whole(make)
    any_order(monkeypatch)
    with way():
        arr = arranged(make, max(300_000, LEAST.get(make, 0)))
        assert_equal_cells(arr, one)
        referee = Referee(monkeypatch, sample=60)
        arranged(make, 1 << 32)
    assert referee.seen > 300
