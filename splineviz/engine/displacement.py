"""Coordinates of vertices: how far they may be off, and those that are too far are rounded anew, from exact
ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splineviz.engine.displacement_kernel import displaced
from splineviz.exact.ancestry import Ancestry
from splineviz.exact.resolver import located
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.program.program import Program

__all__ = ["Displacement", "no_displacement", "settled"]

_LIKELY, _CERTAIN = 2.0**-32, 2.0**-16
"""Allowed errors of coordinates, by estimate and by proof, as shares of the largest numbers between uv and
input space.

The first is what users can rely on. Proven bounds are worst cases, in deep networks a million times what is
likely, and are held to what no picture can show."""


@dataclass(frozen=True, eq=False)
class Displacement:
    """Bounds of the distance of rounded vertices from their exact places, in uv."""

    estimate: np.ndarray
    """(V,)"""
    proof: np.ndarray
    """(V,)"""
    reach: np.ndarray
    """(windows,) |origin| + |u| + |v|, at most"""

    def after(self, points: np.ndarray, birth: np.ndarray, kept: np.ndarray | None) -> Displacement:
        """Displacement after a refinement of a subdivision with its vertices at ``points`` (V, 2)."""
        estimate, proof = displaced(points, self.estimate, self.proof, birth)
        return (
            Displacement(estimate, proof, self.reach)
            if kept is None
            else Displacement(estimate[kept], proof[kept], self.reach)
        )

    def part(self, vertices: np.ndarray) -> Displacement:
        """Displacement of some of its vertices."""
        return Displacement(self.estimate[vertices], self.proof[vertices], self.reach)


def no_displacement(reaches: np.ndarray, first: np.ndarray) -> Displacement:
    """Displacement of the corners of windows, which are exact: (V,) |origin| + |u| + |v| of each, (windows,)
    the first of each."""
    n = len(reaches)
    return Displacement(np.zeros(n), np.zeros(n), np.maximum.reduceat(reaches, first))


def settled(
    program: Program,
    ancestry: Ancestry,
    displacement: Displacement,
    points: np.ndarray,
    faces: Csr,
    window_of: np.ndarray,
    limit: float,
) -> tuple[np.ndarray, float]:
    """(points, displacement): those that may be too far off are rounded from exact places, and how far any
    may be off then, proven.

    The worst come first, as far as ``limit`` of `resolver.effort` goes.
    """
    reach = np.full(len(points), np.inf)  # of vertices that no face has
    reach[faces.values] = np.repeat(displacement.reach[window_of], faces.lengths)
    worst = np.maximum(displacement.estimate / _LIKELY, displacement.proof / _CERTAIN) / reach
    rows = np.flatnonzero(worst > 1.0)
    rows = rows[np.argsort(-worst[rows], kind="stable")]
    points, left = points.copy(), np.where(reach < np.inf, displacement.proof, 0.0)
    for vertex, place in zip(rows.tolist(), located(program, ancestry, rows, limit), strict=False):
        if place is not None:
            points[vertex] = place.uv
            left[vertex] = UNIT_ROUNDOFF * np.abs(points[vertex]).sum()
    return points, float(left.max(initial=0.0))
