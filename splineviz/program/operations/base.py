"""Input and result of an entry of the operation table: one traced call with its arguments resolved, in;
nodes, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.program import Affine, Form, Gain, Maximum, Pointwise, Stage
from splineviz.program.trace import BatchSize, Call

__all__ = [
    "BATCH",
    "OPERATIONS",
    "PRODUCT",
    "RESHAPES",
    "Active",
    "Builder",
    "Constant",
    "Entry",
    "RefusedError",
    "Rows",
    "Step",
    "operation",
]


_ONE_OPERATION = ("torch.nn.modules.", "splineviz.program.onnx.")
"""Beginnings of the names of classes that are one operation each, so that the module's path names it."""


@dataclass(frozen=True)
class Active:
    """A tensor that depends on the network's input; ``shape`` without batch."""

    slot: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Constant:
    """A value that does not depend on the input: a float64 tensor, or a Python value.

    A tensor with a batch axis (``per_batch``) has length one there.
    """

    value: Any
    per_batch: bool = False

    @property
    def of_batch(self) -> Any:
        """The value for ``BATCH`` inputs."""
        return self.value.expand(BATCH, *self.value.shape[1:]) if self.per_batch else self.value


@dataclass(frozen=True)
class Rows:
    """A constant tensor of two inputs that differs from one input to the other, such as their numbers."""

    value: Tensor

    @property
    def are_numbered(self) -> bool:
        """Whether it holds the number of each input, as ``arange(len(x))`` does."""
        return torch.equal(self.value, self.numbers(2).expand(self.value.shape))

    def numbers(self, count: int) -> Tensor:
        """The number of each of ``count`` inputs, (count, 1, ...) with as many axes."""
        return torch.arange(count).reshape(-1, *(1,) * (self.value.dim() - 1))


BATCH = 2
"""Number of inputs that stands in for any, when a constant is built for a whole batch"""
RESHAPES = tuple("view _unsafe_view reshape flatten unflatten squeeze unsqueeze view_as reshape_as".split())
PRODUCT = (
    "multiplies two activations, which is not piecewise affine; add or concatenate them, or make one a "
    "constant"
)
"""Reason why a product of activations is refused."""


class RefusedError(Exception):
    """The call cannot be part of a program; the message says why, in words that follow the operation's
    name."""


@dataclass
class Builder:
    """Collects the nodes and stages of a program in execution order."""

    nodes: list[Affine | Pointwise | Maximum] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    n_slots: int = 1
    same: dict[int, int] = field(default_factory=dict)
    """For slots whose values another one held before, that one"""
    first: dict[object, int] = field(default_factory=dict)
    """First slot for the result of each call, by what is called on what"""

    def made(self, slot: int) -> Affine | Pointwise | Maximum | None:
        """The node that makes the value of a slot; None for the input."""
        return next((node for node in reversed(self.nodes) if node.output == slot), None)

    def slot(self) -> int:
        """Number of a new slot."""
        self.n_slots += 1
        return self.n_slots - 1

    def distinct(self, name: str) -> str:
        """The name, numbered from its second use on."""
        used = sum(stage.name == name or stage.name.startswith(f"{name}#") for stage in self.stages)
        return f"{name}#{used + 1}" if used else name


