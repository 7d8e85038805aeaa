"""Cells derived again in exact arithmetic: where float64 leaves something open, or all of them.

A cell with a pattern is the polygon in which all units have their states of it. Exact arithmetic tells
whether that polygon has inner points, and where its corners are. Which pattern to try comes from the claims
of the file: that of a neighbour that is certain, with the units of their common edge switched. How it was
guessed does not matter for what is proven then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from splineviz.checking.claim import Claim
from splineviz.checking.evidence import Evidence
from splineviz.checking.exact import ExactNetwork, Forms, NotExactError, States, states_at, states_of
from splineviz.checking.network import Network
from splineviz.checking.patterns import claimed_numbers, stored_bits
from splineviz.checking.polygon import Polygon
from splineviz.checking.polygon_checks import degenerate_cells, narrow_cells, outside_points
from splineviz.checking.report import Check, Verdict, judge
from splineviz.program.program import Maximum

__all__ = ["Settled", "check_exact", "check_exact_areas", "settle"]

_AREA_BITS = 600
"""Exact areas are added to this many binary places."""


@dataclass
class Settled:
    """Findings of exact arithmetic."""

    cells: np.ndarray
    """(F,) bool: derived again, and as claimed."""
    wrong: list[int] = field(default_factory=list)
    """Cells that the network does not have, or not with these corners."""
    left: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Cells that should have been settled and were not."""
    reason: str = ""
    """Reason why they were not."""
    areas: dict[int, int] = field(default_factory=dict)
    """Of each window, the exact areas of settled cells, each rounded down to a multiple of 2^-600 and counted
    in these."""
    thin: dict[int, Fraction] = field(default_factory=dict)
    """Exact areas of settled cells whose area is given apart."""
    beyond: float = 0.0
    """Largest distance by which stored corners miss the lines of the exact polygon; see `Polygon.misfit`."""
    farthest: float = 0.0
    """Largest distance of an exact corner from the stored ones: where two lines are nearly parallel, more
    than from their lines."""


def settle(claim: Claim, network: Network, evidence: Evidence, limit: int | None) -> Settled:
    """Derive again the cells that float64 leaves open, at most ``limit``; or all cells, for None. Their
    patterns become certain."""
    slack = claim.slack[claim.cell_window]
    untold = [
        # A point that is not inside its cell says nothing of it,
        *(degenerate_cells(claim), narrow_cells(claim), outside_points(claim)),
        # nor do values whose rounding reaches farther than corners may be off.
        np.flatnonzero((evidence.seeming_cut > slack) & (evidence.cut <= slack)),
    ]
    evidence.patterns.unsure[np.concatenate(untold)] = 255
    open_ = np.union1d(np.flatnonzero(evidence.patterns.unsure.any(1)), claim.thin_cells)
    result = Settled(np.zeros(claim.n_cells, dtype=bool))
    if limit is not None and not len(open_):
        return result
    try:
        exact = ExactNetwork(network)
    except NotExactError as error:
        result.left, result.reason = open_ if limit is not None else np.arange(claim.n_cells), str(error)
        return result
    work = _Settler(claim, network, evidence, exact, result)
    if limit is None:
        for cell in np.setdiff1d(np.arange(claim.n_cells), open_):
            work.confirm(
                int(cell),
                states_of(network.layout, evidence.patterns.bits(np.array([cell]))[0]),
                certain=True,
            )
    tried = work.spread(set(open_.tolist()), len(open_) if limit is None else limit)
    result.left = np.setdiff1d(open_[~result.cells[open_]], result.wrong).astype(np.int64)
    if len(result.left):
        result.reason = (
            f"only {limit:,} cells were to be settled exactly"
            if len(tried) < len(open_)
            else "no pattern to try was right"
        )
    return result


