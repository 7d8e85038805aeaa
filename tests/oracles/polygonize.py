"""Two float64 witnesses for networks in general position: shapely's polygonize, layer by layer, and dense
sampling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

__all__ = ["count_cells", "grid", "sampled_patterns"]

Layers = Sequence[tuple[np.ndarray, np.ndarray]]
"""Weight (out, in) and bias (out,) of each hidden layer, with a relu behind each."""


def count_cells(layers: Layers, corners: np.ndarray) -> list[int]:
    """Number of cells of a relu network with two inputs after each hidden layer, on a convex polygon (k, 2).

    Each face of the layer before is cut by the lines of its own units: lines and rim are noded, and
    polygonized. Needs general position: a cell much smaller than the rounding of shapely's overlay is lost.
    """
    faces = [(shapely.Polygon(corners), np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))]
    counts = []
    for weight, bias in layers:
        children = []
        for face, forms in faces:
            switch = weight @ forms
            switch[:, 2] += bias
            for part in _polygonized(face, switch):
                point = part.representative_point()
                on = switch @ (point.x, point.y, 1.0) > 0
                children.append((part, switch * on[:, None]))
        faces = children
        counts.append(len(faces))
    return counts


def _polygonized(face: shapely.Polygon, lines: np.ndarray) -> list[shapely.Polygon]:
    x0, y0, x1, y1 = face.bounds
    reach = 1.5 * float(np.hypot(x1 - x0, y1 - y0))
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    lines = lines[np.hypot(lines[:, 0], lines[:, 1]) > 0]
    normal = lines[:, :2] / np.hypot(lines[:, 0], lines[:, 1])[:, None]
    offset = (lines[:, :2] @ centre + lines[:, 2]) / np.hypot(lines[:, 0], lines[:, 1])
    near = np.abs(offset) < reach
    foot = centre - offset[near, None] * normal[near]
    along = reach * np.stack([-normal[near, 1], normal[near, 0]], axis=1)
    drawn = shapely.linestrings(np.stack([foot - along, foot + along], axis=1))
    noded = shapely.unary_union([face.exterior, *drawn[shapely.intersects(drawn, face)]])
    parts = shapely.get_parts(shapely.polygonize([noded]))
    return [part for part in parts if face.contains(part.representative_point())]


def grid(x0: float, x1: float, y0: float, y1: float, n: int) -> np.ndarray:
    """(n * n, 2) points, none of them on the rim."""
    u, v = (low + (high - low) * (np.arange(n) + 0.5) / n for low, high in ((x0, x1), (y0, y1)))
    return np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)


def sampled_patterns(layers: Layers, points: np.ndarray) -> set[bytes]:
    """The distinct patterns at points (n, 2), as bytes of one boolean per unit, layer after layer."""
    values, states = points, []
    for weight, bias in layers:
        switch = values @ weight.T + bias
        states.append(switch > 0)
        values = np.maximum(switch, 0)
    return {row.tobytes() for row in np.concatenate(states, axis=1)}
