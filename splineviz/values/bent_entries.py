"""Entries of pointwise functions and of maxima that may bend inside a face, and lines that bound them
there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int16, Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import FLOOR, UNIT_ROUNDOFF
from splineviz.program.nodes import Maximum, Pointwise

__all__ = ["Bends", "Extremes", "bends_of", "extremes_of", "lines_of"]

_U = 16.0 * UNIT_ROUNDOFF
"""Share of their terms by which lines are moved away from what they bound: more than all roundings of
theirs"""


class Bends(NamedTuple):
    """A pointwise function y = f(z) over faces: the piece of each entry that stays on one, bounds for those
    that may bend."""

    piece: Int16[np.ndarray, "face entry"]
    """-1 for entries that bend"""
    offsets: Int64[np.ndarray, "face+1"]
    """Where the bends of each face begin"""
    entry: Int64[np.ndarray, "bend"]
    low: Float64[np.ndarray, "bend"]
    """Range of z inside the face and of the combinations of its values at corners, and so ``high``"""
    high: Float64[np.ndarray, "bend"]
    least: Float64[np.ndarray, "bend"]
    """f(z) is off the same combination of its values at corners by at least this, on account of the bend"""
    most: Float64[np.ndarray, "bend"]

    def take(self, rows: Int64[np.ndarray, "some"]) -> Bends:
        """The bends of some of the faces."""
        places = Csr(self.offsets, self.entry).places(rows)
        return Bends(self.piece[rows], places.offsets, *(column[places.values] for column in self[2:]))

    @property
    def face(self) -> Int64[np.ndarray, "bend"]:
        return np.repeat(np.arange(len(self.piece)), np.diff(self.offsets))

    def products(
        self, deviation: tuple[Any, ...], columns: Float64[np.ndarray, "entry output"], g: float
    ) -> tuple[Float64[np.ndarray, "face output"], Float64[np.ndarray, "face output"]]:
        """(middle, radius) of the product of a matrix with a deviation whose only entries these are; ``g``
        is the share of magnitudes that rounding takes."""
        at = self.face, self.entry
        middle, radius = (x.numpy()[at] for x in deviation[:2])
        return _sparse_products(self.offsets, self.entry, middle, radius + g * np.abs(middle), columns)


@kernel
def _sparse_products(
    offsets: Int64[np.ndarray, "face+1"],
    entry: Int64[np.ndarray, "bend"],
    middle: Float64[np.ndarray, "bend"],
    radius: Float64[np.ndarray, "bend"],
    columns: Float64[np.ndarray, "entry output"],
) -> tuple[Float64[np.ndarray, "face output"], Float64[np.ndarray, "face output"]]:
    """Sums of columns times ``middle``, and of their magnitudes times ``radius``."""
    n_faces, width = len(offsets) - 1, columns.shape[1]
    sums, spreads = np.zeros((n_faces, width)), np.zeros((n_faces, width))
    for f in range(n_faces):
        own, wide = sums[f], spreads[f]
        for k in range(offsets[f], offsets[f + 1]):
            column, m, r = columns[entry[k]], middle[k], radius[k]
            for i in range(width):
                own[i] += column[i] * m
                wide[i] += abs(column[i]) * r
    return sums, spreads


def bends_of(
    node: Pointwise,
    values: Float64[np.ndarray, "vertex entry"],
    error: Float64[np.ndarray, "face"],
    faces: Csr,
    deviation: tuple[np.ndarray, ...] | None,
) -> tuple[Bends, Float64[np.ndarray, "face entry"], Float64[np.ndarray, "face entry"]]:
    """(bends, middle, radius): the bends of a node, and the deviation of what it makes of ``values`` and
    their ``deviation`` (middle, radius), None for none.

    Between corners, f(z) and the combination of its values at corners, z being the same one, are both
    within the convex hull of the graph over the range of corners: a convex f is the smaller of the two, by
    no more than it is below its chord. A deviation of z moves f(z) by as much, times a slope.
    """
    slopes, _ = node.pieces
    shape = len(faces), values.shape[1]
    known = deviation is not None
    middle, radius = deviation if deviation is not None else (np.zeros(shape), np.zeros(shape))
    values = np.ascontiguousarray(values)
    found = _find_bends(values, faces.offsets, faces.values, error, known, middle, radius, node.kinks, slopes)
    piece, middle, radius, offsets, entry, table = found
    low, high, below, above, shift_low, shift_high = table
    over, under = _off_chord(node, low, high, entry)
    convex, concave = _curvature(node, entry)
    most = np.where(convex, 0.0, over + np.where(concave, 0.0, under))
    least = np.where(concave, 0.0, -under - np.where(convex, 0.0, over))
    bends = Bends(piece, offsets, entry, below, above, least, most)
    flattest, steepest = _slopes_within(node, below, above, entry)
    moved = [slope * end for slope in (flattest, steepest) for end in (shift_low, shift_high)]
    low, high = np.minimum.reduce(moved) + least, np.maximum.reduce(moved) + most
    at = bends.face, entry
    middle[at] = 0.5 * (low + high)
    radius[at] = 0.5 * (high - low) + _U * (np.abs(low) + np.abs(high)) + FLOOR
    return bends, middle, radius


def _slopes_within(
    node: Pointwise, below: np.ndarray, above: np.ndarray, entry: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest slope of a function over each range."""
    first, last = (sum((x > kink[entry]).astype(np.int64) for kink in node.kinks) for x in (below, above))
    flattest, steepest = np.full(len(entry), np.inf), np.full(len(entry), -np.inf)
    for k, slopes in enumerate(node.pieces[0]):
        used = (first <= k) & (k <= last)
        flattest = np.where(used, np.minimum(flattest, slopes[entry]), flattest)
        steepest = np.where(used, np.maximum(steepest, slopes[entry]), steepest)
    return flattest, steepest


