"""The checker finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from splineviz.geometry.csr import Csr
from splineviz.geometry.subdivision import RIM, Subdivision
from tests.geometry.hand import at, cut, square
from tests.geometry.structure import assert_geometry, assert_structure


def sound() -> Subdivision:
    sub = cut(square(), at(square(), [[1, 0.1, 0], [0.2, 1, 0.1], [0.9, -1, 0.3]])).subdivision
    return replace(
        sub, vertices=sub.vertices.copy(), edges=sub.edges.copy(), edge_source=sub.edge_source.copy()
    )


def with_faces(sub: Subdivision, offsets: np.ndarray, keep: np.ndarray) -> Subdivision:
    return replace(sub, faces=Csr(offsets, sub.faces.values[keep]), side_edges=sub.side_edges[keep])


def lose_a_face(sub: Subdivision) -> Subdivision:
    return with_faces(sub, sub.faces.offsets[:-1], np.arange(sub.faces.offsets[-2]))


def turn_a_face(sub: Subdivision) -> Subdivision:
    values, edges = sub.faces.values.copy(), sub.side_edges.copy()
    stop = sub.faces.offsets[1]
    values[:stop], edges[:stop] = values[:stop][::-1].copy(), np.roll(edges[:stop][::-1], -1)
    return replace(sub, faces=Csr(sub.faces.offsets, values), side_edges=edges)


def swap_edges_of_two_sides(sub: Subdivision) -> Subdivision:
    edges = sub.side_edges.copy()
    edges[[0, 1]] = edges[[1, 0]]
    return replace(sub, side_edges=edges)


def repeat_an_edge(sub: Subdivision) -> Subdivision:
    edges, sides = np.concatenate([sub.edges, sub.edges[-1:]]), sub.side_edges.copy()
    sides[np.flatnonzero(sides == len(sub.edges) - 1)[0]] = len(sub.edges)
    return replace(
        sub,
        edges=edges,
        side_edges=sides,
        edge_source=np.concatenate([sub.edge_source, sub.edge_source[-1:]]),
    )


def forget_the_rim(sub: Subdivision) -> Subdivision:
    source = np.where(sub.edge_source == RIM, 0, sub.edge_source)
    return replace(sub, edge_source=source)


def add_a_vertex(sub: Subdivision) -> Subdivision:
    return replace(sub, vertices=np.concatenate([sub.vertices, [[0.0, 0.0]]]))


def share_twice(sub: Subdivision) -> Subdivision:
    inner = int(np.flatnonzero(sub.edge_source[:, 0] != RIM)[0])
    return replace(sub, shared=np.array([[inner, *sub.edge_source[inner]]]))


def share_the_rim(sub: Subdivision) -> Subdivision:
    return replace(sub, shared=np.array([[int(np.flatnonzero(sub.edge_source[:, 0] == RIM)[0]), 0, 0]]))


DAMAGE = [
    lose_a_face, turn_a_face, swap_edges_of_two_sides, repeat_an_edge, forget_the_rim, add_a_vertex, share_twice, share_the_rim,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda f: f.__name__)
def test_damage_is_found(damage: Callable[[Subdivision], Subdivision]) -> None:
    assert_structure(sound())
    with pytest.raises(AssertionError):
        assert_structure(damage(sound()))


def test_two_windows_are_not_one() -> None:
    two = Subdivision.from_polygons([np.array([[0, 0], [1, 0], [0, 1]]), np.array([[5, 0], [6, 0], [5, 1]])])
    assert_structure(two, 2)
    with pytest.raises(AssertionError, match="connected pieces"):
        assert_structure(two, 1)


def test_moved_vertices_are_found() -> None:
    sub = sound()
    assert_geometry(sub)
    inside = int(np.flatnonzero(np.bincount(sub.edges.ravel()) == 4)[0])
    sub.vertices[inside] = (0.95, 0.95)
    with pytest.raises(AssertionError, match=r"clockwise|no area"):
        assert_geometry(sub)


def test_corners_in_any_order_of_memory_make_arrays_row_by_row() -> None:
    """Kernels are compiled for these alone."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    views = [np.asfortranarray(corners), corners[::-1][::-1], np.repeat(corners, 2, axis=0)[::2]]
    for polygon in views:
        sub = Subdivision.from_polygons([polygon])
        assert np.array_equal(sub.vertices, corners)
        assert all(array.flags.c_contiguous for array in sub.arrays() if isinstance(array, np.ndarray))
