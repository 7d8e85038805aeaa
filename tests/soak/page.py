"""The tables of docs/reliability.md, from the figures that runs left: ``python -m tests.soak.page``, or ``make
reliability``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from splineviz.files import atomic_path
from tests.soak.figures import Figures, Group
from tests.soak.promises import PROMISES

__all__ = ["with_tables", "write_page"]

DOCS = Path(__file__).parents[2] / "docs"
_TABLE = re.compile(r"(<!-- (\w+): [^>]*-->\n).*?(<!-- end -->)", re.DOTALL)


def write_page(docs: Path = DOCS) -> None:
    """Bring the tables of a folder's reliability.md up to date."""
    page = docs / "reliability.md"
    text = with_tables(page.read_text(encoding="utf-8"), docs)
    with atomic_path(page) as path:
        path.write_text(text, encoding="utf-8")


def with_tables(text: str, docs: Path) -> str:
    """A text with what stands between its marks brought up to date.

    Raises
    ------
    ValueError
        If a table has no mark.
    """
    soak: Figures = json.loads((docs / "soak.json").read_text(encoding="utf-8"))
    tables: dict[str, Callable[[], str]] = {
        "promises": lambda: _promises(docs),
        "run": lambda: _run(soak),
        "faults": lambda: _groups("fault", soak["faults"]),
        "commands": lambda: _groups("command", soak["commands"]),
        "failed": lambda: _failed(soak),
    }
    marks = {match[2] for match in _TABLE.finditer(text)}
    if marks != set(tables):
        raise ValueError(
            f"expected marks for {', '.join(tables)}, found {', '.join(sorted(marks)) or 'none'}"
        )
    return _TABLE.sub(lambda match: f"{match[1]}{tables[match[2]]()}\n{match[3]}", text)


def _promises(docs: Path) -> str:
    rows = [f"| {row.promise} | {row.tested} | {row.result(docs)} |" for row in PROMISES]
    return "\n".join(["| promise | how it is tested | last result |", "| --- | --- | --- |", *rows])


def _run(soak: Figures) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in soak["versions"].items())
    memory = soak["memory"]
    skipped = "".join(f" {n:,} more were skipped: {reason}." for reason, n in soak["skipped"].items())
    wrong = ", ".join(f"{kind} {n:,}" for kind, n in soak["wrong"].items())
    return (
        f"**{soak['trials']:,} trials, {soak['runs']:,} runs, {soak['killed']:,} of them killed, "
        f"{soak['damaged']:,} damaged stores, {soak['files']:,} files read back; {soak['failures']:,} failures{' (' + wrong + ')' if wrong else ''}.** "
        f"In {soak['refused']:,} trials the input was refused, in {soak['incomplete']:,} a budget left the result "
        f"incomplete. {soak['places']['one process']['trials']:,} trials were disturbed in one process that ran "
        f"one after the other; it held {memory.get('early', 0):,} MB early on, {memory.get('late', 0):,} MB late. "
        f"{soak['minutes']:,} minutes; {soak['jobs']} workers on {soak['cores']} cores; {versions}; "
        f"{soak['date']}.{skipped}"
    )


def _groups(what: str, groups: dict[str, Group]) -> str:
    rows = [
        f"| {name} | {group['trials']:,} | {group['struck']:,} | {group['failures']:,} |"
        for name, group in groups.items()
    ]
    return "\n".join([f"| {what} | trials | met | failures |", "| --- | ---: | ---: | ---: |", *rows])


def _failed(soak: Figures) -> str:
    if not soak["failed"]:
        return "None failed."
    rows = [f"| {row['seed']} | `{_cell(row['command'])}` | {_cell(row['what'])} |" for row in soak["failed"]]
    return "\n".join(["| seed | command | what was wrong |", "| ---: | --- | --- |", *rows])


def _cell(text: int | str) -> str:
    return str(text).replace("|", "\\|")


if __name__ == "__main__":
    write_page()
