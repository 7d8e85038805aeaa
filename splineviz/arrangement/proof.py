"""What is needed to prove numbers that are computed of an arrangement: bounds in float64, and the network for
what they leave open."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.affine_maps import BoundedMaps
from splineviz.arrangement.cells import Cells
from splineviz.arrangement.corners import displacements
from splineviz.arrangement.exact_cells import ExactCell, affordable, exact_cells, exact_gradients
from splineviz.program.program import Program

__all__ = ["Proof"]


@dataclass(frozen=True, eq=False)
class Proof:
    """Proven bounds of the maps and vertices of an arrangement, and its cells in exact arithmetic, on demand.

    What is proven by them takes the cells and patterns for right: of these `Stats.certified` speaks.
    """

    arr: Cells
    program: Program
    bounded: BoundedMaps
    _known: dict[int, ExactCell] = field(default_factory=dict, repr=False)
    _gradients: dict[int, tuple[tuple[Fraction, Fraction], ...]] = field(default_factory=dict, repr=False)

    @property
    def errors(self) -> Float64[np.ndarray, "cell 3"]:
        """Of the coefficients of u and v, and of the constant, of any output."""
        return self.bounded.errors

    @cached_property
    def displacement(self) -> Float64[np.ndarray, "vertex"]:
        """How far each vertex is from its exact place, at most; infinite where that is not known."""
        return displacements(self.arr, self.bounded)

    def displacement_at(self, vertices: Int64[np.ndarray, "some"]) -> Float64[np.ndarray, "vertex"]:
        """`displacement` for some vertices; for others less may be known."""
        if "displacement" in vars(self):
            return self.displacement
        return displacements(self.arr, self.bounded, vertices)

    def cells(self, wanted: Int64[np.ndarray, "cell"]) -> dict[int, ExactCell]:
        """As many of the first of these cells as may be looked at exactly: all of them with
        ``certify="full"``, else as many as take a few seconds. None where the network has no exact form."""
        new = np.array([cell for cell in wanted.tolist() if cell not in self._known], dtype=np.int64)
        new = new[: affordable(self.program, self.arr.stats.certify != "full")]
        if len(new):
            found = exact_cells(self.arr, self.program, new) or []
            self._known.update(zip(new.tolist(), found, strict=False))
        return {cell: self._known[cell] for cell in wanted.tolist() if cell in self._known}

    def bends(self, edges: Int64[np.ndarray, "edge"]) -> dict[int, bool]:
        """Whether the function bends at inner edges, for as many of the first as may be looked at exactly.

        It does where the gradients of both cells, exactly, are not equal.
        """
        limit = affordable(self.program, self.arr.stats.certify != "full") // 2
        edges = edges[:limit]
        cells = np.unique(self.arr.edge_cells[edges])
        new = np.array([cell for cell in cells.tolist() if cell not in self._gradients], dtype=np.int64)
        self._gradients.update(
            zip(new.tolist(), exact_gradients(self.arr, self.program, new) or [], strict=False)
        )
        found = {}
        for edge, (left, right) in zip(edges.tolist(), self.arr.edge_cells[edges].tolist(), strict=True):
            if left in self._gradients and right in self._gradients:
                found[edge] = self._gradients[left] != self._gradients[right]
        return found
