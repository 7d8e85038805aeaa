"""A 128-bit hash of each face's activation pattern, grown stage by stage."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["extend_hash"]

# Odd constants of MurmurHash3's 128-bit variant and its finaliser (public domain, A. Appleby).
_K1, _K2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
_F1, _F2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


@njit(cache=True, nogil=True)
def extend_hash(before: Any, parent: Any, on: Any) -> Any:
    """(F, 2) uint64 from the hashes of the parents and the (F, words) bit sets of one more stage."""
    out = np.empty((len(parent), 2), np.uint64)
    for f in range(len(parent)):
        for lane in range(2):
            h = before[parent[f], lane] + (_K1 if lane == 0 else _K2)
            for w in range(on.shape[1]):
                h = (h ^ on[f, w]) * (_F1 if lane == 0 else _F2)
                h ^= h >> np.uint64(33)
            h *= _K2 if lane == 0 else _K1
            out[f, lane] = h ^ (h >> np.uint64(29))
    return out
