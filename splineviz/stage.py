"""The units of a program and its name card: what a picture or a saved file needs to know of a network.
Imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["ProgramInfo", "Stage", "same_units"]


@dataclass(frozen=True)
class Stage:
    """The units of one piecewise-affine node, in the order of their columns: breakpoint first, then flat
    index."""

    index: int
    name: str
    """Module path, or the graph's own name for a functional call."""
    kind: str
    """Name of the operation: relu, hardtanh, ..."""
    shape: tuple[int, ...]
    """Shape of the tensor of units, without batch: that which enters a pointwise node, that which leaves a
    maximum."""
    breakpoints: int
    """Number of breakpoints of a pointwise node; 1 for a maximum."""
    source: str
    candidates: int = 0
    """Number of candidates of a unit of a maximum; 0 for a pointwise node, whose units are off or on."""

    @property
    def n_units(self) -> int:
        """Number of units: one for each breakpoint and entry."""
        return self.breakpoints * math.prod(self.shape)

    @property
    def label(self) -> str:
        """Number, counted from 0, and name, as tables show a stage."""
        return f"{self.index} ({self.name})"

    @property
    def summary(self) -> str:
        """Number, name, operation and size in a line."""
        units = f"{self.n_units:,} unit{'s' if self.n_units != 1 else ''}"
        return f"stage {self.index}: {self.name}, {self.kind}, {units}"

    @property
    def n_words(self) -> int:
        """Number of 64-bit words that hold the states of all units of a cell: a bit each, or a number for the
        winner of a maximum."""
        bits = max(1, (self.candidates - 1).bit_length()) if self.candidates else 1
        return bits * -(-self.n_units // 64)

    def unit_index(self, unit: int) -> tuple[int, ...]:
        """Index of a unit within ``shape``: (channel, row, column) for maps."""
        return tuple(int(i) for i in np.unravel_index(unit % math.prod(self.shape), self.shape))


@dataclass(frozen=True)
class ProgramInfo:
    """The name card of a program, kept by an arrangement after the network itself is gone."""

    name: str
    digest: str
    stages: tuple[Stage, ...]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    n_parameters: int
    cut_off: str | None = None
    """The last operation of the network, where its logits were asked for in place of its output."""

    @property
    def n_units(self) -> int:
        """Number of units of all stages."""
        return sum(stage.n_units for stage in self.stages)


def same_units(first: ProgramInfo | None, second: ProgramInfo | None) -> bool:
    """Whether two networks have the same units: stages of the same names, operations and shapes."""
    if first is None or second is None:
        return False
    cards = [
        [(s.name, s.kind, s.shape, s.breakpoints, s.candidates) for s in info.stages]
        for info in (first, second)
    ]
    return cards[0] == cards[1]
