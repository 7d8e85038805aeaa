"""Tensors of a network on groups of cells: rows, and the terms of the cells of the level that is reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.group_forms import Lists, Rows, Terms, forms, sizes
from splineviz.arrangement.levels import Levels
from splineviz.arrangement.side_lines import EntryErrors

__all__ = ["GroupState", "Shared"]


@dataclass(frozen=True)
class Shared:
    """A tensor as rows (see `group_forms.Rows`), and bounds of its rounding on every cell of a level."""

    rows: Tensor
    """(rows, *shape) coefficients of u, of v, and constants of all owners, then units by stage and group"""
    stages: tuple[int, ...]
    """Whose units have rows"""
    of_groups: bool
    """Whether the owners are groups; else they are windows, and there are no units"""
    error: Tensor
    """(3, cells) norm over all entries of the errors of the coefficients of u, of v, and of the constants"""
    level: int
    entries: EntryErrors | None = None
    """Bounds for single entries, where they are known better than that"""
    norm: Tensor | None = None
    """(3, cells) norms of its parts, added up, where they are known"""
    single: tuple[np.ndarray, np.ndarray] | None = None
    """(entry, factor) of the units of the last stage: their rows are 0 but for that, and not in ``rows``"""

    @cached_property
    def complete(self) -> Tensor:
        """All rows."""
        if self.single is None:
            return self.rows
        entry, factor = (torch.from_numpy(x) for x in self.single)
        units = self.rows.new_zeros(len(entry), math.prod(self.rows.shape[1:]))
        units[torch.arange(len(entry)), entry] = factor
        return torch.cat([self.rows, units.reshape(-1, *self.rows.shape[1:])])

    @property
    def flat(self) -> np.ndarray:
        """All rows, (rows, entries)."""
        rows: np.ndarray = self.complete.reshape(len(self.complete), -1).contiguous().numpy()
        return rows


class GroupState:
    """Groups of cells at one level: units that switch, and the terms of every cell."""

    def __init__(self, levels: Levels) -> None:
        self.levels, self.level, self.start = levels, 0, 0
        """``start`` is the number of the level's first cell among those of the terms"""
        self.n_groups = len(levels.first[0]) - 1
        self.windows, self.window = np.unique(levels.ids[0], return_inverse=True)
        none = np.full(self.n_groups, -1), np.zeros(self.n_groups + 1, np.int64)
        self.terms = Terms(*none, np.empty(0, np.int64), np.empty((0, 3)))
        self.units: list[Lists] = []
        """By stage, the units that switch in each group"""
        self._of_unit: dict[tuple[tuple[int, ...], bool], Lists] = {}

    def advance(self, units: Lists, terms: Terms) -> None:
        """To the cells behind the next stage."""
        self.start = len(self.terms.parent)
        self.terms, self.level = terms, self.level + 1
        self.units.append(units)
        self._of_unit.clear()

    @property
    def known(self) -> np.ndarray:
        """(groups,) number of units that switch in the stages so far."""
        counts = [np.diff(units.first) for units in self.units]
        known: np.ndarray = np.sum([np.zeros(self.n_groups, dtype=np.int64), *counts], axis=0)
        return known

    @property
    def additions(self) -> int:
        """Of terms on any cell to what its group shares, at most, and one more."""
        return 2 + int(self.known.max(initial=0))

    def n_owners(self, of_groups: bool) -> int:
        """Number of groups, or of windows."""
        return self.n_groups if of_groups else len(self.windows)

    def forms(self, value: Shared, entries: Lists) -> tuple[np.ndarray, np.ndarray]:
        """`group_forms.forms` on the cells of the level."""
        rows, first = self._rows(value, value.flat), self.levels.first[self.level]
        return forms(rows, self.terms, (self.level, self.start), first, entries)

    def norm(self, value: Shared, norms: np.ndarray | None = None) -> Tensor:
        """(3, cells) norms of the parts of a tensor, added up, from those of its rows if they are known."""
        if value.norm is not None and value.level == self.level:
            return value.norm
        if norms is None:
            norms = np.linalg.norm(value.flat, axis=1)
        rows, first = self._rows(value, np.empty((0, 0))), self.levels.first[self.level]
        return torch.from_numpy(sizes(rows, norms, self.terms, (self.level, self.start), first))

    def error(self, value: Shared) -> Tensor:
        """(3, cells) bounds on the cells of the level."""
        if value.level == self.level:
            return value.error
        return value.error[:, torch.from_numpy(self.levels.ancestors(value.level, self.level))]

    def entry_errors(self, value: Shared) -> EntryErrors:
        """Bounds of single entries on the cells of the level."""
        if value.entries is None:
            return EntryErrors.alike(self.error(value), math.prod(value.rows.shape[1:]))
        return value.entries.take(self.levels.ancestors(value.level, self.level))

    def aligned(self, values: Sequence[Shared]) -> list[Shared]:
        """With rows for the same units."""
        if len(values) == 1:
            return [*values]
        stages = tuple(sorted({stage for value in values for stage in value.stages}))
        of_groups = any(value.of_groups for value in values)
        return [self._with(value, stages, of_groups) for value in values]

    def sources(self, value: Shared) -> tuple[np.ndarray, np.ndarray]:
        """(row, group): of which row of a value each row behind a stage is made, and its group; without the
        stage's own units."""
        groups = np.arange(self.n_groups)
        of_units = [np.repeat(groups, np.diff(self.units[s].first)) for s in value.stages]
        group = np.concatenate([groups, groups, groups, *of_units])
        if value.of_groups:
            return np.arange(len(group)), group
        return (len(self.windows) * np.arange(3)[:, None] + self.window).reshape(-1), group

    def _rows(self, value: Shared, values: np.ndarray) -> Rows:
        key = value.stages, value.of_groups
        if key not in self._of_unit:
            self._of_unit[key] = self._rows_of_units(value)
        owner = np.arange(self.n_groups) if value.of_groups else self.window
        return Rows(values, owner, self.n_owners(value.of_groups), self._of_unit[key])

    def _rows_of_units(self, value: Shared) -> Lists:
        counts = [np.diff(units.first) for units in self.units]
        before = np.cumsum([np.zeros(self.n_groups, dtype=np.int64), *counts], axis=0)
        first = np.concatenate([[0], np.cumsum(before[-1])])
        row, start = np.full(first[-1], -1), 3 * self.n_owners(value.of_groups)
        for stage in value.stages:
            units = self.units[stage].first
            number = np.arange(units[-1])
            row[np.repeat(first[:-1] + before[stage] - units[:-1], counts[stage]) + number] = start + number
            start += len(number)
        return Lists(first, row)

    def _with(self, value: Shared, stages: tuple[int, ...], of_groups: bool) -> Shared:
        rows, n = value.complete, 3 * self.n_owners(value.of_groups)
        shared = rows[:n]
        if of_groups and not value.of_groups:
            shared = shared[torch.from_numpy(self.sources(value)[0])]
        parts, start = [shared], n
        for stage in stages:
            n = int(self.units[stage].first[-1])
            mine = stage in value.stages
            parts.append(rows[start : start + n] if mine else rows.new_zeros(n, *rows.shape[1:]))
            start += n if mine else 0
        return replace(value, rows=torch.cat(parts), stages=stages, of_groups=of_groups, single=None)
