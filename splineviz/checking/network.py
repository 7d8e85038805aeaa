"""Forward passes, with derivatives by forward-mode automatic differentiation and a proven bound for the
rounding of each value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from splineviz.checking.coefficients import Coefficients, read_coefficients
from splineviz.checking.forward_rounding import Bounded, after_affine, after_bend
from splineviz.program.program import Affine, Maximum, Pointwise, Program

__all__ = ["EnteringValues", "Layout", "Network"]

_NUMBERS = 2**22  # numbers that a pass holds at once


@dataclass(frozen=True, eq=False)
class Layout:
    """The columns of a pattern. A pointwise unit has one; a maximum of k candidates has the bits of its
    winner, side by side."""

    nodes: tuple[Pointwise | Maximum, ...]

    @cached_property
    def bits(self) -> np.ndarray:
        """(stages,) columns of each unit of a stage."""
        return np.array(
            [(n.windows.shape[1] - 1).bit_length() or 1 if isinstance(n, Maximum) else 1 for n in self.nodes],
            dtype=int,
        )

    @cached_property
    def sizes(self) -> np.ndarray:
        """(stages,) units of each stage."""
        return np.array(
            [len(n.windows) if isinstance(n, Maximum) else n.kinks.size for n in self.nodes], dtype=int
        )

    @cached_property
    def first_unit(self) -> np.ndarray:
        """(stages + 1,) number of the first unit of a stage among all."""
        return np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)

    @cached_property
    def first_column(self) -> np.ndarray:
        """(units + 1,) first column of each unit."""
        return np.concatenate([[0], np.cumsum(np.repeat(self.bits, self.sizes))]).astype(np.int64)

    @property
    def n_units(self) -> int:
        """Number of units of all stages."""
        return int(self.first_unit[-1])

    def by_unit(self, columns: np.ndarray) -> np.ndarray:
        """(N, units) whether any column of a unit is set, from (N, columns)."""
        if columns.shape[1] == self.n_units:
            return columns
        return np.asarray(np.logical_or.reduceat(columns, self.first_column[:-1], axis=1))

    def columns_of(self, stage: int, states: np.ndarray) -> np.ndarray:
        """(N, columns) bool of the states (N, units) of one stage."""
        bits = int(self.bits[stage])
        columns: np.ndarray = states[:, :, None].astype(np.int64) >> np.arange(bits) & 1
        return np.asarray(columns.astype(bool).reshape(len(states), states.shape[1] * bits))


@dataclass(frozen=True, eq=False)
class EnteringValues:
    """Values that enter one piecewise-affine node at some points."""

    node: Pointwise | Maximum
    value: np.ndarray
    """(N, n) entries of the flattened tensor."""
    error: np.ndarray
    """(N, n) how far each value can be from the exact one."""
    slope: np.ndarray
    """(K, N, n) derivative along each of K directions."""

    @cached_property
    def _candidates(self) -> np.ndarray:
        assert isinstance(self.node, Maximum)
        return np.where(self.node.windows < 0, -np.inf, self.value[:, self.node.windows])

    @cached_property
    def states(self) -> np.ndarray:
        """(N, units) whether each unit is on, or the place of its winner, the lowest of equal ones."""
        if isinstance(self.node, Maximum):
            return np.asarray(self._candidates.argmax(2))
        return np.concatenate([self.value > kink for kink in self.node.kinks], axis=1)

    @cached_property
    def unsure(self) -> np.ndarray:
        """(N, units) whether rounding could have decided the state."""
        if isinstance(self.node, Maximum):
            error = np.where(self.node.windows < 0, 0.0, self.error[:, self.node.windows])
            mine = np.take_along_axis(error, self.states[:, :, None], 2)
            gap, slack = self._candidates.max(2, keepdims=True) - self._candidates, error + mine
            near = (gap <= slack * (1 + 1e-9)) & (slack > 0)
            np.put_along_axis(near, self.states[:, :, None], False, 2)
            return np.asarray(near.any(2))
        # The subtraction is rounded, too; where there is no error at all, a zero is a zero.
        gaps = [np.abs(self.value - kink) for kink in self.node.kinks]
        return np.concatenate([(gap <= self.error * (1 + 1e-9)) & (self.error > 0) for gap in gaps], axis=1)


class Network:
    """A program, up to one of its stages, as the checks see it: its nodes and what they do to tensors.

    Parameters
    ----------
    program
        The network.
    n_stages
        How many stages are looked at. Outputs are there only if these are all.
    """

    def __init__(self, program: Program, n_stages: int) -> None:
        self.program = program
        bends = [i for i, node in enumerate(program.nodes) if not isinstance(node, Affine)]
        self.whole = n_stages == len(bends)
        self.nodes = (
            program.nodes if self.whole else program.nodes[: bends[n_stages - 1] + 1] if n_stages else ()
        )
        self.layout = Layout(tuple(node for node in self.nodes if not isinstance(node, Affine)))
        self._coefficients: dict[int, Coefficients | None] = {}

    @cached_property
    def shapes(self) -> dict[int, tuple[int, ...]]:
        """Shape of every slot, without batch."""
        return {slot: self.program.shapes[slot] for slot in (0, *(node.output for node in self.nodes))}

    @cached_property
    def rows(self) -> int:
        """Number of points that go through the network at once."""
        sizes = (
            sum(int(np.prod(shape, dtype=np.int64)) for shape in self.shapes.values()) + self.layout.n_units
        )
        return int(max(1, min(4096, _NUMBERS // max(1, sizes))))

    def coefficients(self, node: Affine) -> Coefficients | None:
        """Read once; None for a node that is too large."""
        if node.output not in self._coefficients:
            self._coefficients[node.output] = read_coefficients(
                node, tuple(self.shapes[i] for i in node.inputs)
            )
        return self._coefficients[node.output]

    def read(
        self, x: np.ndarray, error: np.ndarray, directions: np.ndarray | None = None
    ) -> tuple[list[EnteringValues], np.ndarray | None, np.ndarray, np.ndarray | None]:
        """Values that enter each stage at points (N, D) of input space that are known up to ``error`` (N, D),
        and the output.

        With ``directions`` (N, K, D) also derivatives along them. Returns readings, the output (N, C), a
        bound for its rounding (N, C), and its derivatives (K, N, C); output and derivatives are None where
        not all stages are looked at.
        """
        n, k = len(x), 0 if directions is None else directions.shape[1]
        shape = (-1, *self.program.input_shape)
        start, readings = torch.from_numpy(x).reshape(shape), []
        with torch.no_grad(), forward_ad.dual_level():
            if directions is not None:
                tangent = torch.from_numpy(np.ascontiguousarray(np.moveaxis(directions, 1, 0))).reshape(shape)
                start = _dual(start.repeat(k, *[1] * (start.dim() - 1)), tangent)
            slots: dict[int, Tensor] = {0: start}
            bounds = {0: Bounded.of(torch.from_numpy(error))}
            for node in self.nodes:
                inputs = [slots[i] for i in node.inputs]
                primal = [_primal(value)[:n] for value in inputs]
                if not isinstance(node, Affine):
                    readings.append(
                        EnteringValues(
                            node,
                            _flat(primal[0]),
                            bounds[node.inputs[0]].entry.numpy(),
                            _slopes(inputs[0], k, n),
                        )
                    )
                slots[node.output] = node.run(*inputs)
                known = [bounds[i] for i in node.inputs]
                result = _primal(slots[node.output])[:n]
                if isinstance(node, Affine):
                    bounds[node.output] = after_affine(
                        node, self.coefficients(node) if _dense(node) else None, primal, known
                    )
                else:
                    bounds[node.output] = after_bend(node, primal[0], known[0], result)
                for slot in node.frees:
                    del slots[slot], bounds[slot]
            if not self.whole:
                return readings, None, np.zeros((n, 0)), None
            output = slots[self.program.output]
            return (
                readings,
                _flat(_primal(output)[:n]),
                bounds[self.program.output].entry.numpy(),
                _slopes(output, k, n),
            )

    def output(self, x: np.ndarray) -> np.ndarray:
        """(N, C) the program's own forward pass at points (N, D)."""
        with torch.no_grad():
            return _flat(self.program.forward(torch.from_numpy(x).reshape(-1, *self.program.input_shape)))


def _dual(value: Tensor, tangent: Tensor) -> Tensor:
    dual: Tensor = forward_ad.make_dual(value, tangent)  # type: ignore[no-untyped-call]
    return dual


def _primal(value: Tensor) -> Tensor:
    primal: Tensor = forward_ad.unpack_dual(value).primal  # type: ignore[no-untyped-call]
    return primal


def _dense(node: Affine) -> bool:
    return node.gain.kind == "dense"


def _flat(value: Tensor) -> np.ndarray:
    return value.detach().reshape(len(value), -1).numpy()


def _slopes(value: Tensor, k: int, n: int) -> np.ndarray:
    """(K, N, n); zero where the value does not depend on the input."""
    primal, tangent = forward_ad.unpack_dual(value)  # type: ignore[no-untyped-call]
    known = torch.zeros_like(primal) if tangent is None else tangent
    return known[: k * n].reshape(k, n, math.prod(primal.shape[1:])).numpy()
