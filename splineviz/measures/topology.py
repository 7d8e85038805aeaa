"""Topology of decision regions and of the outputs on a slice: components, holes, and how long they
persist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.measures.measure import Measure, Request, provenance_of, require_outputs
from splineviz.measures.persistence import Diagrams, sublevel_persistence
from splineviz.measures.result import Measured, Quantity

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary import DecisionRegions
    from splineviz.arrangement.result import Arrangement

__all__ = ["MEASURE", "Topology", "topology"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Topology(Measured):
    """Betti numbers of the decision regions of each class, and persistence of each output.

    Attributes
    ----------
    diagrams
        For each output the births and deaths of components and holes of its sublevel sets.
    errors
        (C,) proven bound of the errors of births and deaths of each output; infinite where there is none.
    """

    diagrams: tuple[Diagrams, ...]
    errors: Float64[np.ndarray, "output"]


def topology(arr: Arrangement, request: Request | None = None) -> Topology:
    """Components and holes of the decision regions, and persistent homology of the outputs on the slice.

    Of a class b0 is the number of its decision regions, and b1 that of their holes: parts of the other
    classes, connected across sides, that do not reach the rim of the window. Of an output the sublevel sets
    {output <= t} are looked at for all t: ``components`` and ``holes`` are their Betti numbers at the level,
    and persistence is how far t has to rise until a component meets an older one, or a hole is filled.

    Parameters
    ----------
    arr
        Cells of the last stage.
    request
        Its ``window`` and ``level`` are read. The level, by default 0, is that of the sublevel sets, too.

    Raises
    ------
    InputError
        If the cells are those of an earlier stage, or a level is given and the network has several outputs.

    Examples
    --------
    >>> import splineviz as sv
    >>> found = topology(sv.slice("demo", sv.demo.load_points()))
    >>> found["b0", "class 3"], found["b1", "class 3"]
    (1, 0)
    """
    request = Request() if request is None else request
    require_outputs(arr, "topology")
    windows = range(len(arr.windows)) if request.window is None else [request.window]
    decisions = arr.decision_regions(level=request.level)
    outputs = [_of_outputs(arr, window) for window in windows]
    diagrams = tuple(_joined([each[output] for each in outputs]) for output in range(arr.affine.shape[1]))
    errors = _errors(arr)
    return Topology(
        measure="topology",
        quantities=(
            *_of_classes(arr, decisions, np.asarray(windows)),
            *_of_diagrams(diagrams, errors, request.level or 0.0),
        ),
        provenance=provenance_of(arr, request),
        diagrams=diagrams,
        errors=errors,
    )


def _of_classes(arr: Arrangement, decisions: DecisionRegions, windows: np.ndarray) -> list[Quantity]:
    """Numbers of regions and of holes of each class."""
    joints, settled = _joints(decisions)
    error = 0 if settled and not decisions.open else None
    here = np.isin(arr.cell_window[decisions.cells], windows)
    rim = np.zeros(len(decisions.classes), dtype=bool)
    outer = (decisions.edges >= 0) & (arr.edge_cells[decisions.edges] < 0).any(1)
    rim[decisions.pieces.row_of[outer]] = True
    found = []
    for number in np.unique(decisions.classes[here]).tolist():
        own = here & (decisions.classes == number)
        regions = len(np.unique(decisions.regions[own]))
        kept = ~own[joints].any(1)
        part = _components(joints[kept], len(own))
        holes = np.setdiff1d(part[here & ~own], part[here & ~own & rim])
        found += [
            Quantity("b0", regions, f"class {number}", error),
            Quantity("b1", len(holes), f"class {number}", error),
        ]
    return found


def _components(pairs: np.ndarray, n: int) -> np.ndarray:
    """(n,) number of the component of each of n nodes."""
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), tuple(pairs.T)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1])


def _joints(decisions: DecisionRegions) -> tuple[np.ndarray, bool]:
    """(J, 2) pieces that share a stretch of a side, and whether all of them are known for certain.

    Along an edge the same classes win on both sides, in the same order, one stretch each: those of one class
    meet across it, and those of two are joined in their cells. Where other classes win on the other side, the
    boundary runs along the edge, and what overlaps there is told from rounded corners."""
    owner, cut = decisions.pieces.row_of, np.flatnonzero(decisions.beyond >= 0)
    n_classes = int(decisions.classes.max(initial=0)) + 1
    key = decisions.cells * n_classes + decisions.classes
    order = np.argsort(key)
    beyond = decisions.cells[owner[cut]] * n_classes + decisions.beyond[cut]
    place = np.minimum(np.searchsorted(key[order], beyond), max(0, len(order) - 1))
    there = key[order][place] == beyond if len(order) else np.zeros(0, dtype=bool)
    inside = np.stack([owner[cut][there], order[place][there]], axis=1)
    side = np.flatnonzero(decisions.edges >= 0)
    by_edge = side[np.lexsort((decisions.classes[owner[side]], decisions.edges[side]))]
    edge, classes = decisions.edges[by_edge], decisions.classes[owner[by_edge]]
    same = np.flatnonzero((edge[1:] == edge[:-1]) & (classes[1:] == classes[:-1]))
    across = np.stack([owner[by_edge[same]], owner[by_edge[same + 1]]], axis=1)
    alone = np.ones(len(by_edge), dtype=bool)
    alone[same], alone[same + 1] = False, False
    odd = _overlapping(decisions, by_edge[alone])
    return np.concatenate([inside, across, odd]), bool(there.all()) and not len(odd)


def _overlapping(decisions: DecisionRegions, sides: np.ndarray) -> np.ndarray:
    """(J, 2) pieces of different cells whose sides on one edge overlap, among some sides in the order of
    their edges."""
    owner, edges = decisions.pieces.row_of, decisions.edges[sides]
    starts = decisions.pieces.offsets
    after = sides + 1
    last = after == starts[owner[sides] + 1]
    after[last] = starts[owner[sides]][last]
    ends = decisions.vertices[decisions.pieces.values[np.stack([sides, after], axis=1)]]
    found = [np.zeros((0, 2), dtype=np.int64)]
    for step in range(1, int(np.bincount(np.unique(edges, return_inverse=True)[1]).max(initial=0))):
        a, b = np.arange(len(sides) - step), np.arange(step, len(sides))
        a, b = a[edges[a] == edges[b]], b[edges[a] == edges[b]]
        along = ends[a, 1] - ends[a, 0]
        length = np.maximum((along**2).sum(1), np.finfo(float).tiny)
        t = ((ends[b] - ends[a, :1]) * along[:, None]).sum(2) / length[:, None]
        meet = np.minimum(t.max(1), 1.0) - np.maximum(t.min(1), 0.0) > 1e-9
        other = decisions.cells[owner[sides[a]]] != decisions.cells[owner[sides[b]]]
        found.append(np.stack([owner[sides[a]], owner[sides[b]]], axis=1)[meet & other])
    return np.concatenate(found)


def _of_outputs(arr: Arrangement, window: int) -> list[Diagrams]:
    """Diagrams of all outputs on one window."""
    own = arr.cell_window[arr.edge_cells.max(1)] == window
    vertices, edges = np.unique(arr.edges[own], return_inverse=True)
    edges = edges.reshape(-1, 2)
    rim = np.unique(edges[(arr.edge_cells[own] < 0).any(1)])
    cell_of = arr.a_cell_at_each_vertex()
    maps, uv = arr.affine[cell_of[vertices]], arr.vertices[vertices]
    values = maps[:, :, 0] * uv[:, :1] + maps[:, :, 1] * uv[:, 1:] + maps[:, :, 2]
    return [sublevel_persistence(column, edges, rim) for column in values.T]


def _joined(diagrams: list[Diagrams]) -> Diagrams:
    """The diagrams of several windows as one."""
    return Diagrams(*(np.concatenate(parts) for parts in zip(*diagrams, strict=True)))


def _errors(arr: Arrangement) -> np.ndarray:
    """(C,) bound of the errors of the outputs at the vertices: of the maps, of the places, and of the
    products."""
    n_outputs = arr.affine.shape[1]
    moved = arr.stats.largest_displacement
    if arr.program is None or moved is None or not arr.stats.certified:
        return np.full(n_outputs, np.inf)
    bounds = arr._bounded.errors.max(0)
    reach = np.abs(arr.vertices).max(0)
    steepest = np.linalg.norm(arr.affine[:, :, :2], axis=2).max(0)
    terms = np.abs(arr.affine).max(0) @ np.array([*reach, 1.0])
    rounding = 4 * np.finfo(np.float64).eps * terms
    error: np.ndarray = bounds @ np.array([*reach, 1.0]) + steepest * moved + rounding
    return error


def _of_diagrams(diagrams: tuple[Diagrams, ...], errors: np.ndarray, level: float) -> list[Quantity]:
    """Betti numbers at the level, and the longest and the total persistence of each output."""
    found = []
    for number, (one, error) in enumerate(zip(diagrams, errors.tolist(), strict=True)):
        of, bound = f"output {number}", error if np.isfinite(error) else None
        for name, pairs, count in zip(("components", "holes"), one, one.betti(level), strict=True):
            finite = pairs[np.isfinite(pairs[:, 1])]
            lasting = finite[:, 1] - finite[:, 0]
            near = bound is not None and (np.abs(pairs - level) > bound).all()
            found += [
                Quantity(f"{name} at {level:g}", count, of, 0 if near else None),
                Quantity(f"{name} ever", len(pairs), of),
                Quantity(
                    f"longest persistence of {name}", float(lasting.max(initial=0.0)), of, bound and 2 * bound
                ),
                Quantity(f"total persistence of {name}", float(lasting.sum()), of),
            ]
    return found


MEASURE = Measure(
    "topology", "Betti numbers of decision regions, persistence of the outputs", topology, ("level",)
)
