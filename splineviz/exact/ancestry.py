"""Ancestry of vertices, and so their exact places: a corner of a window, or the point where a unit vanishes
between two others."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from splineviz.exact.forward import Point, StageRound
from splineviz.plane import Plane, Window

__all__ = ["Ancestry", "ExactPoint", "Key", "Lacking", "StageRounds", "missing", "root"]

Key = tuple["Ancestry", int]
"""A vertex by the generation that it was born in and its row there; the same for all fronts that have it."""


class ExactPoint(NamedTuple):
    """An exact point of one of the planes."""

    plane: Plane
    point: Point

    @property
    def uv(self) -> tuple[float, float]:
        """Its coordinates, rounded once."""
        x, y, w = self.point
        return x / w, y / w


Parents = tuple[Key, Key, int, StageRound]
"""The two vertices that one lies between, the unit that vanishes there, and in which step"""

Places = MutableMapping[int, ExactPoint | None]
"""Exact points of vertices by their rows; None where none is known"""

Lacking = dict[Key, Parents]
"""Vertices whose places are not known, with their parents"""

StageRounds = Sequence[tuple[StageRound, int]]
"""StageRounds, and how many vertices were born in each"""


@dataclass(frozen=True, eq=False)
class Ancestry:
    """The vertices of a front: some of an earlier front, and new ones."""

    before: Ancestry | None
    rows: np.ndarray
    """(R,) the vertices before that are its first"""
    born: np.ndarray
    """`records.BIRTH` of the others; their ends are vertices of this front"""
    steps: StageRounds = ()
    kept: np.ndarray | None = None
    """The vertices that are left; None for all"""
    known: Callable[[], Places] = field(default=dict, repr=False)
    """Makes what is in ``places`` from the start"""

    @cached_property
    def places(self) -> Places:
        """Exact points of its new vertices, by row, as far as they were asked for; None where none is
        known."""
        return self.known()

    def __reduce__(self) -> tuple[type[Ancestry], tuple[object, ...]]:
        """One generation with all that its vertices come from, and no more."""
        return Ancestry, (None, np.arange(0), *_closure(self))

    def key(self, vertex: int) -> Key:
        """The vertex where it was born."""
        here = self
        while True:
            vertex = vertex if here.kept is None else int(here.kept[vertex])
            if vertex >= len(here.rows) or here.before is None:
                return here, vertex - len(here.rows)
            vertex, here = int(here.rows[vertex]), here.before

    def parents(self, row: int) -> Parents:
        """Key of a new vertex."""
        unit = int(self.born["unit"][row])
        ends = [self._unkept(int(self.born[end][row])) for end in ("a", "b")]
        end = 0
        for step, count in self.steps:
            end += count
            if row < end:
                return ends[0], ends[1], unit, step
        raise AssertionError("every birth belongs to a step")

    def _unkept(self, vertex: int) -> Key:
        if vertex >= len(self.rows):
            return self, vertex - len(self.rows)
        assert self.before is not None
        return self.before.key(int(self.rows[vertex]))

    def after(self, born: np.ndarray, steps: StageRounds, n_before: int, kept: np.ndarray | None) -> Ancestry:
        """Ancestry after a refinement of a state with so many vertices."""
        return Ancestry(self, np.arange(n_before), born, steps, kept)

    def chosen(self, vertices: np.ndarray) -> Ancestry:
        """Ancestry of some of its vertices, where nobody goes on with the others."""
        return Ancestry(self, vertices, self.born[:0])

    def part(self, vertices: np.ndarray) -> Ancestry:
        """Ancestry of some of its vertices, which finds places for itself alone.

        Parts are worked on by several threads, and what a question costs, and so whether it is answered at
        all, must not depend on what another part has found before.
        """
        return Ancestry(self._apart(), vertices, self.born[:0])

    def _apart(self) -> Ancestry:
        """The generations up to this one, with places of their own beside those that are known by now."""
        before = None if self.before is None else self.before._apart()
        return replace(self, before=before, known=lambda: ChainMap({}, self.places))


def _closure(ancestry: Ancestry) -> tuple[np.ndarray, StageRounds, np.ndarray, Callable[[], Places]]:
    """(born, steps, kept, known) of a first generation with the vertices of this one and all that they come
    from."""
    born: list[np.ndarray] = []
    steps: list[tuple[StageRound, int]] = []
    places: dict[int, ExactPoint | None] = {}
    names, n = np.arange(0), 0
    for here, needed in _needed(ancestry):
        n_rows, fresh = len(here.rows), np.flatnonzero(needed[len(here.rows) :])
        names = np.concatenate([names[_in_order(here)], np.full(len(needed) - n_rows, -1)])
        names[n_rows + fresh] = n + np.arange(len(fresh))
        places |= {n + new: here.places[old] for new, old in enumerate(fresh.tolist()) if old in here.places}
        if here.before is None and not len(here.born):
            born.append(np.zeros(len(fresh), here.born.dtype))
            steps.append((StageRound(-1), len(fresh)))  # corners, which have a place and no birth
        else:
            rows = here.born[fresh]
            rows["a"], rows["b"] = names[rows["a"]], names[rows["b"]]
            born.append(rows)
            counts = np.diff(np.searchsorted(fresh, np.cumsum([0, *(count for _, count in here.steps)])))
            steps += [(step, count) for (step, _), count in zip(here.steps, counts.tolist(), strict=True)]
        n += len(fresh)
    return (
        np.concatenate(born),
        steps,
        names if ancestry.kept is None else names[ancestry.kept],
        partial(dict, places),
    )


def _needed(ancestry: Ancestry) -> list[tuple[Ancestry, np.ndarray]]:
    """The generations, the first one first, each with a mask of those of its vertices that are or precede one
    of the last."""
    found: list[tuple[Ancestry, np.ndarray]] = []
    here: Ancestry | None = ancestry
    own = np.arange(_size(ancestry)) if ancestry.kept is None else ancestry.kept
    while here is not None:
        needed, n_rows, count = np.zeros(_size(here), bool), len(here.rows), -1
        needed[own] = True
        while needed.sum() != count:  # the ends of births may be births themselves
            count = needed.sum()
            births = here.born[needed[n_rows : n_rows + len(here.born)]]
            needed[births["a"]] = needed[births["b"]] = True
        found.append((here, needed))
        own, here = _in_order(here)[needed[:n_rows]], here.before
    return found[::-1]


def _in_order(ancestry: Ancestry) -> np.ndarray:
    """Its rows as vertices of the generation before, those that were not kept counted."""
    before = ancestry.before
    return ancestry.rows if before is None or before.kept is None else before.kept[ancestry.rows]


def _size(ancestry: Ancestry) -> int:
    """Number of its vertices, those that are not kept among them; the first generation has corners that
    were never born."""
    return len(ancestry.rows) + max(len(ancestry.born), max(ancestry.places, default=-1) + 1)


def root(planes: Sequence[Plane], windows: Sequence[Window], born: np.ndarray) -> Ancestry:
    """The corners of the windows, which are floats; ``born`` is an empty table of births."""
    return Ancestry(None, np.arange(0), born, known=partial(_corners, planes, windows))


def _corners(planes: Sequence[Plane], windows: Sequence[Window]) -> dict[int, ExactPoint | None]:
    corners = {window: [_homogeneous(u, v) for u, v in window.vertices.tolist()] for window in set(windows)}
    places = [
        ExactPoint(plane, corner)
        for plane, window in zip(planes, windows, strict=True)
        for corner in corners[window]
    ]
    return dict(enumerate(places))


def _homogeneous(u: float, v: float) -> Point:
    (p, q), (r, s) = u.as_integer_ratio(), v.as_integer_ratio()
    one = max(q, s)  # powers of two
    return p * (one // q), r * (one // s), one


def missing(keys: Iterable[Key]) -> Lacking:
    """Vertices whose places have to be found for these."""
    found: Lacking = {}
    stack = list(keys)
    while stack:
        key = stack.pop()
        ancestry, row = key
        if key not in found and row not in ancestry.places:
            found[key] = ancestry.parents(row)
            stack += found[key][:2]
    return found
