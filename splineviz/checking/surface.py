"""Is it watertight? Cells, edges and vertices as one surface without a seam, whose rim is that of the
window."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.checking.claim import Claim
from splineviz.checking.polygon_checks import narrow_cells
from splineviz.checking.report import Check, Verdict, judge

__all__ = [
    "check_coverage",
    "check_doubt",
    "check_edges",
    "check_euler",
    "check_rim",
    "check_stages",
    "check_vertices",
    "polygons_of",
]


def check_edges(claim: Claim) -> Check:
    """Sides of cells and the table of edges say the same."""
    e = len(claim.edges)
    low, high = claim.edges.min(1), claim.edges.max(1)
    key = low * np.int64(len(claim.vertices)) + high
    order = np.argsort(key, kind="stable")
    twice = order[1:][np.diff(key[order]) == 0]
    start, end = claim.edges[claim.side_edge].T
    forward = (start == claim.corner) & (end == claim.side_end)
    backward = (end == claim.corner) & (start == claim.side_end)
    left = np.bincount(claim.side_edge[forward], minlength=e)
    right = np.bincount(claim.side_edge[backward], minlength=e)
    named = claim.edge_cells >= 0
    astray = claim.side_edge[~(forward | backward)]
    other = claim.side_edge[claim.edge_cells[claim.side_edge, np.where(forward, 0, 1)] != claim.side_cell]
    counted = np.flatnonzero((left != named[:, 0]) | (right != named[:, 1]) | ~named.any(1))
    two = claim.cell_window[claim.edge_cells]
    windows = np.flatnonzero(claim.inner & (two[:, 0] != two[:, 1]))
    bad = np.concatenate([np.flatnonzero(low == high), twice, astray, other, counted, windows])
    sentence = "an inner edge has two cells, on opposite sides, one on the rim has one"
    return judge("edges", sentence, "edges", e, bad=bad, notes={"on the rim": int((~claim.inner).sum())})


def check_vertices(claim: Claim, settled: np.ndarray) -> Check:
    """Each vertex once, and none in the middle of a line: a corner of no cell and of no window counts for
    nothing.

    Cells below the spacing of float64 have corners at equal numbers; only such corners may be equal. They are
    the ends of an edge, or corners of cells that exact arithmetic derived again (``settled``).
    """
    v = len(claim.vertices)
    unused = np.setdiff1d(np.arange(v), claim.corner)
    zero = (claim.vertices[claim.edges[:, 0]] == claim.vertices[claim.edges[:, 1]]).all(1)
    joined = _components(v, claim.edges[zero])[1]
    # Two windows may touch or overlap, and each has its own vertices.
    window = np.zeros(v, dtype=np.int64)
    window[claim.corner] = claim.cell_window[claim.side_cell]
    place = np.unique(np.column_stack([window, claim.vertices + 0.0]), axis=0, return_inverse=True)[
        1
    ].reshape(-1)
    order = np.lexsort((joined, place))
    apart = (np.diff(place[order]) == 0) & (np.diff(joined[order]) != 0)
    twice = np.union1d(order[1:][apart], order[:-1][apart])
    thin = _corners_of(claim, narrow_cells(claim))
    bad = np.concatenate([unused, twice[~thin[twice]], _in_lines(claim)])
    unsure = twice[thin[twice] & ~_corners_of(claim, np.flatnonzero(settled))[twice]]
    note = {"edges shorter than the spacing of float64 numbers": int(zero.sum())}
    sentence = "every vertex is there once, and none lies in the middle of a line"
    return judge("vertices", sentence, "vertices", v, bad=bad, unsure=unsure, notes=note)


def _in_lines(claim: Claim) -> np.ndarray:
    """Vertices where only two edges end that have the same cells, but for corners of the window: a line goes
    straight on there, since cells are convex on both of its sides.

    On the rim of a result that does not cover its windows the other cells there may be missing.
    """
    two = np.flatnonzero(np.bincount(claim.edges.ravel(), minlength=len(claim.vertices)) == 2)
    ends = claim.edges.ravel()
    order = np.argsort(ends, kind="stable")
    one, other = (order[np.searchsorted(ends[order], two) + k] // 2 for k in (0, 1))
    inner = claim.inner[one] & claim.inner[other]
    if not claim.covers:
        return np.asarray(two[inner])
    window = claim.cell_window[claim.edge_cells[one].max(1)]
    apart = np.full(len(two), np.inf)
    for number in np.unique(window):
        rows, corners = window == number, claim.windows[number].vertices
        off = claim.vertices[two[rows]][:, None] - corners
        apart[rows] = np.hypot(off[..., 0], off[..., 1]).min(1)
    return np.asarray(two[inner | (apart > claim.slack[window])])


def _corners_of(claim: Claim, cells: np.ndarray) -> np.ndarray:
    """(V,) bool: the corners of some cells."""
    corners = np.zeros(len(claim.vertices), dtype=bool)
    corners[claim.corner[np.isin(claim.side_cell, cells)]] = True
    return corners


def check_euler(claim: Claim, *, sound: bool) -> Check:
    """V - E + F, on the surface that the cells make when they are glued along inner edges.

    Where cells touch in a vertex only, as in a batch, that vertex counts once for each fan of cells round it.
    A surface of C pieces in the plane, with L closed rims, has V - E + F = 2 C - L.
    """
    if not sound:
        return Check(
            "euler",
            "V - E + F fits one surface without a seam",
            Verdict.SKIPPED,
            "pieces",
            note="the edges fail",
        )
    f, e, v = claim.n_cells, len(claim.edges), len(claim.vertices)
    pieces = _components(f, claim.edge_cells[claim.inner])[0]
    fans = _fans(claim)
    n_fans = len(np.unique(fans))
    rims, _ = _rims(claim, fans)
    found = n_fans - e + f
    holds = found == 2 * pieces - rims
    if claim.covers:
        holds &= n_fans == v and pieces == rims == len(claim.windows)
    parts = f"{pieces:,} piece{'s' * (pieces != 1)} and {rims:,} closed rim{'s' * (rims != 1)}"
    sentence = f"V - E + F = {found:,} with {parts}"
    if not holds:
        expected = f"{len(claim.windows):,} for as many windows" if claim.covers else f"{2 * pieces - rims:,}"
        sentence += f", and has to be {expected}"
    bad = np.zeros(0 if holds else 1, dtype=np.int64)
    return judge(
        "euler", sentence, "pieces", pieces, bad=bad, notes={"vertices where cells only touch": n_fans - v}
    )


def _fans(claim: Claim) -> np.ndarray:
    """(S,) for each corner of a cell the fan that it is in: corners of neighbours at one vertex of their
    common edge."""
    at = np.full((len(claim.edges), 2), -1)  # the side that an edge is, forward and backward
    forward = claim.edges[claim.side_edge, 0] == claim.corner
    at[claim.side_edge, np.where(forward, 0, 1)] = np.arange(len(claim.corner))
    left, right = at[claim.inner].T
    # The left cell begins its side where the right one ends its own.
    pairs = np.concatenate(
        [np.column_stack([left, claim.next_side[right]]), np.column_stack([claim.next_side[left], right])]
    )
    return _components(len(claim.corner), pairs)[1]


def _rims(claim: Claim, fans: np.ndarray) -> tuple[int, np.ndarray]:
    """Number of closed rims, and the rim of each side on the rim."""
    sides = np.flatnonzero(~claim.inner[claim.side_edge])
    ends = np.column_stack([fans[sides], fans[claim.next_side[sides]]])
    n, label = _components(len(claim.corner), ends)
    used = label[ends[:, 0]]
    return len(np.unique(used)) if n else 0, used


def check_doubt(claim: Claim) -> Check:
    """Cells that the arrangement itself puts in doubt are left open, whatever the other checks find."""
    return judge("doubt", "no cell is marked as in doubt", "cells", claim.n_cells, unsure=claim.in_doubt)


def check_stages(claim: Claim) -> Check:
    """Cells that only edges of later stages part are one cell after a stage; the last stage with an edge of a
    cell separated it."""
    edges = np.flatnonzero(claim.inner & (np.diff(claim.unit_offsets) > 0))
    earliest = (
        np.minimum.reduceat(claim.units[:, 0], claim.unit_offsets[edges])
        if len(edges)
        else np.zeros(0, np.int64)
    )
    last = np.full(claim.n_cells, -1)
    for cells in claim.edge_cells[edges].T:
        np.maximum.at(last, cells, earliest)
    bad = np.flatnonzero(last != claim.cell_stage)
    counts = [
        _components(claim.n_cells, claim.edge_cells[edges[earliest > s]])[0] for s in range(claim.n_stages)
    ]
    after = "  ".join(f"{count:,}" for count in counts)
    sentence = f"cells after each stage are {after}, and each cell names the last that made it"
    if not claim.covers:
        # Edges and cells beyond the rim are missing, so that these are bounds.
        bad = np.flatnonzero(last > claim.cell_stage)
        told = claim.cells_per_stage
        if list(told) != sorted(told) or (told and told[-1] != claim.n_cells):
            bad = np.arange(claim.n_cells)
        sentence = "no cell was made before its edges were, and none of the cells after a stage is lost later"
        return judge("stages", sentence, "cells", claim.n_cells, bad=bad)
    if tuple(counts) != claim.cells_per_stage:
        sentence += f"; the file says {'  '.join(f'{count:,}' for count in claim.cells_per_stage)}"
        bad = np.arange(claim.n_cells)
    return judge("stages", sentence, "cells", claim.n_cells, bad=bad)


def check_rim(claim: Claim) -> Check:
    """Edges with one cell lie on the sides of the window, go round it once, and cover it from corner to
    corner."""
    sentence = "edges with one cell go round the window once"
    if not claim.covers:
        return Check(
            "rim", sentence, Verdict.SKIPPED, "windows", note="the cells are not said to cover their windows"
        )
    sides = np.flatnonzero(~claim.inner[claim.side_edge])
    a, b = claim.vertices[claim.corner[sides]], claim.vertices[claim.side_end[sides]]
    window = claim.cell_window[claim.side_cell[sides]]
    off, along, which = (
        np.full(len(sides), np.inf),
        np.zeros(len(sides)),
        np.zeros(len(sides), dtype=np.int64),
    )
    counts = np.array([len(w.vertices) for w in claim.windows])
    for k in range(counts.max()):
        rows = counts[window] > k
        start = np.array([w.vertices[k % len(w.vertices)] for w in claim.windows])[window]
        end = np.array([w.vertices[(k + 1) % len(w.vertices)] for w in claim.windows])[window]
        length = np.hypot(*(end - start).T)
        unit = (end - start) / length[:, None]
        away = np.maximum(
            *(np.abs(unit[:, 0] * (p - start)[:, 1] - unit[:, 1] * (p - start)[:, 0]) for p in (a, b))
        )
        outside = [
            np.maximum(-((p - start) * unit).sum(1), ((p - start) * unit).sum(1) - length) for p in (a, b)
        ]
        away = np.maximum(away, np.maximum(*outside))
        nearer = rows & (away < off)
        off[nearer], which[nearer], along[nearer] = away[nearer], k, ((b - a) * unit).sum(1)[nearer]
    off_rim = (off > claim.slack[window]) | (along < 0)
    # A side of a window whose edges are not as long as it is, is not covered.
    first = np.concatenate([[0], np.cumsum(counts)])
    covered = np.bincount(first[window] + which, weights=along, minlength=first[-1])
    wanted = np.concatenate([np.hypot(*(np.roll(w.vertices, -1, 0) - w.vertices).T) for w in claim.windows])
    short = np.repeat(np.arange(len(counts)), counts)[
        np.abs(covered - wanted) > np.repeat(4 * claim.slack, counts)
    ]
    bad, notes = (
        np.concatenate([window[off_rim], short]),
        {"edges": len(sides), "edges off the rim": int(off_rim.sum())},
    )
    worst, limit = off.max(initial=0.0), claim.slack.max()
    return judge("rim", sentence, "windows", len(counts), bad=bad, closeness=(worst, limit), notes=notes)


def check_coverage(claim: Claim, polygons: np.ndarray, settled: np.ndarray) -> Check:
    """The polygons of stored coordinates, compared bit by bit by shapely: none overlap, and edges match
    vertex by vertex.

    Cells too narrow for the spacing of float64 have no valid polygon; those that exact arithmetic derived
    again are ``settled``. Where corners of these are rounded, others may reach into each other by the slack.
    """
    sound, narrow = shapely.is_valid(polygons), narrow_cells(claim)
    order = np.argsort(claim.cell_window, kind="stable")
    bad, reaching = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for cells in np.split(order, np.flatnonzero(np.diff(claim.cell_window[order])) + 1):
        cells = cells[sound[cells]]
        if not shapely.coverage_is_valid(polygons[cells]):
            found = cells[~shapely.is_empty(shapely.coverage_invalid_edges(polygons[cells]))]
            excused = _beside(claim, narrow)[found]
            slack = claim.slack[claim.cell_window[cells[0]]]
            excused[excused] = ~_overlapping(polygons, found[excused], cells, slack)
            bad.append(found[~excused])
            reaching.append(found[excused])
    by_rounding = np.concatenate(reaching)
    open_ = _beside(claim, narrow[~settled[narrow]])
    sentence = "a valid coverage to shapely: no overlap, edges match"
    return judge(
        "coverage",
        sentence,
        "cells",
        claim.n_cells,
        bad=np.concatenate(bad),
        unsure=np.union1d(np.flatnonzero(~sound & ~settled), by_rounding[open_[by_rounding]]),
        notes={"cells reach into others by rounding, beside narrow ones": len(by_rounding)},
    )


def _beside(claim: Claim, some: np.ndarray) -> np.ndarray:
    """(F,) bool: the cells that have a corner of some cells."""
    cells = np.zeros(claim.n_cells, dtype=bool)
    cells[claim.side_cell[_corners_of(claim, some)[claim.corner]]] = True
    return cells


def _overlapping(polygons: np.ndarray, some: np.ndarray, others: np.ndarray, slack: float) -> np.ndarray:
    """(some,) bool: which polygons reach into any of the others by more than the slack along their rim."""
    row, other = shapely.STRtree(polygons[others]).query(polygons[some], predicate="intersects")
    row, other = row[some[row] != others[other]], other[some[row] != others[other]]
    # On a grid, since without one sides that are nearly the same can make GEOS take a whole polygon for it.
    pairs = polygons[some[row]], polygons[others[other]]
    common = shapely.area(shapely.intersection(*pairs, grid_size=slack))
    return np.bincount(row, common > slack * shapely.length(polygons[some[row]]), len(some)) > 0


def polygons_of(claim: Claim) -> np.ndarray:
    """(F,) shapely polygons of the cells, in uv."""
    rings = np.insert(claim.corner, claim.offsets[1:], claim.corner[claim.offsets[:-1]])
    owner = np.repeat(np.arange(claim.n_cells), np.diff(claim.offsets) + 1)
    result: np.ndarray = shapely.polygons(shapely.linearrings(claim.vertices[rings], indices=owner))
    return result


def _components(n: int, pairs: np.ndarray) -> tuple[int, np.ndarray]:
    graph = coo_array((np.ones(len(pairs), dtype=np.int32), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    count, labels = connected_components(graph, directed=False)
    return int(count), np.asarray(labels, dtype=np.int64)
