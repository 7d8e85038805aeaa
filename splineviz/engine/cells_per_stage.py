"""Numbers of cells after each stage, counted from the cells of the last back along their parents."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from splineviz.arrangement.cells import Patterns

__all__ = ["Ancestors"]


@dataclass(eq=False)
class Ancestors:
    """Counts the cells of every stage over results that come one after the other, each cell once.

    Results come in the order of their cells, so that one shares at most one cell of a stage with the result
    before it: where one batch ended within it and the next began.
    """

    _before: Patterns = ()
    _last: dict[int, int] = field(default_factory=dict)

    def count(self, patterns: Patterns, n_cells: int) -> tuple[int, ...]:
        """By stage, how many cells the cells of a result are parts of, without those that the result before
        it has parts of."""
        rows, last = np.arange(n_cells), {}
        counts: list[int] = []
        for stage in range(len(patterns) - 1, -1, -1):
            rows = rows[np.flatnonzero(np.diff(rows, prepend=-1))]  # siblings follow each other
            new = len(rows)
            if new:
                # Batches of one front count the stages before it in the same arrays.
                shared = stage < len(self._before) and self._before[stage] is patterns[stage]
                new -= shared and self._last.get(stage) == rows[0]
                last[stage] = int(rows[-1])
            counts.insert(0, int(new))
            rows = patterns[stage][1][rows]
        self._before, self._last = patterns, last
        return tuple(counts)
