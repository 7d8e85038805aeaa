"""Cuts: places between the knots of a segment where units change sign, and the knots that they add."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splineviz.geometry.rounding import UNIT_ROUNDOFF

__all__ = ["Cuts", "Insertion", "cuts_of", "insertion_of", "refine_knots", "refine_signs"]


@dataclass(frozen=True)
class Insertion:
    """New knots: the interval each falls into, how far along, and where all knots stand afterwards."""

    interval: np.ndarray
    share: np.ndarray
    order: np.ndarray
    """(knots after,) index into the old knots followed by the new ones."""


@dataclass(frozen=True)
class Cuts:
    """Sign changes of units inside intervals: where, whose, and the new knot that each belongs to."""

    interval: np.ndarray
    unit: np.ndarray
    share: np.ndarray
    blur: np.ndarray
    """Distance, in shares of the interval, by which rounding may have moved the cut."""


def cuts_of(
    gap: np.ndarray, bound: np.ndarray, knots: np.ndarray, blur: np.ndarray
) -> tuple[np.ndarray, Cuts]:
    """Signs of all units at the knots, (knots, units), and their sign changes inside the intervals.

    ``gap`` (knots, units) is how far a unit is above its breakpoint, ``bound`` (units,) how wrong that may
    be, and ``blur`` (knots,) how far a knot may be from where it belongs, in t.
    """
    steep = np.abs(np.diff(gap, axis=0)) / np.diff(knots)[:, None]
    steep = np.maximum(np.vstack([steep[:1], steep]), np.vstack([steep, steep[-1:]]))
    signs = np.where(np.abs(gap) <= bound + steep * blur[:, None], 0, np.sign(gap)).astype(np.int8)
    interval, unit = np.nonzero(signs[:-1] * signs[1:] < 0)
    low, high = gap[interval, unit], gap[interval + 1, unit]
    share = low / (low - high)
    # A cut that rounds onto a knot is a zero at that knot.
    t = knots[interval] + share * (knots[interval + 1] - knots[interval])
    at_low, at_high = t <= knots[interval], t >= knots[interval + 1]
    signs[interval[at_low], unit[at_low]] = 0
    signs[interval[at_high] + 1, unit[at_high]] = 0
    inside = ~(at_low | at_high)
    moved = 2 * bound[unit] / np.abs(low - high) + 4 * UNIT_ROUNDOFF
    return signs, Cuts(interval[inside], unit[inside], share[inside], moved[inside])


def insertion_of(knots: np.ndarray, cuts: Cuts) -> tuple[Insertion, np.ndarray]:
    """New knots, one for each group of cuts that rounding cannot tell apart; and the new knot of each cut."""
    order = np.lexsort((cuts.share, cuts.interval))
    interval, share, blur = cuts.interval[order], cuts.share[order], cuts.blur[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(interval) > 0) | (np.diff(share) > blur[1:] + blur[:-1])
    t = knots[interval] + share * (knots[interval + 1] - knots[interval])
    fresh[1:] &= (np.diff(t) > 0) | (np.diff(interval) > 0)
    rows = np.empty(len(order), dtype=np.int64)
    rows[order] = np.cumsum(fresh) - 1
    # The sharpest cut of a group says where the knot is.
    best = np.lexsort((cuts.blur, rows))
    best = best[np.diff(rows[best], prepend=-1) > 0]
    n_old = len(knots)
    placed = np.argsort(np.concatenate([np.arange(n_old), cuts.interval[best] + 0.5]), kind="stable")
    return Insertion(cuts.interval[best], cuts.share[best], placed), rows


def refine_knots(
    knots: np.ndarray, blur: np.ndarray, cuts: Cuts, inserted: Insertion, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Knots and their blur in t after the insertion."""
    width = np.diff(knots)[inserted.interval]
    t = knots[inserted.interval] + inserted.share * width
    sharpest = np.full(len(t), np.inf)
    np.minimum.at(sharpest, rows, cuts.blur)
    order = inserted.order
    return np.concatenate([knots, t])[order], np.concatenate([blur, sharpest * width])[order]


def refine_signs(signs: np.ndarray, cuts: Cuts, inserted: Insertion, rows: np.ndarray) -> np.ndarray:
    """Signs after the insertion. Those at new knots follow from the order of the cuts alone."""
    low, high = signs[inserted.interval], signs[inserted.interval + 1]
    cut_row = np.full((len(signs) - 1, signs.shape[1]), -1, dtype=np.int64)
    cut_row[cuts.interval, cuts.unit] = rows
    cut_row = cut_row[inserted.interval]
    row = np.arange(len(inserted.interval))[:, None]
    at_cut = np.where(row < cut_row, low, np.where(row > cut_row, high, 0))
    between = np.where(cut_row < 0, np.sign(low + high), at_cut).astype(np.int8)
    refined: np.ndarray = np.concatenate([signs, between])[inserted.order]
    return refined
