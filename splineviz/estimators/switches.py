"""Units of any traced network: the tensors that enter its nonlinearities, and when two vertices differ in a
unit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.operations import OPERATIONS, Active, Builder, Constant, RefusedError, Step
from splineviz.program.operations.order import sums
from splineviz.program.operations.pool_windows import pool_axes, pool_positions
from splineviz.program.program import Pointwise
from splineviz.program.trace import Call, Ref
from splineviz.stage import Stage

__all__ = ["Between", "Level", "StageReader", "Winner", "switch_of"]

_SMOOTH = frozenset(
    """gelu silu mish elu celu selu softplus hardswish sigmoid log_sigmoid logsigmoid tanh atan erf softsign
    sin cos sinh sign sgn heaviside""".split()
)
_COMPARISONS = frozenset("gt ge lt le greater greater_equal less less_equal".split())
_BOUNDS = {
    **dict.fromkeys(("clamp", "clip", "clamp_min", "clamp_max"), ("min", "max")),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin", "max", "min"), ("self", "other")),
}
"""Operations with constant bounds, and the names of these; infinite ones are never crossed"""
_MAXIMA = ("max_pool", "adaptive_max_pool", "amax", "amin")
_UNCOUNTED = frozenset(
    """round floor ceil trunc fix frac fmod remainder floor_divide argmax argmin argsort sort msort topk
    median nanmedian kthvalue mode lstm gru rnn_tanh rnn_relu fractional_max_pool2d
    fractional_max_pool3d bernoulli rand_like randn_like multinomial normal one_hot""".split()
)
"""Operations that switch in ways that have no agreed count of units, or hide their units inside one
operation."""


@dataclass(frozen=True)
class StageReader:
    """One stage: where its units are read."""

    call: int
    """Index of the traced call."""
    stage: Stage
    sources: tuple[int, ...]
    """Indices of the calls whose values enter."""
    rule: Level | Between | Winner


@dataclass(frozen=True)
class Level:
    """Units that are on where an entry lies above a breakpoint."""

    breakpoints: Tensor
    """(K, *broadcastable)"""
    steepest: float = math.inf
    """The largest slope of the activation, infinite where it is not known."""


@dataclass(frozen=True)
class Between:
    """Units that compare two activations, entry by entry."""


@dataclass(frozen=True)
class Winner:
    """Units that take the largest (or, with ``sign`` -1, the smallest) of several entries.

    A unit separates two vertices if no entry wins at both, ties included: where a whole window is dead
    nothing has been decided.
    """

    sign: float
    candidates: Callable[[Tensor], list[Tensor]]
    """The entries that compete, one tensor for each place in the window."""


def switch_of(
    index: int, call: Call, arguments: dict[str, Any], shapes: dict[int, tuple[int, ...]], builder: Builder
) -> StageReader | None:
    """The stage that a call on activations makes, or ``None``.

    ``arguments`` hold ``Ref`` for activations and plain values otherwise, ``shapes`` the shapes of
    activations without batch.

    Raises
    ------
    InputError
        If the call switches in ways that cannot be counted as units.
    """
    refs = [
        (name, value.index)
        for name, value in arguments.items()
        if isinstance(value, Ref) and value.index in shapes
    ]
    if call.op in _UNCOUNTED or arguments.get("reduce") in ("amax", "amin"):
        raise InputError(
            f"'{call.op}'{f' in {call.place}' if call.place else ''} switches in ways that have no count "
            f"of units",
            hint="write it with operations that have units, such as relu, gelu, max-pool or a loop of "
            "linear layers",
        )
    if not refs:
        return None
    source = refs[0][1]
    shape = shapes[source]
    node = _lowered(call, arguments, {n: shapes[i] for n, i in refs}, builder)
    if node is not None:
        return StageReader(
            index, builder.stages[-1], (source,), Level(node.breakpoints, float(node.slopes.abs().max()))
        )
    made = shapes.get(index, shape)
    rule, width, sources = _rule(call, arguments, [i for _, i in refs], shape, made)
    if rule is None:
        return None
    entered = shape
    if isinstance(rule, Winner):
        entered = tuple(rule.candidates(torch.zeros(1, *shape))[0].shape[1:])
    own_module = call.module_class.startswith(("torch.nn.modules.", "splineviz.program.onnx."))
    stage_name = builder.distinct((own_module and call.module) or f"{call.module}.{call.op}".lstrip("."))
    builder.stages.append(Stage(len(builder.stages), stage_name, call.op, entered, width, call.source))
    return StageReader(index, builder.stages[-1], sources, rule)


def _lowered(
    call: Call, arguments: dict[str, Any], active: dict[str, tuple[int, ...]], builder: Builder
) -> Pointwise | None:
    """The pointwise node that the operation table makes of a call, if it makes one."""
    entry = OPERATIONS.get(call.op)
    if entry is None or "stage" not in entry.makes or len(active) != 1:
        return None
    if call.op.startswith(_MAXIMA) or call.op in _ORDERED:
        return None
    resolved: dict[str, Any] = {
        name: Active(0, active[name])
        if name in active
        else Constant(value)
        if isinstance(value, Tensor)
        else value
        for name, value in arguments.items()
    }
    nodes, stages = len(builder.nodes), len(builder.stages)
    try:
        entry.lower(Step(call, resolved, next(iter(active.values())), builder))
    except RefusedError:
        return None
    made = next((node for node in builder.nodes[nodes:] if isinstance(node, Pointwise)), None)
    if made is None or made.shape != next(iter(active.values())):  # of some entries only
        made = None
        del builder.stages[stages:]
    return made


def _rule(
    call: Call, arguments: dict[str, Any], sources: list[int], shape: tuple[int, ...], made: tuple[int, ...]
) -> tuple[Level | Between | Winner | None, int, tuple[int, ...]]:
    """Rule by which units switch, number of breakpoints, and the calls that enter.

    ``shape`` and ``made`` are the shapes of what enters and of the result, without batch.
    """
    op, first = call.op, sources[0]
    level = (len(shape) + 1) * (1,)
    if op in _SMOOTH:
        return Level(torch.zeros(level, dtype=torch.float64)), 1, (first,)
    if op == "hardshrink":
        width = float(arguments["lambd"])
        return Level(torch.tensor([-width, width], dtype=torch.float64).reshape(2, *level[1:])), 2, (first,)
    if op in _COMPARISONS and len(sources) == 1:
        bound = torch.as_tensor(arguments["other"], dtype=torch.float64)
        return Level(bound.expand(shape)[None] if bound.dim() else bound.reshape(level)), 1, (first,)
    given = [arguments.get(name) for name in _BOUNDS.get(op, ())]
    bounds = [bound for bound in given if isinstance(bound, (Tensor, float, int))]
    if bounds and len(sources) == 1:
        levels = torch.stack([torch.as_tensor(bound, dtype=torch.float64).expand(shape) for bound in bounds])
        return Level(levels, 1.0), len(bounds), (first,)
    two = len(sources) == 2 and sources[0] != sources[1]
    if two and op in _COMPARISONS | {"maximum", "minimum", "fmax", "fmin", "max", "min"}:
        return Between(), 1, tuple(sources)
    if op.startswith(_MAXIMA[:2]):
        return Winner(1.0, _pool(call, arguments, made)), 1, (first,)
    if op in {"amax", "amin", "max", "min"} and "dim" in arguments:
        dims = arguments["dim"]
        dims = [dims] if isinstance(dims, int) else list(dims) or list(range(1, len(shape) + 1))
        return Winner(-1.0 if "min" in op else 1.0, _along(dims, bool(arguments.get("keepdim")))), 1, (first,)
    if op in _ORDERED:
        return Winner(-1.0 if op == "cummin" else 1.0, _ORDERED[op](arguments)), 1, (first,)
    if op == "glu":
        raise InputError(
            "'glu' gates inside one operation", hint="write it as a * torch.sigmoid(b), whose gate is a unit"
        )
    return None, 0, ()


def _sums(arguments: dict[str, Any]) -> Callable[[Tensor], list[Tensor]]:
    """All sums of so many entries along an axis; where a count has fewer than another, its last one again."""
    dim, counts = arguments["dim"], list(arguments["counts"])

    def candidates(z: Tensor) -> list[Tensor]:
        matrix, lengths = sums(z.shape[dim], counts)
        parts = torch.split_with_sizes(z.movedim(dim, -1) @ matrix.to(z).T, lengths, -1)
        return [
            torch.stack([part[..., min(i, part.shape[-1] - 1)] for part in parts], dim)
            for i in range(max(lengths))
        ]

    return candidates


def _pairs(arguments: dict[str, Any]) -> Callable[[Tensor], list[Tensor]]:
    """The two entries of each pair of places along an axis."""
    dim, places = arguments["dim"], [torch.tensor(arguments[name]) for name in ("first", "second")]
    return lambda z: [z.index_select(dim, at.to(z.device)) for at in places]


def _prefixes(arguments: dict[str, Any]) -> Callable[[Tensor], list[Tensor]]:
    """The entries so far along an axis, the last of them again in place of those to come."""
    dim = arguments["dim"]

    def candidates(z: Tensor) -> list[Tensor]:
        places = torch.arange(z.shape[dim], device=z.device)
        return [z.index_select(dim, places.clamp_max(i)) for i in range(z.shape[dim])]

    return candidates


_ORDERED = {"sums_of_largest": _sums, "exchanged": _pairs, "cummax": _prefixes, "cummin": _prefixes}


def _along(dims: list[int], keep: bool) -> Callable[[Tensor], list[Tensor]]:
    """The entries along some axes."""

    def candidates(z: Tensor) -> list[Tensor]:
        axes = sorted(d % z.dim() for d in dims)
        moved = z.movedim(axes, list(range(-len(axes), 0))).flatten(-len(axes))
        return list(moved.unbind(-1))

    return candidates


def _pool(
    call: Call, arguments: dict[str, Any], outputs: tuple[int, ...]
) -> Callable[[Tensor], list[Tensor]]:
    """Entries of the windows of a max-pool with ``outputs``, the shape of its result without batch.

    Where a window reaches beyond the border, one of its own entries comes twice.
    """
    axes = pool_axes(call.op)

    def table(positions: np.ndarray) -> Tensor:
        """(outputs, places) indices along one axis."""
        inside = positions >= 0
        if call.op.startswith("adaptive"):
            own = positions.max(1, keepdims=True)
        else:
            own = positions.min(1, keepdims=True, where=inside, initial=np.iinfo(np.int64).max)
        return torch.from_numpy(np.where(inside, positions, own))

    tables: dict[tuple[Any, ...], list[list[slice | Tensor]]] = {}

    def candidates(z: Tensor) -> list[Tensor]:
        key = (*z.shape[-axes:], z.device)
        if key not in tables:
            near = pool_positions(call.op, arguments.__getitem__, z.shape[-axes:], outputs[-axes:])
            tables[key] = [[_stepwise(column, z.device) for column in table(p).unbind(1)] for p in near]
        found = []
        for place in itertools.product(*tables[key]):
            entry = z
            for axis, column in enumerate(place):
                if isinstance(column, slice):  # a view, no copy
                    entry = entry.movedim(axis - axes, 0)[column].movedim(0, axis - axes)
                else:
                    entry = entry.index_select(axis - axes, column)
            found.append(entry)
        return found

    return candidates


def _stepwise(column: Tensor, device: torch.device) -> slice | Tensor:
    """Indices as a slice where they go in equal steps."""
    steps = sorted(set(column.diff().tolist()))
    if len(steps) > 1 or (steps and steps[0] < 1):
        return column.contiguous().to(device)
    return slice(int(column[0]), int(column[-1]) + 1, steps[0] if steps else 1)
