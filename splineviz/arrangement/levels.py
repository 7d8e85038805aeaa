"""Cells of an arrangement, in groups, and the cells of earlier stages that they come from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from splineviz.arrangement.cells import Cells

__all__ = ["Levels"]


class Levels(NamedTuple):
    """A run of cells in groups and their ancestors: level 0 are the windows, level s + 1 the cells after
    stage s.

    Each group has ancestors of its own, one after the other in the order of their descendants.
    """

    ids: list[Int64[np.ndarray, "face"]]
    """By level: which windows or cells."""
    parent: list[Int64[np.ndarray, "face"]]
    """By level but the first: row of each in the level before."""
    example: list[Int64[np.ndarray, "face"]]
    """By level: a cell of the arrangement that descends from each."""
    first: list[Int64[np.ndarray, "group+1"]]
    """By level: the first row of each group, and the number of rows."""

    @classmethod
    def of(cls, arr: Cells, cells: Int64[np.ndarray, "cell"], first: Int64[np.ndarray, "bound"]) -> Levels:
        """Of some cells, which are the last level, in groups of at least one."""
        ids, example, firsts = [cells], [cells], [first]
        parents: list[np.ndarray] = []
        for _, parent in reversed(arr.patterns):
            above = parent[ids[0]]
            new = np.ones(len(above), dtype=bool)
            new[1:] = above[1:] != above[:-1]
            new[firsts[0][:-1]] = True
            row = np.cumsum(new) - 1
            ids.insert(0, above[new])
            example.insert(0, example[0][new])
            parents.insert(0, row)
            firsts.insert(0, np.append(row[firsts[0][:-1]], len(ids[0])))
        return cls(ids, parents, example, firsts)

    def ancestors(self, level: int, later: int) -> Int64[np.ndarray, "face"]:
        """The row at a level of each cell at a later one."""
        row = np.arange(len(self.ids[later]))
        for parent in reversed(self.parent[level:later]):
            row = parent[row]
        return row
