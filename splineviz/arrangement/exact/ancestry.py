"""Where vertices come from, and so where they are exactly: at a corner of a window, or where a unit vanishes between two others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from splineviz.arrangement.exact.forward import Point, Step
from splineviz.plane import Plane, Window

__all__ = ["Ancestry", "Key", "Place", "Steps", "missing", "root"]

Key = tuple["Ancestry", int]
"""A vertex by the generation that it was born in and its row there; the same for all fronts that have it."""


@dataclass(frozen=True)
class Place:
    """An exact point of one of the planes."""

    plane: Plane
    point: Point


Steps = Sequence[tuple[Step, int]]
"""Steps, and how many vertices were born in each"""


@dataclass(frozen=True, eq=False)
class Ancestry:
    """The vertices of a front: some of an earlier front, and new ones."""

    before: Ancestry | None
    rows: np.ndarray
    """(R,) the vertices before that are its first"""
    born: np.ndarray
    """`records.BIRTH` of the others; their ends are vertices of this front"""
    steps: Steps = ()
    kept: np.ndarray | None = None
    """The vertices that are left; None for all"""
    places: dict[int, Place | None] = field(default_factory=dict, repr=False)
    """Of its new vertices, by row, as far as they were asked for; None where no point is known"""

    def __reduce__(self) -> tuple[type[Ancestry], tuple[object, ...]]:
        return Ancestry, (self.before, self.rows, self.born, self.steps, self.kept)

    def key(self, vertex: int) -> Key:
        """The vertex where it was born."""
        here = self
        while True:
            vertex = vertex if here.kept is None else int(here.kept[vertex])
            if vertex >= len(here.rows) or here.before is None:
                return here, vertex - len(here.rows)
            vertex, here = int(here.rows[vertex]), here.before

    def parents(self, row: int) -> tuple[Key, Key, int, Step]:
        """Of a new vertex: the two ends that it lies between, the unit that vanishes there, and in which step."""
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

    def after(self, born: np.ndarray, steps: Steps, n_before: int, kept: np.ndarray | None) -> Ancestry:
        """That of a refinement of a front with so many vertices."""
        return Ancestry(self, np.arange(n_before), born, steps, kept)

    def part(self, vertices: np.ndarray) -> Ancestry:
        """That of some of its vertices."""
        return Ancestry(self, vertices, self.born[:0])


def root(planes: Sequence[Plane], windows: Sequence[Window], born: np.ndarray) -> Ancestry:
    """The corners of the windows, which are floats; ``born`` is an empty table of births."""
    places: dict[int, Place | None] = {}
    for plane, window in zip(planes, windows, strict=True):
        for u, v in window.vertices.tolist():
            places[len(places)] = Place(plane, _homogeneous(u, v))
    return Ancestry(None, np.arange(0), born, places=places)


def _homogeneous(u: float, v: float) -> Point:
    (p, q), (r, s) = u.as_integer_ratio(), v.as_integer_ratio()
    one = max(q, s)  # powers of two
    return p * (one // q), r * (one // s), one


def missing(keys: Iterable[Key]) -> dict[Key, tuple[Key, Key, int, Step]]:
    """All vertices whose places have to be found for these, with their parents."""
    found: dict[Key, tuple[Key, Key, int, Step]] = {}
    stack = list(keys)
    while stack:
        key = stack.pop()
        ancestry, row = key
        if key not in found and row not in ancestry.places:
            found[key] = ancestry.parents(row)
            stack += found[key][:2]
    return found
