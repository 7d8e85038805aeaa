"""Findings of a check: a verdict for each thing that was verified, with how much of it, how closely, and
where it fails."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

__all__ = ["Check", "CheckReport", "Verdict", "judge"]

_NAMED = 10  # offenders that a report names; it counts them all


class Verdict(enum.Enum):
    """End of one check, in the word that the table shows."""

    HOLDS = "holds"
    FAILS = "FAILS"
    OPEN = "open"
    """Verdict where nothing contradicts the claim, and some of it could not be verified."""
    SKIPPED = "not asked"
    """The file does not claim it, or what it rests on has failed."""


@dataclass(frozen=True)
class Check:
    """One thing that was verified."""

    name: str
    claim: str
    """The sentence that holds, or does not."""
    verdict: Verdict
    kind: str
    """Things that were counted: cells, edges, ..."""
    examined: int = 0
    failed: int = 0
    open: int = 0
    """Number of those that could not be verified."""
    worst: float | None = None
    """The largest deviation met; ``limit`` says how large it may be."""
    limit: float | None = None
    offenders: tuple[int, ...] = ()
    """Numbers of the first of the ``kind`` that fail, or, if none does, that are open."""
    note: str = ""


@dataclass(frozen=True)
class CheckReport:
    """All checks of one arrangement; see docs/checking.md for what each of them proves."""

    checks: tuple[Check, ...]
    program: str
    digest: str
    """sha256 of the network that the arrangement was checked against."""
    cells: int
    vertices: int
    edges: int
    windows: int
    status: str
    """Status that the arrangement gives itself."""
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing fails; something may still be open."""
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        """Checks that fail."""
        return tuple(check for check in self.checks if check.verdict is Verdict.FAILS)

    @property
    def open(self) -> tuple[Check, ...]:
        """The checks of which a part could not be verified."""
        return tuple(check for check in self.checks if check.verdict is Verdict.OPEN)

    def __getitem__(self, name: str) -> Check:
        return next(check for check in self.checks if check.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command writes them with ``--json``."""
        card = {key: value for key, value in asdict(self).items() if key != "checks"}
        rows = [{**asdict(check), "verdict": check.verdict.name.lower()} for check in self.checks]
        return {"ok": self.ok, **card, "checks": rows}

    def __str__(self) -> str:
        rows = [(check.name, check.verdict.value, check.claim) for check in self.checks]
        return "\n".join(f"{name:<12}{verdict:<11}{claim}" for name, verdict, claim in rows)


def judge(
    name: str,
    claim: str,
    kind: str,
    examined: int,
    *,
    bad: np.ndarray | None = None,
    unsure: np.ndarray | None = None,
    closeness: tuple[float | None, float | None] = (None, None),
    notes: Mapping[str, int] | None = None,
) -> Check:
    """Judge by the numbers of what fails (``bad``) and of what could not be verified (``unsure``).

    ``closeness`` is the worst deviation that was met, and the largest that is allowed. Notes are counted, and
    left out where 0.
    """
    worst, limit = closeness
    bad, unsure = (np.unique(np.zeros(0, np.int64) if part is None else part) for part in (bad, unsure))
    verdict = Verdict.FAILS if len(bad) else Verdict.OPEN if len(unsure) else Verdict.HOLDS
    named = bad if len(bad) else unsure
    return Check(
        name,
        claim,
        verdict,
        kind,
        int(examined),
        len(bad),
        len(unsure),
        None if worst is None else float(worst),
        None if limit is None else float(limit),
        tuple(int(number) for number in named[:_NAMED]),
        "; ".join(f"{count:,} {what}" for what, count in (notes or {}).items() if count),
    )
