"""Lines of units: of each unit the length of its edges on a slice, their number, and how many pieces they
make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.arrangement.cells import Cells
from splineviz.stage import Stage

__all__ = ["UnitLines", "first_units", "unit_lines"]


@dataclass(frozen=True, eq=False)
class UnitLines:
    """Lines of the U units of all stages, stage after stage. A line is the union of a unit's edges.

    Attributes
    ----------
    lengths
        (U,) length of each line, in input distance; 0 where the unit has no line in the window.
    edges
        (U,) number of its edges.
    pieces
        (U,) number of its connected parts; two that meet in a vertex are one.
    """

    lengths: Float64[np.ndarray, "unit"]
    edges: Int64[np.ndarray, "unit"]
    pieces: Int64[np.ndarray, "unit"]


def first_units(stages: tuple[Stage, ...]) -> Int64[np.ndarray, "start"]:
    """(S + 1,) place of the first unit of each stage, where units are counted through all stages, and their
    number."""
    return np.cumsum([0, *(stage.n_units for stage in stages)])


def unit_lines(arr: Cells) -> UnitLines:
    """Lengths, edges and pieces of the line of every unit.

    An edge that belongs to several units counts for each of them.

    Parameters
    ----------
    arr
        The cells, with their network or its name card.

    Examples
    --------
    Two crossing lines of a first stage, each of one piece, which the other cuts into two edges:

    >>> import torch, splineviz as sv
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU())
    >>> net[0].weight.data = torch.eye(2)
    >>> lines = unit_lines(sv.arrange(net, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)))
    >>> lines.lengths.tolist(), lines.edges.tolist(), lines.pieces.tolist()
    ([2.0, 2.0], [2, 2], [1, 1])
    """
    assert arr.info is not None
    start = first_units(arr.info.stages)
    stage, unit = arr.edge_units.values.T
    owner, ends = start[stage] + unit, arr.edges[arr.edge_units.row_of]
    step = arr.vertices[ends[:, 1]] - arr.vertices[ends[:, 0]]
    n_units = int(start[-1])
    return UnitLines(
        np.bincount(owner, weights=np.linalg.norm(step, axis=1), minlength=n_units),
        np.bincount(owner, minlength=n_units),
        _pieces(owner, ends, n_units, arr.n_vertices),
    )


def _pieces(owner: np.ndarray, ends: np.ndarray, n_units: int, n_vertices: int) -> np.ndarray:
    """(U,) connected parts of the edges ``ends`` (n, 2) of each owner (n,)."""
    nodes, place = np.unique(owner[:, None] * n_vertices + ends, return_inverse=True)
    first, second = place.reshape(-1, 2).T
    links = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(len(nodes),) * 2)
    _, part = connected_components(links, directed=False)
    _, one_of_each = np.unique(part, return_index=True)
    return np.bincount(nodes[one_of_each] // n_vertices, minlength=n_units)
