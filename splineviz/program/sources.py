"""Programs from models: read, traced, lowered, and made to take other weights."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypedDict, TypeVar, Unpack

import torch
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.program.derived import Keeper
from splineviz.program.fidelity import measure, sample
from splineviz.program.first_run import Shape, checked_shape, shape_of_input, try_on
from splineviz.program.logits import CutOff, last_operation, without_last
from splineviz.program.lowering import Lowered, lower
from splineviz.program.models import Model, find_module
from splineviz.program.modes import refuse_training
from splineviz.program.one_input import Fixed, Output
from splineviz.program.origin import Origin
from splineviz.program.program import Fidelity, Program
from splineviz.program.refusal import Offender, refusal
from splineviz.program.restoring import restored
from splineviz.program.state_dicts import Wanted, Weights, weights_for
from splineviz.program.trace import Graph, trace
from splineviz.program.weights import check_values, infinities_meant, module_weights

__all__ = ["Reading", "blockers", "load_program", "network_for", "program_for", "read_network"]


Read = TypeVar("Read", Program, Origin)


class Reading(TypedDict, total=False):
    """How a model is read, as :func:`load_program` takes it."""

    input_shape: Shape | None
    weights: Weights | None
    weights_key: str | None
    logits: bool
    fix: Fixed | None
    output: Output | None


def load_program(
    model: Model,
    *,
    input_shape: Shape | None = None,
    weights: Weights | None = None,
    weights_key: str | None = None,
    logits: bool = False,
    fix: Fixed | None = None,
    output: Output | None = None,
) -> Program:
    """Read a network once, as a program of affine maps and continuous piecewise-affine functions.

    The module is traced in eval mode and left as it was. Its weights are taken as float64, and the program is
    compared with the module's own forward pass on random inputs (``program.fidelity``).

    Parameters
    ----------
    model
        An ``nn.Module``; ``"module:factory"``, importable also from the current directory, where ``factory``
        is a module or returns one; an ONNX file; an ``ExportedProgram``, or a ``.pt2`` file, written by
        ``torch.export.save``, which is trusted to run code; or ``"demo"``.
    input_shape
        Shape of one input, without batch. May be left out where the file tells it, or the first layer with
        weights is an ``nn.Linear``.
    weights
        Weights to use in place of the module's own: a state dict, or a file or folder of whatever kind that
        holds one (docs/weights.md). The weights of an ONNX file are named as its initialisers.
    weights_key
        The entry that holds the weights, where several would do: ``"ema"``, say.
    logits
        End the program before a softmax, log_softmax, sigmoid, tanh, softplus or the like, be it scaled and
        shifted, or an argmax (``max(...).indices``, ``topk(1).indices``) that is the module's last operation;
        ``program.cut_off`` then names it. The fidelity is that of the outputs after it.
    fix
        Values of all inputs but one, of a module that takes several: ``{"t": array}`` for ``forward(x, t)``.
        An array is the value beside one point, without batch, and stays the same for all; anything else, such
        as a number, is passed as it is.
    output
        The output to take, of a module that returns several: a key of a dict, the name of an attribute, or a
        place in a tuple.

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
    asked: Reading = {"input_shape": input_shape, "weights": weights, "weights_key": weights_key}
    name, module, shape = _found(model, {**asked, "fix": fix, "output": output})
    with restored(module):
        return _program(module, name, shape, logits)


def _program(module: nn.Module, name: str, shape: tuple[int, ...], logits: bool) -> Program:
    graph, lowered, cut = _lowered(module, shape, logits)
    if lowered.offenders:
        last = None if logits else last_operation(graph, module_weights(module))
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
    model: Model | Program, point_shape: tuple[int, ...] | None, **how: Unpack[Reading]
) -> Program:
    """The program of a model that will be asked about points of ``point_shape``; a program is itself.

    The model's own word on its input comes first, since images are often stored in another shape than a
    network takes; the points decide where the model does not tell, or what it tells does not work. The other
    arguments, and errors, are those of :func:`load_program`.
    """
    if isinstance(model, Program):
        if given := [name for name, value in how.items() if value is not None and value is not False]:
            raise InputError(
                f"a program is read already, so that {', '.join(given)} would have no effect",
                hint="give them to sv.load_program, or the model in place of the program",
            )
        return model
    return _read_for(lambda asked: load_program(model, **asked), point_shape, how)


