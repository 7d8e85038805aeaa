"""Units that are not in one state at all vertices of a neighbourhood."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from splineviz.estimators.switches import Between, Level, StageReader
from splineviz.estimators.tape import Tape
from splineviz.program.rows import as_rows

__all__ = ["Separation", "nested_max"]


class Separation:
    """Counts separating units while the vertices of some points run through a network.

    The vertices are ordered by sign, direction and point. ``directions`` are nested and ascend.
    """

    def __init__(self, tape: Tape, directions: Sequence[int], n_points: int) -> None:
        self._tape, self._directions, self._n_points = tape, tuple(directions), n_points
        self._counts: dict[int, Tensor] = {}
        self._zeros: dict[int, Tensor] = {}

    def counts(self) -> Tensor:
        """(directions, point, stage)"""
        return torch.stack([self._counts[switch.call] for switch in self._tape.switches], -1)

    def zeros(self) -> Tensor:
        """(directions, point, stage)"""
        return torch.stack([self._zeros[switch.call] for switch in self._tape.switches], -1)

    def decide(self, switch: StageReader, low: Sequence[Tensor], high: Sequence[Tensor]) -> None:
        """Count the units of a stage from the extremes at the vertices, (point, *shape) for each number of
        directions."""
        levels = switch.rule.breakpoints if isinstance(switch.rule, Level) else None
        counts, zeros = [], []
        for lowest, highest in zip(low, high, strict=True):
            if levels is not None:
                lowest, highest = lowest.unsqueeze(1), highest.unsqueeze(1)
                separated = (highest > levels) & (lowest <= levels)
                zero = (highest == levels) | (lowest == levels)
            else:  # of two that compete, one has to win strictly here and the other there
                separated, zero = (highest > 0) & (lowest < 0), (highest == 0) ^ (lowest == 0)
            counts.append(as_rows(separated).sum(1))
            zeros.append(as_rows(zero).sum(1))
        self._counts[switch.call], self._zeros[switch.call] = torch.stack(counts), torch.stack(zeros)

    def enter(self, switch: StageReader, values: tuple[Tensor, ...]) -> None:
        if switch.call in self._counts:
            return
        count = 2 * self._directions[-1] * self._n_points
        parts = [
            self._tape.batch_first(source, z, count) for source, z in zip(switch.sources, values, strict=True)
        ]
        if isinstance(switch.rule, Level):
            self._extremes(switch, parts[0])
        elif isinstance(switch.rule, Between):
            self._extremes(switch, parts[0] - parts[1])
        else:
            self._winners(switch, parts[0])

    def leave(self, switch: StageReader, result: Tensor) -> None:
        """Nothing: what a stage makes is not looked at."""

    def _extremes(self, switch: StageReader, z: Tensor) -> None:
        # maxima over vertices are quick only along the order in memory
        inside_out = z.dim() == 4 and z.is_contiguous(memory_format=torch.channels_last)
        z = z.permute(0, 2, 3, 1) if inside_out else z
        z = z.reshape(2, -1, self._n_points, *z.shape[1:])
        if len(self._directions) == 1:
            low, high = [z.flatten(0, 1).amin(0)], [z.flatten(0, 1).amax(0)]
        else:
            low, high = (
                [-m for m in nested_max(-z.amin(0), self._directions)],
                nested_max(z.amax(0), self._directions),
            )
        if inside_out:
            low, high = ([m.permute(0, 3, 1, 2) for m in extremes] for extremes in (low, high))
        self.decide(switch, low, high)

    def _winners(self, switch: StageReader, z: Tensor) -> None:
        rule = switch.rule
        assert not isinstance(rule, (Level, Between))
        entries = [entry if rule.sign > 0 else -entry for entry in rule.candidates(z)]
        best = _largest(entries)
        if bool(best.isnan().any()):
            # Entries that are -inf everywhere, masks and padding, are no number once differences were taken.
            entries = [entry.nan_to_num(-torch.inf) for entry in entries]
            best = _largest(entries)
        shape = (2, -1, self._n_points, best[0].numel())
        n_winners = torch.zeros(1, device=best.device)
        separated: list[Tensor] = []
        for entry in entries:
            wins = (entry == best).reshape(shape)
            n_winners = n_winners + wins
            loses = nested_max(
                (~wins).any(0).to(torch.uint8), self._directions
            )  # 0 where the entry wins at all vertices
            separated = (
                [torch.minimum(*both) for both in zip(separated, loses, strict=True)] if separated else loses
            )
        tied = nested_max((n_winners > 1).any(0).to(torch.uint8), self._directions)
        self._counts[switch.call] = torch.stack([units.sum(-1) for units in separated])
        self._zeros[switch.call] = torch.stack([units.sum(-1) for units in tied])


def _largest(entries: Sequence[Tensor]) -> Tensor:
    best = entries[0]
    for entry in entries[1:]:
        best = torch.maximum(best, entry)
    return best


def nested_max(values: Tensor, directions: Sequence[int]) -> list[Tensor]:
    """The maximum over the first P of (direction, ...), for each P of an ascending list."""
    found: list[Tensor] = []
    start = 0
    for stop in directions:
        part = values[start:stop].amax(0)
        found.append(part if not found else torch.maximum(found[-1], part))
        start = stop
    return found
