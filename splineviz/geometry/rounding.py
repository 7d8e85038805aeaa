"""How errors pass through an affine map, estimated row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from splineviz.geometry.compiled import kernel
from splineviz.geometry.predicates import EPS

__all__ = ["through_linear"]


@kernel
def through_linear(x_norm: Any, error: Any, norm: Any, scale_norm: Any, size: Any, terms: Any) -> Any:
    """(error, slack, rounding) of a linear map's output, (V,) each, from its input's norm and error, (V,) each.

    ``scale`` times ``slack`` is for single entries; ``rounding`` is the part of ``slack`` that is not inherited.

    A sum of n products errs by at most n u (|row| |x| + |constant|) <= n u scale max(|x|, size) (Higham 2002, ch. 3). That
    worst case, multiplied through the layers, is larger than true errors by a factor that grows with every layer. Errors that
    point nowhere in particular add up as a random walk: sqrt(n) in place of n, and the root mean square of a matrix's singular
    values in place of the largest. Decisions keep a distance of `predicates.MARGIN` times this estimate.
    """
    n = len(error)
    out, slack, rounding = np.empty(n), np.empty(n), np.empty(n)
    walk = np.sqrt(terms)
    for v in range(n):
        rounding[v] = walk * EPS * max(x_norm[v], size)
        slack[v] = error[v] / walk + rounding[v]
        out[v] = min(norm * error[v] + rounding[v] * scale_norm, slack[v] * scale_norm)
    return out, slack, rounding
