"""Excerpts of a subdivision hold its faces, and all that their vertices are interpolated from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from splineviz.geometry.csr import Csr
from splineviz.geometry.excerpt import excerpt, only_used
from splineviz.geometry.records import BIRTH
from tests.geometry.hand import square
from tests.geometry.refined_parts import coarse, runs_of


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
