"""Does the proxy cost no more than a plain forward pass of its own vertices, and less than the published
procedure?

The published procedure is restated from the public code of "Deep network partition density exhibits double
descent": forward hooks on what enters each nonlinearity, and on the output layer, one pass of the 2P
vertices, three-valued signs, one frame for all points. All three get the same module, vertices, precision and
number of points at a time, in turn, one thread each.

And do exact counts cost less than such a pass? See ``exact.py``.

``make bench-estimators`` takes a few minutes and writes bench-estimators.json and .md into docs/.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from exact import digits, exact_table, measure_exact
from machine import machine_facts
from residual import ResNet18
from torch import Tensor, nn

import splineviz as sv
from splineviz.estimators.frames import shared_frame
from splineviz.files import atomic_path

SCHEMA = "splineviz.bench-estimators/1"
DIRECTIONS, RADIUS = 25, 0.005
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Workload:
    name: str
    make: Callable[[], nn.Module]
    input_shape: tuple[int, ...]
    n_points: int
    dtype: torch.dtype
    repetitions: int
    forward_bar: float
    """Most time over a plain forward pass."""
    published_bar: float
    """Least speed over the published procedure."""


def _perceptron() -> nn.Module:
    widths = (784, 200, 200, 200)
    layers = [layer for i, o in pairwise(widths) for layer in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(200, 10))


WORKLOADS = (
    Workload("784-200-200-200-10", _perceptron, (784,), 256, torch.float64, 15, 1.0, 2.0),
    Workload("784-200-200-200-10, float32", _perceptron, (784,), 256, torch.float32, 15, 1.0, 2.0),
    Workload("ResNet-18 at 3x32x32, float32", ResNet18, (3, 32, 32), 2, torch.float32, 9, 1.02, 1.1),
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Measure the proxy against a forward pass and the published procedure."
    )
    parser.add_argument("--quick", action="store_true", help="the first network only, into build/bench/")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where the two files go")
    given = parser.parse_args(arguments)
    folder = given.output or HERE.parent / ("build/bench" if given.quick else "docs")
    torch.set_num_threads(1)
    machine = machine_facts() | {"threads": "one"}
    results = [measure(workload) for workload in (WORKLOADS[:1] if given.quick else WORKLOADS)]
    exact = measure_exact(torch.rand(20, 784).double().numpy() if given.quick else digits(), _perceptron)
    report = {
        "schema": SCHEMA,
        "machine": machine,
        "directions": DIRECTIONS,
        "radius": RADIUS,
        "workloads": results,
        "exact": exact,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("json", json.dumps(report, indent=1) + "\n"), ("md", to_markdown(report))):
        with atomic_path(folder / f"bench-estimators.{name}") as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(to_markdown(report))


def measure(workload: Workload) -> dict[str, Any]:
    """Times of the three in turn, and their ratios pair by pair."""
    print(f"{workload.name} ...", flush=True)
    torch.manual_seed(0)
    module = workload.make().eval().to(workload.dtype)
    program = sv.load_program(module, input_shape=workload.input_shape)
    points = torch.randn(workload.n_points, *workload.input_shape, dtype=workload.dtype)
    asked: dict[str, Any] = {"radius": RADIUS, "directions": DIRECTIONS, "dtype": workload.dtype}
    estimate = sv.local_complexity(program, points, **asked)
    frame = (
        torch.from_numpy(shared_frame(points[0].numel(), DIRECTIONS, 0))
        .to(workload.dtype)
        .reshape(-1, *workload.input_shape)
    )
    size = estimate.batch
    parts = [points[start : start + size] for start in range(0, len(points), size)]
    vertices = [_vertices(part, frame) for part in parts]
    theirs = torch.cat([published(module, part, frame) for part in parts])
    runs: dict[str, list[float]] = {"splineviz": [], "forward": [], "published": []}
    with torch.inference_mode():
        for _ in range(workload.repetitions):
            # the tape is made anew in each call, so that its seconds are those of the passes
            runs["splineviz"].append(sv.local_complexity(program, points, **asked).seconds)
            runs["forward"].append(_seconds(lambda: [module(batch) for batch in vertices]))
            runs["published"].append(_seconds(lambda: [published(module, part, frame) for part in parts]))
    median = {name: statistics.median(times) for name, times in runs.items()}
    over_forward = statistics.median(o / f for o, f in zip(runs["splineviz"], runs["forward"], strict=True))
    faster = statistics.median(p / o for o, p in zip(runs["splineviz"], runs["published"], strict=True))
    hidden = theirs[:, : estimate.counts.shape[-1]]
    return {
        "name": workload.name,
        "dtype": estimate.dtype,
        "points": workload.n_points,
        "batch": size,
        "repetitions": workload.repetitions,
        "seconds": median,
        "points_per_second": {name: workload.n_points / seconds for name, seconds in median.items()},
        "time_over_forward": over_forward,
        "times_faster_than_published": faster,
        "counts": int(estimate.counts.sum()),
        "published_counts_hidden": int(hidden.sum()),
        "published_counts_output": int(theirs.sum() - hidden.sum()),
        "bars": [
            _bar("time over a plain forward pass of the vertices", "<=", workload.forward_bar, over_forward),
            _bar("times faster than the published procedure", ">=", workload.published_bar, faster),
        ],
    }


def published(module: nn.Module, points: Tensor, frame: Tensor) -> Tensor:
    """(point, stage), the output layer last, by hooks, one pass and three-valued signs."""
    found: list[Tensor] = []
    # the hooks go after each pass: they would keep all activations of the plain forward pass, which makes it
    # slower
    layers = list(module.modules())
    hooks = [
        m.register_forward_pre_hook(lambda _m, given: found.append(given[0]))
        for m in layers
        if isinstance(m, nn.ReLU)
    ]
    last = [m for m in layers if isinstance(m, nn.Linear)][-1]
    hooks.append(last.register_forward_hook(lambda _m, _given, made: found.append(made)))
    vertices = _vertices(points, frame)
    with torch.no_grad():
        module(vertices)
    for hook in hooks:
        hook.remove()
    counts = []
    for values in found:
        signs = torch.sign(values).reshape(len(points), len(vertices) // len(points), -1)
        counts.append((signs.sum(1).abs() != signs.shape[1]).sum(1))
    return torch.stack(counts, 1)


def _vertices(points: Tensor, frame: Tensor) -> Tensor:
    """(point x vertex, *shape)"""
    corners = torch.cat([RADIUS * frame, -RADIUS * frame])
    return (points[:, None] + corners[None]).flatten(0, 1)


def _seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _bar(what: str, sense: str, limit: float, measured: float) -> dict[str, Any]:
    passed = measured <= limit if sense == "<=" else measured >= limit
    return {"what": what, "sense": sense, "limit": limit, "measured": measured, "passed": passed}


def to_markdown(report: dict[str, Any]) -> str:
    """The measurements as a page."""
    machine = report["machine"]
    lines = [
        "# Benchmark of the proxy",
        "",
        f"Made by `make bench-estimators`, P = {report['directions']}, r = {report['radius']}, seed 0, "
        f"torch's initial weights,"
        " from the same run as [bench-estimators.json](bench-estimators.json). Medians of runs in "
        "turn, ratios pair by pair.",
        "One thread. The published procedure takes an exact zero for a change of sign, and counts the "
        "output layer, too.",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']:.2f} before; "
        f"torch {machine['versions']['torch']}; {machine['date']}.",
        "",
        "| network | points per second | plain forward pass | published procedure | time over forward "
        "| bar | faster than published"
        " | bar | counted | published, hidden | published, output |",
        "| --- " + "| ---: " * 10 + "|",
    ]
    for result in report["workloads"]:
        speed = result["points_per_second"]
        forward, published = result["bars"]
        cells = [result["name"], *(f"{speed[name]:,.3g}" for name in ("splineviz", "forward", "published"))]
        for bar, unit in ((forward, ""), (published, "x")):
            cells += [
                f"{bar['measured']:.2f}{unit}",
                f"{bar['sense']} {bar['limit']:g}, {'met' if bar['passed'] else 'missed'}",
            ]
        cells += [
            f"{result[key]:,}" for key in ("counts", "published_counts_hidden", "published_counts_output")
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, *exact_table(report["exact"])]) + "\n"


if __name__ == "__main__":
    main()
