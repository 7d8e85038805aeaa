"""The proxy against hooks, against itself in other batches and lists, in other precisions, and what it
refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import SplinevizWarning
from splineviz.estimators.precision import sign_disagreements
from tests.estimators.by_hooks import counted
from tests.estimators.nets import activations, perceptron


@pytest.mark.parametrize("radius", [0.02, 0.5, 5.0])
@pytest.mark.parametrize("directions", [1, 2, 7])
def test_same_as_hooks(radius: float, directions: int) -> None:
    network = perceptron(9, 20, 20, 20, 3)
    points = torch.randn(6, 9, dtype=torch.float64)
    expected = counted(network, points, radius, directions, activations(network))
    assert np.array_equal(
        sv.local_complexity(network, points, radius=radius, directions=directions).counts[0, 0], expected
    )


@pytest.mark.parametrize("frame", ["shared", "per-point"])
def test_lists_batches_and_single_requests_agree(frame: str) -> None:
    network, points = perceptron(8, 30, 30, 2), torch.randn(11, 8, dtype=torch.float64)
    radii, directions = [0.3, 0.05], [5, 2, 8]
    whole = sv.local_complexity(network, points, radius=radii, directions=directions, frame=frame, seed=4)  # type: ignore[arg-type]
    assert whole.radii == (0.3, 0.05) and whole.directions == (5, 2, 8)
    for i, radius in enumerate(radii):
        for j, p in enumerate(directions):
            one = sv.local_complexity(
                network, points, radius=radius, directions=p, frame=frame, seed=4, batch=3
            )  # type: ignore[arg-type]
            assert np.array_equal(one.counts[0, 0], whole.counts[i, j])
            assert np.array_equal(whole.at(radius, p), one.totals[0, 0])


def test_bad_input_is_refused_in_plain_words() -> None:
    network, good = perceptron(4, 8, 1), torch.randn(3, 4)
    spoilt = good.clone()
    spoilt[1, 2] = math.nan
    for arguments, words in (
        ({"radius": 0.0}, "the radius must be a number > 0, got 0.0"),
        ({"radius": [0.1, -1.0]}, "the radius must be a number > 0, got -1.0"),
        ({"radius": math.inf}, "the radius must be a finite number > 0, got inf"),
        ({"directions": 5}, "5 orthonormal directions do not fit into an input space of 4 dimensions"),
        ({"directions": 0}, "directions must be a whole number of at least 1"),
        ({"points": spoilt}, "1 of 3 points hold NaN or infinite values, the first is point 1"),
        (
            {"points": torch.zeros(3, 4, dtype=torch.uint8)},
            "points must hold floating-point numbers, got uint8",
        ),
        ({"points": torch.zeros(3, 5)}, r"shape \(5,\), 5 values; the network takes \(4,\), 4 values"),
        ({"points": good[:0]}, "there is no point"),
        ({"frame": "own"}, "frame must be 'shared' or 'per-point'"),
        ({"dtype": torch.int32}, "dtype must be float64"),
        ({"device": "cuda:77"}, "the device 'cuda:77' cannot be used"),
        ({"batch": 0}, "batch must be a whole number"),
    ):
        given = {"points": good, "directions": 2} | arguments
        with pytest.raises(sv.InputError, match=words):
            sv.local_complexity(network, **given)  # type: ignore[arg-type]


def test_fewer_directions_than_usual_are_told_to_the_line_that_asked() -> None:
    with pytest.warns(SplinevizWarning, match="4 directions are taken") as told:
        assert sv.local_complexity(perceptron(4, 8, 1), torch.randn(3, 4)).directions == (4,)
    assert [warning.filename for warning in told] == [__file__]


def test_half_precision_runs_and_its_signs_are_compared() -> None:
    network, points = perceptron(20, 50, 50, 2), torch.randn(30, 20)
    for dtype in (torch.float32, torch.bfloat16):
        assert sv.local_complexity(network, points, directions=5, radius=0.5, dtype=dtype).totals.sum() > 0
    low, full = (
        sign_disagreements(network, points, dtype=dtype, directions=5) for dtype in ("bfloat16", "float64")
    )
    assert full.share == 0.0 and 0.0 < low.share < 0.05
    assert low.compared.tolist() == [10 * 50] * 2 and low.differing.shape == (30, 2)
    batched = sign_disagreements(network, points, dtype="bfloat16", directions=5, batch=7)
    assert np.array_equal(low.differing, batched.differing)


def test_points_are_left_as_they_were() -> None:
    network, points = (
        nn.Sequential(nn.ReLU(), nn.Linear(4, 3), nn.ReLU()).double(),
        torch.randn(5, 4, dtype=torch.float64),
    )
    before = points.clone()
    sv.local_complexity(network, points, directions=2)
    assert sign_disagreements(network, points, dtype="float64", directions=2).share == 0
    assert torch.equal(points, before)


def test_single_precision_on_large_and_small_maps_counts_the_same() -> None:
    torch.manual_seed(12)
    layers = [
        nn.Conv2d(2, 5, 3),
        nn.ReLU(),
        nn.Conv2d(5, 6, 3, 2),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 7, 2),
    ]
    network = nn.Sequential(*layers, nn.PReLU(7), nn.Flatten(), nn.LazyLinear(2))
    points = torch.randn(6, 2, 24, 24)
    network(points)
    asked: dict[str, Any] = {"radius": [0.1, 1.0], "directions": [3, 8]}
    full, single = (
        sv.local_complexity(network.eval(), points, dtype=dtype, **asked) for dtype in ("float64", "float32")
    )
    assert full.counts[..., 0].sum() > 1000
    assert np.abs(full.counts - single.counts).sum() <= 3  # signs at the edge of rounding
