"""Are the cells those of the network? Patterns, the units of edges, and no kink within a cell."""

from __future__ import annotations

import numpy as np

from splineviz.checking.claim import Claim
from splineviz.checking.evidence import Evidence, runs
from splineviz.checking.network import Layout
from splineviz.checking.report import Check, Verdict, judge
from splineviz.program.program import Maximum

__all__ = [
    "check_distinct",
    "check_edge_units",
    "check_kinks",
    "check_states",
    "claimed_numbers",
    "stored_bits",
]

_NUMBERS = 2**23


def check_distinct(claim: Claim, evidence: Evidence) -> Check:
    """Equal hash if and only if equal pattern; the stored hash is taken as a name, and not computed again."""
    unsure = evidence.patterns.unsure.any(1)
    sure = np.flatnonzero(~unsure)
    _, by_hash = np.unique(claim.pattern_hash, axis=0, return_inverse=True)
    _, by_pattern = np.unique(evidence.patterns.on[sure], axis=0, return_inverse=True)
    names, things = by_hash.reshape(-1), by_pattern.reshape(-1)
    order = np.lexsort((names, claim.cell_window))
    bad = [order[1:][(np.diff(claim.cell_window[order]) == 0) & (np.diff(names[order]) == 0)]]
    for one, other in ((names[sure], things), (things, names[sure])):
        order = np.lexsort((other, one))
        bad.append(sure[order[1:][(np.diff(one[order]) == 0) & (np.diff(other[order]) != 0)]])
    sentence = "patterns inside cells are distinct, and equal if and only if their hashes are"
    return judge(
        "patterns", sentence, "cells", claim.n_cells, bad=np.concatenate(bad), unsure=np.flatnonzero(unsure)
    )


