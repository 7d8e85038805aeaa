"""The verdict of an arrangement on itself: how it ended, and what was counted on the way."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Stats", "Status", "doubt_note", "proven_up_to"]


def doubt_note(cells: int, share: float) -> str:
    """Sentence on the cells that are in doubt.

    Examples
    --------
    >>> doubt_note(1, 0.25), doubt_note(1204, 0.00031)
    ('1 cell (25 % of the area) is in doubt', '1,204 cells (0.031 % of the area) are in doubt')
    """
    several = cells != 1
    of = f"{100 * share:.2g} % of the area" if share < 0.995 else "all of the area"
    return f"{cells:,} cell{'s' * several} ({of}) {'are' if several else 'is'} in doubt"


def proven_up_to(certify: str, decisions: Sequence[int], proven: Sequence[int]) -> int | None:
    """The last stage up to which all decisions are proven, from their numbers by stage; None if not even
    those of the first are.

    Examples
    --------
    >>> proven_up_to("fast", (90, 20, 70, 50), (90, 20, 30, 50)), proven_up_to("off", (90,), (0,))
    (1, None)
    """
    found = None
    for stage, (all_, some) in enumerate(zip(decisions, proven, strict=True)):
        if certify == "off" or some < all_:
            break
        found = stage
    return found


class Status(enum.Enum):
    """The end of a computation, as the sentence shown to the user."""

    COMPLETE = "complete: the whole window is arranged"
    UNDECIDED = "complete, but some decisions rest on estimates of rounding errors and are not proven"
    IN_DOUBT = (
        "in doubt: the whole window is arranged, but some cells contradict each other or are too thin to tell"
    )
    INCOMPLETE = "incomplete: the budget ended before the window was covered"
    CHOSEN = "part of an arrangement: cells that were of no interest are left out, the others are whole"
    BATCH = "one batch of a larger arrangement: its cells are whole, the others are in other batches"

    @property
    def covers(self) -> bool:
        """Whether the cells cover their windows."""
        return self in (Status.COMPLETE, Status.UNDECIDED, Status.IN_DOUBT)

    def told(self, in_doubt: int, share: float) -> str:
        """The sentence, with the number of cells that are in doubt and their share of the area, if any
        are."""
        return f"{self.value}; {doubt_note(in_doubt, share)}" if in_doubt else self.value


@dataclass(frozen=True)
class Stats:
    """Counts and times of one arrangement."""

    cells_per_stage: tuple[int, ...]
    """Number of cells after each stage that the result's cells are parts of; of a batch, without those that
    the batch before it has parts of too, so that batches add up"""
    decisions: int
    """Combinatorial decisions taken: signs at vertices, orders on edges, orientations of three chords."""
    re_evaluated: int
    """Decisions that proven error bounds left open and exact arithmetic settled."""
    undecided: int
    """Decisions that rest on estimates of errors. With ``certify="off"``, where all do, those taken as a
    coincidence."""
    zeros: int
    """Units that vanish exactly at a vertex of an earlier stage."""
    seconds: float
    seconds_affine: float
    """Seconds of these in the network's affine nodes."""
    batches: int = 1
    """Parts that the faces were worked off in."""
    certify: str = "off"
    """The request: ``full``, ``fast`` or ``off``."""
    proven: int = 0
    """Decisions that follow from proven error bounds or were taken in exact arithmetic."""
    decisions_per_stage: tuple[int, ...] = ()
    proven_per_stage: tuple[int, ...] = ()
    largest_bound: float = 0.0
    """The largest proven error bound of the value of a unit at a vertex."""
    largest_displacement: float | None = None
    """Largest distance of the coordinates of a vertex from its exact place, in uv: proven, and a worst case.
    None where it is not proven. Coordinates that by estimate may be off by more than 2^-32 of
    |origin| + |u| + |v| are rounded from exact ones, by ``full`` always and by ``fast`` as far as its
    allowance goes."""
    in_doubt: int = 0
    """Cells that break a rule of :func:`splineviz.arrangement.consistency.check`, or are too thin for their
    rounded corners and not measured."""
    share_in_doubt: float = 0.0
    """Their share of the windows' area."""

    @property
    def proven_up_to(self) -> int | None:
        """The last stage up to which every decision is proven; None if not even those of the first are."""
        return proven_up_to(self.certify, self.decisions_per_stage, self.proven_per_stage)

    @property
    def certified(self) -> bool:
        """Whether every decision is proven, and nothing is in doubt."""
        return self.certify != "off" and self.undecided == 0 and self.in_doubt == 0
