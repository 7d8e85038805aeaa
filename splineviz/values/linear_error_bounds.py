"""Errors of the output of an affine map, estimated and proven row by row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.geometry.compiled import kernel
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF

__all__ = ["MapSizes", "ProvenErrors", "prove_linear", "through_linear"]


class MapSizes(NamedTuple):
    """Norms and counts of an affine map x -> W x + b that its rounding depends on; fields as in `Gain`."""

    norm: float
    row_norm: float
    """Norm of all rows, taken together, constants left out"""
    scale_norm: float
    """Norm of all rows, taken together, constants counted in"""
    magnitude: float
    """Bounds the norm of the absolute values of W"""
    constants_norm: float
    size: float
    """|x| for which the constants count as much as the rows"""
    terms: float
    """Products in the sum of one output"""
    n_inputs: float
    share: float = 1.0
    """Norm of the row of an output over its scale, at most"""


class ProvenErrors(NamedTuple):
    """Errors of the output of an affine map in the worst case."""

    whole: Float64[np.ndarray, "vertex"]
    """Of all entries as one vector"""
    slack: Float64[np.ndarray, "vertex"]
    """Of one entry, times its scale in `Gain`"""
    slack_rounding: Float64[np.ndarray, "vertex"]
    """Part of ``slack`` that is not inherited"""
    rounding: Float64[np.ndarray, "vertex"]
    """Part of ``whole`` that is not inherited"""


@kernel
def through_linear(
    x_norm: Float64[np.ndarray, "vertex"],
    error: Float64[np.ndarray, "vertex"],
    sizes: MapSizes,
    ends: np.ndarray,
    n_deviating: Int64[np.ndarray, "new"],
) -> tuple[Float64[np.ndarray, "vertex"], Float64[np.ndarray, "vertex"], Float64[np.ndarray, "vertex"]]:
    """(error, slack, rounding) of a linear map's output, estimated from its input's norm and error.

    `Gain.scale` times ``slack`` is for single entries; ``rounding`` is the part of ``slack`` that is not
    inherited.

    A sum of n products errs by at most n u (|row| |x| + |constant|) <= n u scale_norm max(|x|, size) (Higham
    2002, ch. 3). That worst case, multiplied through the layers, is larger than true errors by a factor that
    grows with every layer. Errors that point nowhere in particular add up as a random walk: sqrt(n) in place
    of n, and the root mean square of a matrix's singular values in place of the largest. An output of a
    convolution reads n of many more inputs, and meets only their share of the error and, in the norm of all
    outputs, of |x|. Decisions keep a distance of `predicates.MARGIN` times this estimate.

    ``ends`` and ``n_deviating`` are those of `Deviations`: outputs between others have the rounding of the
    two, and that of their own terms.
    """
    n = len(error)
    n_old = n - len(ends)
    terms, size = sizes.terms, sizes.size
    out, slack, rounding = np.empty(n), np.empty(n), np.empty(n)
    walk, spread = np.sqrt(terms), np.sqrt(max(sizes.n_inputs, terms))
    for v in range(n):
        rounding[v] = walk * UNIT_ROUNDOFF * max(x_norm[v], size)
    for k in range(len(ends)):
        if n_deviating[k] >= 0:
            a, b, v = ends[k].a, ends[k].b, n_old + k
            own = (3.0 + np.sqrt(n_deviating[k])) * UNIT_ROUNDOFF * max(x_norm[a], x_norm[b], x_norm[v], size)
            rounding[v] = max(rounding[a], rounding[b]) + own
    for v in range(n):
        slack[v] = error[v] / spread + rounding[v]
        out[v] = (
            min(sizes.norm, sizes.row_norm / spread) * error[v]
            + rounding[v] * sizes.scale_norm * walk / spread
        )
    return out, slack, rounding


@kernel
def prove_linear(
    x_norm: Float64[np.ndarray, "vertex"],
    proof: Float64[np.ndarray, "vertex"],
    sizes: MapSizes,
    ends: np.ndarray,
    n_deviating: Int64[np.ndarray, "new"],
) -> ProvenErrors:
    """Errors of a linear map's output in the worst case, from its input's norm and proven error; see
    `through_linear`.

    With g = n u / (1 - n u), an entry errs by at most |row| e + g (|row| |x| + |constant|), which is at most
    ``scale`` times ``slack``; all of them by |W| e + g (|abs W| |x| + |constants|), where ``magnitude``
    bounds |abs W|. `FLOOR` is for underflow, in the norm of the input and in products.

    An output between others, with k deviations, has the larger rounding r of theirs. With x the largest of
    the three inputs it adds up magnitudes of at most 5 (|W| |x| + |constants| + r) in k + 3 terms; and its
    deviations are wrong by what rounding made of them, or neglected: by no more than 25 u |x| in all.
    """
    n = len(proof)
    n_old = n - len(ends)
    magnitude, constants, size, terms = sizes.magnitude, sizes.constants_norm, sizes.size, sizes.terms
    out, slack, rounding, whole = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    g = terms * UNIT_ROUNDOFF / (1.0 - terms * UNIT_ROUNDOFF)
    for v in range(n):
        rounding[v] = SAFE * g * max(x_norm[v], size) + FLOOR
        whole[v] = g * (magnitude * (x_norm[v] + FLOOR) + constants)
    for k in range(len(ends)):
        if n_deviating[k] >= 0:
            a, b, v = ends[k].a, ends[k].b, n_old + k
            g = (n_deviating[k] + 3.0) * UNIT_ROUNDOFF / (1.0 - (n_deviating[k] + 3.0) * UNIT_ROUNDOFF)
            x, before = max(x_norm[a], x_norm[b], x_norm[v]), max(rounding[a], rounding[b])
            rounding[v] = (
                SAFE * (before + 5.0 * g * (max(x, size) + before) + 25.0 * UNIT_ROUNDOFF * x) + FLOOR
            )
            x, before = magnitude * (x + FLOOR), max(whole[a], whole[b])
            whole[v] = SAFE * (before + 5.0 * g * (x + constants + before) + 25.0 * UNIT_ROUNDOFF * x) + FLOOR
    for v in range(n):
        slack[v] = SAFE * sizes.share * proof[v] + rounding[v]
        out[v] = SAFE * (sizes.norm * proof[v] + whole[v]) + FLOOR
    return ProvenErrors(out, slack, rounding, whole)
