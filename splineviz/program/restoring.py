"""A user's module while it is read: copied where it gets other weights, run as written, left as found."""

from __future__ import annotations

import copy
import functools
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import CodeType, FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.program.feed_forward import is_feed_forward
from splineviz.showing import condensed

__all__ = ["duplicate", "restored"]

_DEPTH = 6
"""How far into containers and objects is looked for what a forward pass may fill"""


@contextmanager
def restored(module: nn.Module) -> Iterator[None]:
    """Bring back the attributes of a module, and what it or its hooks put into containers.

    Forward passes fill caches, and hooks keep activations; of the trace these would be tensors without
    values. Meanwhile sparse tensors are whole ones, and what torch.compile made of parts is not compiled.
    """
    found: dict[int, tuple[Any, Any]] = {}
    for part in module.modules():
        found[id(part.__dict__)] = part.__dict__, dict(part.__dict__)
        kinds = [kind for kind in type(part).__mro__ if issubclass(kind, nn.Module)]
        for value in (*part.__dict__.values(), *(v for kind in kinds for v in vars(kind).values())):
            if not isinstance(value, FunctionType):
                _note(value, found, _DEPTH)
        for function in (
            *(kind.forward for kind in kinds),
            *part._forward_hooks.values(),
            *part._forward_pre_hooks.values(),
        ):
            _note(function, found, _DEPTH)
    try:
        for part in module.modules():
            for held in (part.__dict__, part._parameters, part._buffers):
                _make_whole(held)
        with _uncompiled(module):
            yield
    finally:
        for container, before in found.values():
            _bring_back(container, before)


def _uncompiled(module: nn.Module) -> AbstractContextManager[Any]:
    """A context in which torch.compile compiles nothing.

    It loads the compiler, which takes longer than a small slice: not where nothing can have been compiled.
    """
    if "torch._dynamo" not in sys.modules and is_feed_forward(module):
        return nullcontext()
    stance: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance


def _make_whole(held: dict[str, Any]) -> None:
    """Put whole tensors in the place of sparse ones."""
    held.update({name: _whole(value) for name, value in held.items() if _is_sparse(value)})


def _is_sparse(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout != torch.strided


def _whole(value: Tensor) -> Tensor:
    whole = value.detach().to_dense().clone()
    return nn.Parameter(whole) if isinstance(value, nn.Parameter) else whole


def _note(value: Any, found: dict[int, tuple[Any, Any]], depth: int) -> None:
    """Note the contents of the containers that a value is, holds, or can write to."""
    if depth == 0 or id(value) in found or isinstance(value, (nn.Module, Tensor, str, type)):
        return
    if isinstance(value, (dict, list, set, deque)):
        found[id(value)] = value, copy.copy(value)
        inside = list(value.values()) if isinstance(value, dict) else list(value)
    elif isinstance(value, FunctionType):
        names = _names(value.__code__)
        inside = [v for name, v in value.__globals__.items() if name in names]
        inside = [v for v in inside if isinstance(v, (dict, list, set, deque))]
        inside += [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
    elif isinstance(value, MethodType):
        inside = [value.__self__, value.__func__]
    elif isinstance(value, functools.partial):
        inside = [value.func, *value.args, *value.keywords.values()]
    elif type(value).__module__ not in ("builtins", "torch") and isinstance(
        getattr(value, "__dict__", None), dict
    ):
        found[id(value.__dict__)] = value.__dict__, dict(value.__dict__)
        inside = list(value.__dict__.values())
    else:
        return
    for item in inside:
        _note(item, found, depth - 1)


def _names(code: CodeType) -> set[str]:
    """Names that code reads, that of functions within it included."""
    return {*code.co_names}.union(*(_names(c) for c in code.co_consts if isinstance(c, CodeType)))


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 an empty cell raises
    except ValueError:
        return False
    return True


def _bring_back(container: Any, before: Any) -> None:
    """Give a container its contents of before, if these are others now."""
    now = list(container.items()) if isinstance(container, dict) else list(container)
    then = list(before.items()) if isinstance(before, dict) else list(before)
    same = len(now) == len(then) and all(_is(a, b) for a, b in zip(now, then, strict=True))
    if same:
        return
    container.clear()
    container.update(before) if isinstance(container, (dict, set)) else container.extend(before)


def _is(a: Any, b: Any) -> bool:
    pair = isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b) == 2
    return all(p is q for p, q in zip(a, b, strict=True)) if pair else a is b


def duplicate(module: nn.Module) -> nn.Module:
    """A copy of a module that is nobody else's, with sparse tensors made whole.

    What cannot be copied, such as a lock or an open file, it shares.

    Raises
    ------
    InputError
        If the module itself cannot be copied.
    """
    memo: dict[int, object] = {}
    values = [value for part in module.modules() for value in _held(part)]
    for part in module.modules():
        held = *part._parameters.values(), *part._buffers.values(), *part.__dict__.values()
        memo |= {id(value): _whole(value) for value in held if _is_sparse(value)}
    for value in values:
        if isinstance(value, Tensor) and not value.is_leaf:  # a result of some forward pass
            memo[id(value)] = value.detach().clone()
    try:
        return copy.deepcopy(module, dict(memo))
    except Exception:
        for value in values:
            try:
                copy.deepcopy(value, dict(memo))
            except Exception:
                memo[id(value)] = value
    try:
        return copy.deepcopy(module, memo)
    except Exception as error:
        raise InputError(
            f"the module cannot be copied, to have other weights: {condensed(error)}",
            hint="load the weights into the module, and read it without any",
        ) from error


def _held(part: nn.Module) -> Iterator[Any]:
    """Attributes of a module that are no modules, and what is in those that are containers."""
    own = {name: value for name, value in part.__dict__.items() if name not in _OF_TORCH}
    for value in own.values():
        inside = value.values() if isinstance(value, dict) else value
        if isinstance(value, (dict, list, tuple)):
            yield from (item for item in inside if not isinstance(item, nn.Module))
        elif not isinstance(value, nn.Module):
            yield value


_OF_TORCH = frozenset(nn.Module().__dict__)
