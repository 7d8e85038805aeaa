"""Seeded orthonormal frames, nested: the first P axes are the same however many are asked for."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.inputs import whole_number

__all__ = ["frames", "shared_frame"]


def shared_frame(dim: int, directions: int, seed: int) -> Float64[np.ndarray, "direction dim"]:
    """One uniformly random frame.

    Examples
    --------
    >>> few, many = shared_frame(10, 2, seed=0), shared_frame(10, 5, seed=0)
    >>> bool(np.allclose(few, many[:2])), bool(np.allclose(many @ many.T, np.eye(5)))
    (True, True)
    """
    frame: np.ndarray = _orthonormal(
        np.random.default_rng(whole_number(seed, "seed", 0)).standard_normal((1, directions, dim))
    )[0]
    return frame


def frames(
    dim: int, directions: int, seed: int, first: int, count: int
) -> Float64[np.ndarray, "point direction dim"]:
    """Fresh frames for the points ``first`` to ``first + count - 1``, each the same in whatever batch it is
    drawn."""
    gaussian = [
        np.random.default_rng([seed, first + i]).standard_normal((directions, dim)) for i in range(count)
    ]
    return _orthonormal(np.stack(gaussian))


def _orthonormal(gaussian: np.ndarray) -> np.ndarray:
    """Gram-Schmidt of the rows, (..., P, D)."""
    if gaussian.shape[-2] > gaussian.shape[-1]:
        raise InputError(
            f"{gaussian.shape[-2]} orthonormal directions do not fit into an input space of "
            f"{gaussian.shape[-1]} dimensions",
            hint=f"choose at most {gaussian.shape[-1]} directions",
        )
    # torch's, which keeps to the number of threads that torch was given: numpy's own wait for each other on a
    # busy machine
    q, r = torch.linalg.qr(torch.from_numpy(gaussian).mT)
    q = q * r.diagonal(dim1=-2, dim2=-1).sign()[..., None, :]  # else the frame is not uniformly distributed
    axes: np.ndarray = q.mT.contiguous().numpy()
    return axes
