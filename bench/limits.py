"""Do `max_memory` and `seconds` keep their word?

Each row runs in a process of its own, on one thread, after a smaller piece of the same work, so that kernels are
there: the resident memory at its peak, above where it stood before, with the result and without it; and how long
after its budget of seconds a slice has been told in full. Writes bench-limits.json and bench-limits.md into docs/.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import machine_facts
from probe import PeakMemory
from torch import nn
from written import KINDS, return_memory, seconds_to_write

import splineviz as sv
from splineviz.arrangement.cells import Cells
from splineviz.files import atomic_path
from splineviz_cli.slice_numbers import GRACE, found_in_time

SCHEMA = "splineviz.bench-limits/1"
MIB = 1 << 20
ASKED = 64 * MIB
SMALLER = 0.2
"""Of the sides of the window: the work before"""

Measured = dict[str, Any]


@dataclass(frozen=True)
class Scale:
    """How much work a row is."""

    width: int
    """Of the larger dense networks; others are in proportion"""
    share: float
    """Of the sides of windows"""
    windows: int
    points: int
    seconds: float


_FULL = Scale(300, 1.0, 2000, 20, 5.0)
_QUICK = Scale(30, 1.0, 20, 4, 0.5)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS), help="only these rows")
    parser.add_argument("--row", choices=list(ROWS), help="measure one row in this process, and print it")
    parser.add_argument("--quick", action="store_true", help="small networks: to see whether it works")
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parents[1] / "docs")
    asked = parser.parse_args(arguments)
    if asked.row is not None:
        torch.set_num_threads(1)
        print(json.dumps(ROWS[asked.row](_QUICK if asked.quick else _FULL)))
        return
    report: dict[str, Any] = {"schema": SCHEMA, "machine": machine_facts(), "rows": {}}
    for name in asked.only:
        command = [sys.executable, __file__, "--row", name, *(["--quick"] if asked.quick else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{name} failed with exit code {done.returncode}:\n{done.stderr}")
        report["rows"][name] = json.loads(done.stdout.splitlines()[-1])
        print(f"{name}: {report['rows'][name]}", file=sys.stderr)
    for name, text in (("json", json.dumps(report, indent=1) + "\n"), ("md", page(report))):
        with atomic_path(asked.out / f"bench-limits.{name}") as temporary:
            temporary.write_text(text, encoding="utf-8")


def dense(n_inputs: int = 784, width: int = 300, depth: int = 3) -> nn.Sequential:
    torch.manual_seed(0)
    widths = [n_inputs, *[width] * depth]
    layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(widths[-1], 10))


def convolutions(width: int = 8, *, pooled: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    pool, side = (nn.MaxPool2d(2), 7) if pooled else (nn.Identity(), 28)
    parts = [
        part
        for a, b in ((1, width), (width, width))
        for part in (nn.Conv2d(a, b, 3, padding=1), pool, nn.ReLU())
    ]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(width * side * side, 10))


def place(scale: float = 1.0) -> tuple[sv.Plane, sv.Window]:
    """The plane through three random images, and a window on it, or the middle part of that."""
    plane = sv.Plane.through(*np.random.default_rng(0).random((3, 1, 28, 28)))
    return plane, sv.Window.around(plane).scaled(scale)


def measured(work: Callable[[], Any]) -> Measured:
    """Memory that a piece of work took at its peak, and its result."""
    began, memory = time.perf_counter(), PeakMemory()
    result = work()
    found = {"seconds": time.perf_counter() - began, "peak": memory.above(), "asked": ASKED}
    return found | {"cells": getattr(result, "n_cells", None), "result": size(result)}


def size(result: Any) -> int | None:
    """Bytes of the arrays of an arrangement or a comparison; None for others."""
    if isinstance(result, Cells):
        csr = [array for rows in (result.cells, result.edge_units) for array in (rows.offsets, rows.values)]
        arrays = [value for value in vars(result).values() if isinstance(value, np.ndarray)]
        return sum(
            array.nbytes for array in [*arrays, *csr, *(array for pair in result.patterns for array in pair)]
        )
    if isinstance(result, sv.Comparison):
        return sum(
            size(arr) or 0 for arr in (*result.arrangements, *(p.overlay.arrangement for p in result.pairs))
        )
    return None


def arranged(scale: Scale, module: nn.Module, share: float, n_windows: int = 1) -> Measured:
    """The arrangement of a part of the window, or of many small ones."""
    program = sv.load_program(module, input_shape=(1, 28, 28))
    plane, window = place()
    low, high = window.vertices.min(0), window.vertices.max(0)
    about = np.random.default_rng(1).uniform(low, high, (n_windows, 2)) if n_windows > 1 else [window.centre]

    def work(part: float) -> sv.Arrangement:
        windows = [window.scaled(share * scale.share * part, point) for point in about]
        return sv.arrange(program, [plane] * n_windows, windows, max_memory=ASKED, jobs=1)

    work(SMALLER)
    return measured(partial(work, 1.0))


def streamed(scale: Scale) -> Measured:
    program = sv.load_program(dense(width=scale.width), input_shape=(1, 28, 28))
    plane, window = place(scale.share)

    def work(part: float) -> None:
        for _ in sv.stream(program, plane, window.scaled(part), max_memory=ASKED):
            pass

    work(SMALLER)
    return measured(partial(work, 1.0))


def compared(scale: Scale) -> Measured:
    width = scale.width // 5
    programs = [sv.load_program(dense(width=w), input_shape=(1, 28, 28)) for w in (width, width + 1)]
    plane, window = place(scale.share)

    def work(part: float) -> sv.Comparison:
        return sv.compare(programs, plane, window.scaled(part), max_memory=ASKED, jobs=1)

    work(SMALLER)
    return measured(partial(work, 1.0))


def validated(scale: Scale) -> Measured:
    program = sv.load_program(dense(width=scale.width // 3), input_shape=(1, 28, 28))
    points = np.random.default_rng(0).random((scale.points, 1, 28, 28))
    how: dict[str, Any] = {"directions": (25,), "medians": 5, "max_memory": ASKED, "jobs": 1, "examples": 0}
    if scale == _QUICK:
        how |= {"frames": 2, "medians": 1}
    sv.validate(program, points[:2], **how)
    return measured(lambda: sv.validate(program, points, **how))


def animated(scale: Scale) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        for step in range(3):
            torch.manual_seed(step)
            torch.save(dense(width=scale.width // 5).state_dict(), Path(folder, f"step-{step}.pt"))
        program = sv.load_program(dense(width=scale.width // 5), input_shape=(1, 28, 28))
        runs = sv.Checkpoints(program, f"{folder}/step-*.pt")
        plane, window = place(0.3 * scale.share)

        def work(part: float) -> sv.Animation:
            out = Path(folder, f"film-{part:g}.gif")
            return sv.animate(runs, plane, window.scaled(part), out, max_memory=ASKED, jobs=1)

        work(SMALLER)
        return measured(partial(work, 1.0))


def told(scale: Scale, module: nn.Module) -> Measured:
    """How much longer than its seconds a slice takes, with all that is told of it."""
    program = sv.load_program(module, input_shape=(1, 28, 28))
    plane, window = place()
    sv.arrange(program, plane, window.scaled(1e-9)).n_decision_regions  # noqa: B018 compiles
    began = time.monotonic()
    arr = sv.arrange(program, plane, window, seconds=scale.seconds)
    there = time.monotonic() - began
    regions = found_in_time(arr, began + scale.seconds + GRACE)
    return {
        "asked_seconds": scale.seconds,
        "arranged": there,
        "told": time.monotonic() - began,
        "regions": regions,
        "cells": arr.n_cells,
    }


def written(scale: Scale, kind: str) -> Measured:
    """A file of an arrangement, which is not counted."""
    program = sv.load_program(dense(width=scale.width * 5 // 3), input_shape=(1, 28, 28))
    plane, window = place(scale.share)
    seconds_to_write(sv.arrange(program, plane, window.scaled(SMALLER)), kind)
    arr = sv.arrange(program, plane, window)
    _ = arr.areas
    if kind == "parquet":
        _ = arr.affine, arr.exact  # which tell the class of each cell, and the proofs of areas
    return_memory()
    memory = PeakMemory()
    seconds = seconds_to_write(arr, kind)
    return {"seconds": seconds, "peak": memory.above(), "asked": ASKED, "cells": arr.n_cells, "result": None}


ROWS: dict[str, Callable[[Scale], Measured]] = {
    "dense, 784-300x3-10": lambda scale: arranged(scale, dense(width=scale.width), 1.0),
    "dense, 784-500x3-10": lambda scale: arranged(scale, dense(width=scale.width * 5 // 3), 1.0),
    "dense, 784-300x3-10, counted batch by batch": streamed,
    "two convolutions of 8 channels": lambda scale: arranged(scale, convolutions(), 0.02),
    "the same with max-pools": lambda scale: arranged(scale, convolutions(pooled=True), 0.02),
    "2,000 windows": lambda scale: arranged(scale, dense(width=scale.width // 5), 0.001, scale.windows),
    "compare, 784-60x3-10 with 784-61x3-10": compared,
    "validate, 784-100x3-10 at 20 points": validated,
    "animate, 784-60x3-10 at 3 checkpoints": animated,
    **{f"a file, .{kind}": partial(written, kind=kind) for kind in KINDS},
    "seconds: two convolutions of 8 channels": lambda scale: told(scale, convolutions()),
    "seconds: the same with max-pools": lambda scale: told(scale, convolutions(pooled=True)),
    "seconds: one layer of 20,000 units": lambda scale: told(
        scale, dense(width=200 * scale.width // 3, depth=1)
    ),
}


def page(report: Measured) -> str:
    """The report as a page."""
    rows = report["rows"].items()
    memory = [(name, row) for name, row in rows if "peak" in row]
    times = [(name, row) for name, row in rows if "told" in row]
    lines = [
        "# Limits of memory and time",
        "",
        "Made by `make bench-limits`; the numbers are those of [bench-limits.json](bench-limits.json). "
        f"{report['machine']['cpu']}, {report['machine']['date']}.",
        "",
        "Resident memory at its peak above where it stood before the work, in MiB, and the part of it that is not the result, against",
        "`max_memory`. That bounds values and geometry in work: while batches are joined up to as much again as the result comes on top,",
        "in `validate` the proxies, in `animate` the pictures. Files are written in parts, whatever is asked for; the arrangement that is",
        "written is there before.",
        "",
        "| work | cells | seconds | asked | peak | result | (peak - result) / asked |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in memory:
        above = row["peak"] - (row["result"] or 0)
        shown = [mib(row[key]) for key in ("asked", "peak", "result")]
        share = f"{above / row['asked']:.2f}"
        cells = f"{row['cells']:,}" if row["cells"] else ""
        lines.append(f"| {name} | {cells} | {row['seconds']:.1f} | {' | '.join(shown)} | {share} |")
    lines += [
        "",
        "Seconds until the arrangement is there, and until its regions and proofs have been told or given up.",
        "",
        "| work | cells | asked | arranged | told | regions found |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for name, row in times:
        lines.append(
            f"| {name.removeprefix('seconds: ')} | {row['cells']:,} | {row['asked_seconds']:g} | {row['arranged']:.1f} | "
            f"{row['told']:.1f} | {'yes' if row['regions'] else 'no'} |"
        )
    return "\n".join(lines) + "\n"


def mib(size: int | None) -> str:
    return "" if size is None else f"{size / MIB:.0f}"


if __name__ == "__main__":
    main()