@dataclass(frozen=True)
class Step:
    """One call to lower: its arguments resolved, the shape of its result, and where its nodes go."""

    call: Call
    arguments: dict[str, Any]
    shape: tuple[int, ...]
    builder: Builder
    part: tuple[Call, int] | None = None
    """Call that returns several results, and the place among them of the one to lower."""

    def __getitem__(self, name: str) -> Any:
        """An argument as a plain Python value: numbers, lists, flags."""
        value = self.arguments[name]
        value = value.value if isinstance(value, Constant) else value
        if isinstance(value, BatchSize) or (
            isinstance(value, list) and any(isinstance(v, BatchSize) for v in value)
        ):
            raise RefusedError("uses the number of inputs in the batch as a value")
        return value

    def active(self, name: str) -> Active:
        """An argument that must depend on the input."""
        value = self.arguments[name]
        if not isinstance(value, Active):
            raise RefusedError(f"is supported only with the activation as its argument '{name}'")
        return value

    def subject(self) -> tuple[Active, dict[str, Any]]:
        """The activation that the call is a function of, and all other arguments as plain values."""
        name = "self" if "self" in self.arguments else "input"
        return self.active(name), {other: self[other] for other in self.arguments if other != name}

    def tensor(self, name: str) -> Tensor | None:
        """An argument that must be constant, as a float64 tensor."""
        if isinstance(self.arguments.get(name), Active):
            raise RefusedError(PRODUCT)
        value = self[name] if name in self.arguments else None
        if value is None or isinstance(value, Tensor):
            return value
        return torch.tensor(value, dtype=torch.float64)

    def constant(self, name: str) -> Tensor | float:
        """An argument that must be constant, as a float64 tensor without needless axes or as a float."""
        value = self[name]
        if isinstance(value, Tensor):
            value = value.to(torch.float64)
            return float(value) if value.numel() == 1 else value
        return float(value)

    def operand(self, name: str) -> Active | Constant:
        """An argument that may be either; a Python number counts as a constant."""
        value = self.arguments[name]
        return value if isinstance(value, Active) else Constant(self.constant(name))

    def recognised(self, made: Active | Constant) -> Active | Constant:
        """The result, of which is noted whether an equal call made another one before."""

        def key(value: Any) -> object:
            if isinstance(value, Active):
                return self.builder.same.get(value.slot, value.slot)
            if isinstance(value, list):
                return tuple(key(item) for item in value)
            value = value.value if isinstance(value, (Constant, Rows)) else value
            return id(value) if isinstance(value, Tensor) else repr(value)

        if isinstance(made, Active):
            op, arguments = self.call.op, self.arguments
            if op in RESHAPES:  # whose result its shape tells
                op, arguments = "reshape", {"self": arguments["self"]}
            given = tuple((name, key(value)) for name, value in sorted(arguments.items()))
            called = op, self.shape, self.part and self.part[1], given
            first = self.builder.first.setdefault(called, made.slot)
            if first != made.slot:
                self.builder.same[made.slot] = first
        return made

    def affine(
        self,
        inputs: Sequence[Active],
        shape: tuple[int, ...],
        run: Callable[..., Tensor],
        gain: Gain,
        linear: Callable[..., Tensor] | None = None,
        form: Form | None = None,
        matrix: Tensor | None = None,
        by_products: Callable[..., Tensor] | None = None,
    ) -> Active:
        """Append an affine node; ``linear`` is ``run`` unless given. ``form`` is needed where numbers are
        multiplied."""
        bounds = [bound for bound in (gain.rows, gain.constants) if bound is not None]
        finite = gain.norm < float("inf") and all(bool((bound < float("inf")).all()) for bound in bounds)
        if not finite:
            where = self.call.module or self.call.name
            raise InputError(
                f"'{where}' ({self.call.op}) has coefficients that are not finite: a division by zero, or an "
                f"overflow",
                hint="the module with that division taken into its weights, or kept from zero",
            )
        c, slot = self.call, self.builder.slot()
        node = Affine(
            c.op,
            c.module,
            c.source,
            tuple(x.slot for x in inputs),
            slot,
            (),
            run,
            linear or run,
            gain,
            form,
            matrix,
            by_products,
        )
        self.builder.nodes.append(node)
        return Active(slot, shape)

    def pointwise(
        self,
        x: Active,
        kind: str,
        run: Callable[[Tensor], Tensor],
        breakpoints: Tensor,
        slopes: Tensor,
        intercepts: Tensor,
    ) -> Active:
        """Append a pointwise node and its stage."""
        c, b, name = self.call, self.builder, self._stage_name()
        slot = b.slot()
        stage = Stage(len(b.stages), name, kind, x.shape, len(breakpoints), c.source)
        table = breakpoints, slopes, intercepts
        b.nodes.append(
            Pointwise(name, c.module, c.source, (x.slot,), slot, (), stage.index, x.shape, run, *table)
        )
        b.stages.append(stage)
        return Active(slot, x.shape)

    def maximum(
        self, x: Active, run: Callable[[Tensor], Tensor], windows: np.ndarray, shape: tuple[int, ...]
    ) -> Active:
        """Append the maximum over each of the windows (W, k) of entries of ``x``, -1 for none, and its
        stage."""
        c, b, name = self.call, self.builder, self._stage_name()
        slot = b.slot()
        stage = Stage(len(b.stages), name, c.op, shape, 1, c.source, windows.shape[1])
        b.nodes.append(
            Maximum(name, c.module, c.source, (x.slot,), slot, (), stage.index, x.shape, shape, run, windows)
        )
        b.stages.append(stage)
        return Active(slot, shape)

    def negative(self, x: Active) -> Active:
        """Append the negative of ``x``."""
        ones = np.ones(math.prod(x.shape))
        form = Form(torch.mul, -torch.ones((), dtype=torch.float64))
        return self.affine(
            [x], x.shape, torch.neg, Gain("diagonal", 1.0, ones, np.zeros(len(ones)), 2, 1.0), form=form
        )

    def _stage_name(self) -> str:
        own_module = self.call.module_class.startswith(_ONE_OPERATION)
        return self.builder.distinct(
            (own_module and self.call.module) or f"{self.call.module}.{self.call.op}".lstrip(".")
        )


@dataclass(frozen=True)
class Entry:
    """One entry of the operation table."""

    lower: Callable[[Step], Active | Constant]
    makes: str
    """Kinds that its nodes may be, the likeliest first: ``layout``, ``sum``, ``diagonal``, ``dense`` or
    ``stage``; empty for none."""

    @property
    def kind(self) -> str:
        """Kind of its node as a rule."""
        return self.makes.partition(" ")[0]

    @property
    def family(self) -> str:
        """The module that holds it."""
        return self.lower.__module__.rsplit(".", 1)[-1]


OPERATIONS: dict[str, Entry] = {}
"""Name of an ATen operation -> how it becomes nodes."""

Lower = TypeVar("Lower", bound=Callable[[Step], Active | Constant])


def operation(*names: str, makes: str) -> Callable[[Lower], Lower]:
    """Register an entry of the operation table under the names of its ATen operations."""

    def register(lower: Lower) -> Lower:
        for name in names:
            OPERATIONS[name] = Entry(lower, makes)
        return lower

    return register
