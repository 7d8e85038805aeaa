"""How well the offsets of a stage's hyperplanes fit the data, with and without batch-norm.

A unit's breakpoint b is the hyperplane {h : w h + c = b} in the space of the inputs h of its layer, and the
squared distance of an input from it is (w h + c - b)^2 / |w|^2. Over n inputs these add up to

    (sum of (z_i - mean z)^2 + n (mean z - b)^2) / |w|^2,    z_i = w h_i + c,

so that of all offsets c the best is c* = b - mean(w h): total least squares in the offset. Batch-norm
subtracts the mean of w h over a batch. With shift 0, as it is initialised, and b = 0 it therefore takes the
best offset for that batch, whatever w is (Balestriero and Baraniuk 2022, arXiv:2209.14778;
Balestriero, Humayun and Baraniuk, On the geometry of deep learning, equation 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

import splineviz
from splineviz.estimators.request import Points, checked_points, program_at
from splineviz.measures.result import Measured, Quantity
from splineviz.program.interpret import Interpreter, walk
from splineviz.program.models import Model
from splineviz.program.program import Affine, Pointwise, Program
from splineviz.program.rows import as_rows

__all__ = ["OffsetFit", "offset_fit"]

_BATCH = 256


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class OffsetFit(Measured):
    """Squared distances of the inputs of layers from hyperplanes; U hyperplanes of all stages.

    Attributes
    ----------
    stage, unit
        (U,) stage of each hyperplane and its unit; of a convolution its channel, whose inputs are patches.
    inputs
        (U,) number of inputs: data points, or patches.
    squares
        (U,) sum of the squared distances of the inputs.
    least
        (U,) the least that another offset could make of it: that of the hyperplane through their mean.
    offset
        (U,) what has to be added to what enters the unit, for that.
    without
        (U,) the sum of squares of the layer's own hyperplane w h + c = b, before batch-norm; NaN where there
        is none.
    """

    stage: Int64[np.ndarray, "hyperplane"]
    unit: Int64[np.ndarray, "hyperplane"]
    inputs: Int64[np.ndarray, "hyperplane"]
    squares: Float64[np.ndarray, "hyperplane"]
    least: Float64[np.ndarray, "hyperplane"]
    offset: Float64[np.ndarray, "hyperplane"]
    without: Float64[np.ndarray, "hyperplane"]

    @property
    def _about(self) -> str:
        return f"{self.provenance['program']['name']}, {self.provenance['points']:,} points"


def offset_fit(model: Program | Model, points: Points) -> OffsetFit:
    """Squared distances of data from the hyperplanes of every stage, and the least that offsets could make of
    them.

    Stages of maxima, and units that do not follow one layer of products (sums of a residual network), have no
    hyperplane in the inputs of one layer and are left out. Sums are rounded, without a proven bound.

    Parameters
    ----------
    model
        A program, or whatever :func:`splineviz.load_program` takes; in eval mode, so that batch-norm has the
        statistics that it has gathered.
    points
        (n, *input_shape) data points.

    Raises
    ------
    InputError
        If points do not fit the network.

    Examples
    --------
    The line x = 1/2, and points whose mean lies on x = 2, 3/2 away:

    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    >>> net[0].weight.data, net[0].bias.data = torch.tensor([[2.0, 0.0]]), torch.tensor([-1.0])
    >>> found = offset_fit(net, [[1.0, 0.0], [3.0, 5.0]])
    >>> found.squares.tolist(), found.least.tolist(), found.offset.tolist()
    ([6.5], [2.0], [-3.0])
    """
    program = program_at(model, points)
    x = checked_points(points, program.input_shape).cpu()
    layers = [layer for node in program.nodes if (layer := _layer(program, node)) is not None]
    moments = _gathered(program, layers, x)
    columns = [_columns(layer, *own) for layer, own in zip(layers, moments, strict=True)]
    names = ("stage", "unit", "inputs", "squares", "least", "offset", "without")
    empty = [np.zeros(0, dtype=np.int64)] * 3 + [np.zeros(0)] * 4
    arrays = [np.concatenate(column) for column in zip(*columns, strict=True)] or empty
    found = OffsetFit(
        measure="offset fit",
        quantities=(),
        provenance={
            "version": splineviz.__version__,
            "program": {"name": program.name, "digest": program.digest},
            "points": len(x),
        },
        **dict(zip(names, arrays, strict=True)),
    )
    return replace(found, quantities=tuple(_quantities(found)))


@dataclass(frozen=True, eq=False)
class _Layer:
    """A stage that follows one layer of products, scaled and shifted."""

    node: Pointwise
    norms: Tensor
    """(units,) norm of the gradient of what enters each unit, by the inputs of the layer"""
    before: tuple[int, Tensor] | None
    """The slot that enters batch-norm, and such norms there; None where there is none with the same units"""
    channels: int | None
    """Number of channels of a convolution"""


def _layer(program: Program, node: Any) -> _Layer | None:
    """The layer before a stage, or None where it is none of products alone."""
    if not isinstance(node, Pointwise):
        return None
    makers = {one.output: one for one in program.nodes}
    way: list[Affine] = []
    slot = node.inputs[0]
    while isinstance(maker := makers.get(slot), Affine) and len(maker.inputs) == 1:
        way.insert(0, maker)
        if maker.gain.kind == "dense":
            break
        slot = maker.inputs[0]
    if not way or way[0].gain.kind != "dense" or way[0].gain.rows is None:
        return None
    norms = torch.from_numpy(way[0].gain.rows).reshape(1, *program.shapes[way[0].output])
    before = None
    for one in way[1:]:
        if "batch_norm" in one.name:
            before = (one.inputs[0], as_rows(norms)[0]) if norms.shape[1:] == node.shape else None
        norms = _scaled(one, norms)
    channels = node.shape[0] if way[0].name.startswith("conv") and len(node.shape) > 1 else None
    return _Layer(node, as_rows(norms)[0], before, channels)


def _scaled(node: Affine, norms: Tensor) -> Tensor:
    """Norms (1, *shape) behind a node that scales entries, or moves them."""
    if node.gain.rows is None:
        return node.linear(norms)
    return norms * torch.from_numpy(node.gain.rows).reshape(norms.shape)


@dataclass(frozen=True, eq=False)
class _Moments:
    """Number, means and sums of squares about the means of columns of values."""

    count: int
    mean: Tensor
    squares: Tensor

    @classmethod
    def of(cls, values: Tensor) -> _Moments:
        """Moments of (rows, columns)."""
        mean = values.mean(0)
        return cls(len(values), mean, (values - mean).square().sum(0))

    def joined(self, other: _Moments) -> _Moments:
        """Moments of the rows of both (Chan, Golub and LeVeque 1979)."""
        count, apart = self.count + other.count, other.mean - self.mean
        mean = self.mean + apart * (other.count / count)
        spread = apart.square() * (self.count * other.count / count)
        return _Moments(count, mean, self.squares + other.squares + spread)


def _gathered(
    program: Program, layers: Sequence[_Layer], x: Tensor
) -> list[tuple[_Moments, _Moments | None]]:
    """Moments of what enters the stage of each layer, and of what enters its batch-norm."""
    wanted = [layer.node.inputs[0] for layer in layers] + [one.before[0] for one in layers if one.before]
    found: dict[int, _Moments] = {}
    plain = Interpreter[Tensor](
        lambda node, values: node.run(*values), lambda node, z: node.run(z), lambda node, z: node.run(z)
    )
    channels = {slot: one.channels for one in layers for slot in _slots(one)}
    with torch.no_grad():
        for part in torch.split(x, _BATCH):
            slots = {0: part}
            for node in walk(program.nodes, slots, plain):
                if node.output in wanted:
                    own = _Moments.of(_by_hyperplane(slots[node.output], channels[node.output]))
                    known = found.get(node.output)
                    found[node.output] = own if known is None else known.joined(own)
    return [
        (found[layer.node.inputs[0]], None if layer.before is None else found[layer.before[0]])
        for layer in layers
    ]


def _slots(layer: _Layer) -> list[int]:
    return [layer.node.inputs[0]] + ([] if layer.before is None else [layer.before[0]])


def _by_hyperplane(values: Tensor, channels: int | None) -> Tensor:
    """Values (n, *shape) as rows of one input each; of a convolution (patches, channels)."""
    if channels is None:
        return as_rows(values)
    return values.reshape(len(values), channels, -1).transpose(1, 2).reshape(-1, channels)


def _columns(layer: _Layer, own: _Moments, before: _Moments | None) -> tuple[np.ndarray, ...]:
    """Rows of the result that are about one layer, a hyperplane for each breakpoint and unit."""
    kinks, norms = torch.from_numpy(layer.node.kinks), layer.norms
    before_norms = None if layer.before is None else layer.before[1]
    if layer.channels is not None:
        kinks = kinks.reshape(len(kinks), layer.channels, -1)[:, :, 0]
        # patches at the border lack some of the entries that the others have
        norms = norms.reshape(layer.channels, -1).amax(1)
        before_norms = None if before_norms is None else before_norms.reshape(layer.channels, -1).amax(1)
    gap = own.mean - kinks
    least = (own.squares / norms.square()).expand(gap.shape)
    squares = least + own.count * gap.square() / norms.square()
    without = torch.full_like(squares, torch.nan)
    if before is not None and before_norms is not None:
        away = before.mean - kinks
        without = (before.squares + before.count * away.square()) / before_norms.square()
    unit = np.arange(gap.numel())
    stage, count = np.full(len(unit), layer.node.stage), np.full(len(unit), own.count)
    return (stage, unit, count, *(value.flatten().numpy() for value in (squares, least, -gap, without)))


def _quantities(found: OffsetFit) -> list[Quantity]:
    """Rows of the table: of each stage, root mean squares over its hyperplanes that are there at all."""
    rows = []
    for stage in np.unique(found.stage).tolist():
        own = (found.stage == stage) & np.isfinite(found.squares)
        total, of = found.inputs[own].sum(), f"stage {stage}"
        for name, sums in (
            ("", found.squares),
            (", least", found.least),
            (", without batch-norm", found.without),
        ):
            if np.isfinite(sums[own]).all() and own.any():
                distance = float(np.sqrt(sums[own].sum() / total))
                rows.append(Quantity(f"root mean square distance{name}", distance, of))
        excess = found.squares[own].sum() / found.least[own].sum() if found.least[own].any() else np.inf
        rows.append(Quantity("squares over the least", float(excess), of))
    return rows
