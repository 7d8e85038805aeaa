"""Distances of points of a plane to the nearest edge of each stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.cells import Cells
from splineviz.geometry.box_tree import BoxTree, box_tree
from splineviz.geometry.nearest_segments import nearest_segments

__all__ = ["EdgesByStage"]


@dataclass(frozen=True, eq=False)
class EdgesByStage:
    """Edges of one window, indexed by the stage that they were born at, for questions about the nearest.

    Attributes
    ----------
    segments
        For each stage (n, 4) u and v of the first and of the second end of its edges; the rim is no edge.
    trees
        Of their boxes.
    """

    segments: tuple[Float64[np.ndarray, "_ 4"], ...]
    trees: tuple[BoxTree, ...]

    @classmethod
    def of(cls, arr: Cells) -> EdgesByStage:
        """Index the edges of an arrangement of one window."""
        assert arr.info is not None
        of_stages = [np.flatnonzero(arr.edge_stage == stage.index) for stage in arr.info.stages]
        ends = [np.ascontiguousarray(arr.vertices[arr.edges[edges]]) for edges in of_stages]
        trees = [box_tree(own.min(1), own.max(1), np.zeros(len(own), dtype=np.int64)) for own in ends]
        return cls(tuple(own.reshape(-1, 4) for own in ends), tuple(trees))

    def distances(self, uv: Float64[np.ndarray, "point 2"]) -> Float64[np.ndarray, "stage point"]:
        """(S, n) distance of each point to the nearest edge that was born at each stage, in input distance;
        infinite where a stage has none in the window.

        Distances of the coordinates as they are: edges are within ``arr.stats.largest_displacement`` of their
        exact places, and so are the distances. The nearest edge of all is the least over the stages.

        Examples
        --------
        >>> import torch, splineviz as sv
        >>> net = torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False), torch.nn.ReLU())
        >>> net[0].weight.data = torch.tensor([[1.0, 0.0]])
        >>> arr = sv.arrange(net, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
        >>> EdgesByStage.of(arr).distances(np.array([[0.25, 0.5], [-1.0, 1.0]])).tolist()
        [[0.25, 1.0]]
        """
        points, windows = np.ascontiguousarray(uv), np.zeros(len(uv), dtype=np.int64)
        found: np.ndarray = np.stack(
            [
                nearest_segments(points, windows, segments, tree)
                for segments, tree in zip(self.segments, self.trees, strict=True)
            ]
        )
        return found
