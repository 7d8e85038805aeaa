"""A network in exact arithmetic: under one pattern every value is an affine form in u, v, 1, of fractions
with one denominator."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from splineviz.checking.network import Layout, Network
from splineviz.checking.polygon_checks import integers
from splineviz.plane import Plane
from splineviz.program.program import Affine, Maximum, Pointwise

__all__ = ["ExactNetwork", "Forms", "NotExactError", "StateConditions", "states_at", "states_of"]

_QUOTIENTS = ("mean", "nanmean", "avg_pool", "div", "true_divide", "addcdiv", "hardsigmoid")
"""Operations that divide: what comes out of them in float64 is a rounded quotient, and 1 / k is meant."""

_INTERPOLATIONS = "upsample"


class NotExactError(Exception):
    """The network has coefficients that cannot be had exactly; the message says which."""


@dataclass(frozen=True, eq=False)
class Forms:
    """Affine forms in (u, v, 1): numerators (n, 3), Python integers, over one positive denominator."""

    numerators: np.ndarray
    denominator: int


@dataclass(frozen=True, eq=False)
class StateConditions:
    """Forms (n, 3) that are positive, or at least zero, where a stage is in the states that it was given."""

    forms: np.ndarray
    may_vanish: np.ndarray
    """(n,) whether a form may be zero everywhere: a unit that is zero on a cell is off, a tie belongs to the
    lower place."""


@dataclass(frozen=True, eq=False)
class _Whole:
    """An affine node: (data at row, column; constant) over one denominator."""

    data: np.ndarray
    row: np.ndarray
    column: np.ndarray
    constant: np.ndarray
    denominator: int


States = Callable[[int, Forms], np.ndarray]
"""Function of a stage and what enters it that gives the states of its units."""


class ExactNetwork:
    """The nodes of a network with whole numbers for coefficients; read at once, so that it is known whether
    they can be had."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._whole = {node.output: self._read(node) for node in network.nodes if isinstance(node, Affine)}
        self._before: dict[int, dict[int, Forms]] = {}

    def _read(self, node: Affine) -> list[_Whole]:
        coefficients = self.network.coefficients(node)
        if coefficients is None:
            raise NotExactError(
                f"{node.module or node.name} ({node.name}) has too many coefficients for exact arithmetic"
            )
        result = []
        for k, matrix in enumerate(coefficients.matrices):
            entries = matrix.tocoo()
            order = np.lexsort((entries.col, entries.row))
            constant = coefficients.constant if k == 0 else np.zeros_like(coefficients.constant)
            data, denominator = _exact(node, np.concatenate([entries.data[order], constant]))
            n = matrix.nnz
            result.append(_Whole(data[:n], entries.row[order], entries.col[order], data[n:], denominator))
        return result

    def walk(self, plane: Plane, states: States) -> tuple[list[StateConditions], Forms | None]:
        """The switches of all stages under the states that are asked for one stage at a time, and the
        output."""
        slots = dict(self._before_stages(plane))
        switches: list[StateConditions] = []
        for node in self.network.nodes:
            if node.output in slots:
                continue
            if isinstance(node, Affine):
                slots[node.output] = self._affine(node, [slots[i] for i in node.inputs])
                continue
            stage, value = len(switches), slots[node.inputs[0]]
            here = states(stage, value)
            if isinstance(node, Maximum):
                winner = node.windows[np.arange(len(node.windows)), here]
                switches.append(_races(node, here, winner, value))
                slots[node.output] = Forms(value.numerators[winner], value.denominator)
            else:
                switches.append(_sides(node, here, value))
                slots[node.output] = _bend(node, here, value)
        return switches, slots[self.network.program.output] if self.network.whole else None

    def _before_stages(self, plane: Plane) -> dict[int, Forms]:
        """Slots that no state has a say in, once for each plane."""
        if id(plane) not in self._before:
            frame, k = integers(np.column_stack([*plane.basis, plane.origin]))
            slots = {0: Forms(frame, 2**k)}
            for node in self.network.nodes:
                if isinstance(node, Affine) and all(i in slots for i in node.inputs):
                    slots[node.output] = self._affine(node, [slots[i] for i in node.inputs])
            self._before = {id(plane): slots}
        return self._before[id(plane)]

    def _affine(self, node: Affine, inputs: list[Forms]) -> Forms:
        total = None
        for whole, value in zip(self._whole[node.output], inputs, strict=True):
            numerators = np.zeros((len(whole.constant), 3), dtype=object)
            numerators[:, 2] = whole.constant * value.denominator
            kept = np.flatnonzero((value.numerators != 0).any(1)[whole.column])
            if len(kept):
                row = whole.row[kept]
                first = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1]]))
                terms = whole.data[kept, None] * value.numerators[whole.column[kept]]
                numerators[row[first]] += np.add.reduceat(terms, first, axis=0)
            part = Forms(numerators, whole.denominator * value.denominator)
            total = part if total is None else _sum(total, part)
        assert total is not None
        return total


