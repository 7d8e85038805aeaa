"""Cells of an arrangement and the cells of earlier stages that they come from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from splineviz.arrangement.cells import Cells

__all__ = ["Levels"]


class Levels(NamedTuple):
    """A run of cells and their ancestors: level 0 are the windows, level s + 1 the cells after stage s."""

    ids: list[np.ndarray]
    """By level: which windows or cells."""
    parent: list[Tensor]
    """By level but the first: row of each in the level before."""
    example: list[np.ndarray]
    """By level: a cell of the arrangement that descends from each."""

    @classmethod
    def of(cls, arr: Cells, cells: Int64[np.ndarray, "cell"]) -> Levels:
        """Of some cells, which are the last level."""
        ids, example = [cells], [cells]
        parents: list[Tensor] = []
        for _, parent in reversed(arr.patterns):
            unique, first, row = np.unique(parent[ids[0]], return_index=True, return_inverse=True)
            ids.insert(0, unique)
            example.insert(0, example[0][first])
            parents.insert(0, torch.from_numpy(row.astype(np.int64)))
        return cls(ids, parents, example)

    def ancestors(self, level: int, later: int) -> Tensor:
        """The row at a level of each cell at a later one."""
        row = torch.arange(len(self.ids[later]))
        for parent in reversed(self.parent[level:later]):
            row = parent[row]
        return row
