"""Whether the lines of a slice avoid the data, and whether they gather at the decision boundary: distances to
the nearest edge of each stage, held against those of points drawn uniformly from the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from splineviz.arrangement.result import Arrangement
from splineviz.measures.edge_distances import EdgesByStage
from splineviz.measures.rank_tests import RankTest, of_shifts, permutation_test, shift_test

__all__ = ["Places", "SliceDistances", "boundary_test", "points_test"]

_DRAWN = 1000
"""Points that are drawn uniformly from the window"""
_ON_BOUNDARY = 200
"""Points that are drawn by length from the decision boundary"""


@dataclass(frozen=True, eq=False)
class Places:
    """Where distances to edges are taken, the same at all checkpoints; all coordinates are uv.

    Attributes
    ----------
    points
        (n, 2) projections of the data points that lie in the window.
    drawn
        (m, 2) points drawn uniformly from it.
    bounds
        (x0, x1, y0, y1) of the window.
    shifts, seed
        Number of shifts of the decision boundary; seed of all that is drawn.
    """

    points: Float64[np.ndarray, "point 2"]
    drawn: Float64[np.ndarray, "drawn 2"]
    bounds: tuple[float, float, float, float]
    shifts: int
    seed: int

    @classmethod
    def of(
        cls, points: np.ndarray, bounds: tuple[float, float, float, float], shifts: int, seed: int
    ) -> Places:
        """Draw as many points as there are data points, and at least a thousand."""
        size = max(_DRAWN, len(points)), 2
        drawn = np.random.default_rng([seed, 0]).uniform(bounds[::2], bounds[1::2], size)
        return cls(points, drawn, bounds, shifts, seed)


@dataclass(frozen=True, eq=False)
class SliceDistances:
    """Distances to the nearest edge of each stage, and in the last row of any, at one checkpoint.

    Attributes
    ----------
    points, drawn
        (S + 1, n) and (S + 1, m) distances of the data points, and of those that were drawn.
    boundary
        (S + 1,) effect for the decision boundary, as in `RankTest.farther`; NaN where the window shows none.
    shifted
        (S + 1, shifts) the same under shifts.
    """

    points: Float64[np.ndarray, "row point"]
    drawn: Float64[np.ndarray, "row drawn"]
    boundary: Float64[np.ndarray, "row"]
    shifted: Float64[np.ndarray, "row shift"]

    @classmethod
    def of(cls, arr: Arrangement, places: Places) -> SliceDistances:
        """Measure an arrangement."""
        edges = EdgesByStage.of(arr)

        def distances(uv: np.ndarray) -> np.ndarray:
            of_stages = edges.distances(uv)
            return np.concatenate([of_stages, of_stages.min(0, keepdims=True)])

        drawn = distances(places.drawn)
        boundary = _on_segments(arr.decision_boundary(), places.seed)
        if len(boundary):
            effects = shift_test(
                distances, boundary, places.bounds, drawn, shifts=places.shifts, seed=[places.seed, 2]
            )
        else:
            effects = np.full(len(drawn), np.nan), np.full((len(drawn), places.shifts), np.nan)
        return cls(distances(places.points), drawn, *effects)


def points_test(found: list[SliceDistances], permutations: int, seed: int) -> RankTest | None:
    """Tests (T, S + 1) whether lines avoid the data (effects above 1/2) or gather there; None for fewer than
    two data points."""
    points, drawn = (np.stack([getattr(one, name) for one in found]) for name in ("points", "drawn"))
    if points.shape[-1] < 2:
        return None
    return permutation_test(points, drawn, permutations=permutations, seed=[seed, 3])


def boundary_test(found: list[SliceDistances]) -> RankTest:
    """Tests (T, S + 1) whether lines gather at the decision boundary (effects below 1/2); NaN at checkpoints
    that show none."""
    effects, shifted = (np.stack([getattr(one, name) for one in found]) for name in ("boundary", "shifted"))
    there: Bool[np.ndarray, "checkpoint"] = np.isfinite(effects).all(1)
    columns = np.full((5, *effects.shape), np.nan)
    if there.any():
        test = of_shifts(effects[there], shifted[there])
        columns[:, there] = test.farther, test.low, test.high, test.p, test.adjusted
    return RankTest(*columns)


def _on_segments(ends: Float64[np.ndarray, "segment 2 2"], seed: int) -> np.ndarray:
    """(k, 2) points drawn uniformly by length from segments; none where they have no length."""
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    total = np.cumsum(lengths)
    if not len(ends) or not total[-1] > 0:
        return np.zeros((0, 2))
    random = np.random.default_rng([seed, 1])
    row = np.minimum(np.searchsorted(total, random.uniform(0, total[-1], _ON_BOUNDARY)), len(ends) - 1)
    share = random.uniform(size=(_ON_BOUNDARY, 1))
    points: np.ndarray = (1 - share) * ends[row, 0] + share * ends[row, 1]
    return points
