"""Density of crossings and deviation from linearity along walks through input space, exactly.

They are integrals over the exact cells of segments, which is why they live beside these and not among the
estimators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.program import Program
from splineviz.program.models import Model
from splineviz.program.sources import program_for
from splineviz.segments.segment import Segment, segment

__all__ = ["PathStatistics", "translated", "walk"]


@dataclass(frozen=True, eq=False)
class PathStatistics:
    """The segments of a walk, in order."""

    segments: tuple[Segment, ...]

    @property
    def length(self) -> float:
        return sum(part.length for part in self.segments)

    @property
    def n_crossings(self) -> int:
        """Boundaries crossed inside segments; several units that switch at one place are one."""
        return sum(part.n_cells - 1 for part in self.segments)

    @property
    def density(self) -> float:
        """Directional density: boundaries crossed per input distance."""
        return self.n_crossings / self.length

    @property
    def absolute_deviation(self) -> Float64[np.ndarray, "output"]:
        """Integral along the walk of |f - its linear interpolation between the ends of each segment|, for
        each output, exactly.

        On a cell f - interpolation is affine: where it changes sign from p to q, it contributes (p^2 + q^2) /
        (|p| + |q|) / 2.
        """
        return self._integral(exact=True)

    @property
    def deviation_bound(self) -> Float64[np.ndarray, "output"]:
        """The published upper bound: by the triangle inequality (|p| + |q|) / 2 on a cell, whether or not the
        sign changes."""
        return self._integral(exact=False)

    def _integral(self, *, exact: bool) -> np.ndarray:
        total = np.zeros(self.segments[0].values.shape[1])
        for part in self.segments:
            straight = part.values[0] + part.knots[:, None] * (part.values[-1] - part.values[0])
            gap = part.values - straight
            p, q = np.abs(gap[:-1]), np.abs(gap[1:])
            mean = (p + q) / 2
            if exact:
                crossed = gap[:-1] * gap[1:] < 0
                mean = np.where(crossed, (p**2 + q**2) / np.where(crossed, 2 * (p + q), 1.0), mean)
            total += part.length * (np.diff(part.knots)[:, None] * mean).sum(0)
        return total


def walk(
    program: Model | Program, points: Sequence[Any] | np.ndarray, *, closed: bool = False
) -> PathStatistics:
    """The exact cells along the segments from each point to the next; ``closed`` adds the one from the last
    to the first.

    Raises
    ------
    InputError
        If there are fewer than two points, or two that follow each other are equal or do not fit the network.

    References
    ----------
    "Are all linear regions created equal?": density and absolute deviation.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> corners = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]
    >>> around = walk(sv.load_program(net), corners, closed=True)
    >>> bool((around.absolute_deviation <= around.deviation_bound).all())
    True
    """
    if len(points) < 2:
        raise InputError(f"a walk goes through at least two points, got {len(points)}")
    program = program_for(program, [np.shape(points[0])])
    ends = [*points[1:], *([points[0]] if closed else [])]
    return PathStatistics(tuple(segment(program, a, b) for a, b in zip(points, ends, strict=False)))


def translated(image: Any, offsets: Sequence[tuple[int, int]], fill: float = 0.0) -> np.ndarray:
    """An image (..., H, W) moved by whole pixels (down, right), one copy for each offset: the corners of a
    walk.

    Raises
    ------
    InputError
        If the image has no two axes, or is moved out of sight.

    Examples
    --------
    >>> translated([[1.0, 2.0], [3.0, 4.0]], [(0, 0), (0, 1)])[1].tolist()
    [[0.0, 1.0], [0.0, 3.0]]
    """
    pixels = np.asarray(image.detach().cpu() if hasattr(image, "detach") else image, dtype=np.float64)
    if pixels.ndim < 2:
        raise InputError(f"an image has shape (..., height, width), got {pixels.shape}")
    height, width = pixels.shape[-2:]
    moved = np.full((len(offsets), *pixels.shape), fill)
    for copy, (down, right) in zip(moved, offsets, strict=True):
        if abs(down) >= height or abs(right) >= width:
            raise InputError(
                f"an image of {height} x {width} pixels is moved out of sight by ({down}, {right})",
                hint="steps below its height and width",
            )
        rows, columns = (slice(max(0, s), n + min(0, s)) for s, n in ((down, height), (right, width)))
        copy[..., rows, columns] = pixels[
            ..., max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)
        ]
    return moved
