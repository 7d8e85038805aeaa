"""Folds of the graph of each output: by which angle it bends at every edge.

The graph of an output over the plane consists of facets, one over each cell; the fold angle of an edge is
that between the normals (-a, -b, 1) of the two facets that meet over it, for the output a u + b v + c. Flat
is 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.measures.measure import Measure, Request, provenance_of, require_outputs
from splineviz.measures.result import Measured, Quantity

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["MEASURE", "Folds", "folds"]

_AT_A_TIME = 1 << 16


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Folds(Measured):
    """Fold angles of the outputs.

    Attributes
    ----------
    edges
        (E,) the inner edges of the window, or of all.
    angles
        (E, C) fold angle of each output at each of them, in degrees.
    lengths
        (E,) length of each edge, in input distance.
    """

    edges: Int64[np.ndarray, "edge"]
    angles: Float64[np.ndarray, "edge output"]
    lengths: Float64[np.ndarray, "edge"]


def folds(arr: Arrangement, request: Request | None = None) -> Folds:
    """Fold angles of the graph of each output at every inner edge.

    With gradients g and h on both sides the angle is atan2(|n x m|, n . m) of the normals n = (-g, 1) and
    m = (-h, 1), which keeps its digits for folds that are nearly flat.

    Parameters
    ----------
    arr
        Cells of the last stage.
    request
        Its ``window`` is read.

    Raises
    ------
    InputError
        If the cells are those of an earlier stage.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False), torch.nn.ReLU())
    >>> _ = torch.nn.init.constant_(net[0].weight, 2**-0.5)
    >>> arr = sv.arrange(sv.load_program(net), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    >>> round(folds(arr)["largest fold", "output 0"], 6)  # from flat to slope 1
    45.0
    """
    request = Request() if request is None else request
    require_outputs(arr, "folds")
    inner = (arr.edge_cells >= 0).all(1)
    if request.window is not None:
        inner &= arr.cell_window[arr.edge_cells.max(1)] == request.window
    edges = np.flatnonzero(inner)
    ends = arr.vertices[arr.edges[edges]]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    angles = np.empty((len(edges), arr.affine.shape[1]))
    for first in range(0, len(edges), _AT_A_TIME):
        left, right = arr.edge_cells[edges[first : first + _AT_A_TIME]].T
        angles[first : first + _AT_A_TIME] = _angles(arr.affine[left, :, :2], arr.affine[right, :, :2])
    return Folds(
        measure="folds",
        quantities=tuple(_quantities(angles, lengths)),
        provenance=provenance_of(arr, request),
        edges=edges,
        angles=angles,
        lengths=lengths,
    )


def _angles(g: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Angles in degrees between the normals of graphs with gradients (..., 2)."""
    step = h - g
    twist = g[..., 0] * h[..., 1] - g[..., 1] * h[..., 0]
    across = np.sqrt((step**2).sum(-1) + twist**2)
    angles: np.ndarray = np.degrees(np.arctan2(across, 1.0 + (g * h).sum(-1)))
    return angles


def _quantities(angles: np.ndarray, lengths: np.ndarray) -> list[Quantity]:
    """The largest fold of each output, and means over the length of all edges."""
    if not len(lengths):
        return []
    means = lengths @ angles / lengths.sum()
    found = []
    for number, (largest, mean) in enumerate(zip(angles.max(0), means, strict=True)):
        of = f"output {number}"
        found.append(Quantity("largest fold", float(largest), of, unit="degrees"))
        found.append(Quantity("mean fold", float(mean), of, unit="degrees"))
    return found


MEASURE = Measure("folds", "fold angles of the graph of each output at the edges", folds)
