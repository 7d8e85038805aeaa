"""What is no number, in every numeric argument of the public functions: their annotations are asked, so that a new
argument cannot be forgotten."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.engine.budget import Effort, Limits
from splineviz.inputs import LARGEST, number_of_jobs, numbers_of, one_or_several, real_number, whole_number

NONE = (math.nan, "five", object(), 1 + 2j, [[1.0]])


def network(n_in: int, n_out: int) -> nn.Sequential:
    torch.manual_seed(0)
    layers = (nn.Linear(n_in, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, n_out))
    return nn.Sequential(*layers).double()


def requests(folder: Path) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Each public function and method that takes a number, with arguments that are sound."""
    x, net = np.random.default_rng(0).random((6, 4)), network(4, 3)
    program = sv.load_program(net)
    for step in range(2):
        torch.save(net.state_dict(), folder / f"step-{step}.pt")
    runs = sv.Checkpoints(program, str(folder / "step-*.pt"))
    plane = sv.Plane.through(*x[:3])
    window = sv.Window.around(plane)
    place: dict[str, Any] = {"plane": plane, "window": window}
    arr = sv.arrange(program, plane, window)
    line = sv.segment(program, x[0], x[1])
    study: dict[str, Any] = {"frames": 1, "planes": 1, "examples": 0, "jobs": 1, "radii": 0.1}
    return {
        "animate": (sv.animate, {"runs": runs, **place, "out": folder / "t.webp"}),
        "arrange": (sv.arrange, {"program": program, "planes": plane, "windows": window}),
        "arrange_each": (sv.arrange_each, {"programs": [program], **place}),
        "check": (sv.check, {"source": arr, "model": program}),
        "compare": (sv.compare, {"models": [program, program], **place}),
        "decision_boundary": (sv.decision_boundary, {"program": network(4, 1), **place}),
        "draw": (sv.draw, {"arr": arr}),
        "exact_local_complexity": (sv.exact_local_complexity, {"program": program, "points": x}),
        "fit_window": (sv.fit_window, {"program": program, **place, "cells": 5}),
        "forecast": (sv.forecast, {"program": program, **place}),
        "lines_over_training": (
            sv.lines_over_training,
            {"runs": runs, **place, "points": x, "permutations": 9, "shifts": 9},
        ),
        "local_complexity": (sv.local_complexity, {"model": program, "points": x}),
        "page": (sv.page, {"shown": arr, "path": folder / "t.html"}),
        "slice": (sv.slice, {"model": program, "points": x[:3]}),
        "stream": (sv.stream, {"program": program, "planes": plane, "windows": window}),
        "validate": (sv.validate, {"program": program, "points": x, **study}),
        "weight_plane": (sv.weight_plane, {"model": net, "layer": "4", "data": x, "labels": [0, 1, 2] * 2}),
        "Arrangement.decision_boundary": (arr.decision_boundary, {}),
        "Arrangement.decision_regions": (arr.decision_regions, {}),
        "Arrangement.distance": (arr.distance, {"uv": [0.0, 0.0]}),
        "Arrangement.locate": (arr.locate, {"uv": [0.0, 0.0]}),
        "Arrangement.pattern": (arr.pattern, {"cell": 0}),
        "Arrangement.pattern_bits": (arr.pattern_bits, {"stage": 0}),
        "Arrangement.winners": (arr.winners, {"stage": 0}),
        "Arrangement.words": (arr.words, {"stage": 0, "cells": None}),
        "Checkpoints.digest": (runs.digest, {"index": 0}),
        "IntegratedGradients.attribute": (
            sv.IntegratedGradients(program).attribute,
            {"inputs": x, "target": 0},
        ),
        "Plane.at": (sv.Plane.at, {"x": x[0]}),
        "Recorder": (sv.Recorder, {"model": net, "folder": folder / "runs"}),
        "Segment.pattern": (line.pattern, {"cell": 0}),
        "Segment.pattern_bits": (line.pattern_bits, {"stage": 0}),
        "Segment.winners": (line.winners, {"stage": 0}),
        "Window.around": (sv.Window.around, {"plane": plane}),
        "Window.box": (sv.Window.box, {"x0": 0.0, "x1": 1.0, "y0": 0.0, "y1": 1.0}),
        "Window.diamond": (sv.Window.diamond, {"radius": 1.0}),
        "Window.polygon": (sv.Window.polygon, {"uv": [[0, 0], [1, 0], [0, 1]]}),
        "Window.scaled": (window.scaled, {"scale": 1.0}),
    }


