"""Areas of overlaps of plane regions that are given by their boundaries alone, without an overlay.

With the signed number of boundary segments below a point as its indicator, 1_P(u, v) = sum of s_e over the
segments e of P below (u, v), the area of an overlap is a sum over pairs of segments:

    |P and Q| = sum over e of P, f of Q of s_e s_f  integral of min(d_e(u), d_f(u)) du,

where d_e(u) is the depth of a segment below the top of the window, and the integral is over the common range
of u. Every term is a continuous function of the coordinates, so that nothing has to be decided: not where
boundaries cross, nor which of two that almost coincide is above the other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel, part

__all__ = ["overlap_areas"]


@kernel
def overlap_areas(
    offsets: Int64[np.ndarray, "region+1"],
    segments: Float64[np.ndarray, "segment 5"],
    other_offsets: Int64[np.ndarray, "region+1"],
    others: Float64[np.ndarray, "other 5"],
) -> tuple[Float64[np.ndarray, "region"], Float64[np.ndarray, "region"]]:
    """Area of the overlap of each region of one slice with that of the same number of another, and the widths
    of all pairs of segments, summed: rounding adds less than 16 roundoffs of that times the largest depth.

    A segment is u and depth of its left end, u and depth of its right end, and its sign: 1 where the region
    is above it, -1 where it is below. Those of a region are in one row, ordered by the u of their left ends.
    A sweep over u takes each pair whose ranges overlap once. Sums are compensated (Neumaier 1974).
    """
    areas, widths = np.zeros(len(offsets) - 1), np.zeros(len(offsets) - 1)
    lists = max(int(np.diff(offsets).max()), int(np.diff(other_offsets).max()))
    open_, others_open = np.empty(lists, np.int64), np.empty(lists, np.int64)
    for region in range(len(offsets) - 1):
        sums = np.zeros(3)
        i, last, n_open = offsets[region], offsets[region + 1], 0
        j, other_last, n_others = other_offsets[region], other_offsets[region + 1], 0
        while i < last or j < other_last:
            if j == other_last or (i < last and segments[i, 0] <= others[j, 0]):
                n_others = _met(segments, i, others, others_open, n_others, sums)
                open_[n_open] = i
                n_open, i = n_open + 1, i + 1
            else:
                n_open = _met(others, j, segments, open_, n_open, sums)
                others_open[n_others] = j
                n_others, j = n_others + 1, j + 1
        areas[region], widths[region] = sums[0] + sums[1], sums[2]
    return areas, widths


@part()
def _met(
    segments: Float64[np.ndarray, "segment 5"],
    i: int,
    others: Float64[np.ndarray, "other 5"],
    others_open: Int64[np.ndarray, "open"],
    n_open: int,
    sums: Float64[np.ndarray, "3"],
) -> int:
    """Add the terms of a segment and of the others that are open where it begins, of which those that have
    ended are forgotten; returns how many are left. ``sums`` are the sum, what it has lost, and the widths."""
    kept, low = 0, segments[i, 0]
    for k in range(n_open):
        j = others_open[k]
        if others[j, 2] <= low:
            continue
        high = min(segments[i, 2], others[j, 2])
        others_open[kept] = j
        kept += 1
        term = segments[i, 4] * others[j, 4] * _lesser(segments, i, others, j, low, high)
        added = sums[0] + term
        sums[1] += (sums[0] - added) + term if abs(sums[0]) >= abs(term) else (term - added) + sums[0]
        sums[0] = added
        sums[2] += high - low
    return kept


@part()
def _lesser(
    segments: Float64[np.ndarray, "segment 5"],
    i: int,
    others: Float64[np.ndarray, "other 5"],
    j: int,
    low: float,
    high: float,
) -> float:
    """Integral of the lesser of two depths from ``low`` to ``high``."""
    a, b = _depth(segments, i, low), _depth(segments, i, high)
    c, d = _depth(others, j, low), _depth(others, j, high)
    at_low, at_high = a - c, b - d
    if at_low <= 0.0 and at_high <= 0.0:
        mean = 0.5 * (a + b)
    elif at_low >= 0.0 and at_high >= 0.0:
        mean = 0.5 * (c + d)
    else:  # they cross: the first, less what it exceeds the other by
        above, below = max(at_low, at_high), -min(at_low, at_high)
        mean = 0.5 * (a + b) - 0.5 * above * (above / (above + below))
    integral: float = mean * (high - low)
    return integral


@part()
def _depth(segments: Float64[np.ndarray, "segment 5"], i: int, u: float) -> float:
    """Depth of a segment at u, which lies within its range."""
    share = (u - segments[i, 0]) / (segments[i, 2] - segments[i, 0])
    depth: float = segments[i, 1] + share * (segments[i, 3] - segments[i, 1])
    return depth
