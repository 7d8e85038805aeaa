"""The graph of cells: how they are connected, how many units lie between them, and where it is cut best.

Cells are nodes; two that share a side are neighbours. A path crosses units: at each side as many as change
their state there, mostly one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from splineviz.arrangement.dual_graph import dual_graph
from splineviz.measures.class_depths import UNITS, class_depths, depth_quantities
from splineviz.measures.eccentricities import diameter
from splineviz.measures.measure import Measure, Request, provenance_of
from splineviz.measures.result import Measured, Quantity
from splineviz.measures.spectral_cut import SpectralCut, spectral_cut

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary import DecisionRegions
    from splineviz.arrangement.result import Arrangement

__all__ = ["MEASURE", "CellGraph", "cell_graph"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CellGraph(Measured):
    """The graph of the cells of one window, or of all.

    Attributes
    ----------
    cells
        (F,) ids of the cells that are its nodes.
    degrees
        (F,) number of neighbours of each.
    pairs
        (P, 2) neighbours, as places in ``cells``.
    units
        (P,) number of units that change their state between them.
    lengths
        (P,) length of the side that they share, in input distance.
    depth
        (F,) units that are crossed from each cell to the nearest one with a part of another class; -1 where
        there is none, or the outputs are not known.
    side
        (F,) side of the best cut, 0 or 1, that each cell lies on; see
        :func:`splineviz.measures.spectral_cut.spectral_cut`.
    """

    cells: Int64[np.ndarray, "cell"]
    degrees: Int64[np.ndarray, "cell"]
    pairs: Int64[np.ndarray, "pair 2"]
    units: Int64[np.ndarray, "pair"]
    lengths: Float64[np.ndarray, "pair"]
    depth: Int64[np.ndarray, "cell"]
    side: Int64[np.ndarray, "cell"]


def cell_graph(arr: Arrangement, request: Request | None = None) -> CellGraph:
    """Degrees, distances in crossed units, and the best cut of the graph of cells.

    The mean degree of the cells of a plane is below 2 d = 4, and comes near it where nearly all vertices are
    crossings of two lines. The diameter is found by bounds on eccentricities (Takes and Kosters 2011,
    doi:10.1145/2063576.2063748) within 64 searches; where these do not meet, the error says how far they are
    apart.

    Parameters
    ----------
    arr
        Any cells. Of those of the last stage with known affine maps depths and distances of classes are told,
        too.
    request
        Its ``window``, ``level`` and ``points`` are read. Points count as far as they lie on the plane.

    Raises
    ------
    InputError
        If a level is given and the network has several outputs.

    Examples
    --------
    >>> import splineviz as sv
    >>> found = cell_graph(sv.slice("demo", sv.demo.load_points()))
    >>> 3.5 < found["mean degree"] < 4
    True
    """
    request = Request() if request is None else request
    cells = (
        np.arange(arr.n_cells)
        if request.window is None
        else np.flatnonzero(arr.cell_window == request.window)
    )
    dual = dual_graph(arr)
    here = np.isin(dual.pairs[:, 0], cells)
    pairs = np.searchsorted(cells, dual.pairs[here])
    units, lengths = arr.edge_units.lengths[dual.edges[here]], dual.lengths[here]
    degrees = np.bincount(pairs.ravel(), minlength=len(cells))
    graph = _symmetric(pairs, units.astype(np.float64), len(cells))
    cut = spectral_cut(_symmetric(pairs, lengths, len(cells)), arr.areas[cells])
    decisions = _decisions(arr, request)
    depth = np.full(len(cells), -1) if decisions is None else class_depths(graph, cells, decisions)
    held = _cells_of_points(arr, request, cells)
    proven = 0 if arr.stats.certified else None
    quantities = [
        *_counts(degrees, len(pairs), graph, proven),
        *_connections(degrees, held, proven),
        *_distances(graph, held, proven),
        *([] if decisions is None else depth_quantities(graph, cells, decisions, depth)),
        *_of_cut(cut, pairs, lengths, cells, decisions),
    ]
    return CellGraph(
        measure="graph",
        quantities=tuple(quantities),
        provenance=provenance_of(arr, request),
        cells=cells,
        degrees=degrees,
        pairs=pairs,
        units=units,
        lengths=lengths,
        depth=depth,
        side=cut.side,
    )


def _symmetric(pairs: np.ndarray, weights: np.ndarray, n: int) -> csr_array:
    """Adjacency matrix (n, n) with a weight for each pair."""
    a, b = pairs.T
    both = np.concatenate([weights, weights]), (np.concatenate([a, b]), np.concatenate([b, a]))
    return csr_array(both, shape=(n, n))


def _counts(degrees: np.ndarray, n_pairs: int, graph: csr_array, proven: int | None) -> list[Quantity]:
    components = int(connected_components(graph, directed=False)[0])
    found = diameter(graph)
    certain = proven is not None and np.isfinite(found.error)
    return [
        Quantity("cells", len(degrees), error=proven),
        Quantity("neighbours", n_pairs, error=proven),
        Quantity("components", components, error=proven),
        Quantity("mean degree", float(degrees.mean()), error=proven),
        Quantity("largest degree", int(degrees.max()), error=proven),
        Quantity("diameter", found.value, error=found.error if certain else None, unit=UNITS),
    ]


def _cells_of_points(arr: Arrangement, request: Request, cells: np.ndarray) -> dict[str, np.ndarray]:
    """Places in ``cells`` of the cells that hold anchors, and data points that lie on the plane."""
    found: dict[str, np.ndarray] = {}
    windows = range(len(arr.windows)) if request.window is None else [request.window]
    for name in ("anchors", "points"):
        held = []
        for window in windows:
            plane = arr.planes[window]
            if name == "anchors":
                uv = plane.anchors
            elif request.points is not None:
                uv, off = plane.project(request.points)
                uv = uv[off <= 1e-9 * (1.0 + np.abs(uv).max(-1))]
            else:
                continue
            held.append(arr.locate(np.reshape(uv, (-1, 2)), window))
        inside = np.concatenate([np.zeros(0, np.int64), *held])
        if len(inside := inside[inside >= 0]):
            found[name] = np.searchsorted(cells, inside)
    return found


def _connections(degrees: np.ndarray, held: dict[str, np.ndarray], proven: int | None) -> list[Quantity]:
    """Degrees of the cells that hold anchors or data."""
    return [
        Quantity("mean degree", float(degrees[np.unique(places)].mean()), f"cells of {name}", proven)
        for name, places in held.items()
    ]


def _distances(graph: csr_array, held: dict[str, np.ndarray], proven: int | None) -> list[Quantity]:
    """Least numbers of units between anchors."""
    anchors = held.get("anchors", np.zeros(0, np.int64))
    if not 2 <= len(anchors) <= len("ABC"):
        return []
    between = dijkstra(graph, directed=False, indices=anchors)[:, anchors]
    return [
        Quantity("distance", int(between[i, j]), f"anchors {'ABC'[i]} and {'ABC'[j]}", proven, UNITS)
        for i, j in combinations(range(len(anchors)), 2)
        if np.isfinite(between[i, j])
    ]


def _decisions(arr: Arrangement, request: Request) -> DecisionRegions | None:
    """The pieces of one class; None for cells of an earlier stage, or without affine maps and network."""
    if not arr.has_outputs or (arr.program is None and "affine" not in vars(arr)):
        return None
    return arr.decision_regions(level=request.level)


def _of_cut(
    cut: SpectralCut,
    pairs: np.ndarray,
    lengths: np.ndarray,
    cells: np.ndarray,
    decisions: DecisionRegions | None,
) -> list[Quantity]:
    """The best cut: its eigenvalue, its length, and how much it tells about the classes."""
    crossed = cut.side[pairs[:, 0]] != cut.side[pairs[:, 1]]
    found = [
        Quantity("Fiedler value", cut.eigenvalue, unit="1 / input distance"),
        Quantity("Fiedler cut", float(lengths[crossed].sum()), unit="input distance"),
    ]
    if decisions is None:
        return found
    here = np.isin(decisions.cells, cells)
    side = cut.side[np.searchsorted(cells, decisions.cells[here])]
    classes = np.unique(decisions.classes[here], return_inverse=True)[1]
    joint = np.bincount(2 * classes + side, weights=decisions.areas[here]).copy()
    joint.resize(classes.max() + 1, 2)
    share = _explained(joint)
    return (
        found if share is None else [*found, Quantity("class entropy that the Fiedler cut explains", share)]
    )


def _explained(joint: np.ndarray) -> float | None:
    """Mutual information of class and side over the entropy of the class, from areas (class, side); None for
    one class."""
    share = joint / joint.sum()
    class_, side = share.sum(1), share.sum(0)
    entropy = float(-(class_ * np.log(class_)).sum())
    if len(class_) < 2 or entropy == 0:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = share * np.log(share / (class_[:, None] * side))
    return float(np.nansum(terms) / entropy)


MEASURE = Measure(
    "graph", "graph of cells: degrees, distances in crossed units, Fiedler cut", cell_graph, ("level",)
)
