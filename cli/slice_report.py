"""What `splineviz slice` says on stdout: a short table, or one JSON object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splineviz.io.provenance import provenance, rounding_note

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["print_slice"]

SCHEMA = "splineviz.slice/1"


def print_slice(arr: Arrangement, outputs: Sequence[Path], seconds: float, *, seed: int | None, as_json: bool) -> None:
    """Report one arrangement and the files it went to."""
    report = _report(arr, outputs, seconds, seed)
    click.echo(json.dumps(report) if as_json else _table(report))


def _report(arr: Arrangement, outputs: Sequence[Path], seconds: float, seed: int | None) -> dict[str, Any]:
    extra = {} if seed is None else {"seed": seed}
    stats = arr.stats
    whole = arr.info is None or len(stats.cells_per_stage) == len(arr.info.stages)
    return {
        "schema": SCHEMA,
        "cells": arr.n_cells,
        "linear_regions": arr.n_linear_regions if whole else None,
        "vertices": arr.n_vertices,
        "edges": arr.n_edges,
        "status": arr.status.name.lower(),
        "message": arr.status.value,
        # Nothing computes a certificate yet: being far from every estimate of rounding is no proof.
        "exact": {"certified": False, "re_evaluated": stats.re_evaluated, "undecided": stats.undecided},
        "cells_per_stage": list(stats.cells_per_stage),
        "seconds": stats.seconds,
        "seconds_total": seconds,
        "cut_off": arr.info.cut_off if arr.info is not None else None,
        "files": [str(path) for path in outputs],
        "provenance": provenance(arr, extra=extra),
    }


def _table(report: dict[str, Any]) -> str:
    regions = report["linear_regions"]
    rows = [
        ("cells", f"{report['cells']:,}"),
        ("linear regions", "not known before the last stage" if regions is None else f"{regions:,}"),
        ("vertices", f"{report['vertices']:,}"),
        ("edges", f"{report['edges']:,}"),
        ("cells per stage", "  ".join(f"{cells:,}" for cells in report["cells_per_stage"])),
        ("status", report["message"]),
        ("decisions", rounding_note(report["exact"]["undecided"])),
        ("seconds", f"{report['seconds']:.2f} for the arrangement, {report['seconds_total']:.2f} in all"),
        *([("cut off", f"{report['cut_off']}: the outputs are what enters it")] if report["cut_off"] else []),
        *(("written", path) for path in report["files"]),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
