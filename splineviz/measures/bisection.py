"""Integrals by bisection of simplices until proven remainders are small enough."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.deadline import check_time
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.measures.moments import total
from splineviz.measures.softmax_means import Rule, softmax_means

__all__ = ["Simplices", "SoftmaxIntegrals", "softmax_integrals"]

_BATCH = 1 << 15
"""Simplices that are worked off at a time"""
_MOST = 1 << 22
"""Simplices that are looked at, all in all; what is left then keeps its remainder"""


@dataclass(frozen=True, eq=False)
class Simplices:
    """Triangles or intervals on which logits are affine."""

    sizes: Float64[np.ndarray, "simplex"]
    """Areas or lengths, with their signs"""
    logits: Float64[np.ndarray, "simplex corner logit"]
    classes: Int64[np.ndarray, "simplex"]
    """The class whose probability is the confidence; -1 where none is asked for"""

    def take(self, rows: np.ndarray) -> Simplices:
        """Some of them."""
        return Simplices(self.sizes[rows], self.logits[rows], self.classes[rows])

    def halves(self, ends: Int64[np.ndarray, "simplex 2"]) -> Simplices:
        """Each cut in two, half way between two of its corners."""
        rows, (one, other) = np.arange(len(ends)), ends.T
        middle = 0.5 * (self.logits[rows, one] + self.logits[rows, other])
        near, far = self.logits.copy(), self.logits.copy()
        near[rows, other] = middle
        far[rows, one] = middle
        return Simplices(np.tile(0.5 * self.sizes, 2), np.concatenate([near, far]), np.tile(self.classes, 2))

    @property
    def batches(self) -> Iterator[Simplices]:
        """All of them, some at a time."""
        for start in range(0, len(self.sizes), _BATCH):
            yield self.take(np.arange(start, min(start + _BATCH, len(self.sizes))))


@dataclass(frozen=True, eq=False)
class SoftmaxIntegrals:
    """Integrals over all simplices, each with half the width of the interval that it lies in for certain."""

    log_sum_exp: float
    entropy: float
    """Of the softmax, in nats"""
    probabilities: Float64[np.ndarray, "logit"]
    confidence: float
    """Integral of the probability of the class of each simplex"""
    errors: Float64[np.ndarray, "integrand"]
    """Of all these, in this order: remainders and rounding"""
    looked_at: int
    """Number of simplices at which the integrands were evaluated"""


def softmax_integrals(simplices: Simplices, rule: Rule, tolerance: float) -> SoftmaxIntegrals:
    """Integrals of log-sum-exp, entropy, probabilities and confidence.

    Simplices whose remainder exceeds ``tolerance`` times their size are cut in two, generation by generation,
    so that the error of a mean is at most ``tolerance`` (and rounding), unless there are millions of them.
    """
    n_logits = simplices.logits.shape[2]
    sums, errors, looked_at = [], [], 0
    waiting = deque(simplices.batches)
    while waiting:
        check_time()
        batch = waiting.popleft()
        means, bounds, longest = softmax_means(batch.logits, rule)
        looked_at += len(batch.sizes)
        large = np.zeros(0, dtype=np.int64)
        if looked_at < _MOST:
            large = np.flatnonzero(bounds.max(1) > tolerance)
            waiting.extend(batch.take(large).halves(longest[large]).batches)
        done = np.setdiff1d(np.arange(len(batch.sizes)), large, assume_unique=True)
        sums.append(total(batch.sizes[done, None] * _with_confidence(means[done], batch.classes[done])))
        of = np.abs(batch.sizes[done, None]) * _with_confidence(bounds[done], batch.classes[done])
        errors.append(of.sum(0))
    found = total(np.array(sums).reshape(-1, 3 + n_logits))
    rounding = _rounding(simplices.logits) * float(np.abs(simplices.sizes).sum())
    return SoftmaxIntegrals(
        float(found[0]),
        float(found[1]),
        found[2:-1],
        float(found[-1]),
        SAFE * (np.sum(errors, axis=0) + rounding),
        looked_at,
    )


def _with_confidence(columns: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(n, 3 + K) the columns of log-sum-exp, entropy and probabilities, and that of the class of each row."""
    own = columns[np.arange(len(classes)), 2 + np.maximum(classes, 0)]
    return np.column_stack([columns, np.where(classes >= 0, own, 0.0)])


def _rounding(logits: np.ndarray) -> np.ndarray:
    """(3 + K,) rounding of each integrand at any node, and of the sums of its means.

    Exponentials and logarithms are taken to be within four units in the last place. Logits of a node are off
    by a few roundoffs of the largest, sums of K terms by K; entropy is a sum of K terms of at most 1 / e.
    """
    n_logits = logits.shape[2]
    size = float(np.abs(logits).max(initial=0.0))
    once = (16.0 * (n_logits + 16.0) * (1.0 + size) + 64.0 * (size + math.log(n_logits))) * UNIT_ROUNDOFF
    found = np.full(3 + n_logits, once)
    found[1] *= 1.0 + n_logits / math.e
    return found
