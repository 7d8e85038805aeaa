"""Checked graphs from files: which opset, which input, which output, and only the nodes that lead to it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper
from onnx.inliner import inline_local_functions

from splineviz.errors import InputError
from splineviz.program.one_input import Fixed, Output, many_inputs
from splineviz.program.one_input import held as fixed
from splineviz.program.onnx.batch_axis import Lengths, Reading, readings
from splineviz.program.onnx.probabilities import as_one_squashing
from splineviz.program.onnx.validity import WRITE_AGAIN, check_names, check_size, subgraphs
from splineviz.readable import check_readable
from splineviz.showing import condensed

__all__ = ["FLOATS", "WHOLE_NUMBERS", "Source", "read"]

FLOATS = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16})
WHOLE_NUMBERS = frozenset(
    getattr(TensorProto, f"{sign}INT{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)
)
_FLAGS = frozenset({TensorProto.BOOL})
_OLDEST = 7


@dataclass(frozen=True)
class Source:
    """Content of a file on the way from its input to one output."""

    model: ModelProto
    opset: int
    input: str
    kind: int
    """Type of the input's numbers, of `TensorProto`"""
    readings: list[Reading]
    """Shapes that one input may have, the likelier first"""
    output: str
    output_shape: Lengths | None
    """As declared, None for what is left open"""
    initialisers: dict[str, np.ndarray]
    held: dict[str, np.ndarray]
    """Inputs that are fixed, each with a batch of one where it has a batch axis"""

    @property
    def input_dtype(self) -> str | None:
        """Kind of whole numbers that the input holds, by NumPy's name; None for real ones."""
        if self.kind not in WHOLE_NUMBERS:
            return None
        return str(onnx.helper.tensor_dtype_to_np_dtype(self.kind))


def read(path: Path, given: tuple[int, ...] | None, fix: Fixed, output: Output | None) -> Source:
    """Read a file, and decide on its input and output.

    Raises
    ------
    InputError
        If the file is missing, broken, of an opset that is too old or too new, has not one input of numbers
        that is not fixed or not one output of real numbers, unless one is named, or leaves the shape of
        its input open.
    """
    model = _model(path)
    opset = _opset(model, path)
    graph = model.graph
    if graph.sparse_initializer:
        raise InputError(
            f"'{path}' holds sparse weights, which are not read",
            hint="write them dense, from the framework that made the file",
        )
    check_names(graph, path)
    held = _held(graph, fix, path)
    made_by = {name: node for node in graph.node for name in node.output}
    last = _output(graph, output, made_by, path)
    del graph.output[:]
    graph.output.append(last)
    as_one_squashing(graph)
    _keep_what_leads_to(graph, last.name)
    initialisers = {tensor.name: _array(tensor, path) for tensor in graph.initializer}
    entries = [one for one in graph.input if one.name not in initialisers]
    entry = _only([one for one in entries if one.name not in held], path)
    held = {one.name: held[one.name] for one in entries if one.name in held}
    kind = _kind(entry, path, FLOATS | WHOLE_NUMBERS)
    where = f"the input '{entry.name}' of '{path}'"
    declared, made = _lengths(entry, where), _lengths(last, f"the output '{last.name}' of '{path}'")
    shapes = readings(declared, (made or [None])[0], given, where)
    return Source(model, opset, entry.name, kind, shapes, last.name, made, initialisers, held)


def _model(path: Path) -> ModelProto:
    check_readable(path)
    try:
        model = onnx.load(path)
        check_size(model, path)
        model = inline_local_functions(model, convert_version=True) if model.functions else model
    except InputError:
        raise
    except (
        Exception
    ) as error:  # protobuf's and the operating system's own; and a missing file of external weights
        raise InputError(
            f"'{path}' cannot be read as an ONNX file: {condensed(error)}",
            hint="is it complete, and do files with its weights, if there are any, lie beside it?",
        ) from error
    if not model.graph.node or not model.graph.output:
        raise InputError(
            f"'{path}' cannot be read as an ONNX file: it holds no network",
            hint=WRITE_AGAIN,
        )
    return model


def _opset(model: ModelProto, path: Path) -> int:
    newest = onnx.defs.onnx_opset_version()
    # without a word on it a file is of the first opset; one of another domain alone has no nodes of any
    unnamed = newest if model.opset_import else 1
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), unnamed)
    if opset > newest:
        raise InputError(
            f"'{path}' is of opset {opset}, but the installed onnx {onnx.__version__} ends with {newest}",
            hint="pip install --upgrade onnx",
        )
    if opset < _OLDEST:
        raise InputError(
            f"'{path}' is of opset {opset}; the oldest that is read is {_OLDEST}",
            hint="convert it: onnx.version_converter.convert_version(onnx.load(file), 13)",
        )
    return opset


def _array(tensor: TensorProto, path: Path) -> np.ndarray:
    try:
        if any(n < 0 for n in tensor.dims):
            raise ValueError(f"it has axes of lengths {list(tensor.dims)}")
        return numpy_helper.to_array(tensor)
    except Exception as error:
        raise InputError(
            f"the tensor '{tensor.name}' of '{path}' cannot be read: {condensed(error)}", hint=WRITE_AGAIN
        ) from error


