"""How errors pass through an affine map, estimated and proven row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.compiled import kernel
from splineviz.geometry.predicates import EPS

__all__ = ["FLOOR", "SAFE", "prove_linear", "through_linear"]

SAFE = 1.0 + 1e-9
"""Far above the rounding of norms, and of bounds themselves."""

FLOOR = 2.0**-500
"""Above what a norm loses where squares underflow, and far above what a sum of products does; far below any
bound of use."""


@kernel
def through_linear(
    x_norm: Any,
    error: Any,
    norm: Any,
    rows: Any,
    scale: Any,
    size: Any,
    terms: Any,
    n_inputs: Any,
    ends: Any,
    n_deviating: Any,
) -> Any:
    """(error, slack, rounding) of a linear map's output, (V,) each, from its input's norm and error, (V,)
    each.

    ``scale`` times ``slack`` is for single entries, where ``scale`` is that of `Gain`; ``rounding`` is the
    part of ``slack`` that is not inherited. ``rows`` and ``scale`` are here the norms of the map's rows,
    constants left out or counted in, taken together.

    A sum of n products errs by at most n u (|row| |x| + |constant|) <= n u scale max(|x|, size) (Higham 2002,
    ch. 3). That worst case, multiplied through the layers, is larger than true errors by a factor that grows
    with every layer. Errors that point nowhere in particular add up as a random walk: sqrt(n) in place of n,
    and the root mean square of a matrix's singular values in place of the largest. An output of a convolution
    reads n of many more inputs, and meets only their share of the error and, in the norm of all outputs, of
    |x|. Decisions keep a distance of `predicates.MARGIN` times this estimate.

    ``ends`` and ``n_deviating`` are those of `Deviations`: outputs between others have the rounding of these,
    and that of their own terms.
    """
    n = len(error)
    n_old = n - len(ends)
    out, slack, rounding = np.empty(n), np.empty(n), np.empty(n)
    walk, spread = np.sqrt(terms), np.sqrt(max(n_inputs, terms))
    for v in range(n):
        rounding[v] = walk * EPS * max(x_norm[v], size)
    for k in range(len(ends)):
        if n_deviating[k] >= 0:
            a, b, v = ends[k].a, ends[k].b, n_old + k
            own = (3.0 + np.sqrt(n_deviating[k])) * EPS * max(x_norm[a], x_norm[b], x_norm[v], size)
            rounding[v] = max(rounding[a], rounding[b]) + own
    for v in range(n):
        slack[v] = error[v] / spread + rounding[v]
        out[v] = min(norm, rows / spread) * error[v] + rounding[v] * scale * walk / spread
    return out, slack, rounding


@kernel
def prove_linear(
    x_norm: Any,
    proof: Any,
    norm: Any,
    magnitude: Any,
    constants: Any,
    size: Any,
    terms: Any,
    ends: Any,
    n_deviating: Any,
) -> Any:
    """(proof, slack, rounding) of a linear map's output, (V,) each, from its input's norm and proven error,
    (V,) each.

    The worst case of `through_linear`: with g = n u / (1 - n u), an entry errs by at most |row| e + g (|row| |x| + |constant|),
    which is at most ``scale`` times ``slack``; all of them by |W| e + g (|abs W| |x| + |constants|), where ``magnitude`` bounds
    |abs W|. `FLOOR` is for underflow, in the norm of the input and in products.

    An output between others, with k bends, has the larger rounding r of theirs. With x the largest of the
    three inputs it adds up magnitudes of at most 5 (|W| |x| + |constants| + r) in k + 3 terms; and its bends
    are wrong by what rounding made of them, or neglected: by no more than 25 u |x| in all.
    """
    n = len(proof)
    n_old = n - len(ends)
    out, slack, rounding, whole = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    g = terms * EPS / (1.0 - terms * EPS)
    for v in range(n):
        rounding[v] = SAFE * g * max(x_norm[v], size) + FLOOR
        whole[v] = g * (magnitude * (x_norm[v] + FLOOR) + constants)
    for k in range(len(ends)):
        if n_deviating[k] >= 0:
            a, b, v = ends[k].a, ends[k].b, n_old + k
            g = (n_deviating[k] + 3.0) * EPS / (1.0 - (n_deviating[k] + 3.0) * EPS)
            x, before = max(x_norm[a], x_norm[b], x_norm[v]), max(rounding[a], rounding[b])
            rounding[v] = SAFE * (before + 5.0 * g * (max(x, size) + before) + 25.0 * EPS * x) + FLOOR
            x, before = magnitude * (x + FLOOR), max(whole[a], whole[b])
            whole[v] = SAFE * (before + 5.0 * g * (x + constants + before) + 25.0 * EPS * x) + FLOOR
    for v in range(n):
        slack[v] = SAFE * proof[v] + rounding[v]
        out[v] = SAFE * (norm * proof[v] + whole[v]) + FLOOR
    return out, slack, rounding
