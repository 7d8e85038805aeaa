"""Modules of one input and one output, made of any: other inputs are fixed, one output is chosen."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from splineviz.errors import InputError

__all__ = [
    "Arguments",
    "Fixed",
    "Output",
    "chosen",
    "held",
    "holding",
    "many_inputs",
    "outputs_of",
    "spread",
]

Fixed = Mapping[str, object]
"""Values of all inputs but one, by name: an array or a tensor is that of one input, without batch, and is
repeated for each; anything else is passed as it is."""
Output = str | int
"""The output to take: a key of a dict, an attribute, or a place in a tuple."""

Arguments = tuple[Sequence[object], Mapping[str, object]]


def _fronted(module: nn.Module, arguments: Callable[[Tensor], Arguments], output: Output | None) -> nn.Module:
    """The module with another ``forward``, of one tensor: an instance of a subclass that shares all that the
    module holds, so that its weights keep their names."""
    kind: type[Any] = type(module)
    if module._forward_hooks or module._forward_pre_hooks:
        exported = isinstance(module, torch.fx.GraphModule)
        raise InputError(
            f"{kind.__name__} has forward hooks of its own, which would see one input and one output only",
            hint="give the ExportedProgram itself" if exported else "remove them before the model is read",
        )

    if "forward" in module.__dict__:
        raise InputError(
            f"{kind.__name__} has a forward() that was set on this one module",
            hint="give a module whose class has that forward()",
        )

    class OneInput(kind):  # type: ignore[misc]
        def forward(self, x: Tensor) -> object:
            positional, named = arguments(x)
            return chosen(super().forward(*positional, **named), output)

    OneInput.__name__, OneInput.__qualname__ = kind.__name__, kind.__qualname__
    OneInput.__module__ = kind.__module__
    made: nn.Module = object.__new__(OneInput)
    made.__dict__ = dict(module.__dict__)
    return made


def holding(module: nn.Module, fix: Fixed, output: Output | None) -> nn.Module:
    """The module with some inputs of its ``forward`` fixed, and one of its outputs chosen; itself where it
    takes one tensor already.

    Raises
    ------
    InputError
        If several inputs are left, none is, or ``forward`` has no input of a name in ``fix``; if hooks of the
        module would see the one tensor in place of its arguments.
    """
    parameters = list(inspect.signature(module.forward).parameters.values())
    where = f"forward() of {type(module).__name__}"
    names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    if (unknown := [name for name in fix if name not in names]) and not takes_any:
        raise InputError(
            f"{where} has no input {', '.join(map(repr, unknown))}; it has {', '.join(names) or 'none'}"
        )
    free = _free(where, [p for p in parameters if p.name not in fix and p.kind is not p.VAR_KEYWORD])
    if not fix and output is None and free is parameters[0] and free.kind is not free.KEYWORD_ONLY:
        return module
    values = {name: held(name, value) for name, value in fix.items()}

    def arguments(x: Tensor) -> Arguments:
        named = {name: spread(value, x) for name, value in values.items()}
        if free.kind is free.VAR_POSITIONAL:
            return [x], named
        named[free.name] = x
        return [
            named.pop(p.name) for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name in named
        ], named

    return _fronted(module, arguments, output)


def _free(where: str, left: Sequence[inspect.Parameter]) -> inspect.Parameter:
    """The one input that is not fixed: that without a default, or the first."""
    needed = [p for p in left if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    if len(needed) > 1:
        raise many_inputs(where, [p.name for p in needed])
    if not left:
        raise InputError(
            f"{where} is left no input that is not fixed", hint="let it take one tensor that is not"
        )
    return (needed or left)[0]


def many_inputs(where: str, names: Iterable[str]) -> InputError:
    """The error for a network of several inputs none of which is fixed."""
    names = list(names)
    fixed, shapes = names[1:], "for each the value beside one point, without batch"
    options = " ".join(f"--fix {shlex.quote(name)}=FILE.npy" for name in fixed)
    return InputError(
        f"a network has one input, but {where} takes {len(names)}: {', '.join(map(repr, names))}",
        hint=f"hold all but one fixed, say fix={{{', '.join(f'{name!r}: array' for name in fixed)}}}, "
        f"{shapes}",
        command_hint=f"hold all but one fixed, say {options}, {shapes}",
    )


def held(name: str, value: object) -> object:
    """A value to be fixed, arrays as tensors.

    Raises
    ------
    InputError
        If an array does not hold finite numbers.
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fiub":
            raise InputError(f"the input '{name}' must be held at real numbers, got dtype {value.dtype}")
        value = torch.from_numpy(np.array(value))
    if isinstance(value, Tensor):
        value = value.detach().clone()
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise InputError(
                f"the input '{name}' cannot be held at NaN or infinite values",
                hint="a finite number or array",
            )
    return value


def spread(value: object, x: Tensor) -> object:
    """A fixed value beside the inputs ``x``: a tensor is repeated for each of them, real ones in their
    precision."""
    if not isinstance(value, Tensor):
        return value
    value = value.to(x.device, x.dtype if value.is_floating_point() else value.dtype)
    return value.expand(x.shape[0], *value.shape)


def chosen(result: object, output: Output | None) -> object:
    """One of several outputs.

    Raises
    ------
    InputError
        If there is none of that name, or it is no tensor.
    """
    if output is None:
        return result
    found = outputs_of(result)
    for name, value in found.items():
        if str(name) == str(output) and isinstance(value, Tensor):
            return value
        if str(name) == str(output):
            raise InputError(
                f"the output {output!r} of the model is no tensor, but {type(value).__name__}",
                hint="a subclass whose forward() returns the tensor in it keeps the names of the weights",
            )
    names = ", ".join(repr(name) for name in found)
    raise InputError(
        f"the model has no output {output!r}: it returns {type(result).__name__}"
        + (f" of {names}" if found else "")
    )


def outputs_of(result: object) -> dict[str | int, object]:
    """The parts of what a module returns, by the names that choose them."""
    if isinstance(result, Mapping):
        return dict(result)
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return dict(zip(result._fields, result, strict=True))
    if isinstance(result, (tuple, list)):
        return dict(enumerate(result))
    if is_dataclass(result):
        return {one.name: getattr(result, one.name) for one in fields(result)}
    if isinstance(result, Tensor) or not hasattr(result, "__dict__"):
        return {}
    return {name: value for name, value in vars(result).items() if not name.startswith("_")}
