"""The exact cells of a straight segment of input space, by a walk of its own along the program.

It shares nothing with the planar arrangement, so that each can be checked against the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.errors import InputError
from splineviz.exact.digits import InexactError
from splineviz.few_lines import few_lines
from splineviz.geometry.csr import Csr
from splineviz.inputs import as_inputs, whole_number
from splineviz.program.models import Model
from splineviz.program.program import Affine, Maximum, Program
from splineviz.program.sources import program_for
from splineviz.segments.cuts import cuts_of, insertion_of, refine_knots, refine_signs
from splineviz.segments.exact_walk import ExactWalk, affordable, exact_walk
from splineviz.segments.knot_maxima import envelope_of, run_maximum, winners_of
from splineviz.segments.knot_values import Traced, extend, gaps, run_affine, run_pointwise, trace_input
from splineviz.showing import in_lines

if TYPE_CHECKING:
    from splineviz.measures.result import Measured

__all__ = ["Segment", "segment"]


@dataclass(frozen=True, eq=False)
class Segment:
    """The cells that a straight segment of input space meets, in order. Float64 found them; `proven` asks
    exact arithmetic.

    Attributes
    ----------
    knots
        (K + 1,) t in [0, 1], ascending, 0 and 1 included; x = a + t (b - a). Cell i lies between
        knots i and i + 1, which are equal where they are closer than float64 can tell.
    units
        CSR with a row for each knot, of (stage, unit) pairs: the units whose state changes there; none at
        both ends.
    values
        (K + 1, C) flattened output at the knots; it is affine in between.
    points
        (K + 1, *input_shape) the knots in input space.
    length
        Input distance from a to b.
    doubtful
        Number of decisions that lay within the estimated rounding of the walk, and that exact arithmetic has
        not settled: signs taken for zero, and crossings taken for one. 0 where nothing did.
    """

    knots: Float64[np.ndarray, "knot"]
    units: Csr
    values: Float64[np.ndarray, "knot output"]
    points: Float64[np.ndarray, "knot ..."]
    length: float
    doubtful: int
    program: Program = field(repr=False)
    _stages: tuple[_StageStates, ...] = field(repr=False)

    def __repr__(self) -> str:
        doubt = f", {self.doubtful:,} decisions in doubt" if self.doubtful else ""
        head = (
            f"Segment of length {self.length:.6g} through {self.program.name}: {self.n_cells:,} cells{doubt}"
        )
        changes = np.bincount(self.units.values[:, 0].astype(np.int64), minlength=len(self.program.stages))
        per_stage = (f"stage {stage}: {n:,} changes of a unit" for stage, n in enumerate(changes.tolist()))
        return in_lines([head, *few_lines([*per_stage])])

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

    def measure(self, name: str, **asked: Any) -> Measured:
        """A measure along the segment: ``segment.measure("integrals", truth=3)``, or ``"thickness"``.

        ``asked`` are the fields of :class:`splineviz.measures.measure.Request` that
        :func:`splineviz.measures.along.integrals_along` or
        :func:`splineviz.measures.path_thickness.thickness_along` reads.

        Raises
        ------
        InputError
            For another measure, which is one of planes, and for what cannot be asked.
        """
        from splineviz.measures.along import integrals_along
        from splineviz.measures.measure import Request
        from splineviz.measures.path_thickness import thickness_along

        measures = {"integrals": integrals_along, "thickness": thickness_along}
        if name not in measures:
            known = " or ".join(f'segment.measure("{one}")' for one in measures)
            raise InputError(f"no measure {name!r} of a segment", hint=known)
        return measures[name](self, Request.of(**asked))

    def pattern_bits(self, stage: int, cells: np.ndarray | None = None) -> np.ndarray:
        """(cells, units) bool: the units of one stage that are on in each cell; in all by default.

        Raises
        ------
        InputError
            For a stage of maxima, whose units have `winners`.
        """
        self._require_maximum(stage, False)
        return self._states(stage, cells).astype(bool)

    def winners(self, stage: int, cells: np.ndarray | None = None) -> np.ndarray:
        """(cells, units) int: the place of the largest candidate of each maximum of one stage, in each cell;
        in all by default.

        Raises
        ------
        InputError
            For a stage that is no maximum, whose units have `pattern_bits`.
        """
        self._require_maximum(stage, True)
        return self._states(stage, cells)

    def _require_maximum(self, stage: int, wanted: bool) -> None:
        whole_number(stage, "stage", 0, len(self.program.stages) - 1)
        if bool(self.program.stages[stage].candidates) is not wanted:
            kind, other = self.program.stages[stage].kind, "pattern_bits" if wanted else "winners"
            states = "on or off" if wanted else "not on or off"
            raise InputError(
                f"the units of stage {stage} ({kind}) are {states}", hint=f"ask for {other}(stage)"
            )

    def _states(self, stage: int, cells: np.ndarray | None = None) -> np.ndarray:
        return self._stages[stage].at(self.knots[:-1], cells)

    def pattern(self, cell: int) -> tuple[np.ndarray, ...]:
        """The activation pattern of one cell: for each stage (units,) bool, True where the unit is on; or
        (units,) winners."""
        cell = whole_number(cell, "cell", 0, self.n_cells - 1)
        return tuple(states.at(self.knots[:-1])[cell] for states in self._stages)


@dataclass(frozen=True)
class _StageStates:
    """Decisions of one stage, at the knots that there were then."""

    knots: np.ndarray | None
    """None where there is a row for each of the final cells, as knots do not tell them apart"""
    of: np.ndarray
    """(intervals, units) bool, whether a unit is on; or int, the place of a winner"""

    def at(self, knots: np.ndarray, some: np.ndarray | None = None) -> np.ndarray:
        """(cells, units) states behind each of the final knots, or ``some`` of them."""
        if self.knots is None:
            return self.of if some is None else self.of[some]
        behind = knots if some is None else knots[some]
        return np.asarray(self.of[np.searchsorted(self.knots, behind, side="right") - 1])


def segment(program: Model | Program, a: Any, b: Any) -> Segment:
    """The exact cells of the segment from ``a`` to ``b``.

    Every live tensor is carried at the knots, between which it is affine; a piecewise-affine node adds a knot
    wherever one of its units changes sign inside an interval. Signs have three values: what lies within the
    rounding of the walk is zero, and cuts that rounding cannot tell apart are one knot of several units. That
    rounding is estimated, not proven: the worst case of each node is carried through the rest of the network
    with irregular signs. Where anything lay within it, the segment is walked anew in exact arithmetic, which
    tells cells of any size apart, unless that takes more than a few seconds: then the result's ``doubtful``
    counts what did. The result's ``proven`` tells whether all of it is right.

    Parameters
    ----------
    program
        A program, or whatever :func:`splineviz.load_program` takes.
    a, b
        Two different points of its input shape: arrays, tensors or nested lists.

    Returns
    -------
    Segment

    Raises
    ------
    InputError
        If the points are equal, not finite, too far apart, or not of the input shape.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> program = sv.load_program(net)
    >>> walk = segment(program, [-1.0, 0.0], [1.0, 0.5])
    >>> walk.n_cells == len(walk.knots) - 1
    True
    """
    program = program_for(program, [np.shape(_array(a))])
    first, last = _point(program, a, "a"), _point(program, b, "b")
    length = math.hypot(*(last - first).flatten().tolist())  # no square underflows, nor overflows
    if length == 0:
        raise InputError("the two ends of the segment are equal", hint="choose two different points")
    if math.isinf(length):
        raise InputError("the segment is longer than float64 can tell", hint="choose points nearer together")
    with torch.no_grad():
        found = _walk(program, first, last, length)
        if found.doubtful and affordable(program, found.n_cells + found.doubtful):
            try:
                return _settled(found, first, last, exact_walk(program, torch.stack([first, last])))
            except InexactError:
                pass
        return found


def _settled(found: Segment, first: Tensor, last: Tensor, exact: ExactWalk) -> Segment:
    """A segment with the cells of an exact walk."""
    knots = np.array([float(t) for t in exact.knots])
    stages, knot, unit = [], [], []
    for stage, states in enumerate(exact.states):
        at, changed = np.nonzero(states[1:] != states[:-1])
        knot.append(at + 1)
        unit.append(np.stack([np.full(len(at), stage), changed], axis=1))
        stages.append(_StageStates(knots if (np.diff(knots) > 0).all() else None, states))
    none = np.zeros((0, 2), dtype=np.int64)
    return replace(
        found,
        knots=knots,
        units=_by_knot(len(knots), np.concatenate([none[:, 0], *knot]), np.concatenate([none, *unit])),
        values=exact.values,
        points=_points(first, last, knots),
        doubtful=0,
        _stages=tuple(stages),
    )


def _points(first: Tensor, last: Tensor, knots: np.ndarray) -> np.ndarray:
    t = torch.from_numpy(knots).reshape(-1, *[1] * first.ndim)
    points: np.ndarray = torch.lerp(first, last, t).numpy()
    return points


def _walk(program: Program, first: Tensor, last: Tensor, length: float) -> Segment:
    knots, blur = np.array([0.0, 1.0]), np.zeros(2)
    slots: dict[int, Traced] = {0: trace_input(torch.stack([first, last]))}
    stages: list[_StageStates | None] = [None] * len(program.stages)
    units: list[tuple[np.ndarray, np.ndarray, int]] = []
    doubtful = 0
    for node in program.nodes:
        if isinstance(node, Affine):
            slots[node.output] = run_affine(node, [slots[i] for i in node.inputs])
        else:
            z = slots[node.inputs[0]]
            if isinstance(node, Maximum):
                envelope = envelope_of(node, z, knots, blur)
                cuts = envelope.cuts
                doubtful += envelope.doubtful
            else:
                gap, bound, zero = gaps(node, z)
                signs, cuts = cuts_of(gap, bound, knots, blur)
                doubtful += int((signs == 0)[:, ~zero].sum())
            inserted, rows = insertion_of(knots, cuts)
            doubtful += len(rows) - len(inserted.interval)
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
    decided = tuple(stage for stage in stages if stage is not None)
    points = _points(first, last, knots)
    return Segment(knots, _collect(knots, units), values, points, length, doubtful, program, decided)


def _point(program: Program, value: Any, name: str) -> Tensor:
    point = torch.as_tensor(_array(value))
    try:
        point = as_inputs(point.reshape(1, *point.shape), program.input_shape)[0]
    except InputError as error:
        raise error.about(f"point {name}") from error
    if not torch.isfinite(point).all():
        raise InputError(
            f"point {name} holds NaN or infinite values", hint="clean the data, or choose another point"
        )
    return point


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value, dtype=np.float64)


def _collect(knots: np.ndarray, units: list[tuple[np.ndarray, np.ndarray, int]]) -> Csr:
    """CSR of (stage, unit) by knot."""
    none = np.zeros(0, dtype=np.int64)
    knot = np.concatenate([none, *(np.searchsorted(knots, t) for t, _, _ in units)])
    stage = np.concatenate([none, *(np.full(len(unit), index) for _, unit, index in units)])
    unit = np.concatenate([none, *(unit for _, unit, _ in units)])
    return _by_knot(len(knots), knot, np.stack([stage, unit], axis=1))


def _by_knot(n_knots: int, knot: np.ndarray, units: np.ndarray) -> Csr:
    """CSR of rows (stage, unit), each at a knot."""
    order = np.lexsort((units[:, 1], units[:, 0], knot))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(knot, minlength=n_knots))])
    return Csr(offsets.astype(np.int64), units[order])
