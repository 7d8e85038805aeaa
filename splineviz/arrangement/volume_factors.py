"""Factors by which the network stretches the areas of cells, and random samples of a slice by them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.blocks import by_blocks
from splineviz.arrangement.cells import Cells
from splineviz.errors import InputError

__all__ = ["polarity_samples", "volume_factor"]


def volume_factor(affine: Float64[np.ndarray, "cell output 3"]) -> Float64[np.ndarray, "cell"]:
    """(F,) sqrt(det A'A), the factor by which each cell's map stretches area; 0 where it is not one to one.

    References
    ----------
    "On the geometry of deep learning"; MaGNET (arXiv 2110.08009).

    Examples
    --------
    >>> volume_factor(np.array([[[3.0, 0.0, 9.0], [0.0, 4.0, 9.0]]])).tolist()
    [12.0]
    """

    def factor(part: slice) -> np.ndarray:
        u, v = affine[part, :, 0], affine[part, :, 1]
        uu, vv, uv = (u * u).sum(1), (v * v).sum(1), (u * v).sum(1)
        factors: np.ndarray = np.sqrt(np.maximum(uu * vv - uv * uv, 0.0))
        return factors

    return by_blocks(factor, len(affine))


def polarity_samples(
    arr: Cells, affine: Float64[np.ndarray, "cell output 3"], n: int, *, rho: float = 1.0, seed: int = 0
) -> Float64[np.ndarray, "sample 2"]:
    """Random uv of a slice with a density proportional to ``volume ** rho``.

    With rho 1 the outputs are spread evenly over the image of the slice, with rho 0 the inputs over the
    slice; large rho seeks the places that are stretched most, negative rho those stretched least, where a
    cell that is mapped to a line or a point is left out.

    Raises
    ------
    InputError
        If every cell has density 0.

    References
    ----------
    Polarity sampling (arXiv 2203.01993).
    """
    if n < 1:
        raise InputError(f"the number of samples must be at least 1, got {n}")
    stretched = volume_factor(affine)
    positive = stretched > 1e-9 * stretched.max(initial=0.0)
    logarithm = rho * np.log(np.where(positive, stretched, 1.0))
    weights = np.where(positive | (rho == 0), arr.areas * np.exp(logarithm - logarithm.max()), 0.0)
    if not weights.sum() > 0:
        raise InputError(
            "every cell of the slice is mapped to a line or a point, so that its volume is 0", hint="rho=0"
        )
    generator = np.random.default_rng(seed)
    offsets, corners = arr.cells.offsets, arr.cells.values
    fans = np.diff(offsets) - 2
    cell = np.repeat(np.arange(arr.n_cells), fans)
    place = np.arange(len(cell)) - np.repeat(np.cumsum(fans) - fans, fans)
    a, b, c = (arr.vertices[corners[offsets[cell] + k]] for k in (0, place + 1, place + 2))
    ab, ac = b - a, c - a
    share = np.abs(ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]) / 2 * (weights / arr.areas)[cell]
    chosen = generator.choice(len(cell), n, p=share / share.sum())
    s, t = generator.random((2, n, 1))
    s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
    samples: np.ndarray = a[chosen] + s * ab[chosen] + t * ac[chosen]
    return samples
