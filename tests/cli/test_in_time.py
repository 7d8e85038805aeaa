"""`--seconds` holds for what is told of the cells as well."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.deadline import SpentError, until
from splineviz.values.threads import each
from splineviz_cli.slice_numbers import found_in_time


@pytest.fixture
def arr() -> sv.Arrangement:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).double()
    return sv.arrange(net, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))


def test_regions_are_found_while_there_is_time(arr: sv.Arrangement) -> None:
    assert found_in_time(arr, None) and "linear_regions" in vars(arr)
    assert found_in_time(arr, 0.0), "what is known takes no time"


def test_nothing_long_begins_when_time_is_up(arr: sv.Arrangement, monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[object] = []
    monkeypatch.setattr(
        "splineviz.arrangement.areas.doubtful_areas", lambda arr, *_: np.ones(arr.n_cells, bool)
    )
    monkeypatch.setattr("splineviz.arrangement.group_maps.GroupMaps.result", began.append)
    monkeypatch.setattr("splineviz.arrangement.exact_cells._batch", lambda *a: began.append(a) or [])
    assert not found_in_time(arr, time.monotonic() - 1.0)
    assert not began and "linear_regions" not in vars(arr)
    del vars(arr)["areas"]
    _ = arr.areas
    assert began, "some areas need exact arithmetic"


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_end_with_the_one_that_waits(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def slow(piece: int) -> None:
        done.append(piece)
        time.sleep(0.05)

    monkeypatch.setattr(torch, "get_num_threads", lambda: workers)
    with pytest.raises(SpentError), until(time.monotonic() + 0.12):
        each(slow, range(200))
    assert 0 < len(done) < 20


def test_a_comparison_is_given_its_seconds_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    nets = [torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)) for _ in "ab"]
    given: list[float] = []

    def arrange(*what: object, seconds: float, **how: object) -> sv.Arrangement:
        given.append(seconds)
        time.sleep(0.02)
        return sv.arrange(*what, **how)  # type: ignore[arg-type]

    monkeypatch.setattr("splineviz.comparison.comparing.arrange", arrange)
    sv.compare(nets, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), seconds=100)
    assert len(given) == 3 and given == sorted(given, reverse=True) and given[0] - given[2] >= 0.04

    def overlay(*what: object) -> None:
        raise SpentError

    monkeypatch.setattr("splineviz.comparison.comparing.overlay", overlay)
    with pytest.raises(sv.InputError, match=r"the budget ended before .* were compared"):
        sv.compare(nets, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), seconds=100)
