"""An order of faces in which neighbours are near each other."""

from __future__ import annotations

import numpy as np

from splineviz.geometry.csr import Csr

__all__ = ["near_each_other"]

_MANY = 1024
"""Faces cut from one from which on their order matters"""
_BITS = 16


def near_each_other(vertices: np.ndarray, faces: Csr, parent: np.ndarray) -> np.ndarray | None:
    """The order (F,) of the faces cut from one along a space-filling curve (Z order), where these are many;
    None if nowhere.

    Cutting leaves them chord by chord, and batches of faces in that order are strips, which have long
    borders.
    """
    if len(parent) < _MANY:
        return None
    many = np.bincount(parent) >= _MANY
    if not many.any():
        return None
    sums = np.add.reduceat(vertices[faces.values], faces.offsets[:-1])
    center = sums / faces.lengths[:, None]
    # Each in the box of those cut from the same one, so that the order does not depend on what else is in
    # work.
    first = np.flatnonzero(np.diff(parent, prepend=-1))
    low, high = (
        np.repeat(f.reduceat(center, first), np.diff(first, append=len(parent)), axis=0)
        for f in (np.minimum, np.maximum)
    )
    cell = ((center - low) / np.maximum(high - low, np.finfo(np.float64).tiny) * (2**_BITS - 1)).astype(
        np.uint64
    )
    code = np.zeros(len(parent), np.uint64)
    for bit in range(_BITS):
        for axis in range(2):
            code |= ((cell[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return np.lexsort((np.where(many[parent], code, 0), parent))
