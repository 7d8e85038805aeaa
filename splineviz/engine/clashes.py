"""Faces at border edges that two batches have cut into different numbers of parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from splineviz.geometry.csr import Csr
from splineviz.geometry.subdivision import Subdivision

__all__ = ["faces_at_clashes"]


def faces_at_clashes(parts: Sequence[tuple[np.ndarray, Csr, Subdivision]]) -> Int64[np.ndarray, "face"]:
    """Faces on either side of a border edge whose sides do not fit; numbered through all parts.

    Of each part: its border edges, by their numbers in the whole; the edges that each has become; its faces.
    """
    border = np.concatenate([edges for edges, _, _ in parts])
    lengths = np.concatenate([pieces.lengths for _, pieces, _ in parts])
    order = np.argsort(border, kind="stable")
    differ = (np.diff(border[order]) == 0) & (np.diff(lengths[order]) != 0)
    clashing, found, first = np.unique(border[order][1:][differ]), [], 0
    for edges, pieces, subdivision in parts:
        cut = np.zeros(len(subdivision.edges), dtype=bool)
        cut[pieces.take(np.flatnonzero(np.isin(edges, clashing))).values] = True
        found.append(first + np.unique(subdivision.faces.row_of[cut[subdivision.side_edges]]))
        first += len(subdivision.faces)
    return np.concatenate(found)
