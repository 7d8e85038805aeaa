"""Convolutional networks on flat pictures: a constant background ties by construction, in every pool over it
and between every two of its places.

Pictures differ in a few pixels, as digits do, or lie in a plane that leaves the background at one point: all
ties of pools over it are then lines through that point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from splineviz.plane import Plane, Window
from tests.fuzz.numbers import FORMATS, Numbers
from tests.oracles.harness import Case
from tests.oracles.maps import Shape, average_pool2d, conv2d, conv_transpose2d, max_pool2d
from tests.oracles.network import Add, Linear, Maximum, Network, Step, prelu, relu

__all__ = ["IMAGES"]


@dataclass
class _Net:
    """A network under construction, step by step, with the shape of the map that the last step makes."""

    numbers: Numbers
    shape: Shape
    steps: list[Step] = field(default_factory=list)

    def then(self, op: Any, shape: Shape | None = None, inputs: tuple[int, ...] | None = None) -> None:
        self.steps.append(Step(op, (len(self.steps),) if inputs is None else inputs))
        self.shape = shape or self.shape

    def conv(self, filters: int, *, repeated: bool = False) -> None:
        """3 x 3 with padding 1. Where filters are repeated the last is the first once more."""
        kernel = self.numbers.weights(filters, self.shape[0], 3, 3, fan_in=9 * self.shape[0])
        bias = self.numbers.biases(filters)
        if repeated:
            kernel[-1], bias[-1] = kernel[0], bias[0]
        self.then(conv2d(kernel, bias, self.shape, padding=1), (filters, *self.shape[1:]))

    def norm(self) -> None:
        self.then(self.numbers.channels_normed(self.shape))

    def relu(self) -> None:
        self.then(relu())

    def prelu(self) -> None:
        """A slope for each channel, some tiny and some negative."""
        slopes = self.numbers.rng.choice([0.25, -0.25, 1.5, 2.0**-14, 2.0**-17, 0.0], self.shape[0])
        area = self.shape[1] * self.shape[2]
        self.then(prelu(np.repeat(slopes, area).tolist()))

    def pool(self, make: Callable[..., Linear | Maximum], how: dict[str, Any]) -> None:
        op = make(self.shape, **how)
        entries = len(op.windows) if isinstance(op, Maximum) else len(op.weight)
        side = int(np.sqrt(entries // self.shape[0]))
        self.then(op, (self.shape[0], side, side))

    def residual(self) -> None:
        """Two convolutions with batch-norm, what came in added, and a relu."""
        before = len(self.steps)
        for last in (False, True):
            self.conv(self.shape[0])
            self.norm()
            if not last:
                self.relu()
        self.then(Add(), inputs=(before, len(self.steps)))
        self.relu()

    def head(self, outputs: int = 2) -> Network:
        self.then(self.numbers.dense(int(np.prod(self.shape)), outputs), (outputs, 1, 1))
        return Network(len(self.steps[0].op.weight[0]), tuple(self.steps))  # type: ignore[union-attr]


_MAX = st.sampled_from(
    [
        {"size": 2, "stride": 2, "ceil": True},
        {"size": 3, "stride": 2, "padding": 1},
        {"size": 2, "stride": 1, "padding": 1},
        {"size": 3, "stride": 2, "ceil": True},
        {"size": 4, "stride": 4},
    ]
)
_AVERAGE = st.sampled_from(
    [
        {"size": 2, "stride": 2, "ceil": True},
        {"size": 3, "stride": 2, "padding": 1},
        {"size": 3, "stride": 2, "padding": 1, "count_pad": False},
        {"size": 3, "stride": 2, "padding": 1, "ceil": True},
    ]
)


def _max_pool(net: _Net, draw: st.DrawFn) -> None:
    net.conv(2)
    net.relu()
    net.pool(max_pool2d, draw(_MAX))


def _average_pool(net: _Net, draw: st.DrawFn) -> None:
    net.conv(2)
    net.relu()
    net.pool(average_pool2d, draw(_AVERAGE))
    net.conv(2)
    net.relu()


def _batch_norm(net: _Net, draw: st.DrawFn) -> None:
    net.conv(2)
    net.norm()
    net.relu()
    net.pool(max_pool2d, draw(_MAX))
    net.conv(1)
    net.norm()
    net.relu()


def _residual(net: _Net, draw: st.DrawFn) -> None:
    net.conv(2)
    net.norm()
    net.relu()
    net.pool(max_pool2d, {"size": 2, "stride": 2, "ceil": True})
    net.residual()
    net.pool(
        *draw(
            st.sampled_from(
                [(max_pool2d, {"size": 2, "stride": 1}), (average_pool2d, {"size": 2, "stride": 1})]
            )
        )
    )


def _repeated(net: _Net, draw: st.DrawFn) -> None:
    net.conv(3, repeated=True)
    net.relu()
    net.pool(max_pool2d, draw(_MAX))
    net.conv(2, repeated=True)
    net.relu()


def _prelu_pool(net: _Net, draw: st.DrawFn) -> None:
    net.conv(2)
    net.prelu()
    net.pool(max_pool2d, draw(_MAX))
    if draw(st.booleans()):
        net.conv(1)
        net.prelu()


def _plane(rng: np.random.Generator, kind: str, side: int) -> tuple[Plane, list[Window]]:
    """A plane in flat pictures, flattened, and windows on it."""
    flat = np.full(side * side, rng.choice([0.0, 1.0, -0.5, 0.25]))
    if kind == "at the background":
        # No pixel stays: what ties over the background ties in the one point of the plane where that is.
        plane = Plane.at(flat, rng.integers(-1, 2, (2, side * side)) + np.eye(2, side * side) / 2)
        return plane, [Window.box(-1, 1, -1, 1), Window.diamond(0.5), Window.box(0, 1, 0, 1)]
    pictures = np.repeat(flat[None], 3, axis=0)
    for picture, places in zip(pictures, rng.permutation(side * side)[:6].reshape(3, 2), strict=True):
        picture[places] += rng.choice([1.0, 0.5, -1.0], 2)
    if kind == "three pictures":
        plane = Plane.through(*pictures)
        return plane, [Window.around(plane), Window.polygon(plane.anchors)]
    plane = Plane.at(pictures[0], pictures[1:] - flat)
    return plane, [Window.box(-1, 1, -1, 1), Window.diamond(2.0)]


@st.composite
def _cases(draw: st.DrawFn, *, build: Callable[[_Net, st.DrawFn], None], form: str) -> Case:
    side = draw(st.sampled_from([4, 5]))
    kind = draw(st.sampled_from(["three pictures", "few pixels", "at the background"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    net = _Net(Numbers(form, rng), (1, side, side))
    build(net, draw)
    plane, windows = _plane(rng, kind, side)
    return Case(net.head(), (draw(st.sampled_from(windows)),), plane)


_STRUCTURES: dict[str, Callable[[_Net, st.DrawFn], None]] = {
    "max-pool": _max_pool,
    "average pool": _average_pool,
    "batch-norm, pool": _batch_norm,
    "residual block": _residual,
    "repeated filters": _repeated,
    "PReLU, pool": _prelu_pool,
}


@st.composite
def _generators(draw: st.DrawFn, *, form: str) -> Case:
    """A picture from a vector: a dense layer, and transposed convolutions with batch-norm, as generators have
    them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    net = _Net(Numbers(form, rng), (2, 2, 2))
    latent = draw(st.sampled_from([2, 4]))
    net.then(net.numbers.dense(latent, 8))
    net.norm()
    net.relu()
    for channels in (2, 1):
        size, stride, padding = draw(st.sampled_from([(2, 2, 0), (3, 2, 1), (3, 1, 1)]))
        kernel = net.numbers.weights(net.shape[0], channels, size, size, fan_in=4 * net.shape[0])
        op = conv_transpose2d(kernel, net.numbers.biases(channels), net.shape, stride, padding)
        height, width = ((n - 1) * stride - 2 * padding + size for n in net.shape[1:])
        net.then(op, (channels, height, width))
        net.norm()
        net.relu()
    plane = None if latent == 2 else Plane.at(np.zeros(4), rng.integers(-2, 3, (2, 4)) + np.eye(2, 4) / 2)
    return Case(net.head(), (draw(st.sampled_from([Window.box(-1, 1, -1, 1), Window.diamond(3.0)])),), plane)


IMAGES: dict[str, st.SearchStrategy[Case]] = {
    f"flat pictures, {name}, {form}": _cases(build=build, form=form)
    for name, build in _STRUCTURES.items()
    for form in FORMATS
} | {f"transposed convolutions, batch-norm, {form}": _generators(form=form) for form in FORMATS}
