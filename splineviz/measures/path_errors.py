"""Proven errors of means along a segment, from how far outputs along it may be off.

All means are Lipschitz in the outputs but class shares, which change where the two largest logits are closer
than twice their error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.measures.line_pieces import Intervals
from splineviz.measures.path_values import PathValues
from splineviz.measures.result import Quantity, proven

__all__ = ["PathErrors"]


@dataclass(frozen=True, eq=False)
class PathErrors:
    """What errors of means along a segment follow from."""

    path: PathValues
    means: Float64[np.ndarray, "output"]
    pieces: Intervals
    """Of one class each, with the logits"""
    classes: Int64[np.ndarray, "piece"]
    half_widths: dict[str, float]
    target: Float64[np.ndarray, "output"] | None

    def told(self, quantity: Quantity) -> Quantity:
        """A quantity with its error; as it is where errors of outputs are not known."""
        if self.path.errors is None:
            return quantity
        error = self._by_name[quantity.name](quantity)
        return replace(quantity, error=proven(SAFE * error))

    @property
    def _by_name(self) -> dict[str, Callable[[Quantity], float]]:
        log = math.log(self.pieces.values.shape[2])
        return {
            "length": lambda q: 8.0 * UNIT_ROUNDOFF * q.value,
            "share": lambda q: self._near_ties(int(q.of.removeprefix("class "))),
            "accuracy": lambda q: self._near_ties(None),
            "mean": lambda q: self._mean(_number(q)),
            "variance": lambda q: self._square(_number(q), self.means, twice=True),
            "mean squared error": self._squared_error,
            # log-sum-exp and a logit change by no more than logits; entropy by 2 H times as much.
            "cross-entropy": lambda q: self._softmax("cross-entropy", 2.0) + self._rounding(self._size),
            "entropy": lambda q: self._softmax("entropy", 2.0 * log),
            "probability": lambda q: self._softmax("probability", 0.5),
            # Where another class wins, its probability is less than the errors of both larger.
            "confidence": lambda q: self._softmax("confidence", 1.5),
            "total variation": lambda q: self._variation(_number(q)),
        }

    @property
    def _largest(self) -> float:
        """Error of any output."""
        assert self.path.errors is not None
        return float(self.path.errors.max())

    @property
    def _size(self) -> float:
        """Largest logit."""
        return float(np.abs(self.pieces.values).max())

    def _rounding(self, size: float) -> float:
        """Of a mean of values of at most ``size``: sums of sizes that add up to 1."""
        return (len(self.path.lines.sizes) + 16.0) * 4.0 * UNIT_ROUNDOFF * size

    def _mean(self, k: int) -> float:
        assert self.path.errors is not None
        size = float(np.abs(self.path.lines.values[..., k]).max())
        return float(self.path.errors[k]) + self._rounding(size)

    def _square(self, k: int, about: np.ndarray, *, twice: bool) -> float:
        """Of the mean square of an output about a number; ``twice`` with the square of the mean of that."""
        assert self.path.errors is not None
        size = float(np.abs(self.path.lines.values[..., k] - about[k]).max())
        size += 4.0 * UNIT_ROUNDOFF * float(np.abs(about[k]))
        error = float(self.path.errors[k]) + 4.0 * UNIT_ROUNDOFF * (size + float(np.abs(about[k])))
        found = (2.0 * size + error) * error + self._rounding(size * size)
        return 2.0 * found if twice else found

    def _squared_error(self, quantity: Quantity) -> float:
        assert self.target is not None
        outputs = [_number(quantity)] if quantity.of else range(len(self.means))
        return max(self._square(k, self.target, twice=False) for k in outputs)

    def _softmax(self, name: str, lipschitz: float) -> float:
        return self.half_widths[name] + lipschitz * self._largest + self._rounding(1.0)

    def _variation(self, k: int) -> float:
        """Of a sum of steps, each of which may be off at both ends."""
        assert self.path.errors is not None
        steps = np.abs(np.diff(self.path.lines.values[..., k], axis=1))
        n = len(steps)
        return 2.0 * n * float(self.path.errors[k]) + 4.0 * n * UNIT_ROUNDOFF * float(steps.sum())

    def _near_ties(self, c: int | None) -> float:
        """Share of the segment on which a class, or any, may win in place of the one that is counted, or not
        win where it is counted: where two logits are closer than twice their error."""
        rows = np.arange(len(self.classes))
        width = 2.0 * self._largest + 16.0 * UNIT_ROUNDOFF * self._size  # where pieces are cut is rounded
        own = self.pieces.values[rows, :, self.classes]
        lead = own[:, :, None] - self.pieces.values
        low, high = np.maximum(lead.min(1), 0.0), lead.max(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(high <= width, 1.0, np.clip((width - low) / (high - low), 0.0, 1.0))
        part[rows, self.classes] = 0.0
        if c is not None:
            part[self.classes != c, :c] = 0.0
            part[self.classes != c, c + 1 :] = 0.0
        near = float(self.pieces.sizes @ np.minimum(part.sum(1), 1.0))
        return near + self._rounding(1.0) + 8.0 * len(rows) * UNIT_ROUNDOFF


def _number(quantity: Quantity) -> int:
    """Which output a quantity is of."""
    return int(quantity.of.removeprefix("output "))
