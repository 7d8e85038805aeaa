"""Faces of a subdivision with the states that all units have on them, on which the network is one affine
map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from splineviz.geometry.csr import Csr
from splineviz.geometry.subdivision import Subdivision
from splineviz.plane import Plane, Window
from splineviz.program.nodes import Maximum

__all__ = ["FaceStates", "bits_of", "numbers_of"]

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
        if node.stage < len(self.tables):
            words = self.words(node.stage, faces)
        else:
            assert self.winners is not None
            words = self.winners[faces]
        return numbers_of(words, *node.windows.shape)

    def corners(self) -> Csr:
        """Sides of faces that begin at each vertex."""
        vertex = self.subdivision.faces.values
        order = np.argsort(vertex, kind="stable")
        counts = np.bincount(vertex, minlength=len(self.subdivision.vertices))
        return Csr(np.concatenate([[0], np.cumsum(counts)]), order)


def bits_of(words: np.ndarray, n_units: int) -> np.ndarray:
    """(n, units) bool from bit sets (n, words)."""
    raw = np.ascontiguousarray(words).view(np.uint8)
    bits: np.ndarray = np.unpackbits(raw, axis=1, bitorder="little")[:, :n_units].astype(bool)
    return bits


def numbers_of(words: np.ndarray, n_units: int, most: int) -> np.ndarray:
    """(n, units) numbers below ``most`` from words: bit b of all of them is in the b-th of equal groups."""
    result = np.zeros((len(words), n_units), dtype=np.int64)
    for b, plane in enumerate(np.split(words, max(1, (most - 1).bit_length()), axis=1)):
        result |= bits_of(plane, n_units).astype(np.int64) << b
    return result
