"""Inheritance of a face from the one it was cut from: its window, its stage of birth, the hash of its
pattern."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, UInt64

from splineviz.geometry.compiled import kernel

__all__ = ["inherit"]

# Odd constants of MurmurHash3's 128-bit variant and its finaliser (public domain, A. Appleby).
_K1, _K2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
_F1, _F2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


@kernel
def inherit(
    parent: Int64[np.ndarray, "face"],
    on: UInt64[np.ndarray, "face word"],
    window_of: Int64[np.ndarray, "parent"],
    stage_of: Int64[np.ndarray, "parent"],
    before: UInt64[np.ndarray, "parent 2"],
    stage: int,
) -> tuple[Int64[np.ndarray, "face"], Int64[np.ndarray, "face"], UInt64[np.ndarray, "face 2"]]:
    """(window_of, stage_of, hash) of the faces of a refinement, siblings following each other, from those of
    their parents.

    Faces with siblings are born at this stage. Hashes take in the bit sets ``on`` of this stage.
    """
    n = len(parent)
    windows, stages, hashes = np.empty(n, np.int64), np.empty(n, np.int64), np.empty((n, 2), np.uint64)
    for f in range(n):
        p = parent[f]
        windows[f] = window_of[p]
        alone = (f == 0 or parent[f - 1] != p) and (f == n - 1 or parent[f + 1] != p)
        stages[f] = stage_of[p] if alone else stage
        for lane in range(2):
            h = before[p, lane] + (_K1 if lane == 0 else _K2)
            for w in range(on.shape[1]):
                if w > 0:
                    # A top bit passes a multiplication unchanged: without this, two words could undo each
                    # other in both lanes.
                    h = (h ^ (h >> np.uint64(29))) * (_K2 if lane == 0 else _K1)
                h = (h ^ on[f, w]) * (_F1 if lane == 0 else _F2)
                h ^= h >> np.uint64(33)
            h *= _K2 if lane == 0 else _K1
            hashes[f, lane] = h ^ (h >> np.uint64(29))
    return windows, stages, hashes