def network_for(model: Model, point_shape: tuple[int, ...] | None, **how: Unpack[Reading]) -> Origin:
    """The traced network of a model that will be asked about points of ``point_shape``, as `program_for`
    finds the program."""
    return _read_for(lambda asked: read_network(model, **asked), point_shape, how)


def _read_for(read: Callable[[Reading], Read], point_shape: tuple[int, ...] | None, how: Reading) -> Read:
    try:
        return read(how)
    except InputError:
        if how.get("input_shape") is not None or not point_shape:
            raise
        for shape in _shapes_like(point_shape):
            with suppress(InputError):
                return read({**how, "input_shape": shape})
        raise  # the model's own shape is the likelier one, so that what is wrong there is told


def _shapes_like(point_shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes of the input of a network that takes such points: as they are; without a batch of one; images
    without channels with one, and those with channels last with channels first."""
    shapes = [point_shape]
    if len(point_shape) == 4 and point_shape[0] == 1:
        shapes.append(point_shape := point_shape[1:])
    if len(point_shape) == 2:
        shapes.append((1, *point_shape))
    if len(point_shape) == 3 and point_shape[2] in (1, 3, 4):
        shapes.append((point_shape[2], *point_shape[:2]))
    return shapes


def blockers(model: Model, **how: Unpack[Reading]) -> tuple[Offender, ...]:
    """The operations of a model that block exactness, without raising for them; other bad input is still an
    error. Further arguments are those of :func:`load_program`."""
    _, module, shape = _found(model, how)
    with restored(module):
        return _lowered(module, shape, how.get("logits", False))[1].offenders


def read_network(model: Model, **how: Unpack[Reading]) -> Origin:
    """Trace any network, piecewise affine or not, for the estimators; the arguments are those of
    :func:`load_program`.

    Raises
    ------
    InputError
        As :func:`load_program` does.
    NotPiecewiseAffineError
        If an ONNX file holds operators that cannot be run.
    """
    name, module, shape = _found(model, how)
    with restored(module):
        graph, own = _traced(module, shape)
    of_file: Callable[..., tuple[Offender, ...]] | None = getattr(module, "in_order", None)
    if of_file is not None and (stand_ins := of_file(())):
        raise refusal(stand_ins, None)
    return Origin.of(without_last(graph, own)[0] if how.get("logits") else graph, own, name, shape)


def _found(model: Model, how: Reading) -> tuple[str, nn.Module, tuple[int, ...]]:
    """Name and module of a model, and the shape of one input."""
    given = checked_shape(how.get("input_shape"))
    weights, key = how.get("weights"), how.get("weights_key")
    found = find_module(model, weights, key, given, how.get("fix"), how.get("output"))
    return found.name, found.module, shape_of_input(found.module, given, found.input_shape)


def _traced(module: nn.Module, shape: tuple[int, ...]) -> tuple[Graph, dict[str, Tensor]]:
    refuse_training(module)
    weights = module_weights(module)
    check_values(weights, infinities_meant(module))
    first = next((v for v in weights.values() if v.is_floating_point()), torch.zeros(()))
    example = sample(shape, 2).to(first.device, first.dtype)
    try_on(module, example)
    with restored(module):  # of tensors without values, at once
        return trace(module, example), weights


def _lowered(module: nn.Module, shape: tuple[int, ...], logits: bool) -> tuple[Graph, Lowered, CutOff | None]:
    graph, weights = _traced(module, shape)
    cut = None
    if logits:
        graph, cut = without_last(graph, weights)
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
