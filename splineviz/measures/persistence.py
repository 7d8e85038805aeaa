"""Persistent homology of the sublevel sets of a function that is affine on every cell of a planar
subdivision.

In a convex cell the sublevel set is convex and holds a vertex wherever it holds anything, so that it is
joined up as the vertices and edges below the level are: components come and go at vertices. Holes are
components of the superlevel set that do not reach the rim (Alexander's duality), so they are found in the
same way from above, with all that lies outside of the window as the oldest component."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

__all__ = ["Diagrams", "sublevel_persistence"]


class Diagrams(NamedTuple):
    """Births and deaths, (pairs, 2), of components and of holes, by persistence, the longest first; the
    component of the lowest value never dies, and its death is infinite."""

    components: Float64[np.ndarray, "component 2"]
    holes: Float64[np.ndarray, "hole 2"]

    def betti(self, level: float) -> tuple[int, int]:
        """Numbers of components and of holes of the set where the function is at most ``level``."""
        counts = [
            int(((pairs[:, 0] <= level) & (level < pairs[:, 1])).sum())
            for pairs in (self.components, self.holes)
        ]
        return counts[0], counts[1]


def sublevel_persistence(
    values: Float64[np.ndarray, "vertex"],
    edges: Int64[np.ndarray, "edge 2"],
    rim: Int64[np.ndarray, "outer"],
) -> Diagrams:
    """Components and holes of the sets where a function is at most t, over all t.

    Pairs without persistence are left out. Two functions that differ by at most e have diagrams of bottleneck
    distance at most e (Cohen-Steiner, Edelsbrunner and Harer 2007), so errors of the values are errors of
    births and deaths.

    Parameters
    ----------
    values
        (V,) the function at the vertices.
    edges
        (E, 2) those of the subdivision.
    rim
        Vertices on the rim of the window.

    Examples
    --------
    >>> ring = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [0, 4], [1, 4], [2, 4], [3, 4]])
    >>> found = sublevel_persistence(np.array([0.0, 1, 0, 1, 2]), ring, np.arange(4))
    >>> found.components.tolist(), found.holes.tolist()
    ([[0.0, inf], [0.0, 1.0]], [[1.0, 2.0]])
    """
    components = _merges(values, edges)
    n = len(values)  # the outside, which is above everything
    closed = np.concatenate([edges, np.stack([rim, np.full(len(rim), n)], axis=1)])
    above = _merges(np.append(-values, -np.inf), closed)
    inner = np.isfinite(above[:, 0]) & np.isfinite(above[:, 1])
    return Diagrams(_longest_first(components), _longest_first(-above[inner][:, ::-1]))


def _longest_first(pairs: np.ndarray) -> np.ndarray:
    return pairs[np.lexsort((pairs[:, 0], pairs[:, 0] - pairs[:, 1]))]


def _merges(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(pairs, 2) births and deaths of the components of the sublevel sets of a function on a graph.

    Each vertex belongs to the minimum that a steepest way down leads to, which joins it as soon as it is
    there. What is left is a graph of minima: a spanning tree of its lowest passes holds every merge."""
    n = len(values)
    if not n:
        return np.zeros((0, 2))
    rank = np.empty(n, dtype=np.int64)
    rank[np.lexsort((np.arange(n), values))] = np.arange(n)
    at = np.argsort(rank)
    low, high = np.sort(rank[edges], axis=1).T
    lowest = np.arange(n)
    np.minimum.at(lowest, high, low)
    way = csr_array((np.ones(n, dtype=np.int8), (np.arange(n), lowest)), shape=(n, n))
    n_minima, basin = connected_components(way, directed=False)
    minimum = np.full(n_minima, n)
    np.minimum.at(minimum, basin, np.arange(n))
    a, b = basin[low], basin[high]
    across = a != b
    passes = csr_array(  # the first vertex at which two basins meet; ranks from 1, since 0 is no edge
        _lowest(np.minimum(a, b)[across], np.maximum(a, b)[across], high[across] + 1, n_minima)
    )
    tree = minimum_spanning_tree(passes).tocoo()
    order = np.argsort(tree.data)
    merged = _elder_rule(minimum, tree.row[order], tree.col[order], tree.data[order].astype(np.int64) - 1)
    sorted_values = values[at]
    pairs = np.stack([sorted_values[merged[:, 0]], sorted_values[merged[:, 1]]], axis=1)
    ever = sorted_values[np.setdiff1d(minimum, merged[:, 0])]  # minima of components that never end
    pairs = np.concatenate([pairs, np.column_stack([ever, np.full(len(ever), np.inf)])])
    return pairs[pairs[:, 0] < pairs[:, 1]]


def _lowest(a: np.ndarray, b: np.ndarray, weight: np.ndarray, n: int) -> csr_array:
    """Matrix (n, n) with the least weight of each pair."""
    order = np.lexsort((weight, b, a))
    a, b, weight = a[order], b[order], weight[order]
    first = np.ones(len(a), dtype=bool)
    first[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return csr_array((weight[first].astype(np.float64), (a[first], b[first])), shape=(n, n))


def _elder_rule(minimum: np.ndarray, a: np.ndarray, b: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(merges, 2) rank of the minimum that ends and of the vertex where it does, for passes in ascending
    order: the older component goes on."""
    parent, found = list(range(len(minimum))), []
    oldest = minimum.tolist()

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other, where in zip(a.tolist(), b.tolist(), at.tolist(), strict=True):
        older, younger = sorted((root(one), root(other)), key=oldest.__getitem__)
        parent[younger] = older
        found.append((oldest[younger], where))
    return np.array(found, dtype=np.int64).reshape(-1, 2)
