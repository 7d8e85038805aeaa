"""Error bounds for derivatives of a network in float64, proven for all its cells at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program

__all__ = ["Steepness", "steepness"]


class Steepness(NamedTuple):
    """Euclidean norms, at most, over the entries of a tensor and for any activation pattern."""

    size: float
    """Norm of the derivative along a unit vector of input space"""
    error: float
    """Norm of its rounding, carried forward node by node"""
    jump_error: float
    """Norm of the rounding of its jump across an edge, where a jump and the derivative on one side are
    carried forward"""


def steepness(program: Program) -> Steepness:
    """Bounds for the output. The rules are those for running bounds in docs/certification.md, on norms of
    whole tensors alone."""
    return program.interpret(Steepness(SAFE, 0.0, 0.0), Interpreter(_affine, _pointwise, _maximum))


def _affine(node: Affine, values: Sequence[Steepness]) -> Steepness:
    gain = node.gain
    if gain.kind == "layout":
        size, error, jump = (gain.norm * math.hypot(*column) for column in zip(*values, strict=True))
        return _rounded(size, error, jump, 0.0)
    if gain.kind == "sum":
        size, error, jump = (sum(column) for column in zip(*values, strict=True))
        return _rounded(size, error, jump, UNIT_ROUNDOFF)
    (x,) = values
    g = (gain.terms + 1) * UNIT_ROUNDOFF / (1.0 - (gain.terms + 1) * UNIT_ROUNDOFF)
    spread = g * min(gain.magnitude, gain.row_norm)
    return Steepness(
        gain.norm * x.size * SAFE,
        (gain.norm * x.error + spread * (x.size + x.error)) * SAFE + FLOOR,
        (gain.norm * x.jump_error + spread * (2.0 * x.size + x.jump_error)) * SAFE + FLOOR,
    )


def _pointwise(node: Pointwise, x: Steepness) -> Steepness:
    # Across an edge, slopes of both sides meet the derivative of one.
    s = node.steepest
    return _rounded(s * x.size, s * x.error, s * x.jump_error + 2.0 * s * x.error, 8.0 * UNIT_ROUNDOFF)


def _maximum(node: Maximum, x: Steepness) -> Steepness:
    s = math.sqrt(node.copies)
    return _rounded(s * x.size, s * x.error, s * x.jump_error + 2.0 * s * x.error, 4.0 * UNIT_ROUNDOFF)


def _rounded(size: float, error: float, jump_error: float, unit: float) -> Steepness:
    """Bounds after operations on entries that round to ``unit`` of the numbers in them; jumps have twice as
    many numbers."""
    fresh = unit * (size + error), unit * (4.0 * (size + error) + jump_error)
    return Steepness(SAFE * size, SAFE * (error + fresh[0]) + FLOOR, SAFE * (jump_error + fresh[1]) + FLOOR)
