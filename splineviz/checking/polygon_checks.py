"""The stored polygons, in exact integer arithmetic on their float64 coordinates, which are dyadic numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from splineviz.checking.claim import Claim
from splineviz.checking.report import Check, judge

__all__ = [
    "check_areas",
    "check_convex",
    "check_frames",
    "degenerate_cells",
    "integers",
    "narrow_cells",
    "outside_points",
    "twice_areas",
]

_FRAME = 1e-12


def integers(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Whole numbers of the same shape, as Python's, and an exponent k: values = numbers / 2^k, exactly."""
    mantissa, exponent = np.frexp(values)
    whole = (mantissa * 2.0**53).astype(np.int64)
    exponent = exponent.astype(np.int64) - 53
    lowest = int(exponent[whole != 0].min(initial=0))
    shift = np.where(whole != 0, exponent - lowest, 0)
    return np.left_shift(whole.astype(object), shift.astype(object)), -lowest


def twice_areas(claim: Claim) -> tuple[np.ndarray, int]:
    """Twice the signed area of each cell, times 2^k: (F,) Python integers, and k."""
    xy, k = integers(claim.vertices)
    x, y = xy[claim.corner].T
    return np.add.reduceat(x * y[claim.next_side] - x[claim.next_side] * y, claim.offsets[:-1]), 2 * k


def degenerate_cells(claim: Claim) -> np.ndarray:
    """Cells that have no positive area in their stored coordinates."""
    return np.flatnonzero(twice_areas(claim)[0] <= 0)


def narrow_cells(claim: Claim) -> np.ndarray:
    """Cells that are no wider than what a corner may be off, beside the line to the corner farthest from
    their first one."""
    first = claim.offsets[:-1]
    step = claim.vertices[claim.corner] - claim.vertices[claim.corner[first]][claim.side_cell]
    length = np.hypot(*step.T)
    longest = np.maximum.reduceat(length, first)
    farthest = np.zeros((claim.n_cells, 2))
    is_farthest = length == longest[claim.side_cell]
    farthest[claim.side_cell[is_farthest]] = step[is_farthest]
    along = farthest[claim.side_cell]
    twice = np.maximum.reduceat(np.abs(along[:, 0] * step[:, 1] - along[:, 1] * step[:, 0]), first)
    return np.flatnonzero(twice <= claim.slack[claim.cell_window] * longest)


def check_convex(claim: Claim) -> Check:
    """Counter-clockwise, convex, of positive area.

    A corner where only its neighbours' edges end lies on a straight line, and rounding may put it on either
    side of that. So a corner may stand inside by the slack of coordinates, and cells that are narrower than
    that may be folded: whether these are cells at all is for exact arithmetic to say.
    """
    xy, _ = integers(claim.vertices)
    x, y = (xy[claim.corner[claim.next_side]] - xy[claim.corner]).T
    turn = x * y[claim.next_side] - y * x[claim.next_side]
    narrow = np.zeros(claim.n_cells, dtype=bool)
    narrow[narrow_cells(claim)] = True
    reflex = np.flatnonzero((turn < 0) & ~narrow[claim.side_cell])
    depth = _height(*(claim.vertices[claim.corner[part]] for part in _three(claim, reflex)))
    dented = claim.side_cell[reflex[depth > claim.slack[claim.cell_window[claim.side_cell[reflex]]]]]
    flat = degenerate_cells(claim)
    bad = np.concatenate(
        [dented, flat[~narrow[flat]], np.setdiff1d(_wound_cells(claim), np.flatnonzero(narrow))]
    )
    sentence = "cells are convex, counter-clockwise, of positive area"
    notes = {
        "corners stand inside by rounding": len(reflex) - len(dented),
        "cells are left to exact arithmetic": int(narrow.sum()),
        "cells without area in stored coordinates": len(flat),
    }
    worst, limit = float(depth.max(initial=0.0)), float(claim.slack.max())
    return judge("convex", sentence, "cells", claim.n_cells, bad=bad, closeness=(worst, limit), notes=notes)


