"""Maxima on a segment: between two knots every candidate is affine, so the largest of a window is their upper
envelope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.program.program import Maximum
from splineviz.program.rows import as_rows
from splineviz.segments.cuts import Cuts, Insertion
from splineviz.segments.knot_values import Traced

__all__ = ["Envelope", "envelope_of", "run_maximum", "winners_of"]


@dataclass(frozen=True)
class Envelope:
    """The winners of all windows on the intervals between knots: the first of each, and each change in
    order."""

    first: np.ndarray
    """(intervals, windows)"""
    cuts: Cuts
    """Cuts at which winners change; ``unit`` is the window."""
    winner: np.ndarray
    """(cuts,) the winner after each."""
    turn: np.ndarray
    """(cuts,) how many changes its window had before on its interval."""
    doubtful: int
    """Ties at knots, and changes at one place, within rounding; zeros, as behind a relu that is off, are
    none."""


def envelope_of(node: Maximum, z: Traced, knots: np.ndarray, blur: np.ndarray) -> Envelope:
    """Walk along the upper envelope of every window on every interval.

    Candidates that differ at a knot by no more than rounding tie there, and of those that tie at both ends of
    an interval the one of the lowest place wins.
    """
    missing = node.windows < 0
    at, entry = as_rows(z.at).numpy(), z.entry.flatten().numpy()
    rounded = z.rounded_to(torch.zeros(1)).flatten().numpy()
    values = np.where(missing, -np.inf, at[:, node.windows])
    bound = np.where(missing, 0.0, entry[node.windows])
    # How far a value may be off at a knot that may itself be off, on either side of it.
    width = np.diff(knots)[:, None]
    steep = np.abs(np.diff(at, axis=0)) / width
    steep = np.maximum(np.vstack([steep[:1], steep]), np.vstack([steep, steep[-1:]]))
    doubt = bound + np.where(missing, 0.0, (steep * blur[:, None])[:, node.windows])
    low, high = values[:-1], values[1:]
    close = 0
    with np.errstate(invalid="ignore"):  # of two missing candidates
        leading = _best(low, doubt[:-1], np.ones(low.shape, dtype=bool))
        current = _first(high, doubt[1:], leading)
        first, events = current.copy(), []
        for turn in range(values.shape[2] - 1):
            low_gap, low_doubt = _behind(low, doubt[:-1], current)
            high_gap, high_doubt = _behind(high, doubt[1:], current)
            overtakes = (high_gap < -high_doubt) & (low_gap > low_doubt)
            interval, window = np.nonzero(overtakes.any(2))
            if not len(interval):
                break
            ahead, gap, end = (
                overtakes[interval, window],
                low_gap[interval, window],
                high_gap[interval, window],
            )
            spread = np.where(ahead, gap - end, 1.0)
            share = np.where(ahead, gap / spread, np.inf)
            moved = 2 * _pair(bound, current)[interval, window] / spread + 4 * UNIT_ROUNDOFF
            nearest = np.take_along_axis(share, share.argmin(1)[:, None], 1)
            soonest = ahead & (
                share - nearest <= moved + np.take_along_axis(moved, share.argmin(1)[:, None], 1)
            )
            close += int((soonest.sum(1) > 1).sum())
            winner = _first(high[interval, window], doubt[1:][interval, window], soonest)
            pick = winner[:, None]
            share, moved = (np.take_along_axis(x, pick, 1)[:, 0] for x in (share, moved))
            events.append((interval, window, share, moved, winner, np.full(len(interval), turn)))
            current[interval, window] = winner
        tied = _best(values, doubt, np.ones(values.shape, dtype=bool))
    doubtful = close + int(
        ((tied.sum(2) > 1) & (tied & ((values != 0) | rounded[node.windows])).any(2)).sum()
    )
    return _collected(first, events, knots, doubtful)


def _collected(
    first: np.ndarray, events: Sequence[tuple[np.ndarray, ...]], knots: np.ndarray, doubtful: int
) -> Envelope:
    """The envelope; a change that rounds onto a knot happens there."""
    none = np.zeros(0, dtype=np.int64)
    columns = [
        np.concatenate(column)
        for column in zip((none, none, np.zeros(0), np.zeros(0), none, none), *events, strict=True)
    ]
    interval, window, share, _, winner, _ = columns
    t = knots[interval] + share * (knots[interval + 1] - knots[interval])
    at_low, at_high = t <= knots[interval], t >= knots[interval + 1]
    first[interval[at_low], window[at_low]] = winner[at_low]
    interval, window, share, moved, winner, turn = (column[~(at_low | at_high)] for column in columns)
    return Envelope(first, Cuts(interval, window, share, moved), winner, turn, doubtful)


def _behind(values: np.ndarray, doubt: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance of every candidate behind a window's current one, and the share of it that may be rounding."""
    return np.take_along_axis(values, current[..., None], -1) - values, _pair(doubt, current)


def _pair(doubt: np.ndarray, current: np.ndarray) -> np.ndarray:
    both: np.ndarray = doubt + np.take_along_axis(
        np.broadcast_to(doubt, (*current.shape, doubt.shape[-1])), current[..., None], -1
    )
    return both


def _best(values: np.ndarray, doubt: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Mask of the candidates that tie with the largest of them."""
    largest = np.where(among, values, -np.inf).argmax(-1)
    gap, wide = _behind(values, doubt, largest)
    tied: np.ndarray = among & (gap <= wide) & (values > -np.inf)
    return tied


def _first(values: np.ndarray, doubt: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The lowest of those candidates among some that tie with the largest of them."""
    place: np.ndarray = _best(values, doubt, among).argmax(-1)
    return place


def winners_of(envelope: Envelope, inserted: Insertion, rows: np.ndarray) -> np.ndarray:
    """(intervals after, windows) the winners after the insertion of the knots at which they change."""
    n_old, n_new = len(envelope.first) + 1, len(inserted.interval)
    interval = np.concatenate([np.arange(n_old), inserted.interval])[inserted.order][:-1]
    begins = np.concatenate([np.full(n_old, -1), np.arange(n_new)])[inserted.order][:-1]
    winners: np.ndarray = envelope.first[interval]
    for turn in range(int(envelope.turn.max(initial=-1)) + 1):
        now = envelope.turn == turn
        row = np.full(envelope.first.shape, n_new)
        changed = envelope.first.copy()
        where = envelope.cuts.interval[now], envelope.cuts.unit[now]
        row[where], changed[where] = rows[now], envelope.winner[now]
        winners = np.where(row[interval] <= begins[:, None], changed[interval], winners)
    return winners


def run_maximum(node: Maximum, z: Traced, winners: np.ndarray) -> Traced:
    """Run a maximum, given its winners on the intervals. Errors are those of the winner, and no larger than
    the largest."""
    at_knots = np.concatenate([winners, winners[-1:]])
    entry = z.entry.flatten().numpy()
    worst = np.where(node.windows >= 0, entry[node.windows], 0.0).max(1)
    bound = torch.from_numpy(worst).to(z.entry).reshape(node.output_shape)
    return Traced(node.run(z.at), node.pick(z.noise, at_knots), bound)
