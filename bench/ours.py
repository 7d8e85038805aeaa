"""splineviz on one network, in a process of its own: memory first, then time in turn with plain forward
passes, then the rest."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from probe import PeakMemory, answer, packed, patterns_at, request, seconds_of, summary
from torch import nn
from workloads import Workload, make_network

import splineviz as sv

BATCH = 1024


def arrange(network: nn.Sequential) -> sv.Arrangement:
    """The network read and arranged, from nothing."""
    return again(sv.load_program(network))


def again(program: sv.Program, certify: Literal["fast", "off"] = "fast") -> sv.Arrangement:
    return sv.arrange(program, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), jobs=1, certify=certify)


def forward(network: nn.Sequential, x: torch.Tensor, rows: int) -> None:
    """The plain forward pass, so many vertices at a time."""
    with torch.inference_mode():
        for i in range(0, len(x), rows):
            network(x[i : i + rows])


def first_run(workload: Workload) -> tuple[dict[str, Any], nn.Sequential, sv.Arrangement]:
    """What the arrangement is, and the memory that it takes on top of the imported, warm process, network
    included."""
    memory = PeakMemory()
    network = make_network(workload)
    arr = arrange(network)
    peak = memory.above()
    last_hidden = 8 * workload.widths[-2] * arr.n_vertices
    facts = {
        "cells": arr.n_cells,
        "vertices": arr.n_vertices,
        "edges": arr.n_edges,
        "status": arr.status.name,
        "decisions": arr.stats.decisions,
        "re_evaluated": arr.stats.re_evaluated,
        "undecided": arr.stats.undecided,
        "certified": arr.stats.certified,
        "smallest_cell": float(arr.areas.min()),
        "cells_per_stage": list(arr.stats.cells_per_stage),
        "memory": {
            "peak_bytes": peak,
            "last_hidden_bytes": last_hidden,
            "ratio": peak / last_hidden,
            "method": memory.method,
        },
    }
    return facts, network, arr


def in_turn(network: nn.Sequential, arr: sv.Arrangement, asked: dict[str, Any]) -> dict[str, Any]:
    """Arrange, with and without proofs, forward passes, arrange ...: what disturbs the machine disturbs all
    of them.

    The forward pass is timed on all vertices at once, and in batches, which fit into caches and need no fresh
    memory.
    """
    program = arr.program
    assert program is not None
    x = torch.from_numpy(np.ascontiguousarray(arr.vertices))
    ours: list[float] = []
    unproven: list[float] = []
    whole: list[float] = []
    batched: list[float] = []
    share: list[float] = []
    forward(network, x, len(x))
    began, cpu = time.perf_counter(), time.process_time()
    while len(ours) < asked["repetitions"] or (time.perf_counter() - began < 1.0 and len(ours) < 100):
        start = time.perf_counter()
        made = again(program)
        ours.append(time.perf_counter() - start)
        share.append(made.stats.seconds_affine / made.stats.seconds)
        del made
        unproven.append(seconds_of(lambda: again(program, "off")))
        whole.append(seconds_of(lambda: forward(network, x, len(x))))
        batched.append(seconds_of(lambda: forward(network, x, BATCH)))
    threads = (time.process_time() - cpu) / (time.perf_counter() - began)
    return {
        "seconds": summary(ours),
        "uncertified": _against(ours, unproven),
        "forward": _against(ours, whole),
        "forward_batched": _against(ours, batched) | {"rows": BATCH},
        "affine_share": float(np.median(share)),
        "cpu_over_wall": threads,
    }


def _against(ours: list[float], other: list[float]) -> dict[str, Any]:
    return {
        "seconds": summary(other),
        "ratio": float(np.median(ours) / np.median(other)),
        "ratio_pairwise": float(np.median(np.divide(ours, other))),
    }


def lazily(program: sv.Program, asked: dict[str, Any]) -> dict[str, Any]:
    """What is computed on first use: the affine map of each cell, then the linear regions."""
    maps: list[float] = []
    joins: list[float] = []
    while len(maps) < asked["repetitions"] and sum(maps) + sum(joins) < asked["patience"] / 4:
        arr = again(program)
        maps.append(seconds_of(partial(getattr, arr, "affine")))
        joins.append(seconds_of(partial(getattr, arr, "linear_regions")))
    return {
        "linear_regions": arr.n_linear_regions,
        "seconds_affine_maps": summary(maps),
        "seconds_linear_regions": summary(joins),
    }


def compared(network: nn.Sequential, arr: sv.Arrangement, points: str | None) -> dict[str, Any]:
    """Stored patterns against forward passes: inside our cells, and inside the faces that regioncam found."""
    stored = packed([arr.pattern_bits(stage) for stage in range(len(arr.patterns))])
    ours = set(stored)
    result: dict[str, Any] = {
        "distinct": len(ours),
        "not_met_at_own_points": len(ours - patterns_at(network, arr.interior_points)),
        "regioncam": None,
    }
    if points is None:
        return result
    theirs = patterns_at(network, np.load(points))
    missed = np.array([pattern not in theirs for pattern in stored])
    result["regioncam"] = {
        "distinct": len(theirs),
        "only_splineviz": len(ours - theirs),
        "only_regioncam": len(theirs - ours),
        "largest_area_only_splineviz": float(arr.areas[missed].max(initial=0.0)),
    }
    return result


def main() -> None:
    asked = request()
    warm = arrange(make_network(Workload("warm-up", (2, 8, 8, 3))))
    warm.affine, warm.linear_regions  # noqa: B018 computed on first use
    del warm
    facts, network, arr = first_run(Workload(**asked["workload"]))
    program = arr.program
    assert program is not None
    facts |= in_turn(network, arr, asked)
    facts["patterns"] = compared(network, arr, asked["points"])
    del arr
    facts |= lazily(program, asked)
    answer(facts)


if __name__ == "__main__":
    main()