LOOKED_UP = {
    "Estimate.at",
    "Comparison.pair",
    "Study.exact",
    "Study.proxy",
    "Program.interpret",
    "Plane.for_inputs",
}
"""Of results, by what is in them; and of a network's inside"""
MADE = {
    "Animation",
    "Arrangement",
    "CheckReport",
    "Comparison",
    "DecisionBoundary",
    "Estimate",
    "Forecast",
    "Plane",
}
MADE |= {
    "Program",
    "Segment",
    "Stats",
    "Study",
    "InputError",
    "NotPiecewiseAffineError",
    "SplinevizError",
    "Window",
}
"""Classes of what functions return, which nobody fills by hand"""
NO_NUMBERS = {"input_shape", "output", "outputs", "progress", "cells", "steps", "point_classes", "baselines"}
"""Annotated with a number, but shapes, names and rows with messages of their own"""


def numeric(call: Callable[..., Any]) -> list[str]:
    """Names of the arguments whose annotation speaks of a number."""
    found = []
    for name, parameter in inspect.signature(call).parameters.items():
        said = str(parameter.annotation)
        if parameter.kind is parameter.VAR_KEYWORD:
            kind = {"Unpack[Limits]": Limits, "Unpack[Effort]": Effort}.get(said)
            found += (
                []
                if kind is None
                else [one for one in kind.__annotations__ if one in ("max_memory", "seconds")]
            )
        elif re.search(r"\b(int|float)\b", said) and "Callable" not in said and name != "self":
            found.append(name)
    return [name for name in found if name not in NO_NUMBERS]


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """All public functions, classes and methods by their names."""
    for name in sv.__all__:
        thing = getattr(sv, name)
        if inspect.isclass(thing):
            if name not in MADE:
                yield name, thing
            for method, call in inspect.getmembers(thing, callable):
                if not method.startswith("_") and f"{name}.{method}" not in LOOKED_UP:
                    yield f"{name}.{method}", call
        elif callable(thing):
            yield name, thing


def test_no_function_is_forgotten(tmp_path: Path) -> None:
    asked = {name for name, call in public() if inspect.isroutine(call) or inspect.isclass(call)}
    wanted = set()
    for name, call in public():
        try:
            wanted |= {name} if numeric(call) and name in asked else set()
        except (TypeError, ValueError):  # of types that are written in C, such as an Enum's
            continue
    assert wanted - requests(tmp_path).keys() - {"Status"} == set()


def test_what_is_no_number_is_refused_by_every_argument(tmp_path: Path) -> None:
    missed = []
    for name, (call, given) in requests(tmp_path).items():
        for argument in numeric(call):
            for value in NONE:
                try:
                    found = call(**{**given, argument: value})
                    list(found) if inspect.isgenerator(found) else None
                except sv.SplinevizError as error:
                    if str(error):
                        continue
                except Exception as error:
                    missed.append((name, argument, repr(value), repr(error)[:100]))
                else:
                    missed.append((name, argument, repr(value), "taken"))
    assert missed == []


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3), torch.tensor(3)], ids=repr)
def test_whole_numbers_of_all_kinds(value: object) -> None:
    assert whole_number(value, "n", 1) == 3 and type(whole_number(value, "n", 1)) is int
    assert real_number(value, "x") == 3.0 and number_of_jobs(value) == 3


@pytest.mark.parametrize(
    "value", [0, -1, 3.0, True, "3", None, LARGEST + 1, math.nan, [3], np.array([3])], ids=repr
)
def test_what_is_no_whole_number_above_zero(value: object) -> None:
    with pytest.raises(sv.InputError, match=r"n must be a whole number of at (least 1|most 2\^63 - 1), got"):
        whole_number(value, "n", 1)


@pytest.mark.parametrize(
    "value", [0, -0.0, 5e-324, math.inf, True, "3", 10**400, 1j, np.array([1.0])], ids=repr
)
def test_what_is_no_real_number(value: object) -> None:
    tiny = isinstance(value, float) and 0 < value < math.inf
    with pytest.raises(sv.InputError, match=r"x must be a (finite )?number > "):
        real_number(value, "x", above=1e-300 if tiny else 0.0)
    assert real_number(math.inf, "x", infinite=True) == math.inf
    with pytest.raises(sv.InputError, match="x must be a number >= 1 and <= 2, got 3"):
        real_number(3, "x", least=1.0, most=2.0)


def test_arrays_of_numbers() -> None:
    assert numbers_of(torch.ones(2, requires_grad=True), "x").tolist() == [1.0, 1.0]
    for value in (["a"], [[1], [1, 2]], None, [1j], {"a": 1}):
        with pytest.raises(sv.InputError, match="x must"):
            numbers_of(value, "x")
    assert [one_or_several(given) for given in (3, "34", np.array(3), [3, 4], range(2))] == [
        *((3,), ("34",), (np.array(3),), (3, 4), (0, 1))
    ]
    assert number_of_jobs(None) is None and number_of_jobs(-1) == -1
    with pytest.raises(sv.InputError, match="jobs must be a whole number"):
        number_of_jobs(0)
