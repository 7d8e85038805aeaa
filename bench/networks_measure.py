"""The measurements of `networks.py`, one in each process."""

from __future__ import annotations

import os
import time
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from probe import PeakMemory, answer, request, seconds_of
from resnet import ResNet20, unsettle
from torch import nn
from workloads import Workload, make_convolutional, make_network

import splineviz as sv

ROWS = 256
"""Vertices that the plain forward pass takes at a time: larger batches of images are no faster."""


def box(half: float) -> sv.Window:
    return sv.Window.box(-half, half, -half, half)


def warm() -> None:
    """Kernels are loaded, and torch's first calls are made, outside of what is timed."""
    layers = [
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(2, 2),
        nn.ReLU(),
    ]
    program = sv.load_program(nn.Sequential(*layers).eval(), input_shape=(1, 4, 4))
    plane = sv.Plane.at(np.zeros((1, 4, 4)))
    sv.arrange(program, plane, box(1.0), jobs=1)
    for _ in sv.stream(program, plane, box(1.0), max_cells=10):
        pass


def counted(
    program: sv.Program, plane: sv.Plane, window: sv.Window, enough: float = np.inf
) -> tuple[int, int]:
    """(cells, undecided decisions) by stream, which holds a batch at a time; stops once there are enough."""
    cells = undecided = 0
    for batch in sv.stream(program, plane, window):
        cells += batch.n_cells
        undecided += batch.stats.undecided
        if cells >= enough:
            break
    return cells, undecided


def forward_seconds(network: nn.Module, arr: sv.Arrangement, limit: int) -> tuple[float, int]:
    """Seconds of a float64 forward pass at all vertices of an arrangement, and how many of them were run to
    tell."""
    assert arr.program is not None
    chosen = np.sort(np.random.default_rng(0).permutation(arr.n_vertices)[:limit])
    network = network.double()
    passed = 0.0
    with torch.inference_mode():
        for i in range(0, len(chosen), ROWS):
            x = torch.from_numpy(arr.planes[0].lift(arr.vertices[chosen[i : i + ROWS]])).reshape(
                -1, *arr.program.input_shape
            )
            if i == 0:
                network(x)
            passed += seconds_of(partial(network, x))
    return passed * arr.n_vertices / len(chosen), len(chosen)


def against_forward(
    network: nn.Module, program: sv.Program, plane: sv.Plane, window: sv.Window, limit: int, threads: int = 1
) -> dict[str, Any]:
    """One arrangement with its facts, the memory on top of the warm process, and the ratio to the forward
    pass."""
    torch.set_num_threads(threads)
    memory = PeakMemory()
    start = time.perf_counter()
    arr = sv.arrange(program, plane, window, jobs=threads)
    seconds = time.perf_counter() - start
    peak = memory.above()
    forward, rows = forward_seconds(network, arr, limit)
    return _facts(program, arr) | {
        "threads": threads,
        "seconds": seconds,
        "affine_share": arr.stats.seconds_affine / (threads * arr.stats.seconds),
        "memory": {"peak_bytes": peak, "method": memory.method},
        "forward": {"seconds": forward, "vertices_run": rows, "rows": ROWS, "ratio": seconds / forward},
    }


def _facts(program: sv.Program, arr: sv.Arrangement) -> dict[str, Any]:
    return {
        "units": program.n_units,
        "cells": arr.n_cells,
        "vertices": arr.n_vertices,
        "edges": arr.n_edges,
        "cells_per_stage": list(arr.stats.cells_per_stage),
        "status": arr.status.name,
        "decisions": arr.stats.decisions,
        "undecided": arr.stats.undecided,
        "batches": arr.stats.batches,
    }


def residual(asked: dict[str, Any]) -> dict[str, Any]:
    """ResNet-20 on a square round one image, large enough for so many cells; on all cores, and so is its
    forward pass.

    How large is known for the random weights of this benchmark, and found out for others.
    """
    torch.manual_seed(0)
    network: nn.Module = ResNet20(asked["width"])
    if asked["checkpoint"] is None:
        image = np.random.default_rng(0).standard_normal((3, asked["side"], asked["side"]))
        network = unsettle(network)
    else:
        state = torch.load(asked["checkpoint"], map_location="cpu", weights_only=True)
        state = state.get("state_dict", state)
        network.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
        network.eval()
        image = _image(asked["data"])
    program = sv.load_program(network, input_shape=image.shape)
    plane = sv.Plane.at(image, seed=0)
    known = asked["half_width"] is not None and asked["checkpoint"] is None
    half, tried = (asked["half_width"], []) if known else _search(program, plane, asked["cells"])
    facts = against_forward(network, program, plane, box(half), asked["vertices"], os.cpu_count() or 1)
    return facts | {"half_width": half, "tried": tried, "checkpoint": asked["checkpoint"] is not None}