def check_states(claim: Claim, layout: Layout, evidence: Evidence) -> Check:
    """Stored activation patterns are those of forward passes inside the cells."""
    name, sentence = "states", "stored patterns are those inside the cells"
    if not claim.patterns:
        return Check(name, sentence, Verdict.SKIPPED, "cells", note="no patterns in the file")
    sizes = tuple(len(parents) for _, parents in claim.patterns)
    if not _hold_units(claim, layout) or (claim.covers and sizes != claim.cells_per_stage):
        return judge(
            name, f"{sentence}, but of other sizes", "cells", claim.n_cells, bad=np.arange(claim.n_cells)
        )
    wrong, rows = np.zeros(claim.n_cells, bool), np.arange(claim.n_cells)
    for stage, (words, parents) in reversed(list(enumerate(claim.patterns))):
        columns = slice(*layout.first_column[[layout.first_unit[stage], layout.first_unit[stage + 1]]])
        for cells in runs(claim.n_cells, max(1, _NUMBERS // max(1, layout.n_units))):
            told = layout.columns_of(stage, _states(layout, stage, words[rows[cells]]))
            found, open_ = (
                np.unpackbits(bits[cells], axis=1, count=evidence.patterns.n_columns).view(bool)[:, columns]
                for bits in (evidence.patterns.on, evidence.patterns.unsure)
            )
            wrong[cells] |= ((told != found) & ~open_).any(1)
        rows = parents[rows]
    unsure = np.flatnonzero(evidence.patterns.unsure.any(1))
    bad = np.flatnonzero(wrong | (rows != claim.cell_window))
    return judge(name, sentence, "cells", claim.n_cells, bad=bad, unsure=unsure)


def stored_bits(claim: Claim, layout: Layout, cell: int) -> np.ndarray | None:
    """(columns,) bool: the pattern that the file says a cell has; None where it says none that can be one."""
    if not claim.patterns or not _hold_units(claim, layout):
        return None
    row, parts = cell, [np.zeros(0, bool)]
    for stage, (words, parents) in reversed(list(enumerate(claim.patterns))):
        states, node = _states(layout, stage, words[row : row + 1]), layout.nodes[stage]
        if isinstance(node, Maximum) and not _are_candidates(node, states[0]):
            return None
        parts.insert(0, layout.columns_of(stage, states)[0])
        row = int(parents[row])
    return np.concatenate(parts)


def _are_candidates(node: Maximum, places: np.ndarray) -> bool:
    """Whether each unit has a candidate at its place."""
    unit, there = np.arange(len(places)), places < node.windows.shape[1]
    return bool(there.all() and (node.windows[unit, places] >= 0).all())


def _hold_units(claim: Claim, layout: Layout) -> bool:
    """Whether stored patterns have the words that the units of all stages take."""
    words = [words.shape[1] for words, _ in claim.patterns]
    return words == [_n_words(layout, stage) for stage in range(len(layout.nodes))]


def _n_words(layout: Layout, stage: int) -> int:
    """Words of 64 bits that hold the states of a stage: a group of them for each bit."""
    return int(layout.bits[stage]) * -(-int(layout.sizes[stage]) // 64)


def _states(layout: Layout, stage: int, words: np.ndarray) -> np.ndarray:
    """(N, units) states of one stage, whose bits of one value are in one of equal groups of words."""
    n, bits = int(layout.sizes[stage]), int(layout.bits[stage])
    raw = np.ascontiguousarray(words).astype("<u8").view(np.uint8).reshape(len(words), bits, -1)
    places = np.unpackbits(raw, axis=2, bitorder="little")[:, :, :n].astype(np.int64)
    states: np.ndarray = (places << np.arange(bits)[None, :, None]).sum(1)
    return states


def check_edge_units(claim: Claim, layout: Layout, evidence: Evidence) -> Check:
    """The units whose states differ between forward passes on the two sides are those that the edge names."""
    wrong, open_, nameless = _compare(claim, layout, evidence)
    lengths = np.diff(claim.unit_offsets)
    bad = [wrong, nameless]
    if claim.covers:
        bad.append(np.flatnonzero(~claim.inner & (lengths > 0)))
    sentence = "exactly the units that an edge names change across it"
    return judge(
        "edge units", sentence, "edges", int(claim.inner.sum()), bad=np.concatenate(bad), unsure=open_
    )


def _compare(claim: Claim, layout: Layout, evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    edges, claimed = np.flatnonzero(claim.inner), claimed_numbers(claim, layout)
    strange = np.repeat(np.arange(len(claim.edges)), np.diff(claim.unit_offsets))[claimed < 0]
    wrong, open_ = [strange], []
    for some in runs(len(edges), max(1, _NUMBERS // max(1, layout.n_units))):
        rows = edges[some]
        left, right = claim.edge_cells[rows].T
        differ, doubt = (layout.by_unit(x) for x in evidence.patterns.same_as(left, evidence.patterns, right))
        named = np.zeros((len(rows), layout.n_units), dtype=bool)
        first, last = claim.unit_offsets[rows], claim.unit_offsets[rows + 1]
        entry = np.repeat(
            first - np.concatenate([[0], np.cumsum(last - first)[:-1]]), last - first
        ) + np.arange((last - first).sum())
        units = claimed[entry]
        named[np.repeat(np.arange(len(rows)), last - first)[units >= 0], units[units >= 0]] = True
        wrong.append(rows[((differ != named) & ~doubt).any(1)])
        open_.append(rows[doubt.any(1)])
    owner = np.repeat(np.arange(len(claim.edges)), np.diff(claim.unit_offsets))
    order = np.lexsort((claimed, owner))
    wrong.append(owner[order[1:]][(np.diff(owner[order]) == 0) & (np.diff(claimed[order]) == 0)])
    nameless = edges[np.diff(claim.unit_offsets)[edges] == 0]
    return np.concatenate(wrong), np.concatenate(open_) if open_ else edges[:0], nameless


def claimed_numbers(claim: Claim, layout: Layout) -> np.ndarray:
    """(N,) the number among all units of each row of ``claim.units``; -1 where there is no such unit."""
    stage, unit = claim.units.T
    known = (stage >= 0) & (stage < len(layout.sizes))
    known[known] &= (unit[known] >= 0) & (unit[known] < layout.sizes[stage[known]])
    numbers = np.full(len(stage), -1, dtype=np.int64)
    numbers[known] = layout.first_unit[stage[known]] + unit[known]
    return numbers


def check_kinks(claim: Claim, evidence: Evidence) -> Check:
    """No unit changes its state within a cell: with the derivatives at its point, each has the same state at
    all corners.

    Stage by stage this proves that the network is affine on the cell: what enters a stage is, since no
    earlier unit changes there.
    """
    slack = claim.slack[claim.cell_window]
    sentence = "no unit changes within a cell: it has one state at all corners"
    unsure = evidence.patterns.unsure.any(1)
    bad = np.flatnonzero((evidence.cut > slack) & ~unsure)
    worst, limit = evidence.cut.max(initial=0.0, where=~unsure), claim.slack.max()
    return judge(
        "kinks",
        sentence,
        "cells",
        claim.n_cells,
        bad=bad,
        unsure=np.flatnonzero(unsure),
        closeness=(worst, limit),
    )
