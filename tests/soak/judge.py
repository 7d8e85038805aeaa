"""Verdicts on a run: the exit code and what was said, the files that it left, and what a repeat made of them.

Complaints begin with their kind and a colon.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.contents import UnreadableError, digest, files_below, timeless, words
from tests.soak.damage import is_store, is_temporary
from tests.soak.processes import Ending
from tests.soak.requests import Request

__all__ = ["Files", "of_ending", "of_files", "of_repeat"]

DOCUMENTED = frozenset({0, 2, 3, 4, 5, 6})
"""Exit codes of a run that nothing disturbs; 1 is a failure that nobody expected"""


_NOTHING_IN_TIME = ("time was up before", "the budget ended before")
"""What errors say where nothing that is worth a file was done in time"""


@dataclass(frozen=True)
class Files:
    """Files below a folder with the digests of what they hold."""

    digests: dict[str, str]
    complaints: list[str] = field(default_factory=list)


def of_ending(
    run: str,
    ending: Ending,
    reference: Ending | None = None,
    others: frozenset[int] = frozenset(),
    *,
    timed: bool = False,
) -> list[str]:
    """Complaints about how a run ended; beside the code of the reference, or any documented one where there
    is none, it may be one of ``others``."""
    if ending.code is None:
        return [f"hung: {run}, {ending.seconds:.0f} s"]
    found = []
    usual = DOCUMENTED if reference is None else {reference.code}
    if timed:
        nothing = any(words in ending.last_words for words in _NOTHING_IN_TIME)
        usual = usual | ({0, 4, 5} if nothing else {0, 5})
    if ending.code not in usual | others:
        expected = ", ".join(map(str, sorted(code for code in usual | others if code is not None)))
        found.append(f"exit code: {run}, {ending.code}, expected {expected}: {ending.last_words}")
    if "Traceback (most recent call last)" in ending.err:
        found.append(f"traceback: {run}: {ending.last_words}")
    if ending.left:
        found.append(f"processes left: {run}, {ending.left}")
    return found


def of_files(run: str, folder: Path, known: Files | None, *, ended: bool, old: set[str]) -> Files:
    """Files of a folder, and complaints about those that are half written, foreign or left over.

    ``known`` are the files of the reference, with which they must agree; ``ended`` is false for a run that was
    killed, which may leave temporary files; ``old`` are names of files that stood there before.
    """
    digests, complaints = dict[str, str](), list[str]()
    for name, path in files_below(folder).items():
        if is_temporary(name):
            if ended:
                complaints.append(f"left over: {run}, {name}")
            continue
        if name in old and path.read_bytes().startswith(b"earlier "):
            digests[name] = "earlier"
            continue
        if known is not None and is_store(name):
            continue
        try:
            digests[name] = digest(path)
        except UnreadableError as error:
            complaints.append(f"not whole: {run}, {name}: {error}")
            continue
        if known is not None and not name.endswith("/") and known.digests.get(name) != digests[name]:
            complaints.append(f"not the same: {run}, {name}")
    return Files(digests, complaints)


def of_repeat(request: Request, first: tuple[Ending, Files], last: tuple[Ending, Files]) -> list[str]:
    """Complaints about a repeat that does not come to what the undisturbed run came to."""
    if request.timed:
        return []
    before, after = first[1].digests, last[1].digests
    found = [f"missing: repeated, {name}" for name in sorted(before.keys() - after.keys())]
    found += [f"left over: repeated, {name}" for name in sorted(after.keys() - before.keys())]
    found += [
        f"not the same: repeated, {name}"
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name]
    ]
    if not request.outputs and first[0].code == last[0].code and _said(first[0]) != _said(last[0]):
        found.append("not the same: repeated, stdout")
    return found


def _said(ending: Ending) -> object:
    """Stdout without times: as JSON where it is, else its words."""
    try:
        return timeless(json.loads(ending.out))
    except ValueError:
        return words(ending.out)
