"""The measurements of `proofs.py` as a page of Markdown tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from networks_table import table

__all__ = ["to_markdown"]

_INTRODUCTION = """# Proofs on convolutional and deep networks

Made by `make bench-networks` (`bench/proofs.py`), from the same run as [bench-networks-proofs.json](bench-networks-proofs.json).
Each network is arranged on one worker without proofs and with them in turn, in one process: *times off* is the time over that
without proofs. *open* are decisions that are not proven, *stages* those before the first of them, of all; *check* is
`arr.check()`; *moved* is the largest proven distance of a vertex from its exact place, over the window's diameter; *sampled* are
random points at which the module's own float64 pass contradicts the pattern or the output of the cell, of all. A row and mode that
is not done after {limit:,g} seconds is given up.
"""

_HEAD = [
    "network", "proofs", "units", "cells", "s", "times off", "open", "stages", "check", "moved", "sampled"
]  # fmt: skip


def to_markdown(report: Mapping[str, Any]) -> str:
    rows = report["rows"]
    sections = [_INTRODUCTION.format(limit=report["limit"]), *_machines(rows)]
    sections.append(table(_HEAD, [line for name, row in rows.items() for line in _lines(name, row)]))
    if report["bars"]:
        verdict = {True: "yes", False: "**no**"}
        bars = [
            [
                bar["row"],
                bar["what"],
                f"{bar['sense']} {bar['limit']:,g}",
                _number(bar["measured"]),
                verdict[bar["passed"]],
            ]
            for bar in report["bars"]
        ]
        sections.append("## Bars\n\n" + table(["network", "bar", "wanted", "measured", "reached"], bars))
    return "\n".join(sections)


def _machines(rows: Mapping[str, Any]) -> Iterator[str]:
    """A line for each machine and day that rows were measured on."""
    found: dict[str, list[str]] = {}
    for name, row in rows.items():
        facts = row["machine"]
        versions = ", ".join(
            f"{what} {version}" for what, version in facts["versions"].items() if what != "regioncam"
        )
        found.setdefault(f"{facts['cpu']}, {facts['cores']} cores; {versions}; {facts['date']}", []).append(
            name
        )
    for line, names in found.items():
        yield f"{line}{'' if len(found) == 1 else ': ' + ', '.join(names)}.\n"


def _lines(name: str, row: Mapping[str, Any]) -> Iterator[list[str]]:
    units = f"{row['prepared']['units']:,}" if "units" in row["prepared"] else ""
    times = [row[certify]["seconds_off"] for certify in ("fast", "full") if "seconds_off" in row[certify]]
    yield [name, "off", units, "", f"{min(times):.3g}" if times else "", *[""] * 6]
    for certify in ("fast", "full"):
        found = row[certify]
        if "reason" in found:
            yield [name, certify, units, found["reason"], *[""] * 7]
            continue
        sampled, moved = found["sampled"], found["displacement_over_window"]
        yield [
            name,
            certify,
            units,
            f"{found['cells']:,}",
            f"{found['seconds']:.3g}",
            f"{found['ratio']:.2f}",
            f"{found['undecided']:,}",
            f"{found['proven_stages']} of {found['stages']}",
            "passes" if found["check"] is None else "**fails**",
            "not proven" if moved is None else f"{moved:.1e}",
            ""
            if sampled is None
            else f"{max(sampled['wrong_patterns'], sampled['wrong_outputs']):,} of {sampled['points']:,}",
        ]


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:,.4g}"
