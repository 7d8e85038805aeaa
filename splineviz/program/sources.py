"""Sources of programs: a module in memory, a factory by name, an ONNX file, an exported program, the embedded
demo."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from splineviz.errors import InputError, SplinevizError
from splineviz.program.derived import Keeper
from splineviz.program.exported import load_exported
from splineviz.program.fidelity import measure, sample
from splineviz.program.logits import CutOff, last_operation, without_last
from splineviz.program.lowering import Lowered, lower
from splineviz.program.modes import bare, condensed, evaluating, refuse_training
from splineviz.program.origin import Origin
from splineviz.program.program import Fidelity, Program
from splineviz.program.refusal import Offender, refusal
from splineviz.program.restoring import duplicate, restored
from splineviz.program.state_dicts import Wanted, Weights, weights_for
from splineviz.program.trace import Graph, trace
from splineviz.program.weight_files import SUFFIXES
from splineviz.program.weights import check_values, infinities_meant, module_weights

__all__ = ["blockers", "load_program", "program_for", "read_network"]

Shape = int | Sequence[int]


def load_program(
    model: nn.Module | str | Path,
    *,
    input_shape: Shape | None = None,
    weights: Weights | None = None,
    weights_key: str | None = None,
    logits: bool = False,
) -> Program:
    """Read a network once, as a program of affine maps and continuous piecewise-affine functions.

    The module is traced in eval mode and left as it was. Its weights are taken as float64, and the program is
    compared with the module's own forward pass on random inputs (``program.fidelity``).

    Parameters
    ----------
    model
        An ``nn.Module``; ``"module:factory"``, importable also from the current directory, where ``factory``
        is a module or returns one; an ONNX file; a ``.pt2`` file, written by ``torch.export.save``, which is
        trusted to run code; or ``"demo"``.
    input_shape
        Shape of one input, without batch. May be left out where the file tells it, or the first layer with
        weights is an ``nn.Linear``.
    weights
        Weights to use in place of the module's own: a state dict, or a file or folder of whatever kind that
        holds one (docs/weights.md). The weights of an ONNX file are named as its initialisers.
    weights_key
        The entry that holds the weights, where several would do: ``"ema"``, say.
    logits
        End the program before a softmax, log_softmax, sigmoid, log_sigmoid or argmax (``max(...).indices``,
        ``topk(1).indices``) that is the module's last operation; ``program.cut_off`` then names it. The
        fidelity is that of the outputs after it.

    Raises
    ------
    NotPiecewiseAffineError
        Listing every operation that is not continuous piecewise affine or not supported.
    InputError
        If the model is in training mode, in half precision, has NaN or infinite weights, cannot be traced,
        does not take inputs of ``input_shape``, or does not return one tensor; if a file cannot be read, or
        the package that reads it is missing.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> program = load_program(nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)))
    >>> program.n_units, program.input_shape, program.output_shape
    (8, (2,), (1,))
    """
    module, name, told = _module(model, weights, weights_key, input_shape)
    with restored(module):
        return _program(module, name, _input_shape(module, input_shape, told), logits)


def _program(module: nn.Module, name: str, shape: tuple[int, ...], logits: bool) -> Program:
    graph, lowered, cut = _lowered(module, shape, logits)
    if lowered.offenders:
        last = None if logits else last_operation(graph)
        raise refusal(lowered.offenders, None if last is None else last.op)
    original = module_weights(module)
    expected = {key: original[key] for key in module.state_dict() if key in original}
    card = _Card(name, shape, sum(p.numel() for p in module.parameters()), None if cut is None else cut.note)
    origin = Origin.of(graph, original, name, shape)
    beside = [*graph.constants, *(key for key in origin.weights if key not in expected)]
    keeper = Keeper.of(module, beside, shape)
    made = _maker(origin, Wanted.of(module), original, card, keeper, logits)
    program = made(lowered, origin, None)
    return made(
        lowered, origin, measure(program, module, graph.dynamic_batch, None if cut is None else cut.finish)
    )


def program_for(
    model: nn.Module | str | Path,
    point_shape: tuple[int, ...] | None,
    *,
    input_shape: Shape | None = None,
    weights: Weights | None = None,
    weights_key: str | None = None,
    logits: bool = False,
) -> Program:
    """Read the program of a model that will be asked about points of ``point_shape``.

    The model's own word on its input comes first, since images are often stored in another shape than a
    network takes; the points decide where the model does not tell, or what it tells does not work. The other
    arguments, and errors, are those of :func:`load_program`.
    """
    try:
        return load_program(
            model, input_shape=input_shape, weights=weights, weights_key=weights_key, logits=logits
        )
    except InputError as error:
        if input_shape is not None or point_shape is None:
            raise
        try:
            return load_program(
                model, input_shape=point_shape, weights=weights, weights_key=weights_key, logits=logits
            )
        except InputError as second:
            raise error from second  # the model's own shape is the likelier one, so tell what is wrong there


def blockers(
    model: nn.Module | str | Path,
    *,
    input_shape: Shape | None = None,
    weights: Weights | None = None,
    weights_key: str | None = None,
    logits: bool = False,
) -> tuple[Offender, ...]:
    """The operations of a model that block exactness, without raising for them; other bad input is still an
    error."""
    module, _, told = _module(model, weights, weights_key, input_shape)
    with restored(module):
        return _lowered(module, _input_shape(module, input_shape, told), logits)[1].offenders


def read_network(
    model: nn.Module | str | Path,
    *,
    input_shape: Shape | None = None,
    weights: Weights | None = None,
    weights_key: str | None = None,
    logits: bool = False,
) -> Origin:
    """Trace any network, piecewise affine or not, for the estimators; the arguments are those of
    :func:`load_program`.

    Raises
    ------
    InputError
        As :func:`load_program` does.
    NotPiecewiseAffineError
        If an ONNX file holds operators that cannot be run.
    """
    module, name, told = _module(model, weights, weights_key, input_shape)
    shape = _input_shape(module, input_shape, told)
    with restored(module):
        graph, own = _traced(module, shape)
    of_file: Callable[..., tuple[Offender, ...]] | None = getattr(module, "in_order", None)
    if of_file is not None and (stand_ins := of_file(())):
        raise refusal(stand_ins, None)
    return Origin.of(without_last(graph)[0] if logits else graph, own, name, shape)


def _traced(module: nn.Module, shape: tuple[int, ...]) -> tuple[Graph, dict[str, Tensor]]:
    refuse_training(module)
    weights = module_weights(module)
    check_values(weights, infinities_meant(module))
    first = next((v for v in weights.values() if v.is_floating_point()), torch.zeros(()))
    example = sample(shape, 2).to(first.device, first.dtype)
    _try(module, example)
    with restored(module):  # of tensors without values, at once
        return trace(module, example), weights


def _lowered(module: nn.Module, shape: tuple[int, ...], logits: bool) -> tuple[Graph, Lowered, CutOff | None]:
    graph, weights = _traced(module, shape)
    cut = None
    if logits:
        graph, cut = without_last(graph)
    lowered = lower(graph, weights)
    # operators that a file holds and torch has not are known before the trace
    of_file: Callable[..., tuple[Offender, ...]] | None = getattr(module, "in_order", None)
    return graph, lowered if of_file is None else replace(lowered, offenders=of_file(lowered.offenders)), cut


@dataclass(frozen=True)
class _Card:
    """Facts on a program that stay with other weights."""

    name: str
    input_shape: tuple[int, ...]
    n_parameters: int
    cut_off: str | None


def _maker(
    first: Origin,
    wanted: Wanted,
    original: dict[str, Tensor],
    card: _Card,
    keeper: Keeper | None,
    logits: bool,
) -> Callable[[Lowered, Origin, Fidelity | None], Program]:
    """Function that makes a program, which can take other weights, of lowered nodes."""
    fixed = {
        key: value.detach().cpu().clone() for key, value in original.items() if key not in wanted.tensors
    }

    def made(lowered: Lowered, origin: Origin, fidelity: Fidelity | None) -> Program:
        return Program(
            nodes=lowered.nodes,
            stages=lowered.stages,
            n_slots=lowered.n_slots,
            output=lowered.output,
            input_shape=card.input_shape,
            output_shape=lowered.output_shape,
            name=card.name,
            digest=lowered.digest,
            beginnings=lowered.beginnings,
            n_parameters=card.n_parameters,
            origin=origin,
            _rebind=rebind,
            fidelity=fidelity,
            cut_off=card.cut_off,
        )

    def rebind(given: Weights, key: str | None) -> Program:
        weights = weights_for(wanted, given, key)
        module = None if keeper is None else keeper.with_weights(weights)
        if module is None:
            weights |= fixed
            origin, lowered = first.with_weights(weights), lower(first.graph, weights)
        else:  # what it keeps beside its weights is in the trace
            graph, lowered, _ = _lowered(module, card.input_shape, logits)
            origin = Origin.of(graph, module_weights(module), card.name, card.input_shape)
        if lowered.offenders:
            raise refusal(lowered.offenders, None)
        return made(lowered, origin, None)

    return made


def _module(
    model: nn.Module | str | Path,
    weights: Weights | None,
    weights_key: str | None = None,
    given: Shape | None = None,
) -> tuple[nn.Module, str, tuple[int, ...] | None]:
    """The module to trace, with the weights asked for; its name; and the shape of one input, where the
    model's file tells it."""
    told: tuple[int, ...] | None = None
    if isinstance(model, nn.Module):
        module = bare(model)
        name = type(module).__name__
        if weights is not None:
            module = duplicate(module)
    elif isinstance(model, (str, Path)):
        name, suffix = str(model), Path(model).suffix.lower()
        if suffix == ".onnx":
            module, told = _onnx(name, given)
        elif suffix == ".pt2":
            module, told = load_exported(name)
        else:
            module = _named(name)
    else:
        raise InputError(
            f"a model is an nn.Module, 'module:factory', an .onnx or .pt2 file or 'demo', got "
            f"{type(model).__name__}",
            hint="for a state dict give the module as model and the dict as weights",
        )
    if weights is None and weights_key is not None:
        raise InputError(
            f"the key '{weights_key}' is for weights, and there are none", hint="give weights, too"
        )
    if weights is not None:
        module.load_state_dict(weights_for(Wanted.of(module), weights, weights_key), strict=False)
    return module, name, told


