"""Integral of log-sum-exp under a Gaussian weight, over triangles on which logits are affine, with a proven
remainder.

The sixth Taylor coefficient of a product along a way from the centroid is at most the sum of products of
those of both factors. Of the weight they are bounded by Cramér's inequality
(:mod:`splineviz.measures.gaussian_moments`); of log-sum-exp from order 2 on by the majorant -log(1 - g) of
:mod:`splineviz.measures.softmax_means`, its value by those at the corners, and its slope by that at the
centroid and how far it may change.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.measures.gaussian_moments import WeightedTriangles, bisected, rounding, weight_coefficients
from splineviz.measures.softmax_means import TRIANGLE

__all__ = ["gaussian_log_sum_exp"]

_ORDER = 6


def gaussian_log_sum_exp(triangles: WeightedTriangles, tolerance: float) -> tuple[float, float]:
    """(integral, error) of the log-sum-exp of the values at the corners of triangles, which are logits.

    The error is at most about ``tolerance`` times the largest absolute logit and the logarithm of their
    number, and rounding.
    """
    n_logits = triangles.values.shape[2]
    size = float(np.abs(triangles.values).max(initial=0.0)) + math.log(n_logits)
    total, error = 0.0, 0.0
    for done, remainders in bisected(triangles, _remainders, np.array([size]), tolerance):
        x, z = TRIANGLE.nodes @ done.corners, TRIANGLE.nodes @ done.values
        density = np.exp(-0.5 * np.square(x).sum(2)) / (2.0 * math.pi)
        total += float((done.areas[:, None] * TRIANGLE.weights * density * _log_sum_exp(z)).sum())
        error += float(np.abs(done.areas) @ remainders[:, 0])
    # Logits of a node are off by a few roundoffs of the largest, and sums of K exponentials by K.
    evaluation = (16.0 * n_logits + 64.0) * UNIT_ROUNDOFF * (1.0 + size)
    mass = min(1.0, float(np.abs(triangles.areas).sum()))
    return total, SAFE * (error + rounding(triangles) * size + evaluation * mass)


def _log_sum_exp(z: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    largest = z.max(-1)
    found: np.ndarray = largest + np.log(np.exp(z - largest[..., None]).sum(-1))
    return found


def _remainders(triangles: WeightedTriangles) -> Float64[np.ndarray, "triangle 1"]:
    """(T, 1) bounds of what means by the rule are off by: of fine triangles by Taylor coefficients, of coarse
    ones by the largest values."""
    weight = weight_coefficients(triangles, _ORDER + 1)
    with np.errstate(over="ignore", invalid="ignore"):
        value = _coefficients(triangles.values)
        fine = TRIANGLE.remainder * (weight[:, ::-1] * value).sum(1)
    # Both the integral and the rule are means of the product.
    coarse = 2.0 * weight[:, 0] * value[:, 0]
    remainders: np.ndarray = SAFE * np.fmin(fine, coarse)[:, None]
    return remainders


def _coefficients(z: Float64[np.ndarray, "triangle 3 logit"]) -> Float64[np.ndarray, "triangle order"]:
    """(T, 7) bounds of the Taylor coefficients of log-sum-exp along any way from the centroid to the
    boundary, at any point of it, from order 0."""
    middle = z.mean(1)
    largest = middle.max(1, keepdims=True)
    p = np.exp(middle - largest)
    p /= p.sum(1, keepdims=True)
    steps = z - middle[:, None]
    slopes = (p[:, None] * steps).sum(2)
    gain = steps - slopes[:, :, None]
    # No probability is larger anywhere than at the centroid times its largest gain over the mean.
    highest = np.minimum(1.0, p * np.exp(np.minimum(700.0, np.maximum(0.0, gain.max(1)))) + 1e-300)
    moments = np.zeros((len(z), _ORDER + 1))
    for n in range(2, _ORDER + 1):
        moments[:, n] = (highest[:, None] * np.abs(gain) ** n).sum(2).max(1) / math.factorial(n)
    moments[:, 1] = 2.0 * moments[:, 2]
    inverse, logarithm = np.zeros((2, len(z), _ORDER + 1))
    inverse[:, 0] = 1.0
    for order in range(1, _ORDER + 1):
        for j in range(1, order + 1):
            inverse[:, order] += moments[:, j] * inverse[:, order - j]
            logarithm[:, order] += j * moments[:, j] * inverse[:, order - j] / order
    logarithm[:, 1] += np.abs(slopes).max(1)
    # It is convex, and at least any one of the logits.
    above = _log_sum_exp(z).max(1)
    below = z[np.arange(len(z)), :, middle.argmax(1)].min(1)
    logarithm[:, 0] = np.maximum(np.abs(above), np.abs(below))
    return logarithm
