"""Does splineviz arrange a network in the time of one float64 forward pass over its own vertices, and faster
than regioncam?

The second is the fastest other tool for two inputs (PyPI: regioncam, Rust, float32). Both get the same
networks in the same run, one thread each, and their activation patterns are compared as sets. Writes
bench.json, the source of every number in the README, and bench.md, the same as tables, into docs/.

Beside that: what is asked for next, many small networks, two workers against one, and how much of the machine
each phase uses.

``make bench`` takes about a quarter of an hour and 12 GB (regioncam's). With ``--quick`` it takes one: the first
three networks, no scaling and no cold start, into build/bench/.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bars import boundary_bars, check_bars
from cold import cold_start
from machine import machine_facts
from table import to_markdown
from workloads import BOUNDARIES, DRAWN, MILLION, QUICK, WORKLOADS, Workload

from splineviz.files import atomic_path

SCHEMA = "splineviz.bench/1"
REPETITIONS = 5
BOUNDARY_REPETITIONS = 2
REGIONCAM_LIMIT = 600.0
PATIENCE = 20.0
"""After so many seconds a slow tool is not run once more."""
SMALL: dict[str, Any] = {"widths": [2, 32, 32, 32, 1], "networks": 1000, "repetitions": 3}
FEW = 20
"""Small networks where only some of all is measured"""
SCALING: dict[str, dict[str, Any]] = {
    "784-500-500-500-10": {"widths": [784, 500, 500, 500, 10], "repetitions": 3},
    "ResNet-20": {"width": 16, "side": 32, "half_width": 0.05, "repetitions": 1},
}
HERE = Path(__file__).parent
ROOT = HERE.parent
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA", "RAYON")}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Measure splineviz against a forward pass and against regioncam."
    )
    parser.add_argument("--quick", action="store_true", help="the first three networks, no cold start")
    parser.add_argument(
        "--networks", nargs="+", metavar="2-32-32-1", help="fully connected networks to measure instead"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="where bench.json and bench.md go"
    )
    given = parser.parse_args(arguments)
    partial = given.quick or given.networks is not None
    folder = given.output or HERE.parent / ("build/bench" if partial else "docs")
    named = [Workload(name, tuple(int(width) for width in name.split("-"))) for name in given.networks or ()]
    report = measure(named or (QUICK if given.quick else WORKLOADS), partial=partial)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("bench.json", json.dumps(report, indent=1) + "\n"),
        ("bench.md", to_markdown(report)),
    ):
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    missed = [bar for bar in report["bars"] if bar["passed"] is False]
    for bar in missed:
        print(
            f"missed: {bar['what']} {bar['workload']}: wanted {bar['sense']} {bar['limit']}, measured "
            f"{bar['measured']}"
        )
    print(f"{len(missed)} of {len(report['bars'])} bars missed; see {folder / 'bench.md'}")


def measure(workloads: Sequence[Workload], *, partial: bool) -> dict[str, Any]:
    """Everything that goes into bench.json; in part, without pictures and cold start."""
    machine = machine_facts()  # first, for the load that others cause
    results = [measure_workload(workload) for workload in workloads]
    print("many small networks ...", flush=True)
    small = in_new_process("small.py", {**SMALL, "networks": FEW if partial else SMALL["networks"]})
    print("scaling ...", flush=True)
    scaling = (
        {} if partial else {name: in_new_process("scaling.py", asked) for name, asked in SCALING.items()}
    )
    print("roofline ...", flush=True)
    roofline = in_new_process("roofline.py", {"workload": asdict(workloads[-1] if partial else DRAWN)})
    pictures = None if partial else [draw_workload(workload) for workload in (DRAWN, MILLION)]
    started = None if partial else cold_start(REPETITIONS)
    boundaries = [] if partial else [measure_boundary(*given[:2]) for given in BOUNDARIES]
    return {
        "schema": SCHEMA,
        "machine": machine,
        "workloads": results,
        "small": small,
        "scaling": scaling,
        "roofline": roofline,
        "pictures": pictures,
        "cold_start": started,
        "boundaries": boundaries,
        "bars": [
            *check_bars(workloads, results, pictures, started, small, scaling),
            *boundary_bars(boundaries),
        ],
    }


def measure_workload(workload: Workload) -> dict[str, Any]:
    print(f"{workload.name} ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        asked = {
            "workload": asdict(workload),
            "repetitions": REPETITIONS,
            "patience": PATIENCE,
            "folder": folder,
        }
        points = str(Path(folder, "points.npy"))
        theirs = run_regioncam(asked | {"points": points})
        found = points if "cells" in theirs else None
        ours = in_new_process("ours.py", asked | {"points": found})
        next_ = in_new_process("second_looks.py", asked) if workload.second_looks else None
    facts = {"name": workload.name, "widths": workload.widths, "weight_scale": workload.weight_scale}
    return facts | {"splineviz": ours, "regioncam": theirs, "second_looks": next_}


def draw_workload(workload: Workload) -> dict[str, Any]:
    """Pictures of a network in every style."""
    print(f"pictures of {workload.name} ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        asked = {"workload": asdict(workload), "folder": folder}
        return {"name": workload.name} | in_new_process("pictures.py", asked)


def measure_boundary(workload: Workload, level: float | None) -> dict[str, Any]:
    print(f"boundary of {workload.name} ...", flush=True)
    asked = {"workload": asdict(workload), "level": level, "repetitions": BOUNDARY_REPETITIONS}
    return in_new_process("second_looks.py", asked)


def run_regioncam(asked: dict[str, Any]) -> dict[str, Any]:
    """Its measurements, or the reason why there are none."""
    if importlib.util.find_spec("regioncam") is None:
        return {"reason": "not installed (pip install -e '.[bench]')"}
    try:
        return in_new_process("rival.py", asked, REGIONCAM_LIMIT)
    except subprocess.TimeoutExpired:
        return {"reason": f"not finished after {REGIONCAM_LIMIT:g} seconds"}
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message; out of memory?"])[-1]
        return {"reason": f"ended with code {error.returncode}: {last}"}


def in_new_process(script: str, asked: dict[str, Any], limit: float | None = None) -> dict[str, Any]:
    """Run one measurement where no other can warm it, slow it down or add to its memory; it may import
    gallery and tests."""
    command = [sys.executable, str(HERE / script), json.dumps(asked)]
    places = [str(ROOT), str(ROOT / "gallery"), os.environ.get("PYTHONPATH")]
    path = os.pathsep.join(filter(None, places))
    env = os.environ | ONE_THREAD | {"PYTHONPATH": path}
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=limit)
    except subprocess.CalledProcessError as error:
        print(error.stderr, file=sys.stderr)
        raise
    result = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(result, dict)
    return result


if __name__ == "__main__":
    main()
