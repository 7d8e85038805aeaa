"""A program at points of its planes, in exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from splineviz.exact.digits import ExactTensor, InexactError, even, from_integers
from splineviz.plane import Plane
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program

__all__ = [
    "CALL",
    "Point",
    "StageRound",
    "affine",
    "distances",
    "in_states",
    "picked",
    "products",
    "switching",
    "work",
]

Point = tuple[int, int, int]
"""A point of the plane in homogeneous coordinates: uv = (X, Y) / W, with W > 0."""

_FRAMES: WeakKeyDictionary[Plane, Tensor] = WeakKeyDictionary()

CALL = 4e5
"""Products of two digits in the time that a node takes however few they are"""

_COMMON = 1 << 10
"""Bits of a number that all divisors of a node divide, at most: each vertex has as many more, to the end"""


@dataclass(frozen=True)
class StageRound:
    """Some switching functions that cut at once: those of a stage, and of maxima those of one round."""

    stage: int
    turn: int = 0
    words: tuple[int, int] | None = None
    """The windows of those maxima, counted by 64; None for all"""


def switching(program: Program, points: Mapping[Plane, Sequence[Point]], step: StageRound) -> ExactTensor:
    """(V, units) switching functions of a step at points on planes, one plane after the other.

    Raises
    ------
    InexactError
        If a node on the way has no exact form.
    """
    x = program.interpret(_lifted(points, program.input_shape), _EXACT, until=step.stage)
    node = program.ways[step.stage][-1]
    if isinstance(node, Maximum):
        return _differences(node, x, step)
    assert isinstance(node, Pointwise)
    return distances(node, x)


def work(program: Program, stage: int | None = None) -> float:
    """Products of two numbers that one point takes up to a stage, or to the end; of digits they are many
    times more."""
    nodes = program.nodes if stage is None or not program.stages else program.ways[stage]
    return sum(products(node) for node in nodes if isinstance(node, Affine))


def products(node: Affine) -> float:
    """Products of two numbers that one point takes in a node."""
    return float(node.gain.terms * (1 if node.gain.rows is None else len(node.gain.rows)))


def _lifted(points: Mapping[Plane, Sequence[Point]], shape: tuple[int, ...]) -> ExactTensor:
    """x = (W origin + X u + Y v) / W."""
    parts = []
    for plane, own in points.items():
        one = from_integers([[w] for _, _, w in own])[..., 0]
        place = ExactTensor(from_integers([[w, x, y] for x, y, w in own]), 0, 1, one)
        parts.append(place.weighted(torch.matmul, _frame(plane), 3).map(lambda x: x.reshape(-1, *shape)))
    return parts[0] if len(parts) == 1 else _stacked(parts)


def _frame(plane: Plane) -> Tensor:
    """(3, D) origin and axes; the same tensor each time, so that it is split into digits once."""
    if plane not in _FRAMES:
        _FRAMES[plane] = torch.from_numpy(np.concatenate([plane.origin[None], plane.basis]))
    result: Tensor = _FRAMES[plane]
    return result


def _stacked(parts: Sequence[ExactTensor]) -> ExactTensor:
    """Different vertices in one tensor."""
    exponent = max(part.exponent for part in parts)
    raised = [part.with_exponent(exponent) for part in parts]
    digits, one = (
        torch.cat(even(*numbers), 1) for numbers in ([x.digits for x in raised], [x.one for x in raised])
    )
    return ExactTensor(digits, exponent, 1, one)


def affine(node: Affine, inputs: Sequence[ExactTensor], *, constants: bool = True) -> ExactTensor:
    """An affine node, or its linear part alone.

    Raises
    ------
    InexactError
        If it has no exact form.
    """
    if node.gain.kind == "sum":
        one = torch.ones_like(inputs[0].digits[0, :1])
        return inputs[0].plus(inputs[1], float(node.run(0 * one, one).flatten()[0]))
    if node.gain.kind == "layout":
        moved = inputs[0].map(node.linear) if len(inputs) == 1 else inputs[0].joined(inputs[1:], node.linear)
        inserted = node.run(*(x.digits[0, :1] * 0.0 for x in inputs))[0]
        return moved.plus_constants(inserted) if constants and bool(inserted.any()) else moved
    if node.form is None:
        raise InexactError(f"'{node.name}' has no exact form")
    form, (x,) = node.form, inputs
    added = form.constants if constants else None
    if form.divisors is None:
        return x.weighted(form.apply, form.weights, node.gain.terms, added)
    result = _divided(x.weighted(form.apply, form.weights, node.gain.terms), form.divisors)
    return result if added is None else result.plus_constants(added)


def _divided(x: ExactTensor, divisors: Tensor) -> ExactTensor:
    """Entries over float64 divisors, which broadcast against one vertex."""
    values = divisors.detach().numpy()
    ratios = {value: Fraction(value) for value in np.unique(values).tolist()}
    common = 1
    for ratio in ratios.values():
        common = math.lcm(common, ratio.numerator)
        if common.bit_length() > _COMMON:
            raise InexactError("divisors with too large a common multiple")
    # 1 / (p / 2^k) = (common / p) 2^k / common
    factors = {value: common // ratio.numerator * ratio.denominator for value, ratio in ratios.items()}
    scaled = x.scaled(np.vectorize(factors.__getitem__, otypes=[object])(values))
    odd, shift = common, 0
    while odd % 2 == 0:
        odd, shift = odd // 2, shift + 1
    return ExactTensor(scaled.digits, scaled.exponent + shift, scaled.divisor * odd, scaled.one)


def _rows(x: Tensor) -> Tensor:
    return x.reshape(len(x), -1)


def distances(node: Pointwise, x: ExactTensor) -> ExactTensor:
    """(V, K n) how far every entry is above each of its breakpoints."""
    flat = x.map(_rows)
    if node.breaks_at_zero:
        return flat
    above = [flat.plus_constants(-torch.from_numpy(kink)) for kink in node.kinks]
    return above[0].joined(above[1:], lambda *parts: torch.cat(parts, 1))


def _pointwise(node: Pointwise, x: ExactTensor) -> ExactTensor:
    if node.is_relu:
        return x.masked(x.signs() > 0)
    result = _piece(node, x, 0)
    for k, breakpoint_ in enumerate(node.breakpoints):
        above = x.plus_constants(-breakpoint_).signs() > 0
        result = _piece(node, x, k + 1).where(above, result)
    return result


def _piece(node: Pointwise, x: ExactTensor, k: int, constants: bool = True) -> ExactTensor:
    """A pointwise node as if its k-th piece were all of it, or the slope of that piece alone."""
    return x.weighted(torch.mul, node.slopes[k], 1, node.intercepts[k] if constants else None)


def in_states(node: Pointwise, x: ExactTensor, on: np.ndarray, *, constants: bool = True) -> ExactTensor:
    """A pointwise node with its units (V, K n) in given states, or its slopes there alone."""
    states = torch.from_numpy(np.ascontiguousarray(on)).reshape(len(on), len(node.breakpoints), *node.shape)
    result = _piece(node, x, 0, constants)
    for k in range(len(node.breakpoints)):
        result = _piece(node, x, k + 1, constants).where(states[:, k], result)
    return result


def picked(node: Maximum, x: ExactTensor, winners: np.ndarray) -> ExactTensor:
    """A maximum whose winners (rows, W) are given; x may hold such rows several times over."""
    return x.map(lambda values: node.pick(values, np.tile(winners, (len(values) // len(winners), 1))))


def _maximum(node: Maximum, x: ExactTensor) -> ExactTensor:
    top = _top(node.windows, node.rounds, x.map(_rows))
    return top.map(lambda x: x.reshape(len(x), *node.output_shape))


def _differences(node: Maximum, x: ExactTensor, step: StageRound) -> ExactTensor:
    """(V, W) how far the candidate of a round is above the largest before it; of no meaning where either is
    missing."""
    (windows, rounds), flat = node.group(step.words), x.map(_rows)
    candidate, _ = _candidates(windows, rounds[step.turn], flat)
    return candidate.plus(_top(windows, rounds[: step.turn], flat), -1.0)


def _top(windows: np.ndarray, rounds: np.ndarray, flat: ExactTensor) -> ExactTensor:
    """(V, W) the largest of the candidates that have entered each window in these rounds; 0 where none
    has."""
    entered = np.zeros(len(windows), bool)
    top = flat.map(lambda x: torch.zeros(len(x), len(windows), dtype=torch.float64))
    for place in rounds:
        candidate, present = _candidates(windows, place, flat)
        first = torch.from_numpy(present & ~entered)
        larger = (candidate.plus(top, -1.0).signs() > 0) & torch.from_numpy(present)
        top = candidate.where(first | larger, top)
        entered |= present
    return top


def _candidates(windows: np.ndarray, place: np.ndarray, flat: ExactTensor) -> tuple[ExactTensor, np.ndarray]:
    """(V, W) the entry that comes to each window, and whether one does."""
    present = place >= 0
    entries = torch.from_numpy(np.where(present, windows[np.arange(len(place)), np.maximum(place, 0)], 0))
    return flat.map(lambda x: x[:, entries]), present


_EXACT = Interpreter(affine, _pointwise, _maximum)
