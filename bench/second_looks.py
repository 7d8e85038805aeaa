"""What users ask of an arrangement next, each against the time of arranging: on the plane through three points
of all inputs, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from probe import answer, request, seconds_of, summary
from workloads import Workload, make_network, make_slice

import splineviz as sv
from splineviz.measures.edge_distances import EdgesByStage
from splineviz.measures.registry import MEASURES
from splineviz.measures.switched_areas import state_regions
from splineviz.measures.unit_lines import unit_lines
from splineviz.render import save_figure

POINTS = 100_000


def looks(arr: sv.Arrangement, folder: str) -> dict[str, Callable[[], object]]:
    """In the order in which they are taken: later ones find affine maps at hand."""
    uv = np.random.default_rng(0).uniform(-1, 1, (POINTS, 2)) * np.abs(arr.vertices).max(0)
    return {
        "affine_maps": lambda: arr.affine,
        "linear_regions": lambda: arr.linear_regions,
        "decision_boundary": arr.decision_boundary,
        "jacobian_norms": arr.jacobian_norms,
        "locate": lambda: arr.locate(uv),
        "distance": lambda: arr.distance(uv),
        "save": lambda: sv.save(arr, Path(folder, "cells.npz"), affine=False),
        "networkx": arr.to_networkx,
        "png": lambda: save_figure(arr, Path(folder, "cells.png")),
        **{
            f"measure {name}": partial(arr.measure, name)
            for name, measure in MEASURES.items()
            if not measure.needs
        },
        "lines of units": lambda: (unit_lines(arr), state_regions(arr), EdgesByStage.of(arr)),
    }


def boundary_alone(workload: Workload, level: float | None, repetitions: int) -> dict[str, Any]:
    """Processor seconds of a decision boundary by way of the whole arrangement, and alone; the least of several."""
    program, plane = sv.load_program(make_network(workload)), sv.Plane.identity()
    window, whole, alone = sv.Window.box(-1, 1, -1, 1), [], []
    sv.decision_boundary(program, plane, window, level=level, jobs=1)
    for _ in range(repetitions):
        began = time.process_time()
        arr = sv.arrange(program, plane, window, jobs=1)
        segments = arr.decision_boundary(level=level)
        between = time.process_time()
        found = sv.decision_boundary(program, plane, window, level=level, jobs=1)
        whole.append(between - began)
        alone.append(time.process_time() - between)
    return {
        "name": workload.name,
        "cells": arr.n_cells,
        "segments": [len(segments), len(found)],
        "whole": min(whole),
        "alone": min(alone),
        "ratio": min(whole) / min(alone),
    }


def main() -> None:
    asked = request()
    if "level" in asked:
        answer(boundary_alone(Workload(**asked["workload"]), asked["level"], asked["repetitions"]))
        return
    warm, plane, window = make_slice(Workload("warm-up", (784, 8, 8, 10)))
    for look in looks(sv.arrange(sv.load_program(warm), plane, window, jobs=1), asked["folder"]).values():
        look()
    network, plane, window = make_slice(Workload(**asked["workload"]))
    program = sv.load_program(network)
    arranging: list[float] = []
    found: dict[str, list[float]] = {}
    while len(arranging) < asked["repetitions"] and sum(map(sum, found.values())) < asked["patience"]:
        arranging.append(seconds_of(lambda: sv.arrange(program, plane, window, jobs=1)))
        arr = sv.arrange(program, plane, window, jobs=1)
        for name, look in looks(arr, asked["folder"]).items():
            found.setdefault(name, []).append(seconds_of(look))
    seconds = summary(arranging)
    ratios = {name: float(np.median(times)) / seconds["median"] for name, times in found.items()}
    answer({
        "cells": arr.n_cells,
        "points": POINTS,
        "arranging": seconds,
        "seconds": {name: summary(times) for name, times in found.items()},
        "file_bytes": Path(asked["folder"], "cells.npz").stat().st_size,
        "ratios": ratios,
    })  # fmt: skip


if __name__ == "__main__":
    main()
