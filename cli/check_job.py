"""Carry out `splineviz check`, and report: a row for each check, or one JSON object."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from .aligned import aligned
from .progress import check_progress
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.checking import Check, CheckReport

    from .check import CheckOptions

__all__ = ["run_check"]

SCHEMA = "splineviz.check/1"
_WIDEST = 72
"""Letters on a line of the last column"""


def run_check(options: CheckOptions) -> int:
    """Check one file; returns the exit code."""
    import splineviz
    from splineviz.checking import check

    file, reporting = options.file, options.reporting
    chosen: dict[str, Any] = {
        name: getattr(options, name) for name in ("exact_cells", "points", "segments", "seed")
    }
    network: dict[str, Any] = {"weights": options.weights, "weights_key": options.weights_key}
    network |= {**options.ports.how, "outputs": options.output_index}
    with check_progress(reporting.quiet) as progress:
        report = check(file, options.model, progress=progress, **network, **chosen)
    if reporting.as_json:
        head = {"schema": SCHEMA, "version": splineviz.__version__, "file": file, "options": chosen}
        say_json({**head, **report.to_dict()})
    else:
        say(*_table(file, report))
    return 6 if report.failures else 5 if report.open else 0


def _table(file: str, report: CheckReport) -> list[str]:
    counts = f"{report.cells:,} cells, {report.vertices:,} vertices, {report.edges:,} edges, "
    counts += f"{report.windows:,} window(s)"
    about = [f"file     {file}: {counts}", f"network  {report.program}, digest {report.digest[:16]}"]
    rows = [("check", "verdict", "checked", "worst", "what was checked")]
    for check in report.checks:
        first, *others = _words(check)
        rows += [(*_row(check), first), *(("", "", "", "", line) for line in others)]
        rows += [("", "", "", "", f"  {line}") for remark in _remarks(check) for line in _wrapped(remark)]
    return [*about, "", *aligned(rows), "", _verdict(report)]


def _row(check: Check) -> tuple[str, str, str, str]:
    worst = "" if check.worst is None or not check.limit else f"{check.worst:.1e} of {check.limit:.0e}"
    kind = check.kind.removesuffix("s") if check.examined == 1 else check.kind
    counted = f"{check.examined:,} {kind}" if check.examined else ""
    return check.name, check.verdict.value, counted, worst


def _words(check: Check) -> list[str]:
    """Lines of the last column: what was checked, or why it was not."""
    parts = check.note.split("; ") if check.verdict.name == "SKIPPED" else [check.claim]
    return [line for part in parts for line in _wrapped(part)]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDEST, break_on_hyphens=False, subsequent_indent="  ") or [""]


def _remarks(check: Check) -> list[str]:
    """Sentences on what fails, what is open, and what else there is to say."""
    if check.verdict.name == "SKIPPED":
        return []
    failed = [f"{check.failed:,} {check.kind} fail: {_named(check, check.failed)}"] if check.failed else []
    named = "" if check.failed else f": {_named(check, check.open)}"
    open_ = [f"{check.open:,} {check.kind} could not be verified{named}"] if check.open else []
    return [*failed, *open_, *(check.note.split("; ") if check.note else [])]


def _named(check: Check, count: int) -> str:
    names = ", ".join(map(str, check.offenders))
    return f"{names}, ..." if count > len(check.offenders) else names


def _verdict(report: CheckReport) -> str:
    if report.failures:
        return f"FAILS: {', '.join(check.name for check in report.failures)} ({report.seconds:.1f} s)"
    if report.open:
        names = ", ".join(check.name for check in report.open)
        return f"nothing fails; in part open: {names} ({report.seconds:.1f} s)"
    return f"everything that was asked holds ({report.seconds:.1f} s)"
