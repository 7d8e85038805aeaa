"""The diameter of a graph, between bounds on the eccentricities of its nodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

__all__ = ["Diameter", "diameter"]

_SEARCHES = 64


class Diameter(NamedTuple):
    """The longest shortest path between two nodes that are connected."""

    value: int
    """The largest distance found"""
    error: float
    """By how much it may be larger: 0 where it is proven"""


def diameter(graph: csr_array, searches: int = _SEARCHES) -> Diameter:
    """The diameter of a graph with whole positive weights, as far as some searches tell.

    A search from v gives every distance d(v, w), and with the eccentricity e(v) the bounds
    max(d(v, w), e(v) - d(v, w)) <= e(w) <= e(v) + d(v, w) (Takes and Kosters 2011). Searches begin in turn
    where the upper bound is largest and where the lower bound is smallest, until the bounds meet.

    Examples
    --------
    >>> path = csr_array(np.diag(np.ones(4), 1))
    >>> diameter(path + path.T)
    Diameter(value=4, error=0.0)
    """
    n = graph.shape[0]
    low, high, done = np.zeros(n), np.full(n, np.inf), np.zeros(n, dtype=bool)
    for number in range(min(searches, n)):
        open_ = np.flatnonzero(~done & (high > low.max()))
        if not len(open_):
            break
        start = open_[high[open_].argmax() if number % 2 == 0 else low[open_].argmin()]
        far = dijkstra(graph, directed=False, indices=start)
        reached = np.isfinite(far)
        far, own = far[reached], float(far[reached].max())
        low[reached] = np.maximum(low[reached], np.maximum(far, own - far))
        high[reached] = np.minimum(high[reached], own + far)
        low[start] = high[start] = own
        done[start] = True
    longest = float(low.max(initial=0.0))
    return Diameter(int(longest), max(0.0, float(high.max(initial=0.0)) - longest))