def states_of(layout: Layout, bits: np.ndarray) -> States:
    """The states that a row of columns says."""

    def states(stage: int, value: Forms) -> np.ndarray:
        first, last = (layout.first_column[layout.first_unit[stage + k]] for k in (0, 1))
        columns = bits[first:last].reshape(-1, layout.bits[stage])
        if isinstance(layout.nodes[stage], Pointwise):
            return columns[:, 0]
        winner: np.ndarray = (columns << np.arange(layout.bits[stage])).sum(1)
        return winner

    return states


def states_at(layout: Layout, point: np.ndarray) -> States:
    """The states at a point of the plane, (2,) float64, exactly."""
    numbers, k = integers(point)
    here = np.array([*numbers, 2**k], dtype=object)

    def states(stage: int, value: Forms) -> np.ndarray:
        node, at = layout.nodes[stage], value.numerators @ here
        if isinstance(node, Maximum):
            places = [[at[entry] if entry >= 0 else None for entry in row] for row in node.windows.tolist()]
            return np.array(
                [max((v, -p) for p, v in enumerate(row) if v is not None)[1] * -1 for row in places]
            )
        kinks, j = integers(node.kinks)
        return np.concatenate([at * 2**j > kink * (value.denominator << k) for kink in kinks]).astype(bool)

    return states


def _exact(node: Affine, values: np.ndarray) -> tuple[np.ndarray, int]:
    """Whole numbers over one denominator, as the operation means them."""
    name = node.name.removeprefix("adaptive_").removeprefix("_")
    if name.startswith(_INTERPOLATIONS) and (values * 2.0**20 % 1).any():
        raise NotExactError(
            f"{node.module or node.name} ({node.name}) interpolates with fractions that float64 rounds"
        )
    if name.startswith(_QUOTIENTS):
        # A quotient by a power of two is no rounding; any other has to be one by a whole number.
        rounded = (np.frexp(values)[0] != 0.5) & (np.frexp(values)[0] != -0.5) & (values % 1 != 0)
        inverse = np.rint(np.divide(1.0, values, out=np.ones_like(values), where=rounded))
        whole = (inverse != 0) & (np.abs(inverse) < 2**31)
        if not whole.all() or (np.where(rounded, 1.0 / inverse, values) != values).any():
            raise NotExactError(
                f"{node.module or node.name} ({node.name}) divides by numbers that are not whole"
            )
        common = math.lcm(*(abs(int(d)) for d in np.unique(inverse)))
        plain, k = integers(np.where(rounded, 0.0, values))
        shares = np.array(
            [common // int(d) if r else 0 for d, r in zip(inverse, rounded, strict=True)], dtype=object
        )
        return plain * common + shares * 2**k, common * 2**k
    numbers, k = integers(values)
    return numbers, 2**k


def _sum(a: Forms, b: Forms) -> Forms:
    common = math.lcm(a.denominator, b.denominator)
    return Forms(a.numerators * (common // a.denominator) + b.numerators * (common // b.denominator), common)


def _bend(node: Pointwise, states: np.ndarray, value: Forms) -> Forms:
    piece = states.reshape(len(node.kinks), -1).astype(np.int64).sum(0)
    n = len(piece)
    tables = [
        t.detach().expand(-1, *node.shape).reshape(len(node.kinks) + 1, n).numpy()
        for t in (node.slopes, node.intercepts)
    ]
    numbers, k = integers(np.stack(tables))  # one denominator, whatever the states are
    slope, intercept = numbers[:, piece, np.arange(n)]
    numerators = value.numerators * slope[:, None]
    numerators[:, 2] += intercept * value.denominator
    return Forms(numerators, value.denominator * 2**k)


def _sides(node: Pointwise, states: np.ndarray, value: Forms) -> StateConditions:
    kinks, k = integers(node.kinks)
    forms = []
    for kink, on in zip(kinks, states.reshape(kinks.shape), strict=True):
        above = value.numerators * 2**k
        above[:, 2] -= kink * value.denominator
        forms.append(np.where(on[:, None], above, -above))
    return StateConditions(np.concatenate(forms), ~states.astype(bool))


def _races(node: Maximum, states: np.ndarray, winner: np.ndarray, value: Forms) -> StateConditions:
    unit, place = np.nonzero((node.windows >= 0) & (np.arange(node.windows.shape[1]) != states[:, None]))
    forms = value.numerators[winner[unit]] - value.numerators[node.windows[unit, place]]
    return StateConditions(forms, states[unit] < place)
