"""How much of a machine does each phase use? Bytes and products against a copy of memory and a matrix product
in the same process.

Bytes are the least that a phase can move: what it reads and writes, each array once. Products are those of
the plain algorithm, multiplied out everywhere; where interpolation or siblings spare some, a phase may seem
faster than the machine.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from probe import answer, request
from scaling import Patch, Phases, replaced
from workloads import Workload, make_network

import splineviz as sv
from splineviz.geometry import refine
from splineviz.values import transfer, vertex_values
from splineviz.values.propagation import Propagator

__all__ = ["bytes_of", "measured"]

COPIED, SQUARE = 1 << 25, 1500
"""Numbers that are copied, 256 MiB; and rows and columns of matrices that are multiplied"""
REPETITIONS = 5


def bytes_of(value: Any, known: set[int] | None = None) -> int:
    """Bytes of all arrays in something, each once."""
    known = set() if known is None else known
    if isinstance(value, np.ndarray):
        fresh = id(value) not in known
        known.add(id(value))
        return value.nbytes if fresh else 0
    if isinstance(value, (tuple, list)):
        return sum(bytes_of(one, known) for one in value)
    if is_dataclass(value):
        return sum(bytes_of(getattr(value, f.name), known) for f in fields(value))
    return 0


def machine() -> dict[str, float]:
    """What one thread can do at best: bytes a second that a copy reads and writes, and operations of a
    product of matrices."""
    source, target = np.ones(COPIED), np.empty(COPIED)
    a = torch.ones(SQUARE, SQUARE, dtype=torch.float64)
    copy = min(_processor_seconds(lambda: np.copyto(target, source)) for _ in range(REPETITIONS))
    product = min(_processor_seconds(lambda: a @ a) for _ in range(REPETITIONS))
    return {"bytes_a_second": 2 * source.nbytes / copy, "operations_a_second": 2 * SQUARE**3 / product}


def _processor_seconds(action: Callable[[], object]) -> float:
    began = time.thread_time()
    action()
    return time.thread_time() - began


@contextmanager
def counted(phases: Phases, moved: Counter[str], operations: Counter[str]) -> Iterator[None]:
    """Time, bytes and operations of the phases of all that is arranged within."""

    def kernel(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def within(*arguments: Any) -> Any:
            with phases.phase(name):
                result = function(*arguments)
            moved[name] += bytes_of([arguments, result])
            return result

        return within

    affine = Propagator.affine

    def products(self: Propagator, live: Any, node: Any, *rest: Any) -> None:
        rows, entered = len(live[node.inputs[0]].values), live[node.inputs[0]].values.nbytes
        with phases.phase("products"):
            affine(self, live, node, *rest)
        if node.matrix is not None:
            operations["products"] += 2 * rows * node.matrix.numel()
            moved["products"] += entered + live[node.output].values.nbytes + 8 * node.matrix.numel()

    kernels = {
        "refinement": [(refine, "_refine")],
        "bounds": [
            (transfer, "through_linear"),
            (transfer, "prove_linear"),
            (vertex_values, "row_norms"),
        ],
        "extension": [(transfer, "extend_values")],
    }
    patches: list[Patch] = [(Propagator, "affine", products)]
    patches += [
        (owner, name, kernel(phase, vars(owner)[name]))
        for phase, places in kernels.items()
        for owner, name in places
    ]
    with replaced(patches):
        yield


def measured(workload: Workload) -> dict[str, Any]:
    """Each phase of one network, with the machine in the same process."""
    program = sv.load_program(make_network(workload))
    plane, window = sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)

    def arranged() -> sv.Arrangement:
        return sv.arrange(program, plane, window, jobs=1)

    arranged().affine  # noqa: B018 warm
    phases, moved, operations = Phases(), Counter[str](), Counter[str]()
    with phases.phase("rest of arranging"), counted(phases, moved, operations):
        arr = arranged()
    moved["rest of arranging"] = bytes_of(arr)
    with phases.phase("affine maps"):
        maps = arr.affine
    moved["affine maps"] = maps.nbytes + sum(on.nbytes for on, _ in arr.patterns)
    multiplied = sum(n_in * n_out for n_in, n_out in list(pairwise(workload.widths))[1:])
    operations["affine maps"] = 6 * arr.n_cells * multiplied
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cells.npz")
        with phases.phase("save"):
            sv.save(arr, path)
        moved["save"] = bytes_of(arr) + path.stat().st_size
    order = ("products", "bounds", "extension", "refinement", "rest of arranging", "affine maps", "save")
    return {
        "workload": workload.name,
        "machine": machine(),
        "phases": {
            name: {"seconds": phases.seconds[name], "bytes": moved[name], "operations": operations[name]}
            for name in order
        },
    }


def main() -> None:
    asked = request()
    answer(measured(Workload(**asked["workload"])))


if __name__ == "__main__":
    main()
