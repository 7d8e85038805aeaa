"""The upper envelope of the logits inside cells, by clipping each cell with one rival after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.decisions.top_logits import Logits, logits_at
from splineviz.arrangement.polygons import next_side
from splineviz.geometry.csr import Csr

__all__ = ["RIM", "EnvelopePieces", "envelope"]

RIM = -1
"""Marks a side of a piece that is a side of its cell."""


@dataclass(frozen=True)
class EnvelopePieces:
    """Pieces of cells while they are clipped: sides flat, each with its first vertex and the logits there."""

    offsets: np.ndarray
    uv: np.ndarray
    logits: np.ndarray
    """(S, m) logits of the candidate classes of the parent cell."""
    slack: np.ndarray
    """(S,) difference of logits that counts as none."""
    beyond: np.ndarray
    """(S,) candidate on the other side of the side that begins here; -1 on a side of the cell."""
    edge: np.ndarray
    """(S,) edge of the arrangement that the side lies on, where it is a side of the cell"""
    parent: np.ndarray
    """(P,) row of the cell cut."""
    own: np.ndarray
    """(P,) candidate whose piece this is."""


def envelope(
    arr: Cells, logits: Logits, cells: np.ndarray, *, tolerant: bool = True
) -> tuple[EnvelopePieces, np.ndarray]:
    """The pieces of some cells, and the candidate classes of each cell, (cells, m), ascending and padded with
    C.

    Logits must be finite. If ``tolerant``, those that differ by no more than rounding tie; else only equal
    ones.
    """
    polygons, sides = arr.cells.take(cells), arr.cells.places(cells).values
    vertex, offsets, row = polygons.values, polygons.offsets, polygons.row_of
    values, slack = logits_at(logits.maps, logits.cell_of[vertex], arr.vertices[vertex], logits.reach)
    slack = slack if tolerant else np.zeros(len(slack))
    candidates = _candidates(values, slack, logits.winner[vertex], offsets)
    while True:
        padded = np.concatenate([values, np.full((len(values), 1), -np.inf)], axis=1)
        carried = np.take_along_axis(padded, candidates[row], axis=1)
        pieces = _clip_all(
            Csr(offsets, arr.vertices[vertex]),
            arr.cell_edges[sides],
            carried,
            slack,
            candidates < values.shape[1],
        )
        # A class that wins nowhere can still have left its name on a side where three tie: without it the
        # sides are named right.
        wins = np.zeros(candidates.shape, dtype=bool)
        wins[pieces.parent, pieces.own] = True
        if (wins == (candidates < values.shape[1])).all():
            return pieces, candidates
        kept = np.where(wins, candidates, values.shape[1])
        candidates = np.sort(kept, axis=1)[:, : int(wins.sum(1).max())]


def _candidates(values: np.ndarray, slack: np.ndarray, winner: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(cells, m) the classes that no winner at a vertex of the cell beats at all its vertices; padded with C.

    A class can be the largest inside a cell and at none of its vertices, so the winners at the vertices are
    not enough.
    """
    lengths = np.diff(offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    beaten = np.zeros((len(lengths), values.shape[1]), dtype=bool)
    for k in range(int(lengths.max())):  # rounds over the corners of a cell, all cells at once
        rival = winner[offsets[:-1] + np.minimum(k, lengths - 1)][owner]
        lead = np.take_along_axis(values, rival[:, None], axis=1) - values > slack[:, None]
        beaten |= np.logical_and.reduceat(lead, offsets[:-1])
    order = np.argsort(beaten, axis=1, kind="stable")
    count = (~beaten).sum(1)
    order = order[:, : int(count.max())]
    return np.where(np.arange(order.shape[1]) < count[:, None], order, values.shape[1])


def _clip_all(
    polygons: Csr, edges: np.ndarray, logits: np.ndarray, slack: np.ndarray, real: np.ndarray
) -> EnvelopePieces:
    """The piece of every candidate in every cell: the cell, clipped by one rival after the other."""
    parent, own = np.nonzero(real)
    copies = polygons.places(parent)
    sides = copies.values
    pieces = EnvelopePieces(
        copies.offsets,
        polygons.values[sides],
        logits[sides],
        slack[sides],
        np.full(len(sides), RIM),
        edges[sides],
        parent,
        own,
    )
    for rival in range(real.shape[1]):
        pieces = _clip(pieces, rival, real[pieces.parent, rival])
    return pieces


def _clip(pieces: EnvelopePieces, rival: int, real: np.ndarray) -> EnvelopePieces:
    """Parts of the pieces where their own logit is at least the rival's; pieces left without area go."""
    starts, lengths = pieces.offsets[:-1], np.diff(pieces.offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    idle = ~real | (pieces.own == rival)
    own = np.take_along_axis(pieces.logits, pieces.own[owner][:, None], axis=1)[:, 0]
    with np.errstate(invalid="ignore"):  # the padding is minus infinity
        gap = np.where(idle[owner], 1.0, own - pieces.logits[:, rival])
    sign = np.where(np.abs(gap) > pieces.slack, np.sign(gap), 0.0)
    sign[idle[owner]] = 1.0
    after = next_side(pieces.offsets)
    equal = np.logical_and.reduceat(sign == 0, starts)
    lives = np.logical_or.reduceat(sign > 0, starts) | (equal & (pieces.own < rival))
    keep = (sign >= 0) & lives[owner]
    crossing = (sign * sign[after] < 0) & lives[owner]

    count = keep.astype(np.int64) + crossing
    place = np.cumsum(count) - count
    total = int(count.sum())
    source = np.empty(total, dtype=np.int64)
    source[place[keep]] = np.flatnonzero(keep)
    born = np.flatnonzero(crossing)
    at = place[born] + keep[born]
    source[at] = born
    beyond = pieces.beyond[source]
    leaves = keep & (((sign > 0) & (sign[after] < 0)) | ((sign == 0) & (sign[after] < 0)))
    beyond[np.where(crossing & leaves, place + 1, place)[leaves]] = rival

    new_uv, new_logits, new_slack = pieces.uv[source], pieces.logits[source], pieces.slack[source]
    tail, head = _ordered(pieces.uv, born, after[born])
    t = (gap[tail] / (gap[tail] - gap[head]))[:, None]
    new_uv[at] = pieces.uv[tail] + t * (pieces.uv[head] - pieces.uv[tail])
    with np.errstate(invalid="ignore"):
        between = pieces.logits[tail] + t * (pieces.logits[head] - pieces.logits[tail])
    new_logits[at] = np.where(np.isneginf(pieces.logits[tail]), -np.inf, between)
    new_logits[at, rival] = new_logits[at, pieces.own[owner[born]]]
    new_slack[at] = np.maximum(pieces.slack[tail], pieces.slack[head])
    new_lengths = np.bincount(owner[source], minlength=len(lengths))[lives]
    ends = np.concatenate([[0], np.cumsum(new_lengths)])
    return EnvelopePieces(
        ends,
        new_uv,
        new_logits,
        new_slack,
        beyond,
        pieces.edge[source],
        pieces.parent[lives],
        pieces.own[lives],
    )


def _ordered(uv: np.ndarray, one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of sides in an order that both cells at a side agree on, so that they find the same crossing
    bit for bit."""
    a, b = uv[one], uv[other]
    swap = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    return np.where(swap, other, one), np.where(swap, one, other)
