"""Lines of the sides of faces, from the affine maps of the faces: the functions of what drew them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from splineviz.exact.balls import Line, through
from splineviz.exact.carried import Carried
from splineviz.exact.double_double import DoubleDouble
from splineviz.exact.entry_functions import EntryFunctions
from splineviz.exact.face_states import FaceStates
from splineviz.exact.fields import MODULUS, Residues, combined
from splineviz.exact.line_crossings import Lines, lines_through, unknown_lines
from splineviz.geometry.candidate_rounds import IN_WORK
from splineviz.geometry.subdivision import RIM
from splineviz.program.nodes import Maximum

__all__ = ["FaceSides", "Residue", "combined_column"]

Residue = tuple[int, ...]
"""(c, p, q) of a line, or all of them times one number"""
T = TypeVar("T", DoubleDouble, Residues)
F = TypeVar("F", EntryFunctions, np.ndarray)


@dataclass(frozen=True, eq=False)
class FaceSides:
    """Sides of faces whose maps are known."""

    states: FaceStates
    near: Carried[DoubleDouble, EntryFunctions]
    """Maps in numbers of two float64"""
    exact: Carried[Residues, np.ndarray]
    """Maps in finite fields"""

    def functions(self, faces: np.ndarray, edges: np.ndarray) -> Lines:
        """The functions that vanish on sides of faces whose maps are known, as far as they are, in two
        float64."""
        lines = unknown_lines(len(faces))
        for rows, functions, columns in self._by_functions(faces, edges):
            functions.write(columns, lines, rows)
        rim = np.flatnonzero(self.states.subdivision.edge_source[edges, 0] == RIM)
        ends = [self._rim_ends(*row) for row in zip(faces[rim].tolist(), edges[rim].tolist(), strict=True)]
        a, b = np.array(ends).reshape(-1, 2, 2).transpose(1, 0, 2)
        through_ends = lines_through(np.ascontiguousarray(a), np.ascontiguousarray(b))
        for column, own in zip(lines, through_ends, strict=True):
            column[:, rim] = own
        return lines

    def lines(self, faces: np.ndarray, edges: np.ndarray) -> list[Line | None]:
        """The lines of sides of faces whose maps are known, as far as they are, in whole numbers."""
        lines: list[Line | None] = [None] * len(faces)
        for rows, functions, columns in self._by_functions(faces, edges):
            for i, line in zip(rows.tolist(), functions.lines(columns), strict=True):
                lines[i] = line
        for i in np.flatnonzero(self.states.subdivision.edge_source[edges, 0] == RIM).tolist():
            lines[i] = through(*self._rim_ends(int(faces[i]), int(edges[i])))
        return lines

    def _by_functions(
        self, faces: np.ndarray, edges: np.ndarray
    ) -> Iterator[tuple[np.ndarray, EntryFunctions, np.ndarray]]:
        """(rows, functions, columns) of sides of faces, for those that are columns of the same functions."""
        together: dict[int, list[tuple[int, EntryFunctions, int]]] = {}
        for i, found in enumerate(self._drawn(self.near, faces, edges)):
            if found is not None:
                together.setdefault(id(found[0]), []).append((i, *found))
        for rows in together.values():
            yield (
                np.array([i for i, *_ in rows]),
                rows[0][1],
                np.array([column for *_, column in rows]),
            )

    def residues(self, faces: np.ndarray, edges: np.ndarray) -> list[Residue]:
        """Residues of the lines of sides of faces whose maps are known, which these are known to have."""
        residues = []
        for i, function in enumerate(self._drawn(self.exact, faces, edges)):
            if function is None:
                line = through(*self._rim_ends(int(faces[i]), int(edges[i])))
                residues.append(tuple(number.middle % MODULUS for number in line))
            else:
                residues.append(combined_column(*function))
        return residues

    def _drawn(
        self, carried: Carried[T, F], faces: np.ndarray, edges: np.ndarray
    ) -> list[tuple[F, int] | None]:
        """The functions that drew sides, each a column of some; None where they are not known."""
        sub, before = self.states.subdivision, self.states.before(faces)
        names = np.column_stack([before, sub.edge_source[edges], sub.rivals[edges]]).tolist()
        result = [carried.side(tuple(name)) for name in names]
        work = np.flatnonzero(sub.edge_source[edges, 0] == IN_WORK)
        if len(work):
            assert isinstance(self.near.node, Maximum)
            tied = self.states.tied_along(self.near.node, edges[work])
            for rows, functions in carried.units(before[work], *tied):
                for column, row in enumerate(work[rows].tolist()):
                    result[row] = functions, column
        return result

    def _rim_ends(self, face: int, edge: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """The two corners of the window between which an edge on the rim lies."""
        corners = self.states.frames[int(self.states.window_of[face])][1].vertices.tolist()
        a, b = self.states.subdivision.rivals[edge].tolist()
        return corners[a], corners[b]


def combined_column(functions: np.ndarray, column: int) -> Residue:
    """Residues by all primes together of one of some functions, (fields, 3, n)."""
    return tuple(map(combined, functions[:, :, column].T.tolist()))
