"""The exact cells of a straight segment of input space, by a walk of its own along the program.

It shares nothing with the planar arrangement, so that each can be checked against the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.errors import InputError
from splineviz.geometry.csr import Csr
from splineviz.program.program import Affine, Maximum, Program
from splineviz.segments.cuts import cuts_of, insertion_of, refine_knots, refine_signs
from splineviz.segments.knot_maxima import envelope_of, run_maximum, winners_of
from splineviz.segments.knot_values import Traced, extend, gaps, run_affine, run_pointwise, trace_input

__all__ = ["Segment", "segment"]


@dataclass(frozen=True, eq=False)
class Segment:
    """The cells that a straight segment of input space meets, in order. Float64 found them; `proven` asks
    exact arithmetic.

    Attributes
    ----------
    knots
        (K + 1,) t in [0, 1], strictly ascending, 0 and 1 included; x = a + t (b - a). Cell i lies between
        knots i and i + 1.
    units
        CSR with a row for each knot, of (stage, unit) pairs: the units whose state changes there; none at
        both ends.
    values
        (K + 1, C) flattened output at the knots; it is affine in between.
    points
        (K + 1, *input_shape) the knots in input space.
    length
        Input distance from a to b.
    """

    knots: Float64[np.ndarray, "knot"]
    units: Csr
    values: Float64[np.ndarray, "knot output"]
    points: Float64[np.ndarray, "knot ..."]
    length: float
    program: Program = field(repr=False)
    _stages: tuple[_StageStates, ...] = field(repr=False)

    @property
    def n_cells(self) -> int:
        return len(self.knots) - 1

    @cached_property
    def proven(self) -> bool:
        """Whether exact arithmetic confirms every cell; computed on first use, which takes a second where
        cells take milliseconds.

        False where something contradicts them, and where the network cannot be evaluated exactly.
        """
        from splineviz.segments.proof import confirmed

        ends = torch.from_numpy(self.points[[0, -1]])
        return confirmed(self.program, ends, self.units, self._states)

    @property
    def density(self) -> float:
        """Boundaries crossed per input distance."""
        return (self.n_cells - 1) / self.length

    def pattern_bits(self, stage: int) -> np.ndarray:
        """(n_cells, units) bool: the units of one stage that are on in each cell.

        Raises
        ------
        InputError
            For a stage of maxima, whose units have `winners`.
        """
        self._require_maximum(stage, False)
        return self._states(stage).astype(bool)

    def winners(self, stage: int) -> np.ndarray:
        """(n_cells, units) int: the place of the largest candidate of each maximum of one stage, in each
        cell.

        Raises
        ------
        InputError
            For a stage that is no maximum, whose units have `pattern_bits`.
        """
        self._require_maximum(stage, True)
        return self._states(stage)

    def _require_maximum(self, stage: int, wanted: bool) -> None:
        if bool(self.program.stages[stage].candidates) is not wanted:
            kind, other = self.program.stages[stage].kind, "pattern_bits" if wanted else "winners"
            states = "on or off" if wanted else "not on or off"
            raise InputError(
                f"the units of stage {stage} ({kind}) are {states}", hint=f"ask for {other}(stage)"
            )

    def _states(self, stage: int) -> np.ndarray:
        states = self._stages[stage]
        return np.asarray(states.of[np.searchsorted(states.knots, self.knots[:-1], side="right") - 1])

    def pattern(self, cell: int) -> tuple[np.ndarray, ...]:
        """The activation pattern of one cell: for each stage (units,) bool, True where the unit is on; or
        (units,) winners."""
        if not 0 <= cell < self.n_cells:
            raise InputError(f"the segment has cells 0 to {self.n_cells - 1}, got {cell}")
        return tuple(s.of[np.searchsorted(s.knots, self.knots[cell], side="right") - 1] for s in self._stages)


@dataclass(frozen=True)
class _StageStates:
    """Decisions of one stage, at the knots that there were then."""

    knots: np.ndarray
    of: np.ndarray
    """(intervals, units) bool, whether a unit is on; or int, the place of a winner"""


def segment(program: Program, a: Any, b: Any) -> Segment:
    """The exact cells of the segment from ``a`` to ``b``.

    Every live tensor is carried at the knots, between which it is affine; a piecewise-affine node adds a knot
    wherever one of its units changes sign inside an interval. Signs have three values: what lies within the
    rounding of the walk is zero, and cuts that rounding cannot tell apart are one knot of several units. That
    rounding is estimated, not proven: the worst case of each node is carried through the rest of the network
    with irregular signs. The result's ``proven`` tells whether it is right.

    Parameters
    ----------
    program
        The network.
    a, b
        Two different points of its input shape: arrays, tensors or nested lists.

    Returns
    -------
    Segment

    Raises
    ------
    InputError
        If the points are equal, not finite, or not of the input shape.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> program = sv.load_program(net)
    >>> walk = segment(program, [-1.0, 0.0], [1.0, 0.5])
    >>> walk.n_cells == len(walk.knots) - 1
    True
    """
    first, last = _point(program, a, "a"), _point(program, b, "b")
    length = float(torch.linalg.vector_norm(last - first))
    if length == 0:
        raise InputError("the two ends of the segment are equal", hint="choose two different points")
    with torch.no_grad():
        return _walk(program, first, last, length)


def _walk(program: Program, first: Tensor, last: Tensor, length: float) -> Segment:
    knots, blur = np.array([0.0, 1.0]), np.zeros(2)
    slots: dict[int, Traced] = {0: trace_input(torch.stack([first, last]))}
    stages: list[_StageStates | None] = [None] * len(program.stages)
    units: list[tuple[np.ndarray, np.ndarray, int]] = []
    for node in program.nodes:
        if isinstance(node, Affine):
            slots[node.output] = run_affine(node, [slots[i] for i in node.inputs])
        else:
            z = slots[node.inputs[0]]
            if isinstance(node, Maximum):
                envelope = envelope_of(node, z, knots, blur)
                cuts = envelope.cuts
            else:
                signs, cuts = cuts_of(*gaps(node, z), knots, blur)
            inserted, rows = insertion_of(knots, cuts)
            knots, blur = refine_knots(knots, blur, cuts, inserted, rows)
            slots = {slot: extend(live, inserted) for slot, live in slots.items()}
            z = slots[node.inputs[0]]
            if isinstance(node, Maximum):
                states = winners_of(envelope, inserted, rows)
                slots[node.output] = run_maximum(node, z, states)
            else:
                signs = refine_signs(signs, cuts, inserted, rows)
                states = signs[:-1] + signs[1:] > 0
                slots[node.output] = run_pointwise(node, z, signs)
            stages[node.stage] = _StageStates(knots, states)
            changed, unit = np.nonzero(states[1:] != states[:-1])
            units.append((knots[changed + 1], unit, node.stage))
        for slot in node.frees:
            slots.pop(slot, None)
    values = slots[program.output].at.reshape(len(knots), -1).numpy()
    t = torch.from_numpy(knots).reshape(-1, *[1] * first.ndim)
    points = torch.lerp(first, last, t).numpy()
    decided = tuple(stage for stage in stages if stage is not None)
    return Segment(knots, _collect(knots, units), values, points, length, program, decided)


def _point(program: Program, value: Any, name: str) -> Tensor:
    point = torch.as_tensor(
        np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value, dtype=np.float64)
    )
    if tuple(point.shape) != program.input_shape:
        raise InputError(
            f"point {name} must have the input shape {program.input_shape}, got {tuple(point.shape)}"
        )
    if not torch.isfinite(point).all():
        raise InputError(
            f"point {name} holds NaN or infinite values", hint="clean the data, or choose another point"
        )
    return point


def _collect(knots: np.ndarray, units: list[tuple[np.ndarray, np.ndarray, int]]) -> Csr:
    """CSR of (stage, unit) by knot."""
    none = np.zeros(0, dtype=np.int64)
    knot = np.concatenate([none, *(np.searchsorted(knots, t) for t, _, _ in units)])
    stage = np.concatenate([none, *(np.full(len(unit), index) for _, unit, index in units)])
    unit = np.concatenate([none, *(unit for _, unit, _ in units)])
    order = np.lexsort((unit, stage, knot))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(knot, minlength=len(knots)))])
    return Csr(offsets.astype(np.int64), np.stack([stage, unit], axis=1)[order])
