"""Areas on which the margin of the decision is below a number, with their proven errors.

On a piece of one class the margin is the least of the class's leads over all others, which are affine. So
where it is at least t is the piece cut by one half-plane for each other class.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import SAFE
from splineviz.measures.deviation import Deviation, Swept, cut_error, map_errors
from splineviz.measures.parts import Parts
from splineviz.measures.shares import ClassParts

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["MarginAreas"]


@dataclass(frozen=True, eq=False)
class MarginAreas:
    """Pieces of one class with bounds of their margins."""

    parts: Parts
    logits: Float64[np.ndarray, "cell logit 3"]
    areas: Float64[np.ndarray, "part"]
    low: Float64[np.ndarray, "part"]
    """Least margin of each"""
    high: Float64[np.ndarray, "part"]
    """A bound of the largest: the least of the largest leads over another class"""
    slack: Float64[np.ndarray, "part"]
    """How far margins may be off; infinite where nothing is proven"""
    swept: Swept | None
    deviation: Deviation
    edge_cells: np.ndarray

    @classmethod
    def of(
        cls,
        arr: Arrangement,
        parts: ClassParts,
        logits: Float64[np.ndarray, "cell logit 3"],
        swept: Swept | None,
        deviation: Deviation,
    ) -> MarginAreas:
        """Bound the margins of all pieces; ``swept`` is None where classes are not proven."""
        pieces = _joined(*parts.of_one_class)
        triangles, n = pieces.triangles, len(pieces.cells)
        areas = np.bincount(triangles.parts, weights=triangles.areas, minlength=n)
        low, high, steep = np.full(n, np.inf), np.full(n, np.inf), np.zeros(n)
        for c in range(logits.shape[1]):
            lead, slope = _leads(pieces, logits, c)
            np.minimum(low, np.minimum.reduceat(lead, pieces.polygons.offsets[:-1]), out=low)
            np.minimum(high, np.maximum.reduceat(lead, pieces.polygons.offsets[:-1]), out=high)
            np.maximum(steep, slope, out=steep)
        slack = np.full(n, np.inf)
        if swept is not None and arr._proof is not None:
            far = np.maximum.reduceat(arr._proof.displacement[arr.cells.values], arr.cells.offsets[:-1])
            steep += 2.0 * np.hypot(*arr._proof.errors[pieces.cells, :2].T)
            slack = SAFE * (2.0 * map_errors(arr)[pieces.cells] + steep * far[pieces.cells])
        return cls(pieces, logits, areas, low, high, slack, swept, deviation, arr.edge_cells)

    def below(self, t: float) -> tuple[float, float]:
        """Area on which the margin is below ``t``, and its error, infinite where none is proven."""
        near = np.flatnonzero(self.low < t)
        cut = self.parts.take(near[self.high[near] >= t])
        for c in range(self.logits.shape[1]):
            cut = cut.above(_leads(cut, self.logits, c)[0] - t)
        inside = math.fsum(self.areas[near].tolist()) - math.fsum(cut.triangles.areas.tolist())
        return inside, self._error(t, cut)

    def _error(self, t: float, cut: Parts) -> float:
        """Error of the area.

        What the two sides of an edge may exchange counts unless the margin is clearly above or clearly below
        t on both. Within a piece it counts where the lead over another class is within its error of t. Where
        the stored class is not the one that wins, by rounding, both margins are next to nothing.
        """
        near = self.low < t
        behind = np.maximum(0.0, -self.low)
        if self.swept is None or not (2.0 * (self.slack + behind)[near] < t).all():
            return math.inf
        doubtful = ~((self.low > t + self.slack) | (self.high < t - self.slack))
        state = np.where(doubtful, 0, np.where(near, -1, 1))
        by_cell = np.zeros((2, len(self.logits)), dtype=np.int64)
        by_cell[0], by_cell[1] = 2, -2
        np.minimum.at(by_cell[0], self.parts.cells, state)
        np.maximum.at(by_cell[1], self.parts.cells, state)
        of_cell = np.where(by_cell[0] == by_cell[1], by_cell[0], 0)
        left, right = of_cell[self.edge_cells[self.swept.inner]].T
        exchanged = float(self.swept.areas[(left != right) | (left == 0)].sum())
        bands = self._bands(t, np.flatnonzero(doubtful))
        area = self.deviation.integral(0.0, 1.0)
        return SAFE * (exchanged + bands + cut_error(cut)) + area

    def _bands(self, t: float, rows: np.ndarray) -> float:
        """Area of bands along the lines on which a lead is ``t``, as wide as it may be off."""
        parts, total = self.parts.take(rows), 0.0
        if not len(rows):
            return 0.0
        start, perimeters = parts.polygons.offsets[:-1], parts.perimeters
        for c in range(self.logits.shape[1]):
            lead, slope = _leads(parts, self.logits, c)
            low, high = np.minimum.reduceat(lead, start), np.maximum.reduceat(lead, start)
            touched = (low <= t + self.slack[rows]) & (high >= t - self.slack[rows])
            with np.errstate(divide="ignore", invalid="ignore"):
                band = 2.0 * self.slack[rows] / slope * perimeters
            total += float(np.fmin(band, np.abs(self.areas[rows]))[touched].sum())
        return total


def _joined(one: Parts, other: Parts) -> Parts:
    """All parts of both."""
    lengths = np.concatenate([one.polygons.lengths, other.polygons.lengths])
    uv = np.concatenate([one.polygons.values, other.polygons.values])
    return Parts(
        Csr(np.concatenate([[0], np.cumsum(lengths)]), uv),
        np.concatenate([one.cells, other.cells]),
        np.concatenate([one.classes, other.classes]),
    )


def _leads(parts: Parts, logits: np.ndarray, c: int) -> tuple[np.ndarray, np.ndarray]:
    """(S,) how far the class of each part is ahead of class ``c`` at its corners, infinite for the class
    itself; and (P,) the norm of the gradient of that."""
    row, uv = parts.polygons.row_of, parts.polygons.values
    gap = logits[parts.cells, parts.classes] - logits[parts.cells, c]
    lead = gap[row, 0] * uv[:, 0] + gap[row, 1] * uv[:, 1] + gap[row, 2]
    lead[(parts.classes == c)[row]] = np.inf
    return lead, np.hypot(gap[:, 0], gap[:, 1])
