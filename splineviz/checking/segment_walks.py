"""Random segments walked in one dimension: from one sign change to the next, with no subdivision in sight.

On each piece one forward pass gives every unit's value and derivative along the segment, and so the smallest
parameter at which one changes its state. The next pass is just behind it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from splineviz.checking.claim import Claim
from splineviz.checking.network import EnteringValues, Network
from splineviz.checking.report import Check, judge
from splineviz.checking.samples import random_points
from splineviz.program.program import Maximum

__all__ = ["check_segments"]

_BEHIND = 2.0**-34  # how far behind a crossing the next pass is
_SAME = 1e-9  # share of the segment within which crossings are the same, beside the slack of coordinates


def check_segments(
    claim: Claim, network: Network, numbers: np.ndarray, n: int, rng: np.random.Generator
) -> Check:
    """Walked crossings and crossed edges are the same events: (segment, unit, parameter). ``numbers`` are of
    ``claim.units``."""
    a, window = random_points(claim, n, rng)
    b, _ = random_points(claim, n, rng, window)
    same = _SAME + claim.slack[window] / np.hypot(*(b - a).T)
    walked, open_ = _walk(claim, network, a, b, window, same)
    stored, edge, inside = _crossed(claim, numbers, a, b, window, same)
    known = ~open_[stored[:, 0].astype(int), stored[:, 1].astype(int)]
    stored, edge = stored[known], edge[known]
    walked = walked[~open_[walked[:, 0].astype(int), walked[:, 1].astype(int)]]
    walked = walked[[inside(int(segment), at) for segment, _, at in walked]] if not claim.covers else walked
    lonely = _lonely(walked, stored, same)
    astray = walked[lonely[: len(walked)]]
    missed = [_nearest(claim, a[s] + at * (b[s] - a[s]), window[s]) for s, at in _places(astray)]
    bad = np.concatenate([edge[lonely[len(walked) :]], np.array(missed, dtype=np.int64)])
    sentence = "walking random segments meets exactly the stored edges"
    notes = {
        "segments": n,
        "crossings walked": len(walked),
        "units on segments left out, undecided in float64": int(open_.sum()),
    }
    return judge(
        "segments",
        sentence,
        "edges",
        len(np.unique(edge)),
        bad=bad,
        closeness=(None, same.max()),
        notes=notes,
    )


def _places(events: np.ndarray) -> list[tuple[int, float]]:
    return [(int(segment), float(at)) for segment, _, at in events]


def _nearest(claim: Claim, point: np.ndarray, window: int) -> int:
    """The edge nearest to a crossing that has none."""
    p, q = claim.vertices[claim.edges[:, 0]], claim.vertices[claim.edges[:, 1]]
    side = q - p
    t = np.clip(((point - p) * side).sum(1) / np.maximum((side**2).sum(1), np.finfo(float).tiny), 0, 1)
    away = np.hypot(*(p + t[:, None] * side - point).T)
    away[claim.cell_window[claim.edge_cells.max(1)] != window] = np.inf
    return int(away.argmin())


def _walk(
    claim: Claim, network: Network, a: np.ndarray, b: np.ndarray, window: np.ndarray, same: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Events (N, 3), rows of segment, unit, parameter; and (segments, units) where float64 does not tell a
    state for long."""
    along = ((b - a)[:, :, None] * claim.directions(window)).sum(1)
    at, last, active = np.zeros(len(a)), np.zeros(len(a)), np.arange(len(a))
    before = np.full((len(a), network.layout.n_units), -1)
    open_ = np.zeros(before.shape, dtype=bool)
    events = [np.zeros((0, 3))]
    while len(active):
        uv = a[active] + at[active, None] * (b - a)[active]
        readings, *_ = network.read(*claim.lift(uv, window[active]), along[active][:, None, :])
        states, unsure = (
            np.concatenate([np.zeros((len(active), 0), part[0].dtype), *part], axis=1)
            if part
            else np.zeros((len(active), 0), int)
            for part in ([r.states.astype(int) for r in readings], [r.unsure for r in readings])
        )
        ahead = np.concatenate([np.zeros((len(active), 0)), *map(_next_changes, readings)], axis=1)
        open_[active] |= unsure.astype(bool) & (ahead > same[active, None] / 2)
        old = before[active]
        states = np.where(unsure, old, states)
        row, unit = np.nonzero((states != old) & (old >= 0) & (states >= 0))
        events.append(np.column_stack([active[row], unit, last[active[row]]]))
        open_[active] |= (states < 0) & ~(ahead <= same[active, None] / 2)
        before[active] = states
        last[active] = at[active] + ahead.min(1, initial=np.inf)
        active = active[last[active] + _BEHIND < 1]
        at[active] = last[active] + _BEHIND
    return np.concatenate(events), open_


