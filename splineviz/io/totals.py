"""Totals over the batches of a stream."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from splineviz.arrangement.verdict import Status, proven_up_to
from splineviz.io.provenance import certificate_of, provenance

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["Totals"]

_AREA = 1e-9
"""Share of the windows' area by which those of all cells may miss it"""


@dataclass(slots=True)
class Totals:
    """Counts and areas of all batches so far; a whole arrangement counts as one batch.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> program = sv.load_program(torch.nn.Sequential(torch.nn.Linear(2, 9), torch.nn.ReLU()))
    >>> request = program, sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9)
    >>> totals = Totals()
    >>> for batch in sv.stream(*request):
    ...     totals.add(batch)
    >>> totals.cells == sv.arrange(*request).n_cells, round(totals.covered, 9)
    (True, 1.0)
    """

    cells: int = 0
    area: float = 0.0
    """Area of all cells, in squared input distance."""
    covered: float = 0.0
    """Share of the windows"""
    cells_per_stage: list[int] = field(default_factory=list)
    certify: str = "off"
    decisions: int = 0
    proven: int = 0
    undecided: int = 0
    re_evaluated: int = 0
    in_doubt: int = 0
    share_in_doubt: float = 0.0
    """Share of the windows' area"""
    decisions_per_stage: list[int] = field(default_factory=list)
    proven_per_stage: list[int] = field(default_factory=list)
    largest_bound: float = 0.0
    largest_displacement: float | None = 0.0
    smallest_cell: float | None = None
    batches: int = 0
    seconds: float = 0.0
    """Seconds from the request to the last batch."""
    incomplete: bool = False
    last: Arrangement | None = None
    """The latest batch, which knows planes, windows and network"""

    def add(self, batch: Arrangement) -> None:
        """Add a batch."""
        area, stats = float(batch.areas.sum()), batch.stats
        self.cells += batch.n_cells
        self.area += area
        self.covered = min(1.0, self.covered + batch.covered)
        for name in ("cells_per_stage", "decisions_per_stage", "proven_per_stage"):
            setattr(
                self,
                name,
                [a + b for a, b in zip_longest(getattr(self, name), getattr(stats, name), fillvalue=0)],
            )
        self.certify = stats.certify
        self.decisions += stats.decisions
        self.proven += stats.proven
        self.largest_bound = max(self.largest_bound, stats.largest_bound)
        if self.largest_displacement is not None:
            own = stats.largest_displacement
            self.largest_displacement = None if own is None else max(self.largest_displacement, own)
        if batch.n_cells:
            self.smallest_cell = min(self.smallest_cell or math.inf, float(batch.areas.min()))
        self.undecided += stats.undecided
        self.re_evaluated += stats.re_evaluated
        self.in_doubt += stats.in_doubt
        self.share_in_doubt = min(1.0, self.share_in_doubt + stats.share_in_doubt)
        self.batches += stats.batches
        self.seconds = max(self.seconds, stats.seconds)
        self.incomplete |= batch.status is Status.INCOMPLETE
        self.last = batch

    @property
    def certified(self) -> bool:
        """Whether every decision is proven, and nothing is in doubt."""
        return self.certify != "off" and self.undecided == 0 and self.status is not Status.IN_DOUBT

    @property
    def proven_up_to(self) -> int | None:
        """The last stage up to which every decision is proven; None if not even those of the first are."""
        return proven_up_to(self.certify, self.decisions_per_stage, self.proven_per_stage)

    @property
    def status(self) -> Status:
        """Status of all batches together; in doubt, too, where the areas of all cells are not those of the
        windows."""
        if self.incomplete or self.last is None:
            return Status.INCOMPLETE
        windows = sum(window.area for window in self.last.windows)
        if self.in_doubt or not abs(self.area - windows) <= _AREA * windows:
            return Status.IN_DOUBT
        return Status.UNDECIDED if self.undecided else Status.COMPLETE

    def provenance(self, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The card of the whole, as :func:`splineviz.io.provenance.provenance` makes it."""
        assert self.last is not None
        sums = {
            "status": self.status.name,
            "exact": certificate_of(self, self.smallest_cell),
            "cells": self.cells,
        }
        return provenance(self.last, extra={**sums, **(extra or {})})

    def counts(self) -> dict[str, Any]:
        """Counts of all batches together, as JSON."""
        return {
            "status": self.status.name.lower(),
            "cells": self.cells,
            "area": self.area,
            "covered": self.covered,
            "cells_per_stage": self.cells_per_stage,
            "exact": certificate_of(self, self.smallest_cell),
            "batches": self.batches,
            "seconds": self.seconds,
        }
