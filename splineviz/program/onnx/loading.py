"""Checked graphs from files: which opset, which input of which shape, which output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, numpy_helper
from onnx.inliner import inline_local_functions

from splineviz.errors import InputError
from splineviz.program.modes import condensed

__all__ = ["FLOATS", "Source", "read"]

FLOATS = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16})
_OLDEST = 7


@dataclass(frozen=True)
class Source:
    """Content of a file, with the shapes of one input decided."""

    model: ModelProto
    opset: int
    input: str
    shape: tuple[int, ...]
    """The input's shape in the graph, with a batch of one where it has a batch axis."""
    input_shape: tuple[int, ...]
    """Shape of one input, without batch."""
    batch: int | None
    """The fixed number of inputs, above one, that the file was written for."""
    output: str
    output_shape: list[int | None] | None
    """As declared, None for what is left open"""
    kind: int
    """Type of the input's numbers, of `TensorProto`"""
    initialisers: dict[str, np.ndarray]


def read(path: Path, given: tuple[int, ...] | None) -> Source:
    """Read a file, and decide on the shape of its input.

    Raises
    ------
    InputError
        If the file is missing, broken, of an opset that is too old or too new, has not one input and one
        output of real numbers, or leaves the shape of its input open.
    """
    model = _model(path)
    opset = _opset(model, path)
    graph = model.graph
    if graph.sparse_initializer:
        raise InputError(f"'{path}' holds sparse weights, which are not read")
    initialisers = {tensor.name: _array(tensor, path) for tensor in graph.initializer}
    entry = _only([i for i in graph.input if i.name not in initialisers], "input", path)
    output = _only(list(graph.output), "output", path)
    if entry.type.tensor_type.elem_type not in FLOATS:
        kind = TensorProto.DataType.Name(entry.type.tensor_type.elem_type)
        raise InputError(
            f"the input '{entry.name}' of '{path}' must hold real numbers, but is of type {kind.lower()}"
        )
    declared, made = _dims(entry), _dims(output)
    leading = (made or [None])[0]
    shape, input_shape, batch = _decided(declared, leading, given, f"the input '{entry.name}' of '{path}'")
    return Source(
        model,
        opset,
        entry.name,
        shape,
        input_shape,
        batch,
        output.name,
        made,
        entry.type.tensor_type.elem_type,
        initialisers,
    )


def _model(path: Path) -> ModelProto:
    if not path.is_file():
        raise InputError(f"no such file: '{path}'")
    try:
        model = onnx.load(path)
        model = inline_local_functions(model) if model.functions else model
    except (
        Exception
    ) as error:  # protobuf's and the operating system's own; and a missing file of external weights
        raise InputError(
            f"'{path}' cannot be read as an ONNX file: {condensed(error)}",
            hint="is it complete, and do files with its weights, if there are any, lie beside it?",
        ) from error
    if not model.graph.node or not model.graph.output:
        raise InputError(f"'{path}' cannot be read as an ONNX file: it holds no network")
    return model


def _opset(model: ModelProto, path: Path) -> int:
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)
    newest = onnx.defs.onnx_opset_version()
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
        return numpy_helper.to_array(tensor)
    except Exception as error:
        raise InputError(
            f"the tensor '{tensor.name}' of '{path}' cannot be read: {condensed(error)}"
        ) from error


def _only(values: Sequence[ValueInfoProto], role: str, path: Path) -> ValueInfoProto:
    if len(values) != 1:
        names = ", ".join(f"'{v.name}'" for v in values) or "none"
        raise InputError(
            f"a network has one {role}, but '{path}' has {len(values)}: {names}",
            hint=f"cut the file down to one {role}: onnx.utils.extract_model(file, new_file, input_names, "
            f"output_names)",
        )
    return values[0]


def _dims(value: ValueInfoProto) -> list[int | None] | None:
    """Declared lengths, ``None`` for those left open; ``None`` if not even the number of axes is declared."""
    kind = value.type.tensor_type
    return (
        [d.dim_value if d.dim_value > 0 else None for d in kind.shape.dim] if kind.HasField("shape") else None
    )


def _decided(
    declared: list[int | None] | None, leading: int | None, given: tuple[int, ...] | None, name: str
) -> tuple[tuple[int, ...], tuple[int, ...], int | None]:
    """Shape in the graph, shape of one input, and the batch size if it is fixed above one.

    The first of several axes is the batch where its length is open or one, or where the output's first axis
    is as long.
    """
    if declared is None:
        if given is None:
            raise InputError(f"{name} is of no declared shape", hint="give input_shape, without the batch")
        return (1, *given), given, None
    first = declared[0] if declared else None
    has_batch = len(declared) > 1 and (first is None or first == 1 or first == leading)
    rest = declared[1:] if has_batch else declared
    told = " x ".join("?" if n is None else str(n) for n in rest) or "no axes"
    if given is None:
        if not rest or None in rest:
            raise InputError(
                f"{name} leaves the shape of one input open: {told}",
                hint="give input_shape, without the batch",
            )
        given = tuple(n for n in rest if n is not None)
    elif len(given) != len(rest) or any(n not in (None, m) for n, m in zip(rest, given, strict=True)):
        raise InputError(
            f"{name} takes one input of shape {told}, without the batch, but input_shape is {given}"
        )
    if not has_batch:
        return given, given, None
    return (1, *given), given, first if first is not None and first > 1 else None