def _next_changes(reading: EnteringValues) -> np.ndarray:
    """(N, units) how far ahead a unit changes its state, or becomes certain if it is not here; infinity for
    never."""
    value, error, slope = reading.value, reading.error, reading.slope[0]
    if isinstance(reading.node, Maximum):
        windows = reading.node.windows
        winner = windows[np.arange(len(windows)), reading.states]
        row, ahead = np.arange(len(value))[:, None], np.full(winner.shape, np.inf)
        for candidate in windows.T:
            other = np.where(candidate < 0, winner, candidate)
            lead, gain = value[row, winner] - value[row, other], slope[row, winner] - slope[row, other]
            ahead = np.minimum(ahead, _until(lead, gain, error[row, other] + error[row, winner]))
        return ahead
    return np.concatenate([_until(value - kink, slope, error) for kink in reading.node.kinks], axis=1)


def _until(value: np.ndarray, slope: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Distance to the zero of a function, and, where it is within its error of zero, to twice that beyond."""
    unsure = (np.abs(value) <= error) & (error > 0)
    way = np.where(
        unsure, 2 * error - value * np.sign(slope), np.where(value * slope < 0, np.abs(value), np.inf)
    )
    time: np.ndarray = np.divide(
        way, np.abs(slope), out=np.full(value.shape, np.inf), where=(slope != 0) & (way < np.inf)
    )
    return time


def _lonely(walked: np.ndarray, stored: np.ndarray, same: np.ndarray) -> np.ndarray:
    """(walked + stored) events of one list without any of the other near them; two that undo each other may
    be alone."""
    both, mine = np.concatenate([walked, stored]), np.arange(len(walked) + len(stored)) < len(walked)
    order = np.lexsort((both[:, 2], both[:, 1], both[:, 0]))
    rows = both[order]
    near = np.diff(rows[:, 2]) <= same[rows[:-1, 0].astype(int)]
    near &= (rows[1:, :2] == rows[:-1, :2]).all(1)
    cluster = np.concatenate([[0], np.cumsum(~near)])[: len(rows)]
    n = int(cluster.max(initial=-1)) + 1
    of_mine = np.bincount(cluster, weights=mine[order], minlength=n)
    of_other = np.bincount(cluster, weights=~mine[order], minlength=n)
    alone = ((of_mine == 0) != (of_other == 0)) & ((of_mine + of_other) % 2 == 1)
    result = np.zeros(len(rows), dtype=bool)
    result[order] = alone[cluster]
    return result


def _crossed(
    claim: Claim, numbers: np.ndarray, a: np.ndarray, b: np.ndarray, window: np.ndarray, same: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Callable[[int, float], bool]]:
    """Events (N, 3) where stored edges cross the segments, their edges, and whether a parameter of a segment
    is within cells."""
    edge_window = claim.cell_window[claim.edge_cells.max(1)]
    p, q = claim.vertices[claim.edges[:, 0]], claim.vertices[claim.edges[:, 1]]
    rows, owners, rims = [np.zeros((0, 3))], [np.zeros(0, np.int64)], []
    for segment in range(len(a)):  # segments, not edges
        d = b[segment] - a[segment]
        side_p, side_q = (d[0] * (x - a[segment])[:, 1] - d[1] * (x - a[segment])[:, 0] for x in (p, q))
        hit = np.flatnonzero(((side_p > 0) != (side_q > 0)) & (edge_window == window[segment]))
        t = side_p[hit] / (side_p[hit] - side_q[hit])
        where = ((p[hit] + t[:, None] * (q - p)[hit] - a[segment]) @ d) / (d @ d)
        rim = ~claim.inner[hit]
        rims.append(where[rim])
        kept = ~rim & (where > 0) & (where < 1)
        hit, where = hit[kept], where[kept]
        first, counts = claim.unit_offsets[hit], np.diff(claim.unit_offsets)[hit]
        entry = np.repeat(first - np.concatenate([[0], np.cumsum(counts)])[:-1], counts) + np.arange(
            counts.sum()
        )
        known = numbers[entry] >= 0
        rows.append(
            np.column_stack([np.full(len(entry), segment), numbers[entry], np.repeat(where, counts)])[known]
        )
        owners.append(np.repeat(hit, counts)[known])

    def inside(segment: int, at: float) -> bool:
        """A line that has met the rim an odd number of times is within; on the rim, crossings are of cells
        that are not there."""
        return bool(
            (rims[segment] < at - same[segment]).sum() % 2 == 1
            and np.abs(rims[segment] - at).min(initial=np.inf) > same[segment]
        )

    return np.concatenate(rows), np.concatenate(owners), inside
