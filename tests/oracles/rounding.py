"""How far float64 may be from an exact slice: bounds for affine maps, vertices, areas and decisions, from the
network's own sizes.

A sum of n products errs by at most n u times the sum of their magnitudes (Higham, *Accuracy and Stability of
Numerical Algorithms*, 2002, ch. 3). Followed through the network with the exact pattern of a cell, every form
has a magnitude: what comes out where all coefficients and all inputs are taken positive. So with the number N
of operations from the input to the output:

- a coefficient of an affine map errs by N u times its magnitude;
- a unit with gradient g errs by N u M on the window, so its line is displaced by N u M / (|g| - its error) at most, and by any
  amount where float64 cannot tell the gradient from zero;
- a vertex on two lines errs by their displacements over the sine of their angle; of all lines through it, those that give most;
- an area errs by its vertices' displacements times the sides beside them.

`SLACK` covers that a vertex is interpolated from ends which err themselves, stage after stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from tests.oracles.network import Add, Concat, Linear, Maximum, Pointwise
from tests.oracles.polygon import Triple, across
from tests.oracles.rational import RIM, ExactSlice

__all__ = ["Rounding"]

_UNIT_ROUNDOFF = 2.0**-53
SLACK = 2.0
TIE = 2.0**-40


@dataclass(frozen=True)
class _Forms:
    """Coefficients of u, v and 1, and their magnitudes: (cells, entries, 3) each."""

    value: np.ndarray
    size: np.ndarray

    def minus(self, other: _Forms) -> _Forms:
        return _Forms(self.value - other.value, self.size + other.size)

    def pick(self, rows: np.ndarray, entries: np.ndarray) -> _Forms:
        return _Forms(self.value[rows, entries], self.size[rows, entries])


@dataclass(frozen=True)
class Rounding:
    exact: ExactSlice

    @cached_property
    def _corners(self) -> np.ndarray:
        return np.array([_uv(point) for point in self.exact.window.points])

    @cached_property
    def diameter(self) -> float:
        return float(np.hypot(*np.ptp(self._corners, axis=0)))

    @cached_property
    def _reach(self) -> np.ndarray:
        """(3,) the largest magnitudes of u, v and 1 on the window."""
        return np.append(np.abs(self._corners).max(axis=0), 1.0)

    @cached_property
    def _operations(self) -> float:
        terms = [
            len(step.op.weight[0]) + 1 if isinstance(step.op, Linear) else 2
            for step in self.exact.integral.network.steps
        ]
        return SLACK * _UNIT_ROUNDOFF * (3 + sum(terms))

    @cached_property
    def _slots(self) -> tuple[list[_Forms], list[_Forms]]:
        """The forms of every slot, and those that enter each stage, on all cells."""
        exact, integral = self.exact, self.exact.integral
        frame = np.array([[float(c) for c in form] for form in integral.frame])
        start = np.broadcast_to(frame, (exact.n_cells, *frame.shape))
        slots, stages = [_Forms(start, np.abs(start))], []
        for step in integral.network.steps:
            inputs = [slots[i] for i in step.inputs]
            states = None
            if isinstance(step.op, Pointwise | Maximum):
                states = np.array([cell.pattern[len(stages)] for cell in exact.cells], dtype=np.int64)
                stages.append(inputs[0])
            slots.append(_applied(step.op, inputs, states))
        return slots, stages

    @cached_property
    def affine(self) -> np.ndarray:
        """(cells, outputs, 3) how far each coefficient may be off."""
        bound: np.ndarray = self._operations * self._slots[0][-1].size
        return bound

    @cached_property
    def uv(self) -> dict[Triple, float]:
        """How far each vertex may be off, at most the window's diameter."""
        exact = self.exact
        lines: dict[Triple, dict[Triple, float]] = {point: {} for point in exact.points}
        displaced = self._displacements()
        rim = self._operations * float(self._reach.max())
        for number, ring in enumerate(exact.rings):
            for i, (neighbour, start, line) in enumerate(ring):
                if neighbour < number:
                    off = rim if neighbour == RIM else displaced[number, neighbour]
                    for point in (start, ring[(i + 1) % len(ring)][1]):
                        through = lines[point]
                        key = max(line, across(line))
                        through[key] = max(off, through.get(key, 0.0))
        return {point: min(self.diameter, rim + _vertex(through)) for point, through in lines.items()}

    def _displacements(self) -> dict[tuple[int, int], float]:
        """For each inner edge, by its cells (higher first), how far its line may be off: the most of all its
        units."""
        edges = self.exact.edges
        rows = [(e, *edge.cells, stage, unit) for e, edge in enumerate(edges) for stage, unit in edge.units]
        worst = np.zeros(len(edges))
        table = np.array(rows, dtype=np.int64).reshape(-1, 5)
        for stage in np.unique(table[:, 3]).tolist():
            edge, left, right, _, unit = table[table[:, 3] == stage].T
            here = [self._switches(stage, unit, cells, left, right) for cells in (left, right)]
            # On one side the unit may be constant: then it is drawn by the other.
            off = np.minimum(*(self._off(switch) for switch in here))
            np.maximum.at(worst, edge, off)
        return {
            (max(edge.cells), min(edge.cells)): off for edge, off in zip(edges, worst.tolist(), strict=True)
        }

    def _switches(
        self, stage: int, unit: np.ndarray, cells: np.ndarray, left: np.ndarray, right: np.ndarray
    ) -> _Forms:
        op, forms = self._ops[stage], self._slots[1][stage]
        if isinstance(op, Maximum):
            windows = np.array(op.windows)
            one, other = (
                windows[
                    unit, [self.exact.cells[c].pattern[stage][u] for c, u in zip(side, unit, strict=True)]
                ]
                for side in (left, right)
            )
            return forms.pick(cells, one).minus(forms.pick(cells, other))
        n = forms.value.shape[1]
        switch = forms.pick(cells, unit % n)
        size = switch.size.copy()
        size[:, 2] += np.abs([float(b) for b in op.breakpoints])[unit // n]
        return _Forms(switch.value, size)

    @cached_property
    def _ops(self) -> list[Pointwise | Maximum]:
        return [
            step.op for step in self.exact.integral.network.steps if isinstance(step.op, Pointwise | Maximum)
        ]

    def _off(self, switch: _Forms, error: float = 0.0) -> np.ndarray:
        """How far the zeros of forms (n, 3) may be displaced; infinite where the gradient may be rounding."""
        steepness = np.hypot(switch.value[:, 0], switch.value[:, 1])
        steepness -= self._operations * np.hypot(switch.size[:, 0], switch.size[:, 1])
        off = np.full(len(steepness), np.inf)
        steep = steepness > 0
        off[steep] = (self._operations * (switch.size[steep] @ self._reach) + error) / steepness[steep]
        return off

    @cached_property
    def areas(self) -> np.ndarray:
        """(cells,) how far each area may be off."""
        rings = self.exact.rings
        points = np.array([_uv(point) for ring in rings for _, point, _ in ring])
        off = np.array([self.uv[point] for ring in rings for _, point, _ in ring])
        start = np.cumsum([0, *(len(ring) for ring in rings)])
        after = np.arange(1, len(points) + 1)
        after[start[1:] - 1] = start[:-1]
        sides = np.hypot(*(points[after] - points).T)
        before = np.empty_like(sides)
        before[after] = sides
        moved = np.add.reduceat(off * (before + sides + 2 * off), start[:-1])
        around: np.ndarray = np.add.reduceat(sides, start[:-1])
        return np.asarray(moved + SLACK * _UNIT_ROUNDOFF * around**2)

    @cached_property
    def decisions(self) -> np.ndarray:
        """(cells,) how far the area of a class in each cell may be off: the cell's own, and the displaced
        boundary's.

        Decisions are drawn in float64: classes within `TIE` of the largest output at a vertex, seen from any
        cell there, tie.
        """
        outputs = self._slots[0][-1]
        if outputs.value.shape[1] == 1:
            zero = np.zeros_like(outputs.value)
            outputs = _Forms(
                np.concatenate([zero, outputs.value], 1), np.concatenate([zero, outputs.size], 1)
            )
        near = (self._operations + TIE) * float((outputs.size @ self._reach).max())
        total, everywhere = np.zeros(self.exact.n_cells), np.arange(self.exact.n_cells)
        for a, b in combinations(range(outputs.value.shape[1]), 2):
            gap = outputs.pick(everywhere, np.full_like(everywhere, a)).minus(
                outputs.pick(everywhere, np.full_like(everywhere, b))
            )
            far = np.abs(gap.value[:, 2]) - np.abs(gap.value[:, :2]) @ self._reach[:2] > near
            tied = np.array([cell.candidates[a] == cell.candidates[b] for cell in self.exact.cells])
            total += np.where(far | tied, 0.0, self._off(gap, near))
        return self.areas + self.diameter * np.minimum(total, self.diameter)


def _applied(op: object, inputs: list[_Forms], states: np.ndarray | None) -> _Forms:
    match op:
        case Linear():
            weight = np.array([[float(w) for w in row] for row in op.weight])
            bias = np.array([float(b) for b in op.bias])
            value, size = weight @ inputs[0].value, np.abs(weight) @ inputs[0].size
            value[:, :, 2] += bias
            size[:, :, 2] += np.abs(bias)
            return _Forms(value, size)
        case Add():
            return _Forms(sum(x.value for x in inputs), sum(x.size for x in inputs))
        case Concat():
            return _Forms(
                *(np.concatenate([getattr(x, part) for x in inputs], axis=1) for part in ("value", "size"))
            )
        case Pointwise():
            n = inputs[0].value.shape[1]
            assert states is not None
            piece = states.reshape(len(states), -1, n).sum(axis=1)
            slopes = np.array([[float(s[j % len(s)]) for j in range(n)] for s in op.slopes])
            slope, constant = (
                slopes[piece, np.arange(n)][:, :, None],
                np.array([float(c) for c in op.intercepts])[piece],
            )
            value, size = slope * inputs[0].value, np.abs(slope) * inputs[0].size
            value[:, :, 2] += constant
            size[:, :, 2] += np.abs(constant)
            return _Forms(value, size)
        case Maximum():
            assert states is not None
            entries = np.array(op.windows)[np.arange(states.shape[1]), states]
            return inputs[0].pick(np.arange(len(states))[:, None], entries)
    raise TypeError(f"the oracle does not know {type(op).__name__}")


def _uv(point: Triple) -> tuple[float, float]:
    return point[0] / point[2], point[1] / point[2]


def _vertex(lines: dict[Triple, float]) -> float:
    """How far the meeting of lines, each with its displacement, may be off."""
    smallest = 1.0
    for (a, b, _), (c, d, _) in combinations(lines, 2):
        size = max(abs(a), abs(b)) * max(abs(c), abs(d))
        smallest = min(smallest, abs(a * d - b * c) / size)
    return 2.0 * max(lines.values()) / smallest if smallest else float("inf")