def _three(claim: Claim, sides: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sides, those after them, and those after these."""
    after = claim.next_side[sides]
    return sides, after, claim.next_side[after]


def _wound_cells(claim: Claim) -> np.ndarray:
    """Cells that go round more than once, which can be convex at every corner as well. Sides that are no
    longer than what corners may be off have no direction."""
    step = claim.vertices[claim.side_end] - claim.vertices[claim.corner]
    sides = np.flatnonzero(np.hypot(*step.T) > 4.0 * claim.slack[claim.cell_window[claim.side_cell]])
    cell, angle = claim.side_cell[sides], np.arctan2(step[sides, 1], step[sides, 0])
    after = np.arange(1, len(sides) + 1)
    last = np.flatnonzero(np.diff(cell, append=-1))
    after[last] = np.concatenate([[0], last[:-1] + 1])
    turned = (angle[after] - angle + np.pi) % (2 * np.pi) - np.pi
    return np.flatnonzero(np.bincount(cell, turned, claim.n_cells) > 3 * np.pi)


def check_areas(claim: Claim) -> Check:
    """Exact sums of exact areas; what is left is that stored corners on the rim are rounded."""
    twice, k = twice_areas(claim)
    order = np.argsort(claim.cell_window, kind="stable")
    windows, starts = np.unique(claim.cell_window[order], return_index=True)
    total = dict(zip(windows.tolist(), np.add.reduceat(twice[order], starts), strict=True))
    off = np.zeros(len(claim.windows))
    for number, window in enumerate(claim.windows):
        (x, y), j = (part := integers(window.vertices))[0].T, part[1]
        wanted = Fraction(int(sum(x * np.roll(y, -1) - np.roll(x, -1) * y)), 4**j)
        excess = float(Fraction(int(total.get(number, 0)), 2**k) / wanted - 1)
        off[number] = abs(excess) if claim.covers else max(0.0, excess)
    spans = np.array([np.linalg.norm(np.ptp(window.vertices, axis=0)) for window in claim.windows])
    limit = 8 * claim.slack / spans
    what = "make up that" if claim.covers else "do not exceed that"
    sentence = f"exact sums of cell areas {what} of the window"
    return judge(
        "areas",
        sentence,
        "windows",
        len(off),
        bad=np.flatnonzero(off > limit),
        closeness=(off.max(), limit.max()),
    )


def check_frames(claim: Claim) -> Check:
    """Distances and areas in uv are those of input space."""
    bases = np.stack([plane.basis for plane in claim.planes])
    off = np.abs(bases @ bases.transpose(0, 2, 1) - np.eye(2)).max((1, 2))
    sentence = "planes have orthonormal directions"
    return judge(
        "frames",
        sentence,
        "windows",
        len(off),
        bad=np.flatnonzero(off > _FRAME),
        closeness=(off.max(), _FRAME),
    )


def _height(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(N,) of triangles, over their longest side."""
    area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    longest = np.maximum.reduce([np.hypot(*(q - p).T) for p, q in ((a, b), (b, c), (c, a))])
    height: np.ndarray = np.divide(area, longest, out=np.zeros(len(a)), where=longest > 0)
    return height


def outside_points(claim: Claim) -> np.ndarray:
    """Cells whose point, (F, 2) in float64, is not strictly inside their stored polygon."""
    numbers, _ = integers(np.concatenate([claim.vertices, claim.points]))
    a, b = (numbers[: len(claim.vertices)][part] for part in (claim.corner, claim.side_end))
    point = numbers[len(claim.vertices) :][claim.side_cell]
    turn = (b[:, 0] - a[:, 0]) * (point[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (point[:, 0] - a[:, 0])
    return np.unique(claim.side_cell[turn <= 0])
