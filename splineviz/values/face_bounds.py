"""Bounds of a network over whole faces: values at corners, and how far it may be off what lies between them.

On a face every live tensor is affine, so at p = sum of t_v p_v, a convex combination of the corners, it is
the sum of t_v x_v. Behind units that change their state inside the face the network is something else, but
not by much:

    x(p) = sum of t_v x_v + d,  |d - middle| <= radius,

entry by entry, where x_v is the network at the corner v, all units in the state that they have there. So a
plain forward pass over shared vertices carries what the network does, and a face adds an interval of what
it does not (`FaceBounds`). Behind an affine node W the interval is W middle +- |W| radius (Gowal et al.
2018); a function that bends adds its distance from its own convex hull between the corners (the triangle of
Ehlers 2017), at units that may change their state and at no others.

Every bound holds for exact arithmetic at the exact places of corners: computed values carry proven errors
(`VertexValues.proof`, here from the exact place), and intervals are widened by their own rounding.

References: R. Ehlers, Formal verification of piece-wise linear feed-forward neural networks, ATVA 2017,
arXiv:1705.01320. S. Gowal et al., On the effectiveness of interval bound propagation, arXiv:1810.12715.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import FLOOR, SAFE, UNIT_ROUNDOFF
from splineviz.program.interpret import Interpreter, walk
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.values.bent_entries import Bends, Extremes, bends_of, extremes_of
from splineviz.values.transfer import after_affine, after_pointwise
from splineviz.values.vertex_values import VertexValues

__all__ = ["CornerValues", "Deviation", "FaceBounds", "corner_values"]


@dataclass(frozen=True)
class CornerValues:
    """The network at vertices, from some of its tensors on; proofs count from exact places."""

    entering: dict[int, VertexValues]
    """By stage: the tensor that enters it"""
    norms: dict[int, Float64[np.ndarray, "vertex"]]
    """By slot: norm of the exact tensor, at most"""
    results: dict[int, Float64[np.ndarray, "vertex window"]]
    """By stage: its maxima"""
    shapes: dict[int, tuple[int, ...]]
    """By slot: shape of the tensor"""
    bent: dict[int, tuple[Pointwise, VertexValues]]
    """By slot: what a matrix makes of a pointwise function of a tensor of the start, and that function's
    node"""
    output: VertexValues


def corner_values(
    nodes: Sequence[Affine | Pointwise | Maximum], start: Mapping[int, VertexValues], output: int
) -> CornerValues:
    """Run nodes on tensors by slot, as far as the slot ``output``."""
    entering: dict[int, VertexValues] = {}
    results: dict[int, np.ndarray] = {}

    def affine(node: Affine, values: Sequence[VertexValues]) -> VertexValues:
        return after_affine(node, values, lambda node, *x: (node.run(*x), None))

    def pointwise(node: Pointwise, value: VertexValues) -> VertexValues:
        entering[node.stage] = value
        return after_pointwise(node, value, node.run(value.values), None)

    def maximum(node: Maximum, value: VertexValues) -> VertexValues:
        entering[node.stage], copies = value, math.sqrt(node.copies)
        after = VertexValues(
            node.run(value.values), copies * value.error, proof=SAFE * copies * _proof(value)
        )
        results[node.stage] = after.flat
        return after

    slots = dict(start)
    bent: dict[int, tuple[Pointwise, VertexValues]] = {}
    first = {
        node.output: node
        for node in nodes
        if isinstance(node, Pointwise) and node.inputs[0] in start and len(node.shape) == 1
    }
    norms = {slot: _exact_norms(value) for slot, value in slots.items()}
    shapes = {slot: tuple(value.values.shape[1:]) for slot, value in slots.items()}
    for node in walk(nodes, slots, Interpreter(affine, pointwise, maximum)):
        value = slots[node.output]
        norms[node.output], shapes[node.output] = _exact_norms(value), tuple(value.values.shape[1:])
        if isinstance(node, Affine) and node.matrix is not None and node.inputs[0] in first:
            bent[node.output] = first[node.inputs[0]], value
    return CornerValues(entering, norms, results, shapes, bent, slots[output])


class Deviation(NamedTuple):
    """Interval of the difference between a tensor inside a face and the combination of its corners."""

    middle: Tensor
    """(F, *shape)"""
    radius: Tensor
    """(F, *shape), not negative"""
    bends: Bends | None = None
    """Its only entries that are not 0; None where others are not"""


@dataclass(frozen=True)
class FaceBounds:
    """Carries deviations over faces through a program, None for none, and keeps what linear bounds ask
    for."""

    corners: CornerValues
    faces: Csr
    """Vertices of each face"""
    bends: dict[int, Bends] = field(default_factory=dict)
    """By stage of a pointwise node: the entries that may bend inside faces"""
    extremes: dict[int, Extremes] = field(default_factory=dict)
    """By stage of maxima"""
    sizes: dict[int, Float64[np.ndarray, "face"]] = field(default_factory=dict)
    """By slot: norm of the tensor, at most, anywhere on a face"""

    def run(
        self, nodes: Sequence[Affine | Pointwise | Maximum], start: Mapping[int, VertexValues], output: int
    ) -> Deviation | None:
        """The deviation of the slot ``output``, from tensors that are affine on every face."""
        slots: dict[int, Deviation | None] = dict.fromkeys(start)
        for slot in start:
            self._measure(slot, None)
        interpreter = Interpreter(self._affine, self._pointwise, self._maximum)
        for node in walk(nodes, slots, interpreter):
            self._measure(node.output, slots[node.output])
        return slots[output]

    def take(self, rows: Int64[np.ndarray, "some"]) -> FaceBounds:
        """The bounds of some of the faces."""
        return FaceBounds(
            self.corners,
            self.faces.take(rows),
            {stage: bends.take(rows) for stage, bends in self.bends.items()},
            {stage: Extremes(*(x[rows] for x in found)) for stage, found in self.extremes.items()},
            {slot: size[rows] for slot, size in self.sizes.items()},
        )

    def errors(self, values: VertexValues) -> Float64[np.ndarray, "face"]:
        """(F,) error of any entry at any corner, at most."""
        return SAFE * self._largest(_proof(values))

    def _largest(self, values: np.ndarray) -> np.ndarray:
        """(F,) the largest of the values (V,) at the corners of each face."""
        result: np.ndarray = np.maximum.reduceat(values[self.faces.values], self.faces.offsets[:-1])
        return result

    def _measure(self, slot: int, deviation: Deviation | None) -> None:
        """Keep the size of a tensor."""
        size = self._largest(self.corners.norms[slot])
        if deviation is not None:
            norms = (x.flatten(1).norm(dim=1).numpy() for x in deviation[:2])
            size = size + SAFE * sum(norms)
        self.sizes[slot] = SAFE * size + FLOOR

    def _affine(self, node: Affine, values: Sequence[Deviation | None]) -> Deviation | None:
        known = next((value for value in values if value is not None), None)
        if known is None:
            return None
        terms = (node.gain.terms + len(values) + 1) * UNIT_ROUNDOFF
        g = terms / (1.0 - terms)
        if known.bends is not None and node.output in self.corners.bent:
            middle, radius = (torch.from_numpy(x) for x in known.bends.products(known, node.columns, g))
        else:
            filled = self._filled(node, values)
            middle = node.linear(*(value.middle for value in filled))
            radius = magnitudes(node, [value.radius + g * value.middle.abs() for value in filled])
        return Deviation(middle, radius.mul_(1.0 + 2.0 * g).add_(FLOOR))

    def _filled(self, node: Affine, values: Sequence[Deviation | None]) -> list[Deviation]:
        """Deviations of all inputs of a node, of zeros for those that have none."""
        found = []
        for slot, value in zip(node.inputs, values, strict=True):
            zeros = torch.zeros(len(self.faces), *self.corners.shapes[slot], dtype=torch.float64)
            found.append(Deviation(zeros, zeros) if value is None else value)
        return found

    def _pointwise(self, node: Pointwise, value: Deviation | None) -> Deviation:
        entering, shape = self.corners.entering[node.stage], (len(self.faces), *node.shape)
        deviation = None if value is None else tuple(_rows(x) for x in value[:2])
        bends, middle, radius = bends_of(node, entering.flat, self.errors(entering), self.faces, deviation)
        self.bends[node.stage] = bends
        return _shaped(middle, radius, shape, bends if value is None else None)

    def _maximum(self, node: Maximum, value: Deviation | None) -> Deviation:
        entering, results = self.corners.entering[node.stage], self.corners.results[node.stage]
        shape = (len(self.faces), *node.output_shape)
        if value is None:
            low = high = np.zeros((len(self.faces), math.prod(node.shape)))
        else:
            middle, radius = (_rows(x) for x in value[:2])
            slack = 2.0 * UNIT_ROUNDOFF * (np.abs(middle) + radius)
            low, high = middle - radius - slack, middle + radius + slack
        error = self.errors(entering)
        self.extremes[node.stage] = found = extremes_of(
            node, entering.flat, results, self.faces, error, low, high
        )
        middle, radius = 0.5 * (found.low + found.high), 0.5 * (found.high - found.low)
        radius += 4.0 * UNIT_ROUNDOFF * (np.abs(found.low) + np.abs(found.high))
        return _shaped(middle, radius, shape)


def magnitudes(node: Affine, values: Sequence[Tensor]) -> Tensor:
    """The linear part of a node with the magnitudes of its coefficients, applied to what is not negative; or
    more, where these are not known."""
    if node.form is not None:
        (x,) = values
        result = node.form.apply(x, node.form.weights.abs())
        return result if node.form.divisors is None else result / node.form.divisors.abs()
    if node.gain.rows is None:
        nothing = [torch.zeros_like(x) for x in values]
        parts = [node.linear(*nothing[:k], x, *nothing[k + 1 :]).abs() for k, x in enumerate(values)]
        return torch.stack(parts).sum(0)
    (x,) = values
    norms = SAFE * x.flatten(1).norm(dim=1)
    found: Tensor = norms[:, None] * torch.from_numpy(node.gain.rows)
    return found.reshape(len(x), *node.linear(x[:1]).shape[1:])


def _rows(x: Tensor) -> np.ndarray:
    rows: np.ndarray = np.ascontiguousarray(x.reshape(len(x), -1).numpy())
    return rows


def _shaped(
    middle: np.ndarray, radius: np.ndarray, shape: tuple[int, ...], bends: Bends | None = None
) -> Deviation:
    """A deviation of rows as one of tensors."""
    return Deviation(torch.from_numpy(middle).reshape(shape), torch.from_numpy(radius).reshape(shape), bends)


def _proof(values: VertexValues) -> Float64[np.ndarray, "vertex"]:
    assert values.proof is not None
    return values.proof


def _exact_norms(values: VertexValues) -> Float64[np.ndarray, "vertex"]:
    values.norm = values.norms()  # for the nodes that read it
    norms: np.ndarray = values.norm + _proof(values)
    return norms
