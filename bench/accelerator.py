"""What an accelerator is good for: the same arrangements and proxies with products taken there, and on the
CPU alone.

Both in one process, in turn, on all cores, and with the same result. Writes bench-accelerator.json and
bench-accelerator.md into docs/. ``--device cpu`` measures what the trips there and back cost where nothing is
gained.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import machine_facts
from resnet import ResNet18, ResNet20, unsettle
from torch import Tensor, nn
from workloads import Workload, make_convolutional, make_network

import splineviz as sv
from splineviz.engine.arrange import arrange_with
from splineviz.engine.budget import Budget
from splineviz.files import atomic_path
from splineviz.values.accelerator import Accelerator
from splineviz.values.propagation import Propagator

SCHEMA = "splineviz.bench-accelerator/1"
HERE = Path(__file__).parent
RADIUS, DIRECTIONS = 0.01, 25

CONVOLUTIONAL, RESIDUAL = "two convolutions, two dense layers", "ResNet-20"
ALL = os.cpu_count() or 1
FULL: dict[str, Any] = {
    "arrangements": [
        ("784-500-500-500-10", ALL, {"widths": (784, 500, 500, 500, 10)}),
        ("2-1000-1000-1000-1", ALL, {"widths": (2, 1000, 1000, 1000, 1)}),
        (CONVOLUTIONAL, ALL, {"width": 64, "half_width": 1.0}),
        (RESIDUAL, ALL, {"width": 16, "side": 32, "half_width": 0.1}),
    ],
    "proxies": {"demo_points": 4000, "width": 64, "points": (8, 256)},
}
QUICK: dict[str, Any] = {
    "arrangements": [
        ("5-20-20-3", ALL, {"widths": (5, 20, 20, 3)}),
        (CONVOLUTIONAL, 1, {"width": 2, "half_width": 1.0}),
        (RESIDUAL, ALL, {"width": 2, "side": 8, "half_width": 0.3}),
    ],
    "proxies": {"demo_points": 20, "width": 2, "points": (2, 4)},
}

Request = tuple[sv.Program, sv.Plane, sv.Window]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure splineviz with and without an accelerator.")
    parser.add_argument("--quick", action="store_true", help="small networks")
    parser.add_argument("--device", default="cuda", help="of torch; by default cuda")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="where bench-accelerator.json and .md go"
    )
    given = parser.parse_args(arguments)
    device, asked = torch.device(given.device), QUICK if given.quick else FULL
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no CUDA device here; --device cpu measures what the trips cost")
    print("once before, so that kernels are compiled and libraries loaded")
    name, workers, how = asked["arrangements"][0]
    arranged(name, workers, how, device)
    folder = given.output or HERE.parent / ("build/bench" if given.quick else "docs")
    report = {
        "schema": SCHEMA,
        "machine": machine_facts()
        | {"device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)},
        "arrangements": [
            arranged(name, workers, how, device) for name, workers, how in asked["arrangements"]
        ],
        "proxies": list(proxies(asked["proxies"], device)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("json", json.dumps(report, indent=1) + "\n"), ("md", to_markdown(report))):
        with atomic_path(folder / f"bench-accelerator.{name}") as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(to_markdown(report))


def arranged(name: str, workers: int, how: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Seconds with and without, and what they have in common."""
    print(f"{name}, {workers} workers ...", flush=True)
    torch.set_num_threads(workers)
    request = request_of(name, how)
    seconds, found = {}, {}
    for where, accelerator in (("cpu", None), ("device", Accelerator(device))):
        propagator, budget = Propagator(accelerator=accelerator), Budget.of(None, None, None, workers)
        start = time.perf_counter()
        found[where] = arrange_with(propagator, budget, *request)
        seconds[where] = time.perf_counter() - start
        print(
            f"  {where}: {seconds[where]:.3g} s, {found[where].stats.seconds_affine / workers:.3g} s in "
            f"affine nodes",
            flush=True,
        )
    here, there = found["cpu"], found["device"]
    return {
        "name": name,
        "asked": how,
        "workers": workers,
        "cells": here.n_cells,
        "same_patterns": bool(
            np.array_equal(np.unique(here.pattern_hash, axis=0), np.unique(there.pattern_hash, axis=0))
        ),
        "decisions": there.stats.decisions,
        "undecided": {where: arr.stats.undecided for where, arr in found.items()},
        "seconds": seconds,
        "seconds_affine": {where: arr.stats.seconds_affine / workers for where, arr in found.items()},
    }


