"""The Fiedler cut of a graph of cells: nearly the least length of cut for the area on either side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh

__all__ = ["SpectralCut", "spectral_cut"]

_DENSE = 32
"""Nodes up to which all eigenvectors are computed"""


@dataclass(frozen=True, eq=False)
class SpectralCut:
    """A cut in two by the signs of the Fiedler vector.

    Attributes
    ----------
    eigenvalue
        The second smallest of L x = lambda M x; 0 where the graph is not connected.
    vector
        (n,) the eigenvector, of unit norm in M, the first entry not negative.
    side
        (n,) 1 where it is positive, else 0.
    """

    eigenvalue: float
    vector: Float64[np.ndarray, "cell"]
    side: Int64[np.ndarray, "cell"]


def spectral_cut(lengths: csr_array, areas: np.ndarray) -> SpectralCut:
    """The Fiedler vector of cells, with the lengths of common sides for weights and areas for masses.

    Minimises sum of length (x_i - x_j)^2 over sum of area x_i^2 among x that are orthogonal to the constants
    (Fiedler 1973; with masses, the discrete form of Cheeger's length of a cut over the area that it cuts
    off). Without masses the smallest cell would be cut off, since its sides are shortest.

    Parameters
    ----------
    lengths
        (n, n) symmetric, the length of the side that two cells share.
    areas
        (n,) of the cells; those that are not positive count as the smallest positive one.
    """
    n = len(areas)
    floor = areas[areas > 0].min(initial=np.inf)
    masses = np.maximum(areas, floor if np.isfinite(floor) else 1.0)
    components, member = connected_components(lengths, directed=False)
    if n < 2 or components > 1:
        vector = (member != member[0]).astype(np.float64) if n else np.zeros(0)
        return SpectralCut(0.0, vector, vector.astype(np.int64))
    laplacian = csc_array(diags_array(lengths.sum(1)) - lengths)
    if n <= _DENSE:
        root = 1.0 / np.sqrt(masses)
        found, vectors = np.linalg.eigh(root[:, None] * laplacian.toarray() * root)
        vectors *= root[:, None]
    else:
        # a little below 0, where the matrix is definite: in units of a cut over an area
        shift = -1e-3 * lengths.sum() / 2 / masses.sum()
        start = np.cos(np.arange(n, dtype=np.float64))  # the same in every run
        found, vectors = eigsh(laplacian, k=2, M=csc_array(diags_array(masses)), sigma=shift, v0=start)
    order = np.argsort(found)
    vector = vectors[:, order[1]]
    vector = vector / np.sqrt((masses * vector**2).sum()) * (1.0 if vector[0] >= 0 else -1.0)
    return SpectralCut(float(found[order[1]]), vector, (vector > 0).astype(np.int64))
