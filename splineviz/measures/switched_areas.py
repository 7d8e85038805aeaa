"""Area on which units have another state at one checkpoint than at another, from the two arrangements alone.

Of a unit with the regions P_c at one checkpoint and Q_c at the other, one for each of its states c, it is

    1/2 sum over c of (|P_c| + |Q_c| - 2 |P_c and Q_c|),

what lies between the two positions of its line; of a unit that is on or off |P| + |Q| - 2 |P and Q| of the
regions on which it is on. The boundaries of these regions are edges of the two arrangements, so that no
overlay of them is computed (`overlaps`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.cells import Cells
from splineviz.errors import InputError
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.measures.overlaps import overlap_areas
from splineviz.plane import Window
from splineviz.stage import Stage

__all__ = ["StateRegions", "require_rectangle", "state_regions", "switched_areas"]

_ROUNDING = 32 * UNIT_ROUNDOFF
"""Of widths times depth, for three overlaps"""


@dataclass(frozen=True, eq=False)
class StateRegions:
    """Regions of one slice on which units have a state, by their boundaries.

    Attributes
    ----------
    segments
        CSR over the regions, of the segments of their boundaries, as `overlap_areas` takes them. Units that
        are on or off have one region, that on which they are on; others one for each of their candidates.
    unit
        (R,) the unit of each region, counted through all stages.
    shares
        (R,) 1 for units that are on or off, and 1/2 for others, whose states are all there.
    height
        Height of the window.
    displacement
        Largest distance of a vertex from its exact place; None where that is not known.
    """

    segments: Csr
    unit: np.ndarray
    shares: np.ndarray
    height: float
    displacement: float | None

    @property
    def swept(self) -> Float64[np.ndarray, "region"] | None:
        """(R,) bound of the area by which a region differs from the exact one: what its boundary sweeps when
        vertices go to their exact places, d (length + d) for each edge.

        The left and the right side of the window are not among the edges; vertices on them leave, or miss, no
        more than d of its width each.
        """
        if self.displacement is None:
            return None
        sides = 2.0 * self.displacement * (self.height + self.displacement)
        steps = self.segments.values[:, 2:4] - self.segments.values[:, :2]
        length = np.hypot(*steps.T) + self.displacement
        edges = np.bincount(self.segments.row_of, weights=length, minlength=len(self.segments))
        swept: np.ndarray = sides + self.displacement * edges
        return swept


def require_rectangle(window: Window) -> tuple[float, float, float, float]:
    """(x0, x1, y0, y1) of a window that is a rectangle along u and v.

    Raises
    ------
    InputError
        If it is another polygon.
    """
    x0, x1, y0, y1 = window.bounds
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    if len(window.vertices) != 4 or {*map(tuple, window.vertices)} != {*map(tuple, corners)}:
        raise InputError(
            f"lines over training need a rectangle along u and v, got a polygon of {len(window.vertices)} "
            f"corners",
            hint="sv.Window.box, or sv.Window.around",
        )
    return window.bounds


def switched_areas(
    first: StateRegions, second: StateRegions, n_units: int
) -> tuple[Float64[np.ndarray, "unit"], Float64[np.ndarray, "unit"] | None]:
    """(U,) area on which each unit has another state in the second slice than in the first, and a proven
    bound of its error, or None.

    Both slices are of one window, of networks with the same units. Where a boundary is the same to the last
    bit, the area is 0.

    Examples
    --------
    A line that goes from u = 0 to u = 1/4 in a window of height 2:

    >>> import torch, splineviz as sv
    >>> def net(b):
    ...     one = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    ...     one[0].weight.data, one[0].bias.data = torch.tensor([[1.0, 0.0]]), torch.tensor([-b])
    ...     return sv.arrange(one, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    >>> areas, errors = switched_areas(state_regions(net(0.0)), state_regions(net(0.25)), 1)
    >>> areas.tolist()
    [0.5]
    """
    (of_first, w1), (of_second, w2), (both, w3) = (
        overlap_areas(a.offsets, a.values, b.offsets, b.values)
        for a, b in ((first.segments,) * 2, (second.segments,) * 2, (first.segments, second.segments))
    )
    areas = first.shares * (of_first + of_second - 2.0 * both)
    switched = np.bincount(first.unit, weights=areas, minlength=n_units)
    swept = first.swept, second.swept
    if swept[0] is None or swept[1] is None:
        return np.maximum(switched, 0.0), None
    # an indicator enters once by itself, and twice times the other, which is 0 or 1
    errors = 3.0 * (swept[0] + swept[1]) + _ROUNDING * first.height * (w1 + w2 + w3)
    bound = np.bincount(first.unit, weights=first.shares * errors, minlength=n_units)
    return np.maximum(switched, 0.0), bound


def state_regions(arr: Cells) -> StateRegions:
    """Boundaries of the regions on which the units of an arrangement have their states.

    Raises
    ------
    InputError
        If the window is no rectangle, or there are no activation patterns.
    """
    assert arr.info is not None
    y0, y1 = require_rectangle(arr.windows[0])[2:]
    lower, upper = _rim(arr)
    found: list[tuple[np.ndarray, ...]] = []
    units, shares, n_regions, n_units = [], [], 0, 0
    for stage in arr.info.stages:
        several = max(1, stage.candidates)
        for region, corners, sign in (*_of_edges(arr, stage), *_of_rim(arr, stage, lower, upper)):
            found.append((region + n_regions, corners, sign))
        units.append(n_units + np.repeat(np.arange(stage.n_units), several))
        shares.append(np.full(len(units[-1]), 0.5 if stage.candidates else 1.0))
        n_regions, n_units = n_regions + len(units[-1]), n_units + stage.n_units
    region, corners, sign = (np.concatenate(column) for column in zip(*found, strict=True))
    turned = corners[:, 0, 0] > corners[:, 1, 0]
    corners[turned] = corners[turned, ::-1]
    table = np.column_stack([corners[:, 0], corners[:, 1], sign])
    table[:, [1, 3]] = y1 - table[:, [1, 3]]
    kept = table[:, 0] < table[:, 2]
    order = np.lexsort((table[kept, 0], region[kept]))
    counts = np.bincount(region[kept], minlength=n_regions)
    sound = not len(arr.in_doubt) and not len(arr.thin_cells) and arr.stats.certified
    return StateRegions(
        Csr(np.concatenate([[0], np.cumsum(counts)]), np.ascontiguousarray(table[kept][order])),
        np.concatenate(units),
        np.concatenate(shares),
        y1 - y0,
        arr.stats.largest_displacement if sound else None,
    )


_Boundary = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Regions (n,), ends of segments (n, 2, 2), and signs (n,)"""


def _of_edges(arr: Cells, stage: Stage) -> list[_Boundary]:
    """Segments inside the window that bound regions of one stage."""
    mine = np.flatnonzero(arr.edge_units.values[:, 0] == stage.index)
    edge, unit = arr.edge_units.row_of[mine], arr.edge_units.values[mine, 1]
    ends = arr.vertices[arr.edges[edge]]
    left, right = (_states(arr, stage, arr.edge_cells[edge, side], unit) for side in (0, 1))
    forth = ends[:, 0, 0] < ends[:, 1, 0]
    above, below = np.where(forth, left, right), np.where(forth, right, left)
    return _sides(stage, unit, ends, above, below)


def _sides(
    stage: Stage, unit: np.ndarray, ends: np.ndarray, above: np.ndarray, below: np.ndarray
) -> list[_Boundary]:
    """Segments as boundaries of the regions above and below them; a state of -1 is outside the window."""
    found = []
    for state, sign in ((above, 1.0), (below, -1.0)):
        there = state >= 0 if stage.candidates else state == 1
        region = unit[there] * stage.candidates + state[there] if stage.candidates else unit[there]
        found.append((region, ends[there], np.full(len(region), sign)))
    return found


def _rim(arr: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the lower and of the upper side of the window, each from left to right."""
    rim = np.flatnonzero((arr.edge_cells < 0).any(1))
    ends = arr.vertices[arr.edges[rim]]
    step = ends[:, 1] - ends[:, 0]
    order = np.argsort(ends[:, :, 0].sum(1), kind="stable")
    above = (step[:, 0] > 0) == (arr.edge_cells[rim, 0] >= 0)
    flat = np.abs(step[:, 0]) > np.abs(step[:, 1])
    return rim[order[(flat & above)[order]]], rim[order[(flat & ~above)[order]]]


def _of_rim(arr: Cells, stage: Stage, lower: np.ndarray, upper: np.ndarray) -> list[_Boundary]:
    """Segments of the rim that bound regions of one stage: one for as long as a unit has one state."""
    x0, x1, y0, y1 = arr.windows[0].bounds
    found = []
    for edges, level in ((lower, y0), (upper, y1)):
        states = _all_states(arr, stage, arr.edge_cells[edges].max(1))
        new = np.ones(states.shape, dtype=bool)
        new[1:] = states[1:] != states[:-1]
        unit, first = np.nonzero(new.T)
        left = np.where(first == 0, x0, arr.vertices[arr.edges[edges[first]], 0].min(1))
        right = np.full(len(unit), x1)
        goes_on = unit[1:] == unit[:-1]
        right[:-1][goes_on] = left[1:][goes_on]
        ends = np.empty((len(unit), 2, 2))
        ends[:, 0, 0], ends[:, 1, 0], ends[:, :, 1] = left, right, level
        inside, outside = states[first, unit].astype(np.int64), np.full(len(unit), -1)
        found += _sides(stage, unit, ends, *((inside, outside) if level == y0 else (outside, inside)))
    return found


def _states(arr: Cells, stage: Stage, cells: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """(n,) state of one unit each on one cell each: 1 on, 0 off, or the place of the largest candidate."""
    words, _ = arr.words(stage.index, cells)
    n_words, rows = -(-stage.n_units // 64), np.arange(len(cells))
    states = np.zeros(len(cells), dtype=np.int64)
    for bit in range(words.shape[1] // n_words):
        found = words[rows, bit * n_words + unit // 64] >> (unit % 64).astype(np.uint64)
        states |= (found & np.uint64(1)).astype(np.int64) << bit
    return states


def _all_states(arr: Cells, stage: Stage, cells: np.ndarray) -> np.ndarray:
    """(n, units) states of all units of a stage on some cells; bool for those that are on or off."""
    return arr.winners(stage.index, cells) if stage.candidates else arr.pattern_bits(stage.index, cells)
