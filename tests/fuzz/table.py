"""The figures of a run, and their page."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import splineviz
from tests.fuzz.chunk import Chunk
from tests.fuzz.families import FAMILIES, NEAR

__all__ = ["summary", "to_markdown"]

SCHEMA = "splineviz.fuzz/1"


def summary(chunks: Iterable[Chunk], certify: str | None, jobs: int) -> dict[str, Any]:
    families: dict[str, dict[str, Any]] = {}
    for chunk in sorted(chunks, key=lambda chunk: (list(FAMILIES).index(chunk.family), chunk.seed)):
        row = families.setdefault(
            chunk.family,
            {"cases": 0, "cells": 0, "seconds": 0.0, "seeds": [], "failures": Counter(), "shares": {}},
        )
        row["cases"] += chunk.cases
        row["cells"] += chunk.cells
        row["seconds"] = round(row["seconds"] + chunk.seconds, 1)
        row["seeds"].append(chunk.seed)
        row["failures"].update(chunk.failures)
        for what, share in chunk.shares.items():
            row["shares"][what] = max(share, row["shares"].get(what, 0.0))
    for row in families.values():
        row["failed"] = sum(row["failures"].values())
    return {
        "schema": SCHEMA,
        "date": datetime.now(UTC).date().isoformat(),
        "certify": certify,
        "cores": os.cpu_count(),
        "jobs": jobs,
        "versions": {"splineviz": splineviz.__version__, "Python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in ("hypothesis", "numpy", "torch")},
        "cases": sum(row["cases"] for row in families.values()),
        "cells": sum(row["cells"] for row in families.values()),
        "failures": sum(row["failed"] for row in families.values()),
        "minutes": round(sum(row["seconds"] for row in families.values()) / 60, 1),
        "families": families,
    }


_PAGE = """# Random networks against exact arithmetic

Made by `make fuzz`, from the same run as [fuzz.json](fuzz.json). Every case is a small network on one window or two, arranged and
compared with an oracle in rational arithmetic that shares no code with the engine (`tests/oracles`). Patterns, the ring of
neighbours of every cell, the units of every edge and linear regions must be equal; vertices, areas, affine maps and the areas of
decisions must lie within bounds of rounding that follow from the network's own sizes (`tests/oracles/rounding.py`); and
`arr.check()` must pass. Of a result that says itself that it is not certified, which only `--certify fast` and `off` may give, the
area of each pattern is compared instead of all that, up to 1e-9 of the window.

**{cases:,} cases, {cells:,} cells that agree, {failures:,} failures, {minutes:,} minutes of processor time.** {asked};
{jobs} workers; {versions}; {date}.

| family | cases | cells that agree | failures | what differs | s |
| --- | ---: | ---: | ---: | --- | ---: |
{rows}

Families marked * are made of coincidences that are missed by rounding: lines 1e-9 or one unit in the last place apart, cells far
smaller than the spacing of float64 numbers. Only exact decisions get them right. Flat pictures have a constant background, on
planes that differ from it in a few pixels or leave it at one point: pools over it, convolutions of it and repeated filters then tie on
open sets, or on many lines through one point. Weights are small whole numbers, -127 to 127 times a float32 step (int8), or normal with
the variance of He et al., rounded to float32; batch-norms have statistics as after training. `make fuzz` prints a script that reproduces the
first failure of each kind, shrunk, and goes on with new seeds where an earlier run ended.
"""


def to_markdown(figures: dict[str, Any]) -> str:
    asked = (
        f'`certify="{figures["certify"]}"`'
        if figures["certify"]
        else "This engine has no option to prove its decisions"
    )
    rows = "\n".join(_row(name, row) for name, row in figures["families"].items())
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    return _PAGE.format(**figures | {"asked": asked, "rows": rows, "versions": versions})


def _row(name: str, row: dict[str, Any]) -> str:
    what = ", ".join(f"{kind} {n}" for kind, n in sorted(row["failures"].items()))
    star = " *" if name in NEAR else ""
    return f"| {name}{star} | {row['cases']:,} | {row['cells']:,} | {row['failed']:,} | {what} | {row['seconds']:.0f} |"