@dataclass
class _Settler:
    claim: Claim
    network: Network
    evidence: Evidence
    exact: ExactNetwork
    result: Settled

    def __post_init__(self) -> None:
        claim = self.claim
        self.numbers = claimed_numbers(claim, self.network.layout)
        self.thin = frozenset(claim.thin_cells.tolist())
        other = np.where(claim.edge_cells[claim.side_edge, 0] == claim.side_cell, 1, 0)
        self.across = claim.edge_cells[claim.side_edge, other]

    def spread(self, open_: set[int], limit: int) -> set[int]:
        """Settle cell after cell from the neighbours of certain ones, at most ``limit``; returns those tried.
        ``open_`` shrinks."""
        tried: set[int] = set()
        waiting = [cell for cell in sorted(open_) if self._guide(cell, open_) is not None]
        rest = iter(sorted(open_))
        while len(tried) < limit:
            if not waiting:
                if (cell := next((c for c in rest if c not in tried), None)) is None:
                    break
                waiting.append(cell)
            cell = waiting.pop()
            if cell in tried:
                continue
            tried.add(cell)
            if self._settle(cell, self._guide(cell, open_)):
                open_.discard(cell)
                waiting += [
                    other for other in self._neighbours(cell) if other in open_ and other not in tried
                ]
        return tried

    def _neighbours(self, cell: int) -> list[int]:
        across = self.across[self.claim.offsets[cell] : self.claim.offsets[cell + 1]]
        return [int(other) for other in across if other >= 0]

    def _guide(self, cell: int, open_: set[int]) -> int | None:
        """A side of a cell across which the pattern is certain; rather one where no maximum changes, to one
        of several places."""
        sides = range(self.claim.offsets[cell], self.claim.offsets[cell + 1])
        certain = [side for side in sides if self.across[side] >= 0 and self.across[side] not in open_]
        return min(certain, key=lambda side: len(self._maxima(side)), default=None)

    def _units(self, side: int) -> np.ndarray:
        edge = self.claim.side_edge[side]
        named = self.numbers[self.claim.unit_offsets[edge] : self.claim.unit_offsets[edge + 1]]
        return named[named >= 0]

    def _maxima(self, side: int) -> list[int]:
        layout = self.network.layout
        stage = np.searchsorted(layout.first_unit, self._units(side), side="right") - 1
        return [
            int(u)
            for u, s in zip(self._units(side), stage, strict=True)
            if isinstance(layout.nodes[s], Maximum)
        ]

    def _settle(self, cell: int, guide: int | None) -> bool:
        layout = self.network.layout
        if guide is None or self._maxima(guide):
            # Which candidate leads is not among the claims on an edge. A point may lie in a neighbour, which
            # cannot be told from a thin cell by corners.
            told = stored_bits(self.claim, layout, cell)
            if told is not None and self.confirm(cell, states_of(layout, told), certain=False):
                return True
            return self.confirm(cell, states_at(layout, self.claim.points[cell]), certain=False)
        bits = self.evidence.patterns.bits(self.across[guide : guide + 1])[0].copy()
        columns = layout.first_column[self._units(guide)]
        bits[columns] = ~bits[columns]
        return self.confirm(cell, states_of(layout, bits), certain=True)

    def confirm(self, cell: int, states: States, *, certain: bool) -> bool:
        """Whether these states have a polygon, and it is that of the cell; if not, and no others may be
        tried, it is wrong."""
        claim, layout = self.claim, self.network.layout
        window, given = claim.cell_window[cell], []

        def noted(stage: int, value: object) -> np.ndarray:
            given.append(states(stage, value))  # type: ignore[arg-type]
            return given[-1]

        switches, output = self.exact.walk(claim.planes[window], noted)
        polygon: Polygon | None = Polygon.of(claim.windows[window].vertices)
        for switch in switches:
            polygon = None if polygon is None else polygon.within(switch.forms, switch.may_vanish)
        stored = self._corners(cell)
        off = np.inf if polygon is None else polygon.misfit(stored)
        if polygon is None or off > claim.slack[window]:
            if certain:
                self.result.wrong.append(cell)
            return False
        columns = [layout.columns_of(stage, here[None])[0] for stage, here in enumerate(given)]
        self.evidence.patterns.settle(cell, np.concatenate([np.zeros(0, dtype=bool), *columns]))
        self.result.cells[cell] = True
        self.evidence.cut[cell] = off
        if output is not None:
            self._replace(cell, output)
        self.result.beyond = max(self.result.beyond, off)
        missed = float(np.hypot(*(polygon.rounded[:, None] - stored).transpose(2, 0, 1)).min(1).max())
        self.result.farthest = max(self.result.farthest, missed)
        area = polygon.area
        if cell in self.thin:
            self.result.thin[cell] = area
        self.result.areas[window] = (
            self.result.areas.get(window, 0) + (area.numerator << _AREA_BITS) // area.denominator
        )
        return True

    def _replace(self, cell: int, output: Forms) -> None:
        """Replace the findings of the pass at the cell's point by exact ones: that point may lie in another
        cell."""
        assert self.evidence.value is not None
        assert self.evidence.gradient is not None
        here = np.array([*map(Fraction, self.claim.points[cell].tolist()), Fraction(1)], dtype=object)
        value, gradient = output.numerators @ here, output.numerators[:, :2]
        self.evidence.value[cell] = _quotients(value, output.denominator)
        self.evidence.gradient[cell] = _quotients(gradient, output.denominator)

    def _corners(self, cell: int) -> np.ndarray:
        corners = self.claim.corner[self.claim.offsets[cell] : self.claim.offsets[cell + 1]]
        return np.asarray(self.claim.vertices[corners])


