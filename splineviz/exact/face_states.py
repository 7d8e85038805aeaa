"""Faces of a subdivision with the states that all units have on them, on which the network is one affine
map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_array

from splineviz.exact.forward import StageRound
from splineviz.geometry.bit_sets import bits_of, numbers_of
from splineviz.geometry.candidate_rounds import IN_WORK
from splineviz.geometry.csr import Csr
from splineviz.geometry.subdivision import Subdivision
from splineviz.plane import Plane, Window
from splineviz.program.nodes import Maximum

__all__ = ["FaceStates", "by_value"]

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
    """Number of the window that edges in work count theirs from"""
    parent: np.ndarray | None = None
    """(F,) the face before the stage in work that each is a part of; None where these are the faces"""

    @property
    def planes(self) -> list[Plane]:
        """Of all windows."""
        return [plane for plane, _ in self.frames.values()]

    def before(self, faces: np.ndarray) -> np.ndarray:
        """The faces before the stage in work that some are parts of."""
        before: np.ndarray = faces if self.parent is None else self.parent[faces]
        return before

    def ancestors(self, stage: int, faces: np.ndarray) -> np.ndarray:
        """The faces that a stage had left where these are now."""
        rows: np.ndarray = self.row[faces]
        for _, parent in reversed(self.tables[stage + 1 :]):
            rows = parent[rows]
        return rows

    def words(self, stage: int, faces: np.ndarray) -> np.ndarray:
        """Words of a stage that is done on some faces."""
        found: np.ndarray = self.tables[stage][0][self.ancestors(stage, faces)]
        return found

    def bits(self, stage: int, n_units: int, faces: np.ndarray) -> np.ndarray:
        """(faces, units) bool: which units of a stage that is done are on."""
        return bits_of(self.words(stage, faces), n_units)

    def places(self, node: Maximum, faces: np.ndarray) -> np.ndarray:
        """(faces, windows) places of the winners of a stage of maxima that is done, or of those in work."""
        return numbers_of(self._winner_words(node, faces), *node.windows.shape)

    def winners_of(self, node: Maximum, faces: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """The entries that are the largest of some windows, each on one face, as in `places`."""
        words, of_place = self._winner_words(node, faces), -(-len(node.windows) // 64)
        words = words.reshape(len(faces), words.shape[1] // of_place, of_place)
        shift = (windows & 63).astype(np.uint64)[:, None]
        bits = (words[np.arange(len(faces)), :, windows >> 6] >> shift) & np.uint64(1)
        places = bits.astype(np.int64) @ (1 << np.arange(bits.shape[1]))
        entries: np.ndarray = node.windows[windows, places]
        return entries

    def compared(
        self, node: Maximum, step: StageRound, faces: np.ndarray, units: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(candidates, largest so far): entries that units of a round compare, each on one face."""
        windows = self.first_window + units
        candidates = node.windows[windows, node.group(step.words)[1][step.turn, units]]
        return candidates, self.winners_of(node, faces, windows)

    def tied_along(self, node: Maximum, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The two entries whose tie drew each of some edges, which maxima of a node did."""
        units = self.units_of(edges)
        one, other = node.windows[units[:, None], self.subdivision.rivals[edges]].T
        work = np.flatnonzero(self.subdivision.edge_source[edges, 0] == IN_WORK)
        one[work], other[work] = (
            self.winners_of(node, both, units[work]) for both in self.edge_faces[edges[work]].T
        )
        return one, other

    def _winner_words(self, node: Maximum, faces: np.ndarray) -> np.ndarray:
        if node.stage < len(self.tables):
            return self.words(node.stage, faces)
        assert self.winners is not None
        words: np.ndarray = self.winners[faces]
        return words

    def units_of(self, edges: np.ndarray) -> np.ndarray:
        """Units that drew some edges; of those in work the first is the first that cuts."""
        stage, unit = self.subdivision.edge_source[edges].astype(np.int64).T
        found: np.ndarray = unit + self.first_window * (stage == IN_WORK)
        return found

    @cached_property
    def edge_faces(self) -> np.ndarray:
        """(E, 2) as `Subdivision.edge_faces`."""
        return self.subdivision.edge_faces()

    @cached_property
    def sides_at(self) -> Csr:
        """Sides of faces that begin at each vertex."""
        return by_value(self.subdivision.faces.values, len(self.subdivision.vertices))

    @cached_property
    def edge_ends_at(self) -> Csr:
        """Ends of edges at each vertex, two for each edge one after the other."""
        return by_value(self.subdivision.edges.reshape(-1), len(self.subdivision.vertices))


def by_value(values: np.ndarray, n: int) -> Csr:
    """Where each number below n stands among the values."""
    column = csc_array((np.arange(len(values)), values, [0, len(values)]), shape=(n, 1)).tocsr()
    return Csr(column.indptr, column.data)