def _search(program: sv.Program, plane: sv.Plane, cells: int) -> tuple[float, list[list[float]]]:
    """A half-width with so many cells, and those that were tried on the way there."""
    half = 1e-3
    tried: list[list[float]] = []
    while True:
        found, _ = counted(program, plane, box(half), cells / 4)
        tried.append([half, found])
        if found >= cells / 4:
            return _enough(tried, cells), tried
        half *= 2


def _enough(tried: list[list[float]], cells: int) -> float:
    """A half-width with so many cells, from the growth of those before the last, which was not counted to its
    end."""
    (before, few), (below, some), (last, _) = ([[0.0, 1]] * 2 + tried)[-3:]
    power = np.log(some / few) / np.log(below / before) if before else 2.0
    return max(last, below * float((1.3 * cells / some) ** (1 / np.clip(power, 1.2, 2.0))))


def _image(data: str) -> np.ndarray:
    """The first image of a file with an array x of pixels, (n, 32, 32, 3), as the public checkpoint takes
    it."""
    with np.load(data) as arrays:
        pixels = arrays["x"][0].transpose(2, 0, 1) / 255
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    image: np.ndarray = (pixels - mean[:, None, None]) / std[:, None, None]
    return image


def convolutional(asked: dict[str, Any]) -> dict[str, Any]:
    """A small convolutional network on the plane through three random images."""
    network = make_convolutional(asked["width"])
    program = sv.load_program(network, input_shape=(1, 28, 28))
    plane = sv.Plane.through(*np.random.default_rng(0).random((3, 1, 28, 28)))
    return against_forward(
        network, program, plane, sv.Window.around(plane, asked["margin"]), asked["vertices"]
    )


def wide(asked: dict[str, Any]) -> dict[str, Any]:
    """A wide network with two inputs, held whole, or counted batch by batch."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(asked["widths"]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    network = nn.Sequential(*layers[:-1]).eval()
    program = sv.load_program(network)
    if not asked["counting"]:
        return against_forward(network, program, sv.Plane.identity(), box(1.0), asked["vertices"])
    memory = PeakMemory()
    start = time.perf_counter()
    cells, undecided = counted(program, sv.Plane.identity(), box(1.0))
    seconds = time.perf_counter() - start
    peak = {"peak_bytes": memory.above(), "method": memory.method}
    return {
        "units": program.n_units,
        "cells": cells,
        "undecided": undecided,
        "seconds": seconds,
        "memory": peak,
    }


def growth(asked: dict[str, Any]) -> dict[str, Any]:
    """Seconds against cells of one network, as its window grows until there are so many."""
    program = sv.load_program(
        make_network(Workload("growing", tuple(asked["widths"]), asked["weight_scale"]))
    )
    half = asked["half_width"]
    steps: list[dict[str, Any]] = []
    counted(program, sv.Plane.identity(), box(half))  # buffers of this size are new to the process
    while not steps or (steps[-1]["cells"] < asked["cells"] and len(steps) < asked["steps"]):
        start = time.perf_counter()
        found, undecided = counted(program, sv.Plane.identity(), box(half))
        steps.append(
            {
                "half_width": half,
                "cells": found,
                "undecided": undecided,
                "seconds": time.perf_counter() - start,
            }
        )
        # cells grow no faster than the area: a step that reaches the end may be as long as that takes, and no
        # longer
        half *= min(asked["factor"], float(max(1.2, np.sqrt(1.2 * asked["cells"] / found))))
    cells, seconds = (np.log([step[key] for step in steps]) for key in ("cells", "seconds"))
    return {"steps": steps, "exponent": float(np.polyfit(cells, seconds, 1)[0])}


def workers(asked: dict[str, Any]) -> dict[str, Any]:
    """One worker and two, in turn."""
    program = sv.load_program(make_network(Workload("shared", tuple(asked["widths"]))))
    seconds: dict[int, list[float]] = {1: [], 2: []}
    cells = set()
    for _ in range(asked["repetitions"]):
        for jobs, times in seconds.items():
            start = time.perf_counter()
            arr = sv.arrange(program, sv.Plane.identity(), box(asked["half_width"]), jobs=jobs)
            times.append(time.perf_counter() - start)
            cells.add(arr.n_cells)
            batches = arr.stats.batches
            del arr
    if len(cells) != 1:
        raise SystemExit(f"the number of cells depends on the number of workers: {sorted(cells)}")
    one, two = (float(np.median(times)) for times in seconds.values())
    return {
        "cells": cells.pop(),
        "batches": batches,
        "seconds_one": one,
        "seconds_two": two,
        "speedup": one / two,
    }


MEASUREMENTS = {f.__name__: f for f in (residual, convolutional, wide, growth, workers)}


def main() -> None:
    asked = request()
    warm()
    answer(MEASUREMENTS[asked["measure"]](asked))


if __name__ == "__main__":
    main()
