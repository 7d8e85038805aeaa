"""Cross-entropy, entropy, confidence and probabilities over a slice, between proven bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from splineviz.measures.bisection import Simplices, SoftmaxIntegrals, softmax_integrals
from splineviz.measures.deviation import cut_error
from splineviz.measures.moments import integral
from splineviz.measures.parts import Parts
from splineviz.measures.result import Quantity, proven
from splineviz.measures.shares import ClassAreas
from splineviz.measures.softmax_means import TRIANGLE

__all__ = ["SoftmaxTerms"]

_UNIT = "nats"


@dataclass(frozen=True, eq=False)
class SoftmaxTerms:
    """Integrals of the softmax of the logits over what is measured, and what they may be off by."""

    maps: Float64[np.ndarray, "cell logit 3"]
    shares: ClassAreas
    found: SoftmaxIntegrals
    confidence: float
    confidence_error: float
    logits: Float64[np.ndarray, "logit"]
    """Integrals of the logits"""
    largest: float
    """Of the absolute values of logits"""

    @classmethod
    def of(
        cls, maps: Float64[np.ndarray, "cell logit 3"], shares: ClassAreas, tolerance: float
    ) -> SoftmaxTerms:
        """Bisect triangles until means are within a tolerance; confidence is that of pieces of one class."""
        triangles = _simplices(maps, shares.parts.cells)
        found = softmax_integrals(triangles, TRIANGLE, tolerance)
        pieces = softmax_integrals(_simplices(maps, shares.parts.pieces), TRIANGLE, tolerance)
        return cls(
            maps,
            shares,
            found,
            found.confidence + pieces.confidence,
            float(found.errors[-1] + pieces.errors[-1]) + shares.confidence_error,
            integral(triangles.sizes, triangles.logits),
            float(np.abs(triangles.logits).max(initial=0.0)),
        )

    def quantities(self, truth: Sequence[tuple[np.ndarray, int]]) -> Iterator[Quantity]:
        """Rows of the table."""
        found, errors, n_logits = self.found, self.found.errors.tolist(), len(self.logits)
        deviation, log = self.shares.deviation, math.log(n_logits)
        off = deviation.integral(2.0, 2.0 * self.largest + log) + errors[0]
        if truth:
            right, cut = self._right(truth)
            yield self._mean("cross-entropy", found.log_sum_exp - right, "", off + self.largest * cut, _UNIT)
        for k, logit in enumerate(self.logits.tolist()):
            yield self._mean("cross-entropy", found.log_sum_exp - logit, f"class {k}", off, _UNIT)
        # The gradient of the entropy by logits has entries that add up to 2 H at most.
        off = deviation.integral(2.0 * log, log) + errors[1]
        yield self._mean("entropy", found.entropy, "", off, _UNIT)
        off = deviation.integral(0.5, 1.0)
        yield self._mean("confidence", self.confidence, "", off + self.confidence_error)
        for k, probability in enumerate(found.probabilities.tolist()):
            yield self._mean("probability", probability, f"class {k}", off + errors[2 + k])

    def _mean(self, name: str, total: float, of: str, error: float, unit: str = "") -> Quantity:
        deviation = self.shares.deviation
        mean = total / deviation.area
        return Quantity(name, mean, of, proven(deviation.mean(mean, error)), unit)

    def _right(self, truth: Sequence[tuple[np.ndarray, int]]) -> tuple[float, float]:
        """Integral of the logit of the class that is right, and the area that cuts may have misplaced."""
        right, cut = 0.0, 0.0
        for half_planes, c in truth:
            if not len(half_planes):
                return float(self.logits[c]), 0.0
            within = self.shares.parts.cells.within(half_planes)
            triangles = _simplices(self.maps[:, c : c + 1], within)
            right += float(integral(triangles.sizes, triangles.logits)[0])
            cut += cut_error(within)
        return right, cut


def _simplices(maps: Float64[np.ndarray, "cell logit 3"], parts: Parts) -> Simplices:
    """The triangles of parts of cells, with the logits at their corners."""
    triangles = parts.triangles
    return Simplices(
        triangles.areas,
        triangles.values(maps[parts.cells[triangles.parts]]),
        parts.classes[triangles.parts],
    )
