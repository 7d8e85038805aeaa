"""ONNX files as modules: of all readings of a file the one that holds."""

from __future__ import annotations

from pathlib import Path

from splineviz.errors import InputError
from splineviz.program.one_input import Fixed, Output
from splineviz.program.onnx.batch_axis import Reading
from splineviz.program.onnx.loading import Source, read
from splineviz.program.onnx.module import OnnxNetwork
from splineviz.program.onnx.verifying import verify
from splineviz.program.onnx.walk import Walk

__all__ = ["read_network"]


def read_network(
    path: str | Path,
    input_shape: tuple[int, ...] | None = None,
    fix: Fixed | None = None,
    output: Output | None = None,
) -> OnnxNetwork:
    """Read an ONNX file as a module on (batch, *input_shape), all inputs but one fixed.

    ``output`` is the name of the tensor to return, be it inside the graph, or its place among the outputs; it
    may be left out where one output alone is of real numbers. Operators that cannot be part of a program do
    not fail here; ``refused`` of the module lists them.

    Raises
    ------
    InputError
        If the file cannot be read, has not one input of numbers or one output of real numbers, or leaves the
        shape of one input open.
    """
    source = read(Path(path), input_shape, fix or {}, output)
    found: list[tuple[Reading, OnnxNetwork]] = []
    errors: list[InputError] = []
    for reading in source.readings:
        try:
            network = Walk(source, reading).module(str(path))
            if not network.refused:
                verify(source, reading, network, str(path))
            found.append((reading, network))
        except InputError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    # what is refused in one reading alone is a reason to take the other
    complete = [pair for pair in found if not pair[1].refused]
    if len(complete) > 1:
        raise _ambiguous(source, [reading for reading, _ in complete], str(path))
    return (complete or found)[0][1]


def _ambiguous(source: Source, readings: list[Reading], path: str) -> InputError:
    shapes = [reading.input_shape for reading in readings]
    in_python = " or ".join(f"input_shape={shape}" for shape in shapes)
    in_command = " or ".join(f"--input-shape {','.join(map(str, shape))}" for shape in shapes)
    count, where = readings[0].batch, f"the input '{source.input}' of '{path}'"
    return InputError(
        f"{where} may be {count} inputs of shape {shapes[0]}, or one input of shape {shapes[1]}",
        hint=f"say which: {in_python}",
        command_hint=f"say which: {in_command}",
    )
