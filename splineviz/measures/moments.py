"""Closed forms of integrals over triangles on which the outputs are affine: means, covariances, norms.

With values a, b, c of a function at the corners of a triangle of area A, and those of another, the integral
of the first is A (a + b + c) / 3, and that of their product A / 12 (a a' + b b' + c c' + (a + b + c)
(a' + b' + c')). Nothing is expanded about a far point, so nothing cancels but where values do.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

__all__ = ["integral", "integrals_of_products", "spectral_norms", "total"]

_BLOCK = 16


def total(terms: Float64[np.ndarray, "term ..."]) -> np.ndarray:
    """Sum along the first axis, with an error of at most 24 + log2 of their number roundoffs of the sum of
    absolute values: numpy sums pairwise where terms follow each other in memory."""
    lined = np.ascontiguousarray(np.moveaxis(terms, 0, -1))
    result: np.ndarray = lined.sum(-1)
    return result


def integral(
    areas: Float64[np.ndarray, "triangle"], values: Float64[np.ndarray, "triangle 3 c"]
) -> Float64[np.ndarray, "c"]:
    """(C,) integrals of affine functions from their values (T, 3, C) at corners."""
    return total(areas[:, None] * (values.sum(1) / 3.0))


def integrals_of_products(
    areas: Float64[np.ndarray, "triangle"], values: Float64[np.ndarray, "triangle 3 c"]
) -> Float64[np.ndarray, "c c"]:
    """(C, C) integrals of the products of affine functions, from their values (T, 3, C) at corners.

    Products are summed in blocks, and blocks pairwise, so that errors do not grow with the number of cells.
    """
    points = np.concatenate([values, values.sum(1, keepdims=True)], axis=1)
    weighted = points * (areas / 12.0)[:, None, None]
    short = -len(areas) % _BLOCK
    if short:
        points, weighted = (np.concatenate([x, np.zeros((short, *x.shape[1:]))]) for x in (points, weighted))
    blocks = len(points) // _BLOCK
    a, b = (x.reshape(blocks, -1, values.shape[2]) for x in (weighted, points))
    return total(np.matmul(a.transpose(0, 2, 1), b))


def spectral_norms(slopes: Float64[np.ndarray, "cell output 2"]) -> Float64[np.ndarray, "cell"]:
    """(F,) largest singular value of each (C, 2) matrix, scaled so that nothing over- or underflows."""
    size = np.abs(slopes).max((1, 2), initial=0.0)
    scaled = slopes / np.where(size > 0, size, 1.0)[:, None, None]
    (a, b), c = np.square(scaled).sum(1).T, scaled.prod(2).sum(1)
    norms: np.ndarray = size * np.sqrt(0.5 * (a + b + np.hypot(a - b, 2.0 * c)))
    return norms
