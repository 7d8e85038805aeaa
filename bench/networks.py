"""Do residual, convolutional and very wide networks keep the promises made for small ones: speed, memory,
growth, workers?

Against a plain float64 forward pass at the arrangement's own vertices, against a budget of memory, and
against one worker. Networks have random weights and inputs; ``--checkpoint FILE --data FILE`` takes a trained
ResNet-20 of CIFAR-10 and an array x of images instead. Writes bench-networks.json and bench-networks.md into
docs/.

``make bench-networks`` takes about twelve minutes on two quiet cores. With ``--quick`` it takes a minute:
small networks, no bars, into build/bench/.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from machine import machine_facts
from networks_table import to_markdown
from run import in_new_process

from splineviz.files import atomic_path

SCHEMA = "splineviz.bench-networks/1"
HERE = Path(__file__).parent
MEMORY = 4 << 30

FULL: dict[str, dict[str, Any]] = {
    "residual": {"width": 16, "side": 32, "cells": 100_000, "half_width": 0.43, "vertices": 1024},
    "convolutional": {"width": 8, "margin": 0.25, "vertices": 20_000},
    "wide": {"widths": [2, 1000, 1000, 1000, 1], "vertices": 50_000, "counting": False},
    "wide_counted": {"widths": [2, 1000, 1000, 1000, 1], "counting": True},
    "growth": {
        "widths": [784, *[400] * 12, 10], "weight_scale": 2.0, "half_width": 0.06, "factor": 2.2, "cells": 5_000_000, "steps": 12
    },
    "workers": {"widths": [784, 500, 500, 500, 10], "half_width": 1.0, "repetitions": 3},
}  # fmt: skip
QUICK: dict[str, dict[str, Any]] = {
    "residual": {"width": 2, "side": 8, "cells": 200, "half_width": None, "vertices": 500},
    "convolutional": {"width": 1, "margin": 0.0, "vertices": 500},
    "wide": {"widths": [2, 30, 30, 1], "vertices": 500, "counting": False},
    "wide_counted": {"widths": [2, 30, 30, 1], "counting": True},
    "growth": {
        "widths": [5, 20, 20, 3],
        "weight_scale": 2.0,
        "half_width": 0.1,
        "factor": 2.0,
        "cells": 500,
        "steps": 6,
    },
    "workers": {"widths": [5, 40, 40, 3], "half_width": 1.0, "repetitions": 1},
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Measure splineviz on residual, convolutional and very wide networks."
    )
    parser.add_argument("--quick", action="store_true", help="small networks, and no bars")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(FULL),
        default=list(FULL),
        metavar="NAME",
        help=f"of {', '.join(FULL)}",
    )
    parser.add_argument("--checkpoint", type=Path, help="weights of a ResNet-20 for CIFAR-10, with --data")
    parser.add_argument("--data", type=Path, help="an .npz file with an array x (n, 32, 32, 3) of pixels")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="where bench-networks.json and .md go"
    )
    given = parser.parse_args(arguments)
    if (given.checkpoint is None) != (given.data is None):
        parser.error("--checkpoint and --data go together")
    partial = given.quick or len(given.only) < len(FULL)
    folder = given.output or HERE.parent / ("build/bench" if partial else "docs")
    files = {
        name: None if path is None else str(path)
        for name, path in (("checkpoint", given.checkpoint), ("data", given.data))
    }
    report = measure(
        {name: (QUICK if given.quick else FULL)[name] for name in given.only}, files, bars=not given.quick
    )
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "bench-networks.json": json.dumps(report, indent=1) + "\n",
        "bench-networks.md": to_markdown(report),
    }
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    missed = [bar for bar in report["bars"] if not bar["passed"]]
    for bar in missed:
        print(f"missed: {bar['what']}: wanted {bar['sense']} {bar['limit']}, measured {bar['measured']}")
    print(f"{len(missed)} of {len(report['bars'])} bars missed; see {folder / 'bench-networks.md'}")


def measure(asked: dict[str, dict[str, Any]], files: dict[str, str | None], *, bars: bool) -> dict[str, Any]:
    """Everything that goes into bench-networks.json."""
    machine = machine_facts()  # first, for the load that others cause
    results = {}
    for name, how in asked.items():
        print(f"{name} ...", flush=True)
        which = name.removesuffix("_counted")
        found = in_new_process(
            "networks_measure.py", {"measure": which} | how | (files if which == "residual" else {})
        )
        results[name] = {"asked": how, "found": found}
    return {
        "schema": SCHEMA,
        "machine": machine,
        "results": results,
        "bars": list(check_bars(results)) if bars else [],
    }


def check_bars(results: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What each measurement has to reach."""
    found = {name: result["found"] for name, result in results.items()}
    if "residual" in found:
        yield _bar("cells of ResNet-20", ">=", 100_000, found["residual"]["cells"])
    for name, what in (
        ("residual", "ResNet-20"),
        ("convolutional", "a convolutional network"),
        ("wide", "2-1000-1000-1000-1"),
    ):
        if name in found:
            yield _bar(f"time over a forward pass, {what}", "<=", 1.0, found[name]["forward"]["ratio"])
    for name, how in (("wide", "held whole"), ("wide_counted", "counted batch by batch")):
        if name in found:
            yield _bar(f"cells of 2-1000-1000-1000-1, {how}", ">=", 1_000_000, found[name]["cells"])
            yield _bar(
                f"peak memory of 2-1000-1000-1000-1, {how}, bytes",
                "<=",
                MEMORY,
                found[name]["memory"]["peak_bytes"],
            )
    if "growth" in found:
        yield _bar("cells of the largest window", ">=", 5_000_000, found["growth"]["steps"][-1]["cells"])
        yield _bar("exponent of seconds against cells", "<=", 1.05, found["growth"]["exponent"])
    if "workers" in found:
        yield _bar("times faster with two workers than with one", ">=", 1.0, found["workers"]["speedup"])


def _bar(what: str, sense: str, limit: float, measured: float) -> dict[str, Any]:
    passed = measured <= limit if sense == "<=" else measured >= limit
    return {"what": what, "sense": sense, "limit": limit, "measured": measured, "passed": passed}


if __name__ == "__main__":
    main()
