"""What the measurements have to reach, checked one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workloads import BOUNDARIES, Workload

__all__ = ["Bar", "bar", "boundary_bars", "check_bars"]

RATIO_AIM = 0.5
HELP_SECONDS, DEMO_SECONDS, FIRST_DEMO_SECONDS = 0.3, 3.0, 14.0
SECOND_LOOKS = {
    "affine_maps": 0.7,
    "jacobian_norms": 8.0,
    "linear_regions": 0.15,
    "decision_boundary": 0.15,
    "save": 0.5,
}
MICROSECONDS = {"locate": 2.0, "distance": 20.0}
"""A point"""
FILE_BYTES = 60.0
"""A cell"""
SMALL_RATIO, TWO_WORKERS = 1.5, 1.7

Bar = dict[str, Any]


def check_bars(
    workloads: Sequence[Workload],
    results: Sequence[dict[str, Any]],
    pictures: Sequence[dict[str, Any]] | None,
    cold: dict[str, Any] | None,
    small: dict[str, Any] | None = None,
    scaling: dict[str, dict[str, Any]] | None = None,
) -> list[Bar]:
    """Every bar with the value that was measured; ``passed`` is None where there is no value to compare."""
    bars: list[Bar] = []
    for workload, result in zip(workloads, results, strict=True):
        bars += _of_workload(workload, result)
    bars += _of_pictures(pictures or ())
    bars += _of_second_looks(results)
    bars += _of_small(small)
    bars += _of_scaling(scaling or {})
    if cold is not None:
        for what, key, limit in (
            ("splineviz --help, seconds", "help", HELP_SECONDS),
            ("splineviz slice demo in a new process, seconds", "demo", DEMO_SECONDS),
            ("splineviz slice demo the very first time, seconds", "demo_first_time", FIRST_DEMO_SECONDS),
        ):
            bars.append(bar(what, "", "<=", limit, cold[key]["median"]))
    return bars


def _of_workload(workload: Workload, result: dict[str, Any]) -> Iterator[Bar]:
    name, ours, theirs = workload.name, result["splineviz"], result["regioncam"]
    patterns = ours["patterns"]
    if workload.cells is not None:
        yield bar("cells", name, "==", workload.cells, ours["cells"])
    yield bar(
        "cells that share a pattern, or whose interior point shows another", name, "==", 0, _doubtful(ours)
    )
    other = patterns["regioncam"]
    yield bar("patterns only in regioncam", name, "==", 0, other["only_regioncam"] if other else None)
    if workload.speedup is not None:
        speedup = theirs["seconds"]["median"] / ours["seconds"]["median"] if "seconds" in theirs else None
        yield bar("times faster than regioncam", name, ">=", workload.speedup, speedup)
    if workload.ratio is not None:
        whole, batched = ours["forward"], ours["forward_batched"]
        yield bar(
            "time over a forward pass, all vertices at once",
            name,
            "<=",
            workload.ratio,
            whole["ratio"],
            RATIO_AIM,
        )
        what = f"time over a forward pass, {batched['rows']:,} vertices at a time"
        yield bar(what, name, "<=", workload.ratio, batched["ratio"], RATIO_AIM)
    if workload.proofs is not None:
        yield bar("decisions that are not proven", name, "==", 0, ours["undecided"])
        yield bar(
            "time over the same without proofs", name, "<=", workload.proofs, ours["uncertified"]["ratio"]
        )
    if workload.memory is not None:
        yield bar(
            "peak memory over the last hidden layer", name, "<=", workload.memory, ours["memory"]["ratio"]
        )


def _doubtful(ours: dict[str, Any]) -> int:
    patterns = ours["patterns"]
    return int(ours["cells"] - patterns["distinct"] + patterns["not_met_at_own_points"])


def _of_pictures(pictures: Iterable[dict[str, Any]]) -> Iterator[Bar]:
    for picture in pictures:
        # Of the next power of ten, since no workload has just that many cells.
        cells, limit = (100_000, 1.0) if picture["cells"] < 500_000 else (1_000_000, 6.0)
        for style, seconds in picture["seconds"].items():
            what = f"PNG of {cells:,} cells, {style}, processor seconds"
            yield bar(what, picture["name"], "<=", limit, cells / picture["cells"] * seconds)


def _of_second_looks(results: Iterable[dict[str, Any]]) -> Iterator[Bar]:
    for result in results:
        if looks := result["second_looks"]:
            for look, limit in SECOND_LOOKS.items():
                what = f"{look.replace('_', ' ')}, over arranging"
                yield bar(what, result["name"], "<=", limit, looks["ratios"][look])
            for look, limit in MICROSECONDS.items():
                each = 1e6 * looks["seconds"][look]["median"] / looks["points"]
                yield bar(f"{look}, microseconds a point", result["name"], "<=", limit, each)
            size = looks["file_bytes"] / looks["cells"]
            yield bar("saved, bytes a cell", result["name"], "<=", FILE_BYTES, size)


def _of_small(small: dict[str, Any] | None) -> Iterator[Bar]:
    if small is not None:
        what = f"{small['networks']:,} small networks, time over a forward pass of each"
        yield bar(what, _dashed(small["widths"]), "<=", SMALL_RATIO, small["ratio_each"])


def _of_scaling(scaling: dict[str, dict[str, Any]]) -> Iterator[Bar]:
    for name, found in scaling.items():
        yield bar("times faster with two workers than with one", name, ">=", TWO_WORKERS, found["speedup"])


def _dashed(widths: Sequence[int]) -> str:
    return "-".join(map(str, widths))


def boundary_bars(boundaries: Sequence[dict[str, Any]]) -> Iterator[Bar]:
    """Bars of decision boundaries that were found alone."""
    limits = {workload.name: limit for workload, _, limit in BOUNDARIES}
    for found in boundaries:
        what = "decision boundary by way of all cells, over the boundary alone"
        yield bar(what, found["name"], ">=", limits[found["name"]], found["ratio"])
        more, fewer = sorted(found["segments"], reverse=True)
        yield bar("segments that one of these ways misses", found["name"], "==", 0, more - fewer)


def bar(
    what: str, workload: str, sense: str, limit: float, measured: float | None, aim: float | None = None
) -> Bar:
    """Whether a number that was measured keeps to a limit."""
    passed = (
        None
        if measured is None
        else {"<=": measured <= limit, ">=": measured >= limit, "==": measured == limit}[sense]
    )
    return {
        "what": what,
        "workload": workload,
        "sense": sense,
        "limit": limit,
        "aim": aim,
        "measured": measured,
        "passed": passed,
    }
