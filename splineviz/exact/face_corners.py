"""Corners of faces at vertices, and a choice among them that needs the maps of few faces."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from splineviz.exact.face_states import FaceStates

__all__ = ["NO_CORNERS", "Corners", "FaceCorners", "corners_at", "on_few_faces"]


class FaceCorners(NamedTuple):
    """Corners of faces, one in each row."""

    vertex: Int64[np.ndarray, "corner"]
    face: Int64[np.ndarray, "corner"]
    before: Int64[np.ndarray, "corner"]
    """Edge that ends at the vertex"""
    after: Int64[np.ndarray, "corner"]
    """Edge that begins there"""
    sine: Float64[np.ndarray, "corner"]
    """Of the angle between them"""

    def only(self, rows: np.ndarray) -> FaceCorners:
        """Some of the corners."""
        return FaceCorners(*(column[rows] for column in self))


class Corners(NamedTuple):
    """Vertices as corners of faces whose maps are known, where the lines of two sides cross."""

    vertex: Int64[np.ndarray, "corner"]
    face: Int64[np.ndarray, "corner"]
    sides: Int64[np.ndarray, "2 corner"]
    """The edges that cross there"""
    uv: Float64[np.ndarray, "corner 2"]
    """Coordinates of the point, of which ``low`` is the rest"""
    low: Float64[np.ndarray, "corner 2"]
    distance: Float64[np.ndarray, "corner"]
    """From the exact point, at most"""

    def only(self, rows: np.ndarray) -> Corners:
        """Some of the corners."""
        return Corners(*(column[:, rows] if column is self.sides else column[rows] for column in self))

    def followed_by(self, others: Corners) -> Corners:
        """These, and then others."""
        return Corners(
            *(
                np.concatenate(pair, axis=1 if pair[0] is self.sides else 0)
                for pair in zip(self, others, strict=True)
            )
        )


NO_CORNERS = Corners(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty((2, 0), np.int64),
    np.empty((0, 2)),
    np.empty((0, 2)),
    np.empty(0),
)


def corners_at(states: FaceStates, vertices: Int64[np.ndarray, "vertex"]) -> FaceCorners:
    """All corners of faces at some vertices."""
    sub, sides = states.subdivision, states.sides_at.take(vertices)
    offsets, values = sub.faces.offsets, sub.faces.values
    side, vertex = sides.values, vertices[sides.row_of]
    face = np.searchsorted(offsets, side, side="right") - 1
    first, last = offsets[face], offsets[face + 1] - 1
    before, after = np.where(side > first, side - 1, last), np.where(side < last, side + 1, first)
    a, b = (sub.vertices[values[end]] - sub.vertices[vertex] for end in (before, after))
    lengths = np.maximum(np.hypot(*a.T) * np.hypot(*b.T), 1e-300)
    sine = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / lengths
    return FaceCorners(vertex, face, sub.side_edges[before], sub.side_edges[side], sine)


def on_few_faces(
    corners: FaceCorners, maps: Int64[np.ndarray, "corner"], known: Bool[np.ndarray, "corner"]
) -> Int64[np.ndarray, "chosen"]:
    """Rows of corners, one for each vertex, so that few ``maps`` are needed that are not ``known`` yet.

    A map costs more than a wider angle is worth, up to half of the widest. Maps that serve many vertices
    come first, each where no better one has any of its vertices; then what is left is looked at again.
    """
    _, vertex = np.unique(corners.vertex, return_inverse=True)
    widest = np.zeros(vertex.max(initial=-1) + 1)
    np.maximum.at(widest, vertex, corners.sine)
    left, chosen = np.flatnonzero(2.0 * corners.sine >= widest[vertex]), []
    while len(left):
        numbers, first, place = np.unique(maps[left], return_index=True, return_inverse=True)
        serves = np.bincount(place)
        rank = np.empty(len(numbers), np.int64)
        # Where neighbours serve equally many, numbers in disorder leave no long rows of second ones.
        rank[np.lexsort((_disorder(numbers), serves, known[left][first]))] = np.arange(len(numbers))
        best = np.full(len(widest), -1)
        np.maximum.at(best, vertex[left], rank[place])
        wins = best[vertex[left]] == rank[place]
        unrivalled = np.bincount(place, wins) == serves
        taken = left[unrivalled[place]]
        _, one = np.unique(vertex[taken], return_index=True)
        chosen.append(taken[one])
        left = left[~np.isin(vertex[left], vertex[taken])]
    return np.concatenate(chosen) if chosen else left


def _disorder(numbers: Int64[np.ndarray, "number"]) -> Int64[np.ndarray, "number"]:
    """A number for each, no two of the same, without regard to their order."""
    mixed: np.ndarray = numbers * 0x9E3779B1 % (1 << 32)
    return mixed
