"""Edges of an arrangement along which the two largest logits tie, in exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.decisions.exact_pieces import exact_logits
from splineviz.arrangement.exact_polygon import ExactPolygon, Triple, combined, value
from splineviz.arrangement.logit_bounds import logit_bounds

if TYPE_CHECKING:
    from splineviz.arrangement.exact_cells import ExactCell
    from splineviz.arrangement.proof import Proof
    from splineviz.arrangement.result import Arrangement

__all__ = ["exact_ties"]

_CHUNK = 1 << 22
"""Differences of two logits that are looked at together"""
_ROUNDINGS = 4
"""Of three products, added up"""


def exact_ties(
    arr: Arrangement,
    proof: Proof,
    maps: Float64[np.ndarray, "cell logit 3"],
    cells: Int64[np.ndarray, "some"],
    level: float | None,
) -> dict[tuple[int, int], list[float]] | None:
    """Lengths by classes of all ties of the two largest logits along edges of some cells, each rounded
    once; ties on all of both sides left out.

    Float64 rules out all edges but those near which two logits tie at both ends, and exact arithmetic decides
    these. None where they are too many for that, or the network has no exact form.
    """
    edges = _near(arr, proof, maps, np.unique(arr.cell_edges[arr.cells.places(cells).values]))
    beside = np.unique(arr.edge_cells[edges])
    known = proof.cells(beside[beside >= 0])
    found: dict[tuple[int, int], list[float]] = {}
    for edge in edges.tolist():  # few: of networks in general position none
        cells_here = [cell for cell in arr.edge_cells[edge].tolist() if cell >= 0]
        sides = [known[cell] for cell in cells_here if cell in known]
        if len(sides) < len(cells_here) or sides[0].polygon is None:
            return None
        start, end = arr.cells.offsets[cells_here[0] : cells_here[0] + 2]
        place = int(np.flatnonzero(arr.cell_edges[start:end] == edge)[0])
        for pair, length in _ties(sides[0].polygon, sides, place, level):
            found.setdefault(pair, []).append(length)
    return found


def _near(arr: Arrangement, proof: Proof, maps: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The edges along which two logits may tie that may be the largest."""
    cell_of = arr.a_cell_at_each_vertex()
    ends = np.unique(arr.edges[edges])
    at, uv = maps[cell_of[ends]], arr.vertices[ends]
    values = at[:, :, 0] * uv[:, :1] + at[:, :, 1] * uv[:, 1:] + at[:, :, 2]
    moved = proof.displacement_at(ends)[ends]
    with np.errstate(invalid="ignore", over="ignore"):
        bounds = logit_bounds(maps, proof.errors, cell_of[ends], uv, moved, _ROUNDINGS)
        gap = np.diff(np.sort(values, axis=1), axis=1).min(1, initial=np.inf)
        # What is not a number is not ruled out.
        close = ~(gap > 2.0 * bounds.max(1, initial=0.0))
        rows = np.searchsorted(ends, arr.edges[edges])
        edges, rows = edges[close[rows].all(1)], rows[close[rows].all(1)]
        size = max(1, _CHUNK // max(1, values.shape[1] ** 2))
        kept = [np.zeros(0, dtype=bool)]
        for start in range(0, len(edges), size):
            z, wrong = values[rows[start : start + size]], bounds[rows[start : start + size]]
            kept.append(_may_tie(z, wrong))
    found: np.ndarray = edges[np.concatenate(kept)]
    return found


def _may_tie(z: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """(n,) bool: along which edges two logits may tie that no third is above, from values and bounds at both
    ends, (n, 2, C)."""
    lead = z[:, :, :, None] - z[:, :, None, :]
    slack = wrong[:, :, :, None] + wrong[:, :, None, :]
    beaten = (lead < -slack).all(1).any(2)
    tie = ~(np.abs(lead) > slack).any(1) & ~beaten[:, :, None] & ~beaten[:, None, :]
    n = z.shape[2]
    may: np.ndarray = (tie & (np.arange(n)[:, None] < np.arange(n))).any((1, 2))
    return may


def _ties(
    polygon: ExactPolygon, sides: Sequence[ExactCell], place: int, level: float | None
) -> list[tuple[tuple[int, int], float]]:
    """Classes and lengths of the ties along a side of the first of the cells at it, of the two lowest logits
    that tie."""
    k = polygon.names.index(place)
    ends = polygon.corners[k], polygon.corners[(k + 1) % len(polygon.corners)]
    every = [exact_logits(side, level) for side in sides]
    a, b = ([value(form, end) for form in every[0]] for end in ends)
    found, n = [], len(every[0])
    for i in range(n):
        tied = [j for j in range(n) if j != i and a[i] == a[j] and b[i] == b[j]]
        if not tied or tied[0] < i:
            continue
        differing = [j for j in tied if any(any(combined(forms[i], forms[j])) for forms in every)]
        low, high = _where_largest(a, b, ends, i)
        if differing and low < high:
            found.append(((i, differing[0]), _length(ends, high - low)))
    return found


def _where_largest(
    a: Sequence[int], b: Sequence[int], ends: tuple[Triple, Triple], own: int
) -> tuple[Fraction, Fraction]:
    """From where to where on a side, as shares of it, a logit is the largest; values at ends are times their
    W."""
    low, high = Fraction(0), Fraction(1)
    for other in range(len(a)):
        lead_a, lead_b = (Fraction(x[own] - x[other], end[2]) for x, end in zip((a, b), ends, strict=True))
        if min(lead_a, lead_b) < 0 and max(lead_a, lead_b) <= 0:
            return Fraction(1), Fraction(0)
        if lead_a < 0:
            low = max(low, lead_a / (lead_a - lead_b))
        elif lead_b < 0:
            high = min(high, lead_a / (lead_a - lead_b))
    return low, high


def _length(ends: tuple[Triple, Triple], share: Fraction) -> float:
    """Share of the length of a side, rounded."""
    (x, y, w), (p, q, r) = ends
    square = (Fraction(x, w) - Fraction(p, r)) ** 2 + (Fraction(y, w) - Fraction(q, r)) ** 2
    return math.sqrt(square * share * share)