def _quotients(numbers: np.ndarray, denominator: int) -> np.ndarray:
    """Whole numbers or fractions over one, rounded; infinite beyond the largest float64."""

    def rounded(number: int | Fraction) -> float:
        try:
            return float(Fraction(number) / denominator)
        except OverflowError:
            return math.inf if number > 0 else -math.inf

    found: np.ndarray = np.vectorize(rounded, otypes=[float])(numbers)
    return found


def check_exact(claim: Claim, settled: Settled) -> Check:
    """Cells derived again in exact arithmetic are there, and have the stored corners."""
    sentence = "cells derived in exact arithmetic are there, with the stored corners"
    examined = int(settled.cells.sum()) + len(settled.wrong)
    if not examined and not len(settled.left):
        return Check("exact", sentence, Verdict.SKIPPED, "cells", note="float64 left nothing open")
    wrong, limit = np.array(settled.wrong, dtype=np.int64), claim.slack.max()
    found = judge(
        "exact",
        sentence,
        "cells",
        examined,
        bad=wrong,
        unsure=settled.left,
        closeness=(settled.beyond, limit),
    )
    note = f"corners are stored up to {settled.farthest:.1e} from their places" if settled.cells.any() else ""
    return replace(found, note="; ".join(part for part in (settled.reason, note) if part))


def check_exact_areas(claim: Claim, settled: Settled) -> Check:
    """Check by areas that no cell is missing, if all were derived again: they cannot overlap, as patterns
    differ."""
    sentence = f"the exact areas of all cells make up the window to 2^-{_AREA_BITS}"
    if not settled.cells.all() or not claim.covers:
        return Check(
            "exact areas",
            sentence,
            Verdict.SKIPPED,
            "windows",
            note="not all cells were derived in exact arithmetic",
        )
    counts = np.bincount(claim.cell_window, minlength=len(claim.windows))
    bad = []
    for number, window in enumerate(claim.windows):
        area = Polygon.of(window.vertices).area
        gap = (area.numerator << _AREA_BITS) // area.denominator - settled.areas.get(number, 0)
        if not 0 <= gap <= counts[number]:
            bad.append(number)
    return judge("exact areas", sentence, "windows", len(claim.windows), bad=np.array(bad))
