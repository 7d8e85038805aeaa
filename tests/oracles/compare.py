"""An arrangement against the exact slice: the same subdivision, and on it the same function.

Combinatorics must be equal: patterns, who is whose neighbour in which order round each cell, units of edges,
linear regions. Numbers must lie within the bounds of `rounding`: vertices, areas, affine maps, areas of
decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.verdict import Status
from splineviz.errors import SplinevizError
from tests.oracles.polygon import Triple
from tests.oracles.rational import RIM, ExactSlice
from tests.oracles.rounding import Rounding

__all__ = [
    "Agreement",
    "Mismatch",
    "assert_consistent",
    "assert_same",
    "assert_same_up_to_rounding",
    "match_cells",
    "patterns_of",
]


class Mismatch(AssertionError):  # noqa: N818 the word for what a test found
    """What differs, in one word, and how."""

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what}: {how}")
        self.what = what


@dataclass(frozen=True)
class Agreement:
    """How tight the comparison was: the largest share of its bound that each kind of number used."""

    vertices: float
    areas: float
    affine: float
    decisions: float


def patterns_of(arr: Arrangement) -> np.ndarray:
    """(F, n_units) the states of all units, stage after stage: bool, or int with the places of winners where
    there are maxima."""
    assert arr.program is not None
    states = [arr.winners(s.index) if s.candidates else arr.pattern_bits(s.index) for s in arr.program.stages]
    return np.concatenate([np.zeros((arr.n_cells, 0), dtype=bool), *states], axis=1)


def _keys(arr: Arrangement, exact: ExactSlice) -> tuple[list[bytes], list[bytes]]:
    """The patterns of both sides, in the order of their cells."""
    mine = [row.tobytes() for row in patterns_of(arr).astype(np.int64)]
    theirs = [
        np.array([state for row in cell.pattern for state in row], dtype=np.int64).tobytes()
        for cell in exact.cells
    ]
    assert len(set(theirs)) == len(theirs), "the oracle found one pattern twice"
    return mine, theirs


def assert_same_up_to_rounding(arr: Arrangement, exact: ExactSlice) -> None:
    """As `assert_same`; but an undecided arrangement may lose, or bend the patterns of, cells of no area to
    speak of."""
    if arr.status is Status.UNDECIDED:
        assert_close(arr, exact)
    else:
        assert_same(arr, exact)


def assert_close(arr: Arrangement, exact: ExactSlice, *, tolerance: float = 1e-9) -> None:
    """Compare the area of each pattern, up to a share of the window: what estimates of errors have to get
    right.

    Raises
    ------
    Mismatch
        For the pattern that is furthest off: "area of a pattern".
    """
    mine, theirs = _keys(arr, exact)
    areas = {pattern: float(area) for pattern, area in zip(theirs, exact.areas, strict=True)}
    found = dict(zip(mine, arr.areas.tolist(), strict=True))
    pairs = [(areas.get(p, 0.0), found.get(p, 0.0)) for p in areas.keys() | found.keys()]
    expected, measured = max(pairs, key=lambda pair: abs(pair[0] - pair[1]))
    if abs(expected - measured) > tolerance * sum(areas.values()):
        raise Mismatch("area of a pattern", f"a cell of area {expected} has area {measured}")


def assert_same(arr: Arrangement, exact: ExactSlice) -> Agreement:
    """Compare an arrangement of one window with the exact slice of it.

    Raises
    ------
    Mismatch
        For the first difference of: cells, neighbours, units, vertices, areas, affine, regions, decisions.
    """
    match = match_cells(arr, exact)
    points = _match_rings(arr, exact, match)
    _compare_units(arr, exact, match)
    rounding = Rounding(exact)
    expected = np.array([[x / w, y / w] for x, y, w in points])
    off = np.hypot(*(arr.vertices - expected).T)
    areas = np.array([float(area) for area in exact.areas])
    affine = np.array(
        [[[_quotient(c, cell.denominator) for c in form] for form in cell.forms] for cell in exact.cells]
    )[match]
    same = arr.affine == affine  # infinite where float64 has no such number
    shares = [
        _within("vertices", off, np.array([rounding.uv[point] for point in points])),
        _within("areas", np.abs(arr.areas - areas[match]), rounding.areas[match]),
        _within("affine", np.where(same, 0.0, np.abs(arr.affine - affine)), rounding.affine[match]),
    ]
    _compare_regions(arr, exact, match)
    return Agreement(*shares, _compare_decisions(arr, exact, match, rounding))


def _quotient(number: int, divisor: int) -> float:
    """Rounded to float64."""
    try:
        return number / divisor
    except OverflowError:
        return np.inf if (number > 0) == (divisor > 0) else -np.inf


def assert_consistent(arr: Arrangement) -> None:
    """The arrangement's own check, as a `Mismatch` in one word like any other."""
    try:
        arr.check()
    except SplinevizError as error:
        raise Mismatch("inconsistent", str(error)) from error


def match_cells(arr: Arrangement, exact: ExactSlice) -> np.ndarray:
    """(F,) the exact cell of each cell."""
    mine, theirs = _keys(arr, exact)
    missing, invented = set(theirs) - set(mine), set(mine) - set(theirs)
    if missing or invented or len(mine) != len(theirs):
        lost = [float(area) for pattern, area in zip(theirs, exact.areas, strict=True) if pattern in missing]
        sizes = f", the largest of area {max(lost):.2g}," if lost else ""
        raise Mismatch(
            "cells",
            f"{len(missing)} of {exact.n_cells}{sizes} are missing, {len(invented)} of {arr.n_cells} "
            f"invented",
        )
    where = {pattern: number for number, pattern in enumerate(theirs)}
    return np.array([where[pattern] for pattern in mine])