def _onnx(path: str, given: Shape | None) -> tuple[nn.Module, tuple[int, ...]]:
    try:
        from splineviz.program.onnx import read_network
    except ImportError as error:
        raise InputError(
            f"reading '{path}' needs the package onnx", hint="pip install 'splineviz[onnx]'"
        ) from error
    network = read_network(path, None if given is None else _checked(given))
    return network, network.input_shape


def _named(model: str) -> nn.Module:
    if model == "demo":
        from splineviz.demo import load_network

        return load_network()
    if Path(model).suffix in SUFFIXES or Path(model).exists():
        raise InputError(
            f"cannot load a model from '{model}': a weights file holds no architecture",
            hint="give 'module:factory' and --weights FILE",
        )
    path, separator, factory = model.partition(":")
    if not (path and separator and factory):
        raise InputError(
            f"a model is named 'module:factory', an .onnx or .pt2 file or 'demo', got '{model}'",
            hint="for example mypackage.nets:make_net",
        )
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        made: Any = importlib.import_module(path)
        for part in factory.split("."):
            made = getattr(made, part)
        made = made if isinstance(made, nn.Module) else made()
    except SplinevizError:
        raise
    except Exception as error:
        raise InputError(f"cannot load the model '{model}': {condensed(error)}") from error
    finally:
        if here in sys.path:
            sys.path.remove(here)
    if not isinstance(made, nn.Module):
        raise InputError(f"'{model}' must be or return an nn.Module, got {type(made).__name__}")
    # a model just made by its factory is nobody else's, and a fresh module is in training mode
    return made.eval()


