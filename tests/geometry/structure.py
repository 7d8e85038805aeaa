"""A strict check that arrays are a planar subdivision; it shares no code with the engine and believes none of
its arrays.

What is checked of the topology holds whatever rounding did to the coordinates. `assert_geometry` adds what
must hold where no decision was left open.
"""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.geometry.refine import Refinement
from splineviz.geometry.subdivision import RIM, Subdivision

__all__ = [
    "areas_of",
    "assert_descent",
    "assert_geometry",
    "assert_structure",
    "left_right",
    "rings",
    "vanishing",
]


def rings(sub: Subdivision) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(sides,) face, vertex and next vertex of every side."""
    offsets, here = sub.faces.offsets, sub.faces.values
    face = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    after = here[
        np.where(np.arange(1, len(here) + 1) == offsets[face + 1], offsets[face], np.arange(1, len(here) + 1))
    ]
    return face, here, after


def left_right(sub: Subdivision) -> tuple[np.ndarray, np.ndarray]:
    """(E,) a face of every edge, and the other one, -1 on the rim."""
    face, _, _ = rings(sub)
    by_edge = np.lexsort((face, sub.side_edges))
    first = np.searchsorted(sub.side_edges[by_edge], np.arange(len(sub.edges)))
    one, n_sides = face[by_edge[first]], np.bincount(sub.side_edges, minlength=len(sub.edges))
    return one, np.where(n_sides == 2, face[by_edge[np.minimum(first + 1, len(face) - 1)]], -1)


def areas_of(sub: Subdivision) -> np.ndarray:
    """(F,) signed areas, each relative to the first corner of its face."""
    face, here, after = rings(sub)
    corner = sub.vertices[sub.faces.values[sub.faces.offsets[:-1]]][face]
    a, b = sub.vertices[here] - corner, sub.vertices[after] - corner
    return np.bincount(face, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2, len(sub.faces))


def assert_structure(sub: Subdivision, n_windows: int = 1) -> None:
    """The topology of ``n_windows`` discs, cut into faces."""
    _assert_arrays(sub)
    face, here, after = rings(sub)
    n_vertices, n_edges, n_faces = len(sub.vertices), len(sub.edges), len(sub.faces)
    assert np.diff(sub.faces.offsets).min() >= 3, "a face has fewer than three sides"
    assert len(np.unique(face * n_vertices + here)) == len(here), "a face comes to one vertex twice"

    ends = np.sort(sub.edges, axis=1)
    assert (ends[:, 0] < ends[:, 1]).all(), "an edge begins where it ends"
    assert len(np.unique(ends, axis=0)) == n_edges, "two edges have the same ends"
    assert (ends[sub.side_edges] == np.sort(np.stack([here, after], axis=1), axis=1)).all(), (
        "a side has another edge's ends"
    )
    assert len(np.unique(here * n_vertices + after)) == len(here), "two faces lie on one side of an edge"
    n_sides = np.bincount(sub.side_edges, minlength=n_edges)
    assert ((n_sides == 1) | (n_sides == 2)).all(), "an edge has no face, or more than two"
    rim = n_sides == 1
    assert (rim == (sub.edge_source == RIM).all(axis=1)).all(), (
        "an edge is on the rim by its source or by its faces, not by both"
    )
    assert (np.bincount(here, minlength=n_vertices) > 0).all(), "a vertex has no face"

    kind, part = _pieces(sub)
    assert kind == n_windows, f"{kind} connected pieces for {n_windows} windows"
    characteristic = (
        np.bincount(part)
        - np.bincount(part[sub.edges[:, 0]])
        + np.bincount(part[here[sub.faces.offsets[:-1]]])
    )
    assert (characteristic == 1).all(), f"V - E + F of the pieces is {characteristic.tolist()}, not 1"
    assert n_vertices - n_edges + n_faces == n_windows
    _assert_fans(sub, rim)
    _assert_shared(sub, rim)


def _pieces(sub: Subdivision) -> tuple[int, np.ndarray]:
    """Number of connected pieces, and (V,) the piece of each vertex."""
    n = len(sub.vertices)
    kind, part = connected_components(
        coo_array((np.ones(len(sub.edges)), sub.edges.T), (n, n)), directed=False
    )
    return int(kind), part


def _assert_arrays(sub: Subdivision) -> None:
    n_vertices, n_edges, n_sides = len(sub.vertices), len(sub.edges), len(sub.faces.values)
    assert (
        sub.vertices.shape == (n_vertices, 2)
        and sub.vertices.dtype == np.float64
        and np.isfinite(sub.vertices).all()
    )
    assert (
        sub.edges.shape == (n_edges, 2)
        and sub.edge_source.shape == (n_edges, 2)
        and sub.side_edges.shape == (n_sides,)
    )
    assert sub.faces.offsets[0] == 0 and sub.faces.offsets[-1] == n_sides
    for ids, below in ((sub.faces.values, n_vertices), (sub.edges, n_vertices), (sub.side_edges, n_edges)):
        assert ids.min() >= 0 and ids.max() < below, "an index points outside its table"


def _assert_fans(sub: Subdivision, rim: np.ndarray) -> None:
    """The faces round a vertex are one fan: closed inside the window, open on its rim. So no two sheets touch
    in a point."""
    face, here, _ = rings(sub)
    leaving = sub.side_edges
    first = sub.faces.offsets[face]
    at = np.arange(len(here))
    arriving = leaving[np.where(at == first, sub.faces.offsets[face + 1] - 1, at - 1)]
    # Each corner of a face joins two ends of edges at its vertex; at one vertex all must hang together.
    end_leaving = 2 * leaving + (sub.edges[leaving, 1] == here)
    end_arriving = 2 * arriving + (sub.edges[arriving, 1] == here)
    n_ends = 2 * len(sub.edges)
    kind, _ = connected_components(
        coo_array((np.ones(len(here)), (end_leaving, end_arriving)), (n_ends, n_ends)), directed=False
    )
    assert kind == len(sub.vertices), "the faces round a vertex are more than one fan"
    rim_ends = np.bincount(sub.edges[rim].ravel(), minlength=len(sub.vertices))
    assert np.isin(rim_ends, (0, 2)).all(), "the rim is not a closed curve"


def _assert_shared(sub: Subdivision, rim: np.ndarray) -> None:
    edge, stage, unit = sub.shared.T
    assert sub.shared.shape[1] == 3
    if len(edge):
        assert edge.min() >= 0 and edge.max() < len(sub.edges)
        assert not rim[edge].any(), "an edge of the rim is shared by a unit"
    rows = np.concatenate(
        [np.column_stack([edge, stage, unit]), np.column_stack([np.arange(len(sub.edges)), sub.edge_source])]
    )
    assert len(np.unique(rows, axis=0)) == len(rows), "a unit is named twice on one edge"


def assert_geometry(sub: Subdivision, tolerance: float = 1e-13) -> None:
    """Faces are convex, counter-clockwise and watertight in their coordinates; ``tolerance`` is relative to
    the whole."""
    face, here, after = rings(sub)
    assert (areas_of(sub) > 0).all(), "a face has no area"
    last = np.flatnonzero(np.diff(np.append(face, -1)))
    beyond = np.append(after[1:], 0)
    beyond[last] = after[sub.faces.offsets[:-1]]
    a, b = sub.vertices[after] - sub.vertices[here], sub.vertices[beyond] - sub.vertices[after]
    reach = np.hypot(*a.T) + np.hypot(*b.T)
    size = np.abs(sub.vertices).max() + np.ptp(sub.vertices, axis=0).max()
    assert (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] >= -tolerance * size * reach).all(), (
        "a face turns clockwise"
    )
    polygons = shapely.polygons(shapely.linearrings(sub.vertices[here], indices=face))
    _, part = _pieces(sub)
    window = part[sub.faces.values[sub.faces.offsets[:-1]]]
    for number in range(window.max() + 1):
        assert shapely.coverage_is_valid(polygons[window == number]), "the faces are not watertight"


def assert_descent(before: Subdivision, after: Refinement, tolerance: float = 1e-12) -> None:
    """A refinement keeps what was there: vertices bit by bit, the area of every face, the source of every
    edge."""
    sub, n_old = after.subdivision, len(before.vertices)
    assert (sub.vertices[:n_old] == before.vertices).all(), "an old vertex moved"
    birth = after.birth
    assert len(birth) == len(sub.vertices) - n_old
    assert ((birth["t"] >= 0) & (birth["t"] <= 1)).all() and (birth["bound"] >= 0).all()
    born = np.arange(n_old, len(sub.vertices))
    assert (
        (birth["a"] >= 0).all()
        and (birth["b"] >= 0).all()
        and (birth["a"] < born).all()
        and (birth["b"] < born).all()
    )
    a, b = sub.vertices[birth["a"]], sub.vertices[birth["b"]]
    np.testing.assert_array_equal(sub.vertices[n_old:], a + birth["t"][:, None] * (b - a))

    assert len(after.parent) == len(sub.faces) == len(after.on)
    assert set(after.parent.tolist()) == set(range(len(before.faces))), "a face has no children"
    # New vertices lie on old edges and on chords, so the areas add up even where rounding bent a face.
    total = np.bincount(after.parent, areas_of(sub), len(before.faces))
    size = (np.abs(before.vertices).max() + np.ptp(before.vertices, axis=0).max()) ** 2
    np.testing.assert_allclose(total, areas_of(before), rtol=0, atol=tolerance * size)
    vertex, _ = vanishing(after)
    assert set(vertex.tolist()) == set(born.tolist()), (
        "no unit vanishes at a new vertex, or one is said to at an old one"
    )


def vanishing(refinement: Refinement) -> tuple[np.ndarray, np.ndarray]:
    """(vertex, unit) of all units that are zero at a new vertex by construction."""
    rows = np.concatenate([np.stack([part["vertex"], part["unit"]], axis=1) for part in refinement.vanishing])
    return rows[:, 0], rows[:, 1]
