"""Excerpts of a subdivision, refined one by one and joined again, are the refinement of the whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from splineviz.geometry.csr import Csr
from splineviz.geometry.excerpt import Excerpt, excerpt, join, only_used
from splineviz.geometry.records import BIRTH
from splineviz.geometry.refine import Refinement
from splineviz.geometry.subdivision import RIM, Subdivision
from tests.geometry.hand import at, cut, extended, polygon, square
from tests.geometry.structure import areas_of, assert_geometry, assert_structure, left_right, rings

LINES = np.random.default_rng(0).normal(size=(12, 3)) * [1, 1, 0.4]
FINER = np.random.default_rng(1).normal(size=(9, 3)) * [1, 1, 0.4]
Part = tuple[Excerpt, Subdivision, Csr]


def coarse() -> Refinement:
    return cut(square(), at(square(), LINES))


def runs_of(n_faces: int, n_parts: int) -> list[tuple[int, int]]:
    ends = np.linspace(0, n_faces, n_parts + 1).astype(int)
    return [(int(a), int(b)) for a, b in pairwise(ends) if b > a]


def values_at(before: Subdivision, refinement: Refinement) -> np.ndarray:
    """Of the finer lines, carried, so that both sides of a border edge see the same numbers."""
    return extended(at(before, FINER), refinement)


def refined(taken: Excerpt, z: np.ndarray) -> Part:
    """An excerpt cut along the finer lines, of whose values ``z`` stands at the vertices of the whole."""
    from splineviz.geometry.refine import refine

    own = np.ascontiguousarray(z[taken.vertices])
    fine = refine(taken.subdivision, own, np.ones(own.shape[1]), np.zeros(len(own)), 1)
    border = fine.first_part[np.arange(len(taken.border) + 1)]
    return taken, fine.subdivision, Csr(border, np.arange(border[-1]))


def parts_of(n_parts: int) -> tuple[Subdivision, np.ndarray, list[Part]]:
    first = coarse()
    z = values_at(square(), first)
    whole = first.subdivision
    runs = runs_of(len(whole.faces), n_parts)
    return whole, z, [refined(excerpt(whole, first.birth, *run), z) for run in runs]


@pytest.mark.parametrize("n_parts", [1, 2, 5, 10_000])
def test_an_excerpt_holds_its_faces_and_what_their_vertices_came_from(n_parts: int) -> None:
    first = coarse()
    whole, n_old = first.subdivision, len(first.subdivision.vertices) - len(first.birth)
    for begin, end in runs_of(len(whole.faces), n_parts):
        taken = excerpt(whole, first.birth, begin, end)
        own = taken.subdivision
        rows = slice(whole.faces.offsets[begin], whole.faces.offsets[end])
        np.testing.assert_array_equal(taken.vertices[own.faces.values], whole.faces.values[rows])
        np.testing.assert_array_equal(own.vertices, whole.vertices[taken.vertices])
        assert (np.diff(taken.vertices) > 0).all() and (np.diff(taken.border) > 0).all()
        new = taken.vertices[taken.vertices >= n_old]
        assert len(new) == len(taken.birth)
        for name in ("a", "b"):
            np.testing.assert_array_equal(taken.vertices[taken.birth[name]], first.birth[new - n_old][name])
        np.testing.assert_array_equal(taken.birth["t"], first.birth[new - n_old]["t"])
        sides = np.bincount(own.side_edges, minlength=len(own.edges))
        np.testing.assert_array_equal(sides == 1, np.arange(len(own.edges)) < len(taken.border))
        np.testing.assert_array_equal(own.edge_source[: len(taken.border)], whole.edge_source[taken.border])


@pytest.mark.parametrize("n_parts", [1, 2, 3, 7, 10_000])
def test_joined_excerpts_are_the_whole(n_parts: int) -> None:
    whole, z, parts = parts_of(n_parts)
    joined = join(whole, parts)
    assert joined.unmatched == 0
    assert_structure(joined.subdivision)
    assert_geometry(joined.subdivision)
    at_once = cut(whole, z, stage=1).subdivision
    assert len(joined.subdivision.faces) == len(at_once.faces)
    assert (len(joined.subdivision.vertices), len(joined.subdivision.edges)) == (
        len(at_once.vertices),
        len(at_once.edges),
    )
    np.testing.assert_allclose(areas_of(joined.subdivision), areas_of(at_once), rtol=0, atol=1e-14)
    np.testing.assert_array_equal(joined.subdivision.vertices[: len(whole.vertices)], whole.vertices)
    for edges, (begin, end) in zip(joined.chains, whole.edges, strict=True):
        if len(edges):  # each border edge is a chain of edges from its first vertex to its second
            ends = joined.subdivision.edges[edges]
            assert ends[0, 0] == begin and ends[-1, 1] == end
            np.testing.assert_array_equal(ends[1:, 0], ends[:-1, 1])


def test_shared_units_stay_with_their_edges() -> None:
    """Opposite units draw every line twice: the second one is a further unit of the same edges."""
    first = cut(square(), at(square(), np.concatenate([LINES[:4], -LINES[:4]])))
    whole = first.subdivision
    assert len(whole.shared)
    taken = [excerpt(whole, first.birth, *run) for run in runs_of(len(whole.faces), 3)]
    plain = [
        (part, part.subdivision, Csr(np.arange(len(part.border) + 1), np.arange(len(part.border))))
        for part in taken
    ]
    joined = join(whole, plain).subdivision
    assert_structure(joined)
    assert len(joined.shared) == len(whole.shared)
    np.testing.assert_array_equal(np.sort(joined.edge_units().lengths), np.sort(whole.edge_units().lengths))


def test_several_windows_come_together() -> None:
    windows = Subdivision.from_polygons([polygon(5), polygon(4) + 5.0, polygon(3) - 5.0])
    first = cut(windows, at(windows, LINES), n_windows=3)
    z = values_at(windows, first)
    runs = runs_of(len(first.subdivision.faces), 4)
    joined = join(
        first.subdivision, [refined(excerpt(first.subdivision, first.birth, *run), z) for run in runs]
    )
    assert joined.unmatched == 0
    assert_structure(joined.subdivision, 3)


def test_missing_parts_leave_a_border() -> None:
    whole, _, parts = parts_of(5)
    joined = join(whole, parts[:3])
    assert joined.unmatched == 0
    assert len(joined.subdivision.faces) == sum(len(fine.faces) for _, fine, _ in parts[:3])
    rest = only_used(joined.subdivision)
    one, other = left_right(rest)
    assert len(one) == len(rest.edges) and (areas_of(rest) > 0).all()
    assert set(rest.faces.values.tolist()) == set(range(len(rest.vertices)))
    cutting = (other < 0) & (rest.edge_source[:, 0] != RIM)
    assert cutting.any(), "some edges are where the missing parts would follow"


def test_excerpts_that_cut_an_edge_differently_are_both_kept_and_told() -> None:
    """As it could happen if rounding decided a coincidence in two ways: the one part has a vertex where the
    other has none."""
    whole, z, parts = parts_of(2)
    taken = parts[1][0]
    fewer = np.array(z)
    fewer[:, 0] = 1.0  # one line is not seen by the second part
    joined = join(whole, [parts[0], refined(taken, fewer)])
    assert joined.unmatched > 0
    sub = joined.subdivision
    face, here, after = rings(sub)
    ends = np.sort(sub.edges[sub.side_edges], axis=1)
    np.testing.assert_array_equal(ends, np.sort(np.stack([here, after], axis=1), axis=1))
    assert np.bincount(sub.side_edges, minlength=len(sub.edges)).max() <= 2
    assert len(np.unique(np.column_stack([here, after]), axis=0)) == len(here), (
        "two faces lie on one side of an edge"
    )
    assert areas_of(sub).sum() == pytest.approx(4.0) and (areas_of(sub) > 0).all()
    assert face.max() + 1 == len(sub.faces)


def test_no_faces_are_an_excerpt() -> None:
    nothing = only_used(
        replace(
            square(),
            faces=Csr(np.zeros(1, np.int64), np.zeros(0, np.int64)),
            side_edges=np.zeros(0, np.int64),
        )
    )
    assert len(nothing.vertices) == len(nothing.edges) == len(nothing.faces) == 0
    whole = excerpt(square(), np.empty(0, BIRTH), 0, 1)
    assert len(whole.border) == 4 and len(whole.subdivision.faces) == 1