def _input_shape(module: nn.Module, given: Shape | None, told: tuple[int, ...] | None) -> tuple[int, ...]:
    if given is not None and told is not None and _checked(given) != told:
        raise InputError(
            f"the model takes one input of shape {told}, without the batch, but input_shape is "
            f"{_checked(given)}"
        )
    if given is not None or told is not None:
        return told or _checked(given)
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
        hint="give input_shape=(1, 28, 28), say, without the batch",
    )


def _checked(given: Shape | None) -> tuple[int, ...]:
    shape = tuple(given) if isinstance(given, Iterable) else () if given is None else (given,)
    if not shape or not all(isinstance(n, (int, np.integer)) and n > 0 for n in shape):
        raise InputError(f"input_shape must be positive whole numbers, without the batch, got {given}")
    return tuple(map(int, shape))


def _try(module: nn.Module, example: Tensor) -> None:
    """Run the module once, so that what is wrong with its input or output is said in its own words."""
    shape = tuple(example.shape[1:])
    try:
        with evaluating(module), torch.no_grad():
            own = {buffer: value.clone() for buffer, value in module.named_buffers()}
            output = torch.func.functional_call(module, own, (example.clone(),))
    except Exception as error:
        raise InputError(
            f"the model does not take inputs of shape {shape} (two at a time): {condensed(error)}",
            hint="give the shape of one input as input_shape, without the batch",
        ) from error
    if not isinstance(output, Tensor):
        raise InputError(
            f"the model must return one tensor, got {type(output).__name__}",
            hint="wrap it in a module whose forward() picks one output",
        )
    if output.dim() == 0 or len(output) != len(example):
        raise InputError(
            f"the model must return one row per input: two inputs gave a tensor of shape "
            f"{tuple(output.shape)}"
        )
