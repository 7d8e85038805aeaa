"""Faces of a subdivision with the states that all units have on them, on which the network is one affine
map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from splineviz.geometry.bit_sets import bits_of, numbers_of
from splineviz.geometry.candidate_rounds import IN_WORK
from splineviz.geometry.csr import Csr
from splineviz.geometry.subdivision import Subdivision
from splineviz.plane import Plane, Window
from splineviz.program.nodes import Maximum

__all__ = ["FaceStates"]

Table = tuple[np.ndarray, np.ndarray]
"""Words (faces, words) of a stage, and for each face the row of the one before that it was cut from"""


@dataclass(frozen=True, eq=False)
class FaceStates:
    """Faces on the way through a stage."""

    subdivision: Subdivision
    row: np.ndarray
    """(F,) the row of each among the faces of the last stage that is done, or the window of each"""
    tables: tuple[Table, ...]
    """Of all stages that are done"""
    frames: Mapping[int, tuple[Plane, Window]]
    """Plane and window by number"""
    window_of: np.ndarray
    """(F,)"""
    winners: np.ndarray | None = None
    """(F, words) of the maxima of the stage in work, as far as these have cut"""
    first_window: int = 0
    """That edges in work count their windows from"""

    @property
    def planes(self) -> list[Plane]:
        """Of all windows."""
        return [plane for plane, _ in self.frames.values()]

    def words(self, stage: int, faces: np.ndarray) -> np.ndarray:
        """Words of a stage that is done on some faces."""
        rows = self.row[faces]
        for _, parent in reversed(self.tables[stage + 1 :]):
            rows = parent[rows]
        found: np.ndarray = self.tables[stage][0][rows]
        return found

    def bits(self, stage: int, n_units: int, faces: np.ndarray) -> np.ndarray:
        """(faces, units) bool: which units of a stage that is done are on."""
        return bits_of(self.words(stage, faces), n_units)

    def places(self, node: Maximum, faces: np.ndarray) -> np.ndarray:
        """(faces, windows) places of the winners of a stage of maxima that is done, or of those in work."""
        return numbers_of(self._winner_words(node, faces), *node.windows.shape)

    def winner(self, node: Maximum, face: int, window: int) -> int:
        """The entry that is the largest of one window on a face, as in `places`."""
        (words,) = self._winner_words(node, np.array([face]))
        bits = words.reshape(-1, -(-len(node.windows) // 64))[:, window >> 6] >> np.uint64(window & 63)
        place = sum(int(bit) << b for b, bit in enumerate(bits & np.uint64(1)))
        return int(node.windows[window, place])

    def _winner_words(self, node: Maximum, faces: np.ndarray) -> np.ndarray:
        if node.stage < len(self.tables):
            return self.words(node.stage, faces)
        assert self.winners is not None
        words: np.ndarray = self.winners[faces]
        return words

    def drawn_by(self, edge: int) -> tuple[int, int]:
        """(stage, unit) that drew an edge; units in work count from the first of them that cuts."""
        stage, unit = self.subdivision.edge_source[edge].tolist()
        return stage, unit + (self.first_window if stage == IN_WORK else 0)

    @cached_property
    def edge_faces(self) -> np.ndarray:
        """(E, 2) as `Subdivision.edge_faces`."""
        return self.subdivision.edge_faces()

    @cached_property
    def sides_at(self) -> Csr:
        """Sides of faces that begin at each vertex."""
        return _by_value(self.subdivision.faces.values, len(self.subdivision.vertices))

    @cached_property
    def edge_ends_at(self) -> Csr:
        """Ends of edges at each vertex, two for each edge one after the other."""
        return _by_value(self.subdivision.edges.reshape(-1), len(self.subdivision.vertices))


def _by_value(values: np.ndarray, n: int) -> Csr:
    """Where each number below n stands among the values."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(values, minlength=n))])
    return Csr(offsets, np.argsort(values, kind="stable"))