def _held(graph: GraphProto, fix: Fixed, path: Path) -> dict[str, np.ndarray]:
    """Values of the inputs that are fixed."""
    stored = {tensor.name for tensor in graph.initializer}
    declared = {one.name: one for one in graph.input if one.name not in stored}
    if unknown := [name for name in fix if name not in declared]:
        raise InputError(
            f"'{path}' has no input {', '.join(map(repr, unknown))}; it has {', '.join(declared) or 'none'}"
        )
    held = {}
    for name, given in fix.items():
        one = declared[name]
        kind = onnx.helper.tensor_dtype_to_np_dtype(_kind(one, path, FLOATS | WHOLE_NUMBERS | _FLAGS))
        value, lengths = np.asarray(fixed(name, given)).astype(kind), _lengths(one, f"the input '{name}'")
        has_batch = lengths is not None and len(lengths) == value.ndim + 1
        held[name] = value[None] if has_batch else value
    return held


def _kind(entry: ValueInfoProto, path: Path, known: frozenset[int]) -> int:
    """Type of the numbers of an input."""
    kind = entry.type.tensor_type.elem_type
    if kind not in known:
        raise InputError(
            f"the input '{entry.name}' of '{path}' must hold numbers, but is of type "
            f"{TensorProto.DataType.Name(kind).lower()}"
        )
    return kind


def _only(left: Sequence[ValueInfoProto], path: Path) -> ValueInfoProto:
    """The one input that is not fixed."""
    if len(left) > 1:
        raise many_inputs(f"'{path}'", [one.name for one in left])
    if not left:
        raise InputError(f"'{path}' has no input that is not fixed", hint="leave one of them free")
    return left[0]


def _output(
    graph: GraphProto, wanted: Output | None, made_by: dict[str, NodeProto], path: Path
) -> ValueInfoProto:
    """The tensor to end with: the one of that name, be it inside the graph, or of that place among the
    outputs; or the only output of real numbers."""
    known = {value.name: value for value in (*graph.value_info, *graph.output)}
    named = list(graph.output)
    if wanted in made_by:
        named = [known.get(str(wanted), ValueInfoProto(name=str(wanted)))]
    elif wanted is not None:
        named = [value for place, value in enumerate(graph.output) if str(place) == str(wanted)]
    if not named:
        names = ", ".join(f"'{value.name}'" for value in graph.output)
        raise InputError(f"'{path}' makes no tensor '{wanted}'", hint=f"its outputs are {names}")
    values = [_numbers_of(value, made_by) for value in named]
    real = [value for value in values if _may_be_real(value)]
    chosen = real if len(values) > 1 else values
    if len(chosen) != 1:
        names = ", ".join(f"'{value.name}'" for value in chosen or values)
        raise InputError(
            f"a network has one output, but '{path}' has {len(chosen or values)}: {names}",
            hint=f"output={(chosen or values)[0].name!r} takes that one",
            command_hint=f"--output-name {shlex.quote((chosen or values)[0].name)} takes that one",
        )
    if chosen[0].name not in made_by:
        raise InputError(
            f"the ONNX file is broken: nothing makes the output '{chosen[0].name}' of '{path}'",
            hint=WRITE_AGAIN,
        )
    return chosen[0]


def _may_be_real(value: ValueInfoProto) -> bool:
    kind = value.type.WhichOneof("value")
    return kind is None or (kind == "tensor_type" and value.type.tensor_type.elem_type in (0, *FLOATS))


def _numbers_of(value: ValueInfoProto, made_by: dict[str, NodeProto]) -> ValueInfoProto:
    """The tensor of probabilities that is given out as a map from the names of classes, or the value
    itself."""
    node = made_by.get(value.name)
    if node is None or (node.domain, node.op_type) != ("ai.onnx.ml", "ZipMap"):
        return value
    return ValueInfoProto(name=node.input[0])


def _keep_what_leads_to(graph: GraphProto, name: str) -> None:
    """Drop all that the tensor does not depend on, such as nodes that choose a label."""
    wanted, kept = {name}, []
    for node in reversed(graph.node):
        if not wanted.isdisjoint(node.output):
            kept.append(node)
            if node.op_type == "MaxPool" and wanted.isdisjoint(node.output[1:]):
                del node.output[1:]  # places of the largest entries, which nobody reads
            wanted.update(_reads(node))
    del graph.node[:]
    graph.node.extend(reversed(kept))
    weights = [tensor for tensor in graph.initializer if tensor.name in wanted]
    del graph.initializer[:]
    graph.initializer.extend(weights)
    inputs = [value for value in graph.input if value.name in wanted]
    if inputs:
        del graph.input[:]
        graph.input.extend(inputs)


def _reads(node: NodeProto) -> Iterator[str]:
    """Names that a node reads, those in its branches and bodies too."""
    yield from (name for name in node.input if name)
    for graph in subgraphs(node):
        yield from (value.name for value in graph.output)
        for inner in graph.node:
            yield from _reads(inner)


def _lengths(value: ValueInfoProto, name: str) -> list[int | None] | None:
    """Declared lengths, ``None`` for those left open; ``None`` if not even the number of axes is declared."""
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        return None
    lengths = [d.dim_value for d in kind.shape.dim]
    if any(n < -1 for n in lengths):
        raise InputError(
            f"{name} is declared with axes of lengths {lengths}: the file is broken", hint=WRITE_AGAIN
        )
    return [n if n > 0 else None for n in lengths]
