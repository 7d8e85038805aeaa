"""Excerpts of a subdivision, refined one by one and joined again, are the refinement of the whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from weakref import WeakSet

import numpy as np
import pytest

from splineviz.geometry.csr import Csr
from splineviz.geometry.excerpt import excerpt, only_used
from splineviz.geometry.joining import Joined, Joining
from splineviz.geometry.subdivision import RIM, Subdivision
from tests.geometry.hand import at, cut, polygon, square
from tests.geometry.refined_parts import LINES, Part, parts_of, refined, runs_of, values_at
from tests.geometry.structure import areas_of, assert_geometry, assert_structure, left_right, rings


def join(whole: Subdivision, parts: Iterable[Part]) -> Joined:
    joining = Joining(whole)
    for part in parts:
        joining.add(*part)
    return joining.joined()


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
    clashing = np.isin(sub.side_edges, joined.clashing)
    assert set(sub.side_edges[clashing]) == set(joined.clashing) and joined.unmatched < len(joined.clashing)
    one, other = left_right(sub)
    assert (np.minimum(one, other)[joined.clashing] < 0).all(), "they have a face on one side only"
    face, here, after = rings(sub)
    ends = np.sort(sub.edges[sub.side_edges], axis=1)
    np.testing.assert_array_equal(ends, np.sort(np.stack([here, after], axis=1), axis=1))
    assert np.bincount(sub.side_edges, minlength=len(sub.edges)).max() <= 2
    assert len(np.unique(np.column_stack([here, after]), axis=0)) == len(here), (
        "two faces lie on one side of an edge"
    )
    assert areas_of(sub).sum() == pytest.approx(4.0) and (areas_of(sub) > 0).all()
    assert face.max() + 1 == len(sub.faces)


def test_parts_are_not_kept_beside_the_whole() -> None:
    """Each can go as soon as it is added, and at the peak there is one copy, with room for rows to come."""
    first = cut(square(), at(square(), np.random.default_rng(2).normal(size=(150, 3)) * [1, 1, 0.4]))
    whole = first.subdivision
    z = values_at(square(), first)
    parts = [refined(excerpt(whole, first.birth, *run), z) for run in runs_of(len(whole.faces), 12)]
    alive = WeakSet(fine for _, fine, _ in parts)

    def one_by_one() -> Iterator[Part]:
        while parts:
            assert len(alive) <= len(parts) + 1, "all that are to come, and the last one"
            yield parts.pop(0)

    tracemalloc.start()
    try:
        joined = join(whole, one_by_one())
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(joined.subdivision.faces) > 5_000 and peak < 1.6 * left
