"""Means of log-sum-exp, entropy and softmax over simplices on which logits are affine, proven remainders.

A rule of degree 5 with positive weights integrates the Taylor polynomial of degree 5 about the centroid
exactly, so that only the remainder counts, which a bound of the sixth Taylor coefficient along every way
from the centroid gives. Let p be the softmax at a point, and X what the logits gain along such a way minus
its mean at the centroid. Along it, log-sum-exp is log E e^(tX) but for an affine part, p_k is p_k e^(t X_k)
/ E e^(tX), and E e^(tX) - 1 is majorised, coefficient by coefficient, by g(t) = sum of b_n t^n / n!, where
b_n >= E |X|^n at any point of the simplex. So coefficients are at most those of -log(1 - g), of
p_k e^(t |X_k|) / (1 - g), and for the entropy of the sum of these with |log p_k| + t |X_k| as a further
factor. The mean of X at the centroid is 0, and its derivative is a variance anywhere, so that b_2 bounds
|E X|, too. With E X = 0 at the centroid, E e^X >= 1, and p_k nowhere exceeds its value there times the
largest e^(X_k).

Where that is no use, as logits differ too much, bounds are coarse: log-sum-exp is convex, so its mean lies
between its value at the centroid and log E e^X more; probabilities lie between 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF

__all__ = ["INTERVAL", "TRIANGLE", "Rule", "softmax_means"]

_ORDER = 6


@dataclass(frozen=True, eq=False)
class Rule:
    """A quadrature rule of degree 5 with positive weights on a simplex."""

    nodes: Float64[np.ndarray, "node corner"]
    """Barycentric coordinates"""
    weights: Float64[np.ndarray, "node"]
    """They add up to 1"""

    @property
    def remainder(self) -> float:
        """Sum of the mean over the simplex, and over the rule, of the sixth power of how far out a point is:
        0 at the centroid, 1 on the boundary. Times the Taylor coefficient it bounds the rule's error."""
        corners = self.nodes.shape[1]
        out = 1.0 - corners * self.nodes.min(1)
        return float((corners - 1) / (corners - 1 + _ORDER) + self.weights @ out**_ORDER)


def _triangle() -> Rule:
    """Radon's rule of seven points (J. Radon, Monatshefte für Mathematik 52, 1948)."""
    root = math.sqrt(15.0)
    nodes, weights = [[1 / 3] * 3], [9 / 40]
    for sign in (1.0, -1.0):
        a = (6.0 + sign * root) / 21.0
        nodes += [[1.0 - 2.0 * a, a, a], [a, 1.0 - 2.0 * a, a], [a, a, 1.0 - 2.0 * a]]
        weights += [(155.0 + sign * root) / 1200.0] * 3
    return Rule(np.array(nodes), np.array(weights))


def _interval() -> Rule:
    """Gauss and Legendre's rule of three points."""
    a = 0.5 * (1.0 - math.sqrt(0.6))
    return Rule(np.array([[a, 1.0 - a], [0.5, 0.5], [1.0 - a, a]]), np.array([5.0, 8.0, 5.0]) / 18.0)


TRIANGLE, INTERVAL = _triangle(), _interval()


def softmax_means(
    logits: Float64[np.ndarray, "simplex corner logit"], rule: Rule
) -> tuple[
    Float64[np.ndarray, "simplex integrand"],
    Float64[np.ndarray, "simplex integrand"],
    Int64[np.ndarray, "simplex 2"],
]:
    """Means over each simplex of log-sum-exp, entropy (nats) and the K softmax probabilities, (S, 2 + K);
    bounds of their remainders; and the two corners (S, 2) between which the logits differ most.

    ``logits`` (S, m, K) are those at the corners. Rounding of the means is not part of the remainders.
    """
    return _softmax_means(np.ascontiguousarray(logits), rule.nodes, rule.weights, rule.remainder)


