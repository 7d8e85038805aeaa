"""Programs from models: read, traced, lowered, and made to take other weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, TypeVar, Unpack

import torch
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.program.apart import MOVES
from splineviz.program.derived import Keeper
from splineviz.program.feed_forward import feed_forward_graph, is_feed_forward
from splineviz.program.fidelity import measure, sample
from splineviz.program.first_run import Shape, checked_shape, shape_of_input, try_on
from splineviz.program.logits import CutOff, last_operation, without_last
from splineviz.program.lowering import Lowered, lower
from splineviz.program.models import Found, Model, find_module, read_for_a_shape
from splineviz.program.modes import refuse_training
from splineviz.program.one_input import Fixed, Output
from splineviz.program.origin import Origin
from splineviz.program.program import Fidelity, Program
from splineviz.program.refusal import Offender, refusal
from splineviz.program.restoring import restored
from splineviz.program.state_dicts import Wanted, Weights, weights_for
from splineviz.program.trace import Graph, trace, trace_apart
from splineviz.program.weights import check_values, infinities_meant, module_weights

__all__ = ["Reading", "blockers", "load_program", "network_for", "program_for"]


Read = TypeVar("Read")


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

    The module is traced in eval mode and left as it was. One that moves the batch axis, or folds it into
    another, is read one input at a time, where trials show that outputs are the same alone and beside others.
    Its weights are taken as float64, and the program is compared with the module's own forward pass on random
    inputs (``program.fidelity``).

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
    return program_for(
        model,
        [],
        input_shape=input_shape,
        weights=weights,
        weights_key=weights_key,
        logits=logits,
        fix=fix,
        output=output,
    )


def _program(found: Found, shape: tuple[int, ...], logits: bool) -> Program:
    module, name = found.module, found.name
    graph, lowered, cut = _lowered(module, shape, logits)
    if lowered.offenders:
        last = None if logits else last_operation(graph, module_weights(module))
        raise refusal(lowered.offenders, None if last is None else last.op)
    original = module_weights(module)
    expected = {key: original[key] for key in module.state_dict() if key in original}
    n_parameters = sum(p.numel() for p in module.parameters())
    card = _Card(name, shape, found.input_dtype, n_parameters, None if cut is None else cut.note)
    origin = Origin.of(graph, original, name, shape, found.input_dtype)
    beside = [*graph.constants, *(key for key in origin.weights if key not in expected)]
    keeper = Keeper.of(module, beside, shape)
    made = _maker(origin, Wanted.of(module), original, card, keeper, logits)
    program = made(lowered, origin, None)
    return made(
        lowered, origin, measure(program, module, graph.dynamic_batch, None if cut is None else cut.finish)
    )


def program_for(
    model: Model | Program, point_shapes: Sequence[tuple[int, ...]], **how: Unpack[Reading]
) -> Program:
    """The program of a model that will be asked about points of one of these shapes, the likeliest first; a
    program is itself.

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
    return _first_that_fits(model, point_shapes, how, _program)


def network_for(model: Model, point_shapes: Sequence[tuple[int, ...]], **how: Unpack[Reading]) -> Origin:
    """The traced network of a model that will be asked about points of one of these shapes, as `program_for`
    finds the program; piecewise affine or not.

    Raises
    ------
    InputError
        As :func:`load_program` does.
    NotPiecewiseAffineError
        If an ONNX file holds operators that cannot be run.
    """
    return _first_that_fits(model, point_shapes, how, _origin)


def _first_that_fits(
    model: Model,
    point_shapes: Sequence[tuple[int, ...]],
    how: Reading,
    read: Callable[[Found, tuple[int, ...], bool], Read],
) -> Read:
    """A model as ``read`` gives it for inputs of the shape that it tells or that is asked for, or else for
    the first of some shapes that it takes."""
    asked = checked_shape(how.get("input_shape"))
    weights, key = how.get("weights"), how.get("weights_key")
    fix, output, logits = how.get("fix"), how.get("output"), how.get("logits", False)
    # read once, but where the reading itself depends on the shape
    found = None if read_for_a_shape(model) else find_module(model, weights, key, None, fix, output)
    like = [shape for points in point_shapes for shape in _shapes_like(points)]
    errors = list[InputError]()
    for given in [asked] if asked is not None else [None, *dict.fromkeys(like)]:
        try:
            here = found or find_module(model, weights, key, given, fix, output)
            with restored(here.module):
                return read(here, shape_of_input(here.module, given, here.input_shape), logits)
        except InputError as error:
            errors.append(error)
    raise errors[0]  # the model's own shape is the likeliest one, so that what is wrong there is told


def _shapes_like(point_shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes of the input of a network that takes such points: as they are; without a batch of one; images
    without channels with one, and those with channels last with channels first."""
    if not point_shape:
        return []
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
    return _first_that_fits(model, [], how, _offenders)


def _offenders(found: Found, shape: tuple[int, ...], logits: bool) -> tuple[Offender, ...]:
    return _lowered(found.module, shape, logits)[1].offenders


def _origin(found: Found, shape: tuple[int, ...], logits: bool) -> Origin:
    module = found.module
    graph, own = _traced(module, shape)
    of_file: Callable[..., tuple[Offender, ...]] | None = getattr(module, "in_order", None)
    if of_file is not None and (stand_ins := of_file(())):
        raise refusal(stand_ins, None)
    graph = without_last(graph, own)[0] if logits else graph
    return Origin.of(graph, own, found.name, shape, found.input_dtype)


def _traced(module: nn.Module, shape: tuple[int, ...]) -> tuple[Graph, dict[str, Tensor]]:
    refuse_training(module)
    weights = module_weights(module)
    check_values(weights, infinities_meant(module))
    example = _example(weights, shape)
    try_on(module, example)
    if is_feed_forward(module):
        return feed_forward_graph(module, shape), weights
    with restored(module):  # of tensors without values, at once
        return trace(module, example), weights


def _example(weights: dict[str, Tensor], shape: tuple[int, ...]) -> Tensor:
    """Two inputs, of the kind and on the device of a network's weights."""
    first = next((v for v in weights.values() if v.is_floating_point()), torch.zeros(()))
    return sample(shape, 2).to(first.device, first.dtype)


def _lowered(module: nn.Module, shape: tuple[int, ...], logits: bool) -> tuple[Graph, Lowered, CutOff | None]:
    graph, weights = _traced(module, shape)
    graph, lowered, cut = _lowered_graph(graph, weights, logits)
    if any(one.operation in MOVES for one in lowered.offenders):
        with restored(module):
            apart = trace_apart(module, _example(weights, shape))
        if apart is not None:
            graph, lowered, cut = _lowered_graph(apart, weights, logits)
    # operators that a file holds and torch has not are known before the trace
    of_file: Callable[..., tuple[Offender, ...]] | None = getattr(module, "in_order", None)
    return graph, lowered if of_file is None else replace(lowered, offenders=of_file(lowered.offenders)), cut


def _lowered_graph(
    graph: Graph, weights: dict[str, Tensor], logits: bool
) -> tuple[Graph, Lowered, CutOff | None]:
    graph, cut = without_last(graph, weights) if logits else (graph, None)
    return graph, lower(graph, weights), cut


@dataclass(frozen=True)
class _Card:
    """Facts on a program that stay with other weights."""

    name: str
    input_shape: tuple[int, ...]
    input_dtype: str | None
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
            input_dtype=card.input_dtype,
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
            about = card.name, card.input_shape, card.input_dtype
            origin = Origin.of(graph, module_weights(module), *about)
        if lowered.offenders:
            raise refusal(lowered.offenders, None)
        return made(lowered, origin, None)

    return made
