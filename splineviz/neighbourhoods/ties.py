"""Units whose lines all pass through one point: the usual cause of far too many cells round data points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from splineviz.plane import Plane
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.program.rows import as_rows

__all__ = ["Ties", "ties_at"]

_ZERO, _STEP = 1e-10, 1e-3
"""A margin that is none, over the largest value of the stage; a step away from the point, over the reach"""


@dataclass(frozen=True)
class Ties:
    """Units of one stage that switch at a point, and do not nearby."""

    stage: int
    kind: str
    maximum: bool
    """Whether they are maxima, two of whose candidates are equal there; otherwise they are at a breakpoint"""
    n_tied: int
    n_units: int

    def __str__(self) -> str:
        what, does = ("maxima", "tie") if self.maximum else ("units", "are at a breakpoint")
        return f"{self.n_tied:,} of {self.n_units:,} {what} of stage {self.stage} ({self.kind}) {does}"


def ties_at(program: Program, plane: Plane, uv: Sequence[float] | np.ndarray, reach: float) -> list[Ties]:
    """Units, by stage, whose line passes through a point of a plane (uv), by the values of the network there.

    Units that tie near the point too, at distances up to ``reach``, cost nothing and are left out: windows
    that are off behind a ReLU, or that see equal values on the whole plane. All of it is an estimate, by
    float64 values at the point and at some places near it.
    """
    angles = np.array([0.3, 1.7, 2.9, 4.1, 5.2])
    near = _STEP * reach * np.column_stack([np.cos(angles), np.sin(angles)])
    places = np.asarray(uv, dtype=np.float64) + np.concatenate([np.zeros((1, 2)), near])
    x = torch.from_numpy(plane.lift(places))
    found: list[Ties] = []

    def affine(node: Affine, values: Sequence[Tensor]) -> Tensor:
        return node.run(*values)

    def pointwise(node: Pointwise, value: Tensor) -> Tensor:
        z = as_rows(value).numpy()
        note(node, np.abs(node.switching(z)), z, maximum=False)
        return node.run(value)

    def maximum(node: Maximum, value: Tensor) -> Tensor:
        z = as_rows(value).numpy()
        candidates = np.where(node.windows >= 0, z[:, node.windows], -np.inf)
        if candidates.shape[2] > 1:
            two = np.partition(candidates, -2, axis=2)[:, :, -2:]
            note(node, two[:, :, 1] - two[:, :, 0], z, maximum=True)
        return node.run(value)

    def note(node: Pointwise | Maximum, margin: np.ndarray, z: np.ndarray, *, maximum: bool) -> None:
        small = _ZERO * float(np.abs(z).max(initial=0.0))
        tied = (margin[0] <= small) & (margin[1:] > 100.0 * small).any(0)
        if tied.any():
            kind = program.stages[node.stage].kind
            found.append(Ties(node.stage, kind, maximum, int(tied.sum()), margin.shape[1]))

    with torch.no_grad():
        program.interpret(x, Interpreter(affine, pointwise, maximum))
    return found
