"""A subdivision cut along some lines, and refinements of its excerpts along finer ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from splineviz.geometry.csr import Csr
from splineviz.geometry.excerpt import Excerpt, excerpt
from splineviz.geometry.refine import Refinement, refine
from splineviz.geometry.subdivision import Subdivision
from tests.geometry.hand import at, cut, extended, square

__all__ = ["LINES", "Part", "coarse", "parts_of", "refined", "runs_of", "values_at"]

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