def _match_rings(arr: Arrangement, exact: ExactSlice, match: np.ndarray) -> list[Triple]:
    """The exact point of each vertex, from the order of neighbours round each cell; coordinates are not
    looked at.

    But for a cell without neighbours, which is the window: its ring starts at the vertex that is nearest to
    the first corner.
    """
    names = np.append(match, RIM)
    sides = arr.edge_cells[arr.cell_edges]
    beyond = names[np.where(sides[:, 0] == arr.cells.row_of, sides[:, 1], sides[:, 0])].tolist()
    vertices, offsets = arr.cells.values.tolist(), arr.cells.offsets.tolist()
    found: list[Triple | None] = [None] * arr.n_vertices
    for cell, (begin, end) in enumerate(pairwise(offsets)):
        ring = exact.rings[match[cell]]
        mine, theirs = beyond[begin:end], [neighbour for neighbour, _, _ in ring]
        if sorted(mine) != sorted(theirs):
            raise Mismatch(
                "neighbours",
                f"cell {cell} has {sorted(mine)}, expected {sorted(theirs)} (exact numbers, {RIM} is "
                f"the rim)",
            )
        shift = _shift(mine, theirs, arr.vertices[vertices[begin:end]], ring[0][1])
        if mine[shift:] + mine[:shift] != theirs:
            raise Mismatch("neighbours", f"round cell {cell} they are in the order {mine}, expected {theirs}")
        around = vertices[begin:end]
        for vertex, (_, point, _) in zip(around[shift:] + around[:shift], ring, strict=True):
            if found[vertex] not in (None, point):
                raise Mismatch("neighbours", f"vertex {vertex} is two points of the exact slice")
            found[vertex] = point
    points = [point for point in found if point is not None]
    if not len(points) == len(set(points)) == arr.n_vertices == exact.n_vertices:
        raise Mismatch("neighbours", f"{arr.n_vertices} vertices, expected {exact.n_vertices}")
    if arr.n_edges != exact.n_edges:
        raise Mismatch("neighbours", f"{arr.n_edges} edges, expected {exact.n_edges}")
    return points


def _shift(mine: list[int], theirs: list[int], uv: np.ndarray, first: Triple) -> int:
    """Where the ring of one cell begins in the other's order. Two convex cells share one edge, so a neighbour
    comes once."""
    anchor = next((i for i, neighbour in enumerate(theirs) if neighbour != RIM), None)
    if anchor is None:
        return int(np.argmin(np.hypot(*(uv - np.array([first[0] / first[2], first[1] / first[2]])).T)))
    return (mine.index(theirs[anchor]) - anchor) % len(mine)


def _compare_units(arr: Arrangement, exact: ExactSlice, match: np.ndarray) -> None:
    inner = (arr.edge_cells >= 0).all(axis=1)
    pairs = [frozenset(pair) for pair in match[arr.edge_cells[inner]].tolist()]
    rows, offsets = arr.edge_units.values.tolist(), arr.edge_units.offsets.tolist()
    edges = np.flatnonzero(inner).tolist()
    units = [frozenset((s, u) for s, u in rows[offsets[edge] : offsets[edge + 1]]) for edge in edges]
    expected = {frozenset(edge.cells): edge.units for edge in exact.edges}
    for pair, found in zip(pairs, units, strict=True):
        if found != expected[pair]:
            raise Mismatch("units", f"an edge has {sorted(found)}, expected {sorted(expected[pair])}")
    if len(rows) != sum(map(len, units)):
        raise Mismatch("units", "an edge on the rim belongs to a unit, or a unit is named twice")


def _within(what: str, off: np.ndarray, bound: np.ndarray) -> float:
    if (off > bound).any():
        worst = np.unravel_index(np.argmax(off - bound), off.shape)
        raise Mismatch(what, f"number {worst} is off by {off[worst]:.3g}, the bound is {bound[worst]:.3g}")
    return float((off / np.where(bound > 0, bound, 1.0)).max(initial=0.0))


def _compare_regions(arr: Arrangement, exact: ExactSlice, match: np.ndarray) -> None:
    expected = np.array(exact.region_of)[match]
    pairs = np.unique(np.stack([arr.linear_regions, expected]), axis=1).shape[1]
    n = arr.n_linear_regions
    if not n == pairs == exact.n_linear_regions:
        raise Mismatch(
            "regions",
            f"{n} linear regions, expected {exact.n_linear_regions}, with {pairs} meetings between them",
        )


def _compare_decisions(arr: Arrangement, exact: ExactSlice, match: np.ndarray, rounding: Rounding) -> float:
    """Areas by cell and class; where float64 cannot place a boundary, the bound is large."""
    regions = arr.decision_regions()
    n_classes = max(2, arr.affine.shape[1])
    found, expected = np.zeros((2, exact.n_cells, n_classes))
    np.add.at(found, (match[regions.cells], regions.classes), regions.areas)
    for (cell, place), area in exact.decisions.items():
        expected[cell, place] = float(area)
    return _within(
        "decisions", np.abs(found - expected), np.broadcast_to(rounding.decisions[:, None], found.shape)
    )
