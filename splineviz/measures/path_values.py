"""Outputs along a segment, as they are stored or from exact arithmetic with proven errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.exact.digits import InexactError
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.measures.line_pieces import Intervals
from splineviz.segments.exact_walk import affordable, exact_walk
from splineviz.segments.segment import Segment

__all__ = ["PathValues"]

_NEAR = Fraction(1, 1 << 51)
"""Far more than two knots in [0, 1] are rounded by together"""


@dataclass(frozen=True, eq=False)
class PathValues:
    """Outputs between the knots of a segment, and how far they are off anywhere."""

    lines: Intervals
    errors: Float64[np.ndarray, "output"] | None
    """(C,) largest distance of each output from that of exact arithmetic, at any point; None where it is not
    known"""

    @classmethod
    def of(cls, segment: Segment, *, exact: bool) -> PathValues:
        """Outputs as they are stored; or if ``exact`` knots and outputs in exact arithmetic, rounded once.

        Raises
        ------
        InputError
            If outputs are beyond the largest float64, or exact arithmetic cannot tell them, or would take
            more than a few seconds.
        """
        stored = cls(_between(segment.knots, segment.values), None)
        found = cls._exactly(segment) if exact else stored
        if not np.isfinite(found.lines.values).all():
            raise InputError("outputs are beyond the largest float64 along this segment", hint="nearer ends")
        return found

    @classmethod
    def _exactly(cls, segment: Segment) -> PathValues:
        if not affordable(segment.program, segment.n_cells + segment.doubtful):
            raise InputError(
                f"{segment.n_cells:,} cells of {segment.program.name} take exact arithmetic more than a few "
                "seconds",
                hint="a shorter segment, or without exact=True",
            )
        try:
            walk = exact_walk(segment.program, torch.from_numpy(segment.points[[0, -1]]))
        except InexactError as error:
            raise InputError(
                f"{segment.program.name} has no exact form: {error}", hint="leave out exact=True"
            ) from error
        knots = np.array([float(t) for t in walk.knots])
        return cls(_between(knots, walk.values), _off(walk.knots, knots, walk.values))

    def logits(self, level: float | None) -> Intervals:
        """The outputs, or of a single output its level and the output."""
        if self.lines.values.shape[2] > 1:
            return self.lines
        constant = np.full_like(self.lines.values, 0.0 if level is None else level)
        return Intervals(self.lines.ends, np.concatenate([constant, self.lines.values], axis=2))


def _between(knots: np.ndarray, values: np.ndarray) -> Intervals:
    """The intervals between knots."""
    return Intervals(np.column_stack([knots[:-1], knots[1:]]), np.stack([values[:-1], values[1:]], axis=1))


def _off(
    exact: list[Fraction], knots: Float64[np.ndarray, "knot"], values: Float64[np.ndarray, "knot output"]
) -> Float64[np.ndarray, "output"]:
    """(C,) how far lines between rounded knots and values may be from the exact ones.

    Both are affine between all knots, exact and rounded ones, so that they are farthest apart at one of
    them. At a rounded knot that is what the output changes by on the way to its exact place; and there it is
    what the rounded lines change by.
    """
    size = np.abs(values)
    change = np.abs(np.diff(values, axis=0)) + 2.0 * UNIT_ROUNDOFF * (size[1:] + size[:-1])
    worst = np.zeros(values.shape[1])
    for k, (place, knot) in enumerate(zip(exact, knots.tolist(), strict=True)):
        moved = abs(Fraction(knot) - place)
        if not moved:
            continue
        on_the_way = np.zeros(values.shape[1])
        for step in (1, -1):
            j = k if step > 0 else k - 1
            while 0 <= j < len(exact) - 1:
                near = exact[j] - place if step > 0 else place - exact[j + 1]
                if near > _NEAR:
                    break
                wide = min(exact[j + 1] - exact[j], Fraction(knots[j + 1]) - Fraction(knots[j]))
                share = 1.0 if wide <= moved else float(moved / wide)
                on_the_way += share * change[j]
                j += step
        worst = np.maximum(worst, on_the_way)
    rounded: np.ndarray = SAFE * (2.0 * worst + UNIT_ROUNDOFF * size.max(0)) + math.ulp(0.0)
    return rounded
