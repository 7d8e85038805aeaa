"""The measurements of `networks.py` as a page of Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["table", "to_markdown"]

_INTRODUCTION = """# Benchmark of large and real networks

Made by `make bench-networks`, from the same run as [bench-networks.json](bench-networks.json). Random weights and inputs, seed 0;
one thread but where more are named, kernels warm. The forward pass is the network's own, in float64, on as many threads, over the
vertices of the arrangement in batches of 256; where that takes long, over a random part of them, and the time is scaled up. Memory
is what a process needs on top of imports.
"""


def to_markdown(report: dict[str, Any]) -> str:
    machine, found = report["machine"], {name: result["found"] for name, result in report["results"].items()}
    versions = ", ".join(
        f"{name} {version}" for name, version in machine["versions"].items() if name != "regioncam"
    )
    load = f"load before {machine['load_before'] or 0:.2g}"
    facts = f"{machine['cpu']}, {machine['cores']} cores, {load}; {versions}; {machine['date']}.\n"
    sections = [_INTRODUCTION, facts, _against_forward(report["results"])]
    if "wide_counted" in found:
        counted = found["wide_counted"]
        sections.append(
            f"Counted batch by batch, {_name(report['results']['wide_counted']['asked'])} takes "
            f"{counted['seconds']:.3g} s and "
            f"{counted['memory']['peak_bytes'] / 1e6:,.0f} MB for {counted['cells']:,} cells.\n"
        )
    if "growth" in found:
        sections.append(_growth(report["results"]["growth"]))
    if "workers" in found:
        sections.append(_workers(report["results"]["workers"]))
    if report["bars"]:
        sections.append(_bars(report["bars"]))
    return "\n".join(section for section in sections if section)


def _name(asked: dict[str, Any]) -> str:
    return "-".join(str(width) for width in asked["widths"])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown, the first column to the left and the others to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _against_forward(results: dict[str, dict[str, Any]]) -> str:
    names = {"residual": "ResNet-20", "convolutional": "two convolutions, two dense layers", "wide": "dense"}
    head = [
        "network",
        "units",
        "cells",
        "vertices",
        "seconds",
        "forward",
        "ratio",
        "in affine nodes",
        "peak memory",
        "batches",
        "undecided",
        "threads",
    ]
    rows = []
    for name, title in names.items():
        if name not in results:
            continue
        found, asked = results[name]["found"], results[name]["asked"]
        if name == "wide":
            title = _name(asked)
        if found.get("checkpoint"):
            title += ", trained"
        rows.append(
            [title, *(f"{found[key]:,}" for key in ("units", "cells", "vertices")), f"{found['seconds']:.3g}"]
        )
        rows[-1] += [
            f"{found['forward']['seconds']:.3g} s",
            f"{found['forward']['ratio']:.2f}",
            f"{found['affine_share']:.0%}",
        ]
        rows[-1] += [f"{found['memory']['peak_bytes'] / 1e6:,.0f} MB"]
        rows[-1] += [f"{found[key]:,}" for key in ("batches", "undecided", "threads")]
    return "## Against a forward pass\n\n" + table(head, rows) if rows else ""


def _growth(result: dict[str, Any]) -> str:
    rows = [
        [
            f"{step['half_width']:g}",
            f"{step['cells']:,}",
            f"{step['seconds']:.3g}",
            f"{1e6 * step['seconds'] / step['cells']:.3g}",
        ]
        for step in result["found"]["steps"]
    ]
    title = f"{_name(result['asked'])}, weights times {result['asked']['weight_scale']:g}, on windows of growing half-width"
    lines = table(["half-width", "cells", "seconds", "microseconds a cell"], rows)
    power = f"{result['found']['exponent']:.3f}"
    return f"## Growth\n\n{title}, counted batch by batch: seconds grow as cells to the power {power}.\n\n{lines}"


def _workers(result: dict[str, Any]) -> str:
    found = result["found"]
    head = ["network", "cells", "batches", "one worker", "two workers", "speed-up"]
    row = [_name(result["asked"]), f"{found['cells']:,}", f"{found['batches']:,}"]
    row += [f"{found['seconds_one']:.3g} s", f"{found['seconds_two']:.3g} s", f"{found['speedup']:.2f}"]
    return "## Workers\n\n" + table(head, [row])


def _bars(bars: Iterable[dict[str, Any]]) -> str:
    verdict = {True: "yes", False: "**no**"}
    rows = [
        [b["what"], f"{b['sense']} {b['limit']:,}", f"{b['measured']:,.7g}", verdict[b["passed"]]]
        for b in bars
    ]
    return "## Bars\n\n" + table(["bar", "wanted", "measured", "reached"], rows)