@kernel
def _find_bends(
    values: Float64[np.ndarray, "vertex entry"],
    offsets: Int64[np.ndarray, "face+1"],
    side_vertex: Int64[np.ndarray, "side"],
    error: Float64[np.ndarray, "face"],
    known: bool,
    middle: Float64[np.ndarray, "face entry"],
    radius: Float64[np.ndarray, "face entry"],
    kinks: Float64[np.ndarray, "kink entry"],
    slopes: Float64[np.ndarray, "piece entry"],
) -> tuple[Any, ...]:
    """(piece, middle, radius, offsets, entry, table): the pieces of entries, deviations behind those that
    stay on one, and the bends of each face with a table of six columns: range at corners, range inside the
    face, and the least and largest deviation before, 0 included.

    Deviations are read where they are ``known``, and else are 0.
    """
    n_faces, width = len(offsets) - 1, values.shape[1]
    piece = np.empty((n_faces, width), np.int16)
    after, spread = np.zeros((n_faces, width)), np.zeros((n_faces, width))
    starts = np.zeros(n_faces + 1, np.int64)
    entry, table, n = np.empty(1024, np.int64), np.empty((6, 1024)), 0
    least, most = np.empty(width), np.empty(width)
    for f in range(n_faces):
        _corner_range(values, side_vertex, offsets[f], offsets[f + 1], least, most)
        for i in range(width):
            low, high = least[i] - error[f], most[i] + error[f]
            down, up = 0.0, 0.0
            if known:
                slack = _U * (abs(middle[f, i]) + radius[f, i])
                down = min(middle[f, i] - radius[f, i] - slack, 0.0)
                up = max(middle[f, i] + radius[f, i] + slack, 0.0)
            below, above = low + down, high + up
            below, above = below - _U * (abs(low) - down), above + _U * (abs(high) + up)
            first, last = 0, 0
            for k in range(len(kinks)):
                first += below > kinks[k, i]
                last += above > kinks[k, i]
            if first == last:
                piece[f, i] = first
                if known:
                    slope = slopes[first, i]
                    after[f, i] = slope * middle[f, i]
                    spread[f, i] = abs(slope) * radius[f, i] * (1.0 + _U) + _U * abs(after[f, i])
                continue
            piece[f, i] = -1
            if n == len(entry):
                entry = np.append(entry, np.empty(n, np.int64))
                wider = np.empty((6, 2 * n))
                wider[:, :n] = table
                table = wider
            entry[n] = i
            table[0, n], table[1, n], table[2, n], table[3, n] = low, high, below, above
            table[4, n], table[5, n] = down, up
            n += 1
        starts[f + 1] = n
    return piece, after, spread, starts, entry[:n], table[:, :n].copy()


@part()
def _corner_range(
    values: Float64[np.ndarray, "vertex entry"],
    side_vertex: Int64[np.ndarray, "side"],
    start: int,
    stop: int,
    least: Float64[np.ndarray, "entry"],
    most: Float64[np.ndarray, "entry"],
) -> None:
    """Fill in the least and the largest value of every entry at some vertices."""
    first = values[side_vertex[start]]
    for i in range(len(least)):
        least[i], most[i] = first[i], first[i]
    for k in range(start + 1, stop):
        row = values[side_vertex[k]]
        for i in range(len(least)):
            least[i] = min(least[i], row[i])
            most[i] = max(most[i], row[i])