def request_of(name: str, how: dict[str, Any]) -> Request:
    if "widths" in how:
        return (
            sv.load_program(make_network(Workload(name, how["widths"]))),
            sv.Plane.identity(),
            sv.Window.box(-1, 1, -1, 1),
        )
    torch.manual_seed(0)
    half, width, random = how["half_width"], how["width"], np.random.default_rng(0)
    if name == RESIDUAL:
        network: nn.Module = unsettle(ResNet20(width))
        point = random.standard_normal((3, how["side"], how["side"]))
    else:
        network = make_convolutional(width)
        point = random.random((1, 28, 28))
    program = sv.load_program(network, input_shape=point.shape)
    return program, sv.Plane.at(point, seed=0), sv.Window.box(-half, half, -half, half)


def proxies(asked: dict[str, Any], device: torch.device) -> Iterator[dict[str, Any]]:
    """Points a second of the proxy; the CPU has fewer to do where it is slow."""
    torch.manual_seed(0)
    cases: list[tuple[str, Any, tuple[int, ...], tuple[int, int]]] = [
        ("784-200-200-200-10", sv.load_program("demo"), (784,), (asked["demo_points"],) * 2),
        ("ResNet-18", unsettle(ResNet18(asked["width"])), (3, 32, 32), asked["points"]),
    ]
    torch.set_num_threads(ALL)
    for name, network, shape, numbers in cases:
        x = torch.from_numpy(np.random.default_rng(0).random((max(numbers), *shape)))
        for dtype in ("float32", "float64"):
            here, there = (
                points_a_second(network, x[: numbers[0]], "cpu", dtype),
                points_a_second(network, x[: numbers[1]], device, dtype),
            )
            yield {"name": name, "dtype": dtype, "points_a_second": {"cpu": here, "device": there}}


def points_a_second(network: Any, x: Tensor, device: torch.device | str, dtype: str) -> float:
    """The better of two runs."""
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        sv.local_complexity(network, x, radius=RADIUS, directions=DIRECTIONS, device=device, dtype=dtype)
        seconds.append(time.perf_counter() - start)
    return len(x) / min(seconds)


def to_markdown(report: dict[str, Any]) -> str:
    machine = report["machine"]
    versions = ", ".join(
        f"{name} {version}" for name, version in machine["versions"].items() if name != "regioncam"
    )
    lines = [
        "# Benchmark of an accelerator",
        "",
        "Made by `make bench-accelerator`, from the same run as "
        "[bench-accelerator.json](bench-accelerator.json): on",
        f"{machine['cpu']}, {machine['cores']} cores, alone and with {machine['device']}; {versions}; "
        f"{machine['date']}.",
        "",
        "## Arrangements, seconds",
        "",
        "With `device=`, products with weights are taken there; the same cells on the CPU alone, and "
        "with it.",
        "",
        "| network | cells | workers | CPU | device | times faster | same patterns | undecided |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for a in report["arrangements"]:
        here, there = a["seconds"]["cpu"], a["seconds"]["device"]
        same = "yes" if a["same_patterns"] else "NO"
        cells, undecided = f"{a['cells']:,}", f"{a['undecided']['device']:,}"
        lines.append(
            f"| {a['name']} | {cells} | {a['workers']} | {here:.3g} | {there:.3g} | {here / there:.2g} | "
            f"{same} | {undecided} |"
        )
    lines += [
        "",
        "## The proxy, points a second",
        "",
        f"`sv.local_complexity`, radius {RADIUS:g}, {DIRECTIONS} directions.",
        "",
        "| network | precision | CPU | device | times faster |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for p in report["proxies"]:
        here, there = p["points_a_second"]["cpu"], p["points_a_second"]["device"]
        lines.append(f"| {p['name']} | {p['dtype']} | {here:,.3g} | {there:,.3g} | {there / here:.2g} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
