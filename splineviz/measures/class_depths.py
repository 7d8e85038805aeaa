"""How deep the cells of a class lie in it, and how far those of two classes are apart, in crossed units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from splineviz.measures.result import Quantity

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary import DecisionRegions

__all__ = ["UNITS", "class_depths", "depth_quantities"]

UNITS = "crossed units"


def class_depths(graph: csr_array, cells: np.ndarray, decisions: DecisionRegions) -> np.ndarray:
    """(F,) units from each cell to the nearest with a part of another class than one of its own."""
    depth = np.full(len(cells), np.inf)
    numbers = np.unique(decisions.classes[np.isin(decisions.cells, cells)])
    for number in numbers.tolist() if len(numbers) > 1 else []:
        others = np.unique(
            np.concatenate([_in_class(cells, decisions, n, alone=False) for n in numbers if n != number])
        )
        own = _in_class(cells, decisions, number, alone=False)
        far = dijkstra(graph, directed=False, indices=others, min_only=True)
        depth[own] = np.minimum(depth[own], far[own])
    return np.where(np.isfinite(depth), depth, -1).astype(np.int64)


def depth_quantities(
    graph: csr_array, cells: np.ndarray, decisions: DecisionRegions, depth: np.ndarray
) -> list[Quantity]:
    """How deep cells lie in their class, and how far whole cells of two classes are apart."""
    error = None if decisions.open else 0
    numbers = np.unique(decisions.classes[np.isin(decisions.cells, cells)]).tolist()
    whole = {number: _in_class(cells, decisions, number, alone=True) for number in numbers}
    found = []
    for number, own in whole.items():
        if len(own) and (depth[own] >= 0).all():
            of = f"class {number}"
            found.append(Quantity("largest depth", int(depth[own].max()), of, error, UNITS))
            found.append(Quantity("mean depth", float(depth[own].mean()), of, error, UNITS))
    for first, own in whole.items():
        if not len(own):
            continue
        far = dijkstra(graph, directed=False, indices=own, min_only=True)
        for second in (n for n in numbers if n > first and len(whole[n])):
            if np.isfinite(least := far[whole[second]].min()):
                of = f"whole cells of classes {first} and {second}"
                found.append(Quantity("distance", int(least), of, error, UNITS))
    return found


def _in_class(cells: np.ndarray, decisions: DecisionRegions, number: int, *, alone: bool) -> np.ndarray:
    """Places in ``cells`` of those with a part of a class, or of that class ``alone``."""
    here = np.isin(decisions.cells, cells)
    own = np.unique(decisions.cells[here & (decisions.classes == number)])
    if alone:
        own = np.setdiff1d(own, decisions.cells[here & (decisions.classes != number)])
    return np.searchsorted(cells, own)