@kernel
def _softmax_means(
    logits: np.ndarray, nodes: np.ndarray, weights: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, remainders and longest sides; see `softmax_means`."""
    n, m, size = logits.shape
    means, bounds = np.zeros((n, 2 + size)), np.zeros((n, 2 + size))
    longest = np.zeros((n, 2), dtype=np.int64)
    z, p, gain = np.empty(size), np.empty(size), np.empty((m, size))
    series = np.empty((3, _ORDER + 1))
    for s in range(n):
        for q in range(len(weights)):
            for k in range(size):
                z[k] = 0.0
                for corner in range(m):
                    z[k] += nodes[q, corner] * logits[s, corner, k]
            largest, total, spent = _softmax(z, p)
            means[s, 0] += weights[q] * (largest + math.log(total))
            means[s, 1] += weights[q] * (math.log(total) + spent)
            for k in range(size):
                means[s, 2 + k] += weights[q] * p[k]
        _gains(logits[s], z, p, gain)
        _remainders(z, p, gain, series, share, bounds[s])
        longest[s] = _longest(p, gain)
    return means, bounds, longest


@part()
def _softmax(z: np.ndarray, p: np.ndarray) -> tuple[float, float, float]:
    """Fill in the softmax; the largest logit, the sum of exponentials of the others less it, and the mean
    distance of logits below it."""
    largest, total, spent = z[0], 0.0, 0.0
    for k in range(1, len(z)):
        largest = max(largest, z[k])
    for k in range(len(z)):
        p[k] = math.exp(z[k] - largest)
        total += p[k]
    for k in range(len(z)):
        p[k] /= total
        spent += p[k] * (largest - z[k])
    return largest, total, spent


@part()
def _gains(logits: np.ndarray, log_p: np.ndarray, highest: np.ndarray, gain: np.ndarray) -> None:
    """Fill in the log-softmax at the centroid, the gains X (m, K) of logits at the corners, and the largest
    value that each probability may have anywhere."""
    m, size = logits.shape
    for k in range(size):
        log_p[k] = 0.0
        for corner in range(m):
            log_p[k] += logits[corner, k] / m
    for corner in range(m):
        for k in range(size):
            gain[corner, k] = logits[corner, k] - log_p[k]
    largest, total, _ = _softmax(log_p, highest)
    for corner in range(m):
        mean = 0.0
        for k in range(size):
            mean += highest[k] * gain[corner, k]
        for k in range(size):
            gain[corner, k] -= mean
    for k in range(size):
        log_p[k] -= largest + math.log(total)
        most = 0.0
        for corner in range(m):
            most = max(most, gain[corner, k])
        # The least float64 stands for what underflows.
        highest[k] = min(1.0, math.exp(min(0.0, log_p[k] + most)) + 1e-300)


@part()
def _remainders(
    log_p: np.ndarray,
    highest: np.ndarray,
    gain: np.ndarray,
    series: np.ndarray,
    share: float,
    bounds: np.ndarray,
) -> None:
    """Fill in bounds of what the rule is off by, for each integrand."""
    m, size = gain.shape
    inverse, logarithm = series[1], series[2]
    _majorants(highest, gain, series)
    together, growth, least, spent, spread = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(size):
        together += highest[k]
    entropy = logarithm[_ORDER]
    for k in range(size):
        x = 0.0
        for corner in range(m):
            x = max(x, abs(gain[corner, k]))
            least = max(least, log_p[k] + gain[corner, k])
        spread = max(spread, x - log_p[k])
        before, here, power = 0.0, 0.0, 1.0
        for j in range(_ORDER + 1):
            here += power * inverse[_ORDER - j]
            if j < _ORDER:
                before += power * inverse[_ORDER - 1 - j]
            power *= x / (j + 1)
        others = together - highest[k]
        own = min(1.0 / math.e, others) if highest[k] >= 1.0 / math.e else -highest[k] * math.log(highest[k])
        entropy += own * here + highest[k] * x * before
        spent += own
        bounds[2 + k] = _lesser(share * highest[k] * here, min(highest[k], others))
    growth = math.log(together) if least <= 0.0 else least + math.log(size)
    bounds[0] = _lesser(share * logarithm[_ORDER], max(growth, 0.0))
    bounds[1] = _lesser(share * entropy, spent)
    safe = SAFE * (1.0 + 64.0 * UNIT_ROUNDOFF * spread)
    for k in range(2 + size):
        bounds[k] *= safe


@part()
def _majorants(highest: np.ndarray, gain: np.ndarray, series: np.ndarray) -> None:
    """Fill in the coefficients of g, of 1 / (1 - g) and of -log(1 - g), in rows."""
    m, size = gain.shape
    moments, inverse, logarithm = series
    moments[:] = 0.0
    for corner in range(m):
        two, three, four, five, six = 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(size):
            x = abs(gain[corner, k])
            square = x * x
            term = highest[k] * square
            two += term
            three += term * x
            four += term * square
            five += term * square * x
            six += term * square * square
        moments[2] = max(moments[2], two / 2.0)
        moments[3] = max(moments[3], three / 6.0)
        moments[4] = max(moments[4], four / 24.0)
        moments[5] = max(moments[5], five / 120.0)
        moments[6] = max(moments[6], six / 720.0)
    moments[1] = 2.0 * moments[2]
    inverse[0], logarithm[0] = 1.0, 0.0
    for order in range(1, _ORDER + 1):
        inverse[order], logarithm[order] = 0.0, 0.0
        for j in range(1, order + 1):
            inverse[order] += moments[j] * inverse[order - j]
            logarithm[order] += j * moments[j] * inverse[order - j] / order


@part()
def _lesser(fine: float, coarse: float) -> float:
    """The lesser of two bounds, of which the first may not be a number."""
    return fine if fine < coarse else coarse


@part()
def _longest(weight: np.ndarray, gain: np.ndarray) -> tuple[int, int]:
    """The two corners between which the logits differ most, weighted by their probabilities."""
    m, size = gain.shape
    first, second, most = 0, 1, -1.0
    for i in range(m):
        for j in range(i + 1, m):
            apart = 0.0
            for k in range(size):
                step = gain[i, k] - gain[j, k]
                apart += weight[k] * step * step
            if apart > most:
                first, second, most = i, j, apart
    return first, second
