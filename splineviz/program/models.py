"""Modules from whatever names one: a module in memory, a factory by name, a file, the embedded demo."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from splineviz.errors import InputError, SplinevizError
from splineviz.own_code import current_folder_first, named_object
from splineviz.program.exported import load_exported
from splineviz.program.modes import bare, in_eval_mode
from splineviz.program.one_input import Fixed, Output, holding
from splineviz.program.restoring import duplicate
from splineviz.program.state_dicts import Wanted, Weights, weights_for
from splineviz.program.weight_files import SUFFIXES
from splineviz.showing import condensed

__all__ = ["Found", "Model", "find_module", "read_for_a_shape"]

Model = nn.Module | ExportedProgram | str | Path

_EXPECTED = "an nn.Module, 'module:factory', an .onnx or .pt2 file or 'demo'"
_CONVERTED = (".h5", ".keras", ".pb", ".tflite")


@dataclass(frozen=True)
class Found:
    """A module of one input and one output, to be traced."""

    module: nn.Module
    name: str
    input_shape: tuple[int, ...] | None
    """Shape of one input, where the model's file tells it"""
    input_dtype: str | None = None
    """Kind of whole numbers that the model's file declares for its input; None for real ones"""


def read_for_a_shape(model: object) -> bool:
    """Tell whether a model is read anew for every shape of its input: an ONNX file may have several
    readings."""
    return isinstance(model, (str, Path)) and Path(model).suffix.lower() == ".onnx"


def find_module(
    model: object,
    weights: Weights | None,
    weights_key: str | None,
    input_shape: tuple[int, ...] | None,
    fix: Fixed | None,
    output: Output | None,
) -> Found:
    """The module of a model, with the weights, the fixed inputs and the output asked for.

    Raises
    ------
    InputError
        If there is none, or it cannot be read; naming what was given in its place.
    """
    fix = fix or {}
    suffix = Path(model).suffix.lower() if isinstance(model, (str, Path)) else ""
    if read_for_a_shape(model):
        found = _onnx(str(model), input_shape, fix, output)
    elif suffix == ".pt2" or isinstance(model, ExportedProgram):
        assert isinstance(model, (str, Path, ExportedProgram))
        name = type(model).__name__ if isinstance(model, ExportedProgram) else str(model)
        module, shape, dtype = load_exported(model, fix, output)
        found = Found(module, name, shape, dtype)
    elif isinstance(model, (str, Path)):
        found = Found(holding(_named(str(model)), fix, output), str(model), None)
    elif isinstance(model, nn.Module):
        module = bare(model)
        _refuse_unreadable(module)
        name = type(module).__name__
        module = holding(module, fix, output)
        found = Found(module, name, None)
    else:
        raise _no_model(model)
    if weights is None and weights_key is not None:
        raise InputError(
            f"the key '{weights_key}' is for weights, and there are none", hint="give weights, too"
        )
    if weights is None:
        return found
    # of a file or a factory it is nobody else's
    module = found.module if isinstance(model, (str, Path)) else duplicate(found.module)
    module.load_state_dict(weights_for(Wanted.of(module), weights, weights_key), strict=False)
    return replace(found, module=module)


def _refuse_unreadable(module: nn.Module) -> None:
    """Refuse modules whose code torch does not trace, or that compute with quantised numbers."""
    for name, part in module.named_modules():
        where = f"{name} ({type(part).__name__})" if name else type(part).__name__
        if isinstance(part, torch.jit.ScriptModule):
            raise InputError(
                f"{where} is a TorchScript module, which cannot be traced",
                hint="give the nn.Module that it was made from, with weights=scripted.state_dict()",
            )
        if type(part).__module__.startswith(("torch.ao.nn.quantized", "torch.nn.quantized")):
            raise InputError(
                f"{where} is quantised: its values jump from level to level, so the network is not "
                "continuous piecewise affine",
                hint="give the module as it was before it was quantised",
            )


def _no_model(given: object) -> InputError:
    """The error for what is handed in place of a model."""
    kind, hint = type(given).__name__, None
    if isinstance(given, type) and issubclass(given, nn.Module):
        kind, hint = f"the class {given.__name__}", f"give an instance of it: {given.__name__}(...)"
    elif isinstance(given, Mapping):
        hint = "for a state dict give the module as model and the dict as weights"
    elif isinstance(given, torch.optim.Optimizer):
        hint = "an optimizer holds no architecture: give the module that it trains"
    elif kind == "ModelProto":
        hint = "give the path of the file, or write one: onnx.save(model, 'net.onnx')"
    elif kind == "Checkpoints":
        hint = "give one of its programs: runs[0]"
    elif callable(given):
        kind = f"the function {getattr(given, '__name__', kind)}"
        hint = (
            "put it into a module: class Net(nn.Module), whose forward() calls it on modules made in "
            "__init__()"
        )
    return InputError(f"a model is {_EXPECTED}, got {kind}", hint=hint)


def _onnx(path: str, given: tuple[int, ...] | None, fix: Fixed, output: Output | None) -> Found:
    try:
        from splineviz.program.onnx import read_network
    except ImportError as error:
        raise InputError(
            f"reading '{path}' needs the package onnx", hint="pip install 'splineviz[onnx]'"
        ) from error
    network = read_network(path, given, fix, output)
    return Found(network, path, network.input_shape, network.input_dtype)


def _named(model: str) -> nn.Module:
    if model == "demo":
        from splineviz.demo import load_network

        return load_network()
    suffix = Path(model).suffix
    if suffix in _CONVERTED:
        raise InputError(
            f"'{model}' is not read: a model is {_EXPECTED}", hint="convert it to ONNX, by tf2onnx"
        )
    if suffix in SUFFIXES or Path(model).exists():
        raise InputError(
            f"cannot load a model from '{model}': a weights file holds no architecture",
            hint=f"give the module as model, and weights={model!r}",
            command_hint=f"give 'module:factory' and --weights {shlex.quote(model)}",
        )
    path, separator, factory = model.partition(":")
    if not (path and separator and factory):
        raise InputError(
            f"a model is named 'module:factory', an .onnx or .pt2 file or 'demo', got '{model}'",
            hint="for example mypackage.nets:make_net",
        )
    made = _imported(model)
    if not isinstance(made, nn.Module):
        raise InputError(f"'{model}' must be or return an nn.Module, got {type(made).__name__}")
    _refuse_unreadable(made)
    # a model just made by its factory is nobody else's, and a fresh module is in training mode
    return in_eval_mode(bare(made))


def _imported(model: str) -> object:
    """The attribute of a module in the current directory or elsewhere, called unless it is a network."""
    try:
        with current_folder_first():
            made: Any = named_object(model)
            return made if isinstance(made, nn.Module) else made()
    except SplinevizError:
        raise
    except Exception as error:
        raise InputError(
            f"cannot load the model '{model}': {condensed(error)}",
            hint="import and call it in Python, to see where it fails",
        ) from error
