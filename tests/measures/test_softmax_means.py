"""Means of the softmax over simplices: closed forms, and remainders that hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from splineviz.measures.bisection import Simplices, softmax_integrals
from splineviz.measures.softmax_means import INTERVAL, TRIANGLE, Rule, softmax_means


def reference(logits: np.ndarray) -> np.ndarray:
    """(2 + K,) means over one triangle, by 60 x 60 nodes of Gauss and Legendre on a square folded onto it."""
    x, w = np.polynomial.legendre.leggauss(60)
    x, w = 0.5 * (x + 1), 0.5 * w
    s, t = (grid.ravel() for grid in np.meshgrid(x, x))
    weights = 2 * s * np.outer(w, w).ravel()
    z = np.column_stack([1 - s, s * (1 - t), s * t]) @ logits
    p = softmax(z, axis=1)
    return weights @ np.column_stack([logsumexp(z, axis=1), -(p * np.log(np.maximum(p, 1e-300))).sum(1), p])


@pytest.mark.parametrize("rule", [TRIANGLE, INTERVAL])
def test_rules_have_degree_five_and_positive_weights(rule: Rule) -> None:
    assert rule.weights.sum() == pytest.approx(1, abs=1e-15)
    assert (rule.weights > 0).all()
    assert rule.nodes.sum(1) == pytest.approx(1, abs=1e-15)
    powers = {3: [2 / ((n + 1) * (n + 2)) for n in range(7)], 2: [1 / (n + 1) for n in range(7)]}
    off = [rule.weights @ rule.nodes[:, 0] ** n - m for n, m in enumerate(powers[rule.nodes.shape[1]])]
    assert off[:6] == pytest.approx([0] * 6, abs=1e-15)
    assert abs(off[6]) > 1e-6


@pytest.mark.parametrize("spread", [1e-3, 0.1, 0.5, 1.0, 2.0, 5.0, 20.0])
@pytest.mark.parametrize("n_logits", [2, 3, 10])
def test_remainders_hold(spread: float, n_logits: int) -> None:
    rng = np.random.default_rng(n_logits)
    middle = rng.normal(0, 3, (40, 1, n_logits))
    logits = middle + rng.uniform(-spread, spread, (40, 3, n_logits))
    means, bounds, _ = softmax_means(logits, TRIANGLE)
    off = np.abs(means - [reference(z) for z in logits])
    assert (off <= bounds + 1e-12).all()
    assert (bounds[:, 1] <= np.log(n_logits) * n_logits + 1).all()
    assert (bounds[:, 2:] <= 1 + 1e-8).all()


def test_remainders_are_of_sixth_order() -> None:
    rng = np.random.default_rng(0)
    middle, way = rng.normal(0, 1, (50, 1, 5)), rng.uniform(-1, 1, (50, 3, 5))
    (_, large, _), (_, small, _) = (softmax_means(middle + size * way, TRIANGLE) for size in (0.2, 0.1))
    assert (large / small > 50).all()


@pytest.mark.parametrize("at", [1e3, 1e8, 1e200])
def test_large_logits_overflow_nowhere(at: float) -> None:
    logits = np.array([[[at, 0.0, -at], [at, at / 2, 0.0], [-at, at, 0.0]]])
    means, bounds, _ = softmax_means(logits, TRIANGLE)
    assert np.isfinite(means).all() and not np.isnan(bounds).any()
    assert (bounds[:, 1:] < 10).all() or at > 1e100  # where logits themselves are rounded by more
    assert means[0, 2:].sum() == pytest.approx(1, abs=1e-12)


def test_a_sigmoid_along_a_line_in_closed_form() -> None:
    """The mean of 1 / (1 + e^-z) over z from a to b is (log(1 + e^b) - log(1 + e^a)) / (b - a)."""
    ends = np.array([[-3.0, 5.0], [-40.0, 60.0], [0.0, 1e-3]])
    sizes = np.array([1.0, 2.0, 0.5])
    logits = np.stack([np.zeros_like(ends), ends], axis=2)
    lines = Simplices(sizes, logits, np.array([1, -1, 0]))
    found = softmax_integrals(lines, INTERVAL, 1e-10)
    means = np.diff(np.logaddexp(0, ends), axis=1)[:, 0] / np.diff(ends, axis=1)[:, 0]
    assert found.errors[3] < 1e-10 * sizes.sum()
    assert abs(found.probabilities[1] - sizes @ means) <= found.errors[3]
    assert abs(found.confidence - (means[0] + 0.5 * (1 - means[2]))) <= found.errors[-1]


def test_tolerances_are_kept_and_intervals_have_a_point_in_common() -> None:
    rng = np.random.default_rng(1)
    triangles = Simplices(rng.uniform(0, 1, 30), rng.normal(0, 6, (30, 3, 4)), rng.integers(0, 4, 30))
    coarse, fine = (softmax_integrals(triangles, TRIANGLE, tolerance) for tolerance in (1e-2, 1e-7))
    total = triangles.sizes.sum()
    assert coarse.errors.max() < 1e-2 * total and fine.errors.max() < 1e-7 * total
    assert fine.looked_at > coarse.looked_at > 30
    for name, at in (("log_sum_exp", 0), ("entropy", 1), ("confidence", -1)):
        assert abs(getattr(coarse, name) - getattr(fine, name)) <= coarse.errors[at] + fine.errors[at]
    exact = np.array([reference(z) for z in triangles.logits])
    assert fine.entropy == pytest.approx(triangles.sizes @ exact[:, 1], abs=1e-6)