def _off_chord(
    node: Pointwise, low: np.ndarray, high: np.ndarray, entry: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(over, under): how far a function exceeds its chord over each range, and how far it stays below."""
    at_low, at_high = _values(node, low, entry), _values(node, high, entry)
    over, under = np.zeros(len(low)), np.zeros(len(low))
    width = np.where(high > low, high - low, 1.0)
    steepest = np.abs(node.pieces[0]).max(0)[entry]
    for kink in node.kinks:
        b = kink[entry]
        inside = (low < b) & (b < high)
        share = np.clip((b - low) / width, 0.0, 1.0)
        at_kink = _values(node, b, entry)
        gap = at_low + share * (at_high - at_low) - at_kink
        terms = np.abs(at_low) + np.abs(at_high) + np.abs(at_kink)
        slack = _U * (terms + steepest * (np.abs(low) + np.abs(high) + np.abs(b))) + FLOOR
        over = np.where(inside, np.maximum(over, slack - gap), over)
        under = np.where(inside, np.maximum(under, slack + gap), under)
    return np.maximum(over, 0.0), np.maximum(under, 0.0)


def _curvature(node: Pointwise, entry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(convex, concave): which of some entries have a convex function, and a concave one."""
    steps = np.diff(node.pieces[0], axis=0)
    convex, concave = np.all(steps >= 0.0, axis=0), np.all(steps <= 0.0, axis=0)
    return convex[entry], concave[entry]


def _values(node: Pointwise, z: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """f(z) of single entries, by the table of its pieces."""
    slopes, intercepts = node.pieces
    piece = sum((z > kink[entry]).astype(np.int64) for kink in node.kinks)
    result: np.ndarray = slopes[piece, entry] * z + intercepts[piece, entry]
    return result


def lines_of(
    node: Pointwise, bends: Bends, upper: np.ndarray
) -> tuple[Float64[np.ndarray, "bend"], Float64[np.ndarray, "bend"]]:
    """(slope, offset) of lines above f where ``upper`` (bend,), below it elsewhere, over the ranges of bends.

    On the side where f leaves its chord by its kinks only (above a convex one), the chord; on the other the
    piece on which most of the range lies: for relu these are the lines of CROWN (Zhang et al. 2018).
    """
    entry, low, high = bends.entry, bends.low, bends.high
    convex, concave = _curvature(node, entry)
    at_low, at_high = _values(node, low, entry), _values(node, high, entry)
    chord = (at_high - at_low) / np.where(high > low, high - low, 1.0)
    piece = sum((0.5 * (low + high) > kink[entry]).astype(np.int64) for kink in node.kinks)
    tangent = node.pieces[0][piece, entry]
    slope = np.where(np.where(upper, concave, convex) & ~(convex & concave), tangent, chord)
    sign, steepest = np.where(upper, 1.0, -1.0), np.abs(node.pieces[0]).max(0)[entry]
    offset = np.full(len(low), -np.inf)
    for z in (low, high, *(np.clip(kink[entry], low, high) for kink in node.kinks)):
        value = _values(node, z, entry)
        slack = _U * (np.abs(value) + (np.abs(slope) + steepest) * np.abs(z)) + FLOOR
        offset = np.maximum(offset, sign * (value - slope * z) + slack)
    return slope, sign * offset


class Extremes(NamedTuple):
    """Maxima over faces."""

    candidate: Int64[np.ndarray, "face window"]
    """Entry that is the largest at the first corner"""
    above: Float64[np.ndarray, "face window"]
    """The maximum exceeds this entry by no more, anywhere on the face"""
    low: Float64[np.ndarray, "face window"]
    """Least deviation of the maximum, and the largest, ``high``"""
    high: Float64[np.ndarray, "face window"]


def extremes_of(
    node: Maximum,
    values: Float64[np.ndarray, "vertex entry"],
    maxima: Float64[np.ndarray, "vertex window"],
    faces: Csr,
    error: Float64[np.ndarray, "face"],
    low: Float64[np.ndarray, "face entry"],
    high: Float64[np.ndarray, "face entry"],
) -> Extremes:
    """The maxima of a node, from values at vertices with their errors, and deviations between ``low`` and
    ``high``.

    A maximum is convex: inside a face it is no more than the combination of its values at corners, and no
    less than any one candidate c, which falls behind at corners by a gap at most. Candidates that stay behind
    c all over the face count for nothing.
    """
    first = faces.values[faces.offsets[:-1]]
    absent, windows = node.windows < 0, np.maximum(node.windows, 0)
    place = np.where(absent, -np.inf, values[first][:, windows]).argmax(2)
    candidate = windows[np.arange(len(windows)), place]
    side, start, rows = faces.values, faces.offsets[:-1], np.arange(len(faces))[:, None]
    own = values[side[:, None], candidate[faces.row_of]]
    slack = 2.0 * error[:, None] + FLOOR
    gap = np.maximum.reduceat(maxima[side] - own, start, axis=0)
    rounding = _U * (np.abs(own) + np.abs(maxima[side]))
    gap = np.maximum(gap, 0.0) + slack + np.maximum.reduceat(rounding, start, axis=0)
    own_low, own_high = low[rows, candidate], high[rows, candidate]
    most, above = own_high.copy(), np.zeros(candidate.shape)
    for k in range(windows.shape[1]):
        rival = windows[:, k]
        ahead = np.maximum.reduceat(values[side][:, rival] - own, start, axis=0)
        moved = high[:, rival] - own_low
        lead = ahead + moved + slack + _U * (np.abs(ahead) + np.abs(moved))
        relevant = (lead > 0.0) & ~absent[:, k] & (candidate != rival)
        most = np.where(relevant, np.maximum(most, high[:, rival]), most)
        above = np.where(relevant, np.maximum(above, lead), above)
    alone = above == 0.0
    return Extremes(
        candidate, above, own_low - np.where(alone, slack, gap), most + np.where(alone, slack, 0.0)
    )
