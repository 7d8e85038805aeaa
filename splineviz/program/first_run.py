"""The first run of a module on inputs of a shape, so that what is wrong with it is said in its own words."""

from __future__ import annotations

import shlex
import traceback
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.inputs import one_or_several
from splineviz.program.modes import evaluating
from splineviz.program.one_input import outputs_of
from splineviz.showing import condensed
from splineviz.sizes import ensure_fits

__all__ = ["SHAPE_HINTS", "Shape", "checked_shape", "shape_of_input", "try_on"]

Shape = int | Sequence[int]

SHAPE_HINTS = {
    "hint": "give the shape of one input, without the batch: input_shape=(1, 28, 28), say",
    "command_hint": "give the shape of one input, without the batch: --input-shape 1,28,28, say",
}
_OF_SHAPES = (
    "shape",
    "size",
    "dimension",
    "channels",
    "expected input",
    "inconsistent tensor",
    "inner dim",
    "broadcast",
    "too small",
    "unpack",  # n, c, h, w = x.shape
)
_SUBCLASS = (
    "a subclass keeps the names of the weights: class One(Net): def forward(self, x): return "
    "super().forward(...)"
)
_HERE = str(Path(__file__).parent)
_TORCH = str(Path(torch.__file__).parent)


def checked_shape(given: Shape | None) -> tuple[int, ...] | None:
    """The shape of one input as a tuple of Python's integers."""
    if given is None:
        return None
    shape = one_or_several(given)
    if not shape or not all(isinstance(n, (int, np.integer)) and n > 0 for n in shape):
        raise InputError(f"input_shape must be positive whole numbers, without the batch, got {given}")
    found = tuple(map(int, shape))
    ensure_fits(found, 8, "one input", hint="input_shape of the model's input, without the batch")
    return found


def shape_of_input(
    module: nn.Module, given: tuple[int, ...] | None, told: tuple[int, ...] | None
) -> tuple[int, ...]:
    """The shape of one input: as given, as the model's file tells it, or as a first ``nn.Linear`` does."""
    if given is not None and told is not None and given != told:
        raise InputError(
            f"the model takes one input of shape {told}, without the batch, but input_shape is {given}",
            hint="leave input_shape out",
            command_hint="leave --input-shape out",
        )
    if given is not None or told is not None:
        return told or given or ()
    with_weights = (
        m
        for m in module.modules()
        if isinstance(m, nn.Linear) or any(True for _ in m.parameters(recurse=False))
    )
    first = next(with_weights, None)
    if isinstance(first, nn.Linear):
        return (int(first.in_features),)
    raise InputError(
        "the shape of one input is needed: the first layer with weights is no nn.Linear that would tell it",
        hint="sv.load_program(model, input_shape=(1, 28, 28)), say, without the batch",
        command_hint="--input-shape 1,28,28, say, without the batch",
    )


def try_on(module: nn.Module, example: Tensor) -> None:
    """Run a module on two inputs.

    Raises
    ------
    InputError
        If it fails, or does not return one tensor with a row for each input.
    """
    try:
        with evaluating(module), torch.no_grad():
            own = {buffer: value.clone() for buffer, value in module.named_buffers()}
            output = torch.func.functional_call(module, own, (example.clone(),))
    except InputError:
        raise
    except Exception as error:
        raise _failed(error, tuple(example.shape[1:])) from error
    if not isinstance(output, Tensor):
        raise _no_tensor(output)
    if output.dim() == 0 or len(output) != len(example):
        raise InputError(
            f"the model must return one row per input: two inputs gave a tensor of shape "
            f"{tuple(output.shape)}",
            hint="forward() must keep the first axis, without sums or means over it",
        )


def _failed(error: Exception, shape: tuple[int, ...]) -> InputError:
    text, place = condensed(error), _place(error)
    if isinstance(error, NotImplementedError) and 'required "forward"' in str(error):
        return InputError(
            f"the model has no forward(): {text}",
            hint="give the module that runs its layers, such as nn.Sequential",
        )
    if isinstance(error, (RuntimeError, ValueError)) and any(
        word in str(error).lower() for word in _OF_SHAPES
    ):
        return InputError(
            f"the model does not take inputs of shape {shape} (two at a time): {text}",
            details=place,
            **SHAPE_HINTS,
        )
    return InputError(
        f"the model does not run on a tensor of two inputs of shape {shape}: {text}",
        details=place,
        hint=f"forward() has to take one tensor, (n, {', '.join(map(str, shape))}); {_SUBCLASS}",
    )


def _place(error: Exception) -> list[str]:
    """The last line of the user's own code that an error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith((_HERE, _TORCH, "<"))]
    return [f"    {own[-1].filename}:{own[-1].lineno}  {own[-1].line}"] if own else []


def _no_tensor(output: object) -> InputError:
    kind = type(output).__name__
    names = [name for name, part in outputs_of(output).items() if isinstance(part, Tensor)]
    if not names:
        return InputError(f"the model must return one tensor, got {kind}", hint=_SUBCLASS)
    return InputError(
        f"the model must return one tensor, got {kind} of {', '.join(map(repr, names))}",
        hint=f"output={names[0]!r} takes that one",
        command_hint=f"--output-name {shlex.quote(str(names[0]))} takes that one",
    )
