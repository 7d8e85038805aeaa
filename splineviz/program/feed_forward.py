"""Graphs of plain stacks of linear layers, written down as torch.export would: loading the exporter takes
longer than a small slice."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks_of_all

from splineviz.program.trace import Call, Graph, Ref

__all__ = ["feed_forward_graph", "is_feed_forward"]

_NAME = re.compile("[a-z0-9]+")
"""Names of layers that the exporter keeps as they are"""
_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_buffers",
    "_modules",
)
_HOOKS_OF_ALL = (
    "_global_forward_hooks",
    "_global_forward_pre_hooks",
    "_global_backward_hooks",
    "_global_backward_pre_hooks",
)


def is_feed_forward(module: nn.Module) -> bool:
    """Whether a module is an `nn.Sequential` of `nn.Linear`, `nn.ReLU` that writes nothing in place, and
    `nn.Flatten` of all axes, each there once, and with nothing else attached to any of them."""
    layers = list(_layers(module, ""))
    weights = [weight for _, layer in layers for weight in layer._parameters.values() if weight is not None]
    return (
        type(module) is nn.Sequential
        and bool(layers)
        and all(_is_plain(layer) for _, layer in layers)
        and all(_NAME.fullmatch(part) for name, _ in layers for part in name.split("."))
        and len({id(layer) for _, layer in layers}) == len(layers)
        and len({id(weight) for weight in weights}) == len(weights)
        and len({_placeholder(name) for name, _ in layers}) == len(layers)
        and not any(getattr(hooks_of_all, name) for name in _HOOKS_OF_ALL)
    )


def feed_forward_graph(module: nn.Module, shape: tuple[int, ...]) -> Graph:
    """The graph of a module for which `is_feed_forward` holds, for inputs of a shape that it takes."""
    layers = list(_layers(module, ""))
    calls: list[Call] = []
    place: dict[str, Ref] = {}
    for path, layer in layers:
        for key, weight in layer._parameters.items():
            if weight is not None:
                name = f"{path}.{key}"
                place[name] = Ref(len(calls))
                calls.append(
                    Call("weight", _placeholder(name), {}, tuple(weight.shape), (), False, name=name)
                )
    calls.append(Call("input", "input", {}, shape, (), True, name="input"))
    made: dict[str, int] = {}
    for path, layer in layers:
        kind = type(layer)
        op, target, after = _OPERATIONS[kind]
        arguments: dict[str, object] = {
            argument.name: argument.default_value
            for argument in target._schema.arguments
            if argument.has_default_value()
        }
        arguments[target._schema.arguments[0].name] = Ref(len(calls) - 1)
        if kind is nn.Linear:
            arguments |= {key: place.get(f"{path}.{key}") for key in ("weight", "bias")}
        if kind is nn.Flatten:
            arguments["start_dim"] = 1
        shape, count = after(layer, shape), made.get(op, 0)
        made[op] = count + 1
        calls.append(
            Call(
                op,
                target,
                arguments,
                shape,
                (),
                True,
                name=f"{op}_{count}" if count else op,
                module=path,
                module_class=f"{kind.__module__}.{kind.__qualname__}",
            )
        )
    return Graph(tuple(calls), len(calls) - 1, dict[str, Tensor](), True)


def _layers(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    """Path and layer of all that a stack, with stacks in it, runs in turn."""
    if type(module) is not nn.Sequential or not _is_bare(module, but="_modules"):
        yield path, module
        return
    for name, part in module._modules.items():
        if part is not None:
            yield from _layers(part, f"{path}.{name}" if path else name)


def _is_plain(layer: nn.Module) -> bool:
    kind = type(layer)
    if kind is nn.Linear:
        held = layer._parameters
        return (
            _is_bare(layer, but="_parameters")
            and held.keys() == {"weight", "bias"}
            and type(held["weight"]) is nn.Parameter
            and type(held["bias"]) in (nn.Parameter, type(None))
        )
    if not _is_bare(layer, but="") or layer._parameters:
        return False
    if isinstance(layer, nn.Flatten):
        return kind is nn.Flatten and (layer.start_dim, layer.end_dim) == (1, -1)
    return kind is nn.ReLU and not layer.inplace


def _is_bare(module: nn.Module, but: str) -> bool:
    """Whether a module runs the code of its class, and has neither hooks nor buffers nor parts, one kind of
    which is let pass."""
    return "forward" not in module.__dict__ and not any(
        getattr(module, name) for name in _HOOKS if name != but
    )


def _placeholder(name: str) -> str:
    return f"p_{name.replace('.', '_')}"


def _as_before(layer: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape


def _of_outputs(layer: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    return *shape[:-1], len(layer._parameters["weight"])  # type: ignore[arg-type] # it has one


def _flat(layer: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    return (math.prod(shape),)


_OPERATIONS: dict[type, tuple[str, torch._ops.OpOverload, Callable[..., tuple[int, ...]]]] = {
    nn.Linear: ("linear", torch.ops.aten.linear.default, _of_outputs),
    nn.ReLU: ("relu", torch.ops.aten.relu.default, _as_before),
    nn.Flatten: ("flatten", torch.ops.aten.flatten.using_ints, _flat),
}
