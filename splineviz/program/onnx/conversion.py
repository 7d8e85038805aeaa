"""ONNX files as modules: of all readings of a file the one that holds."""

from __future__ import annotations

from pathlib import Path

from splineviz.errors import InputError
from splineviz.program.onnx.loading import Source, read
from splineviz.program.onnx.module import OnnxNetwork
from splineviz.program.onnx.verifying import verify
from splineviz.program.onnx.walk import Walk

__all__ = ["read_network"]


def read_network(
    path: str | Path, input_shape: tuple[int, ...] | None = None, output: str | int | None = None
) -> OnnxNetwork:
    """Read an ONNX file as a module on (batch, *input_shape).

    ``output`` is the name of the tensor to return, be it inside the graph, or its place among the outputs; it
    may be left out where one output alone is of real numbers. Operators that cannot be part of a program do
    not fail here; ``refused`` of the module lists them.

    Raises
    ------
    InputError
        If the file cannot be read, has not one input of numbers or one output of real numbers, or leaves the
        shape of one input open.
    """
    source = read(Path(path), input_shape, output)
    walk, network = _holding(source, str(path))
    if not network.refused:
        verify(source, walk.reading, network, str(path))
    return network


def _holding(source: Source, path: str) -> tuple[Walk, OnnxNetwork]:
    """The one reading of the input that the nodes can be computed on."""
    found: list[tuple[Walk, OnnxNetwork]] = []
    errors: list[InputError] = []
    for reading in source.readings:
        try:
            walk = Walk(source, reading)
            found.append((walk, walk.module(path)))
        except InputError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    whole = [(walk, network) for walk, network in found if not network.refused]
    if len(whole) > 1:
        batch, one = (network.input_shape for _, network in whole)
        count = whole[0][0].reading.batch
        raise InputError(
            f"the input '{source.input}' of '{path}' may be {count} inputs of shape {batch}, or one input of "
            f"shape {one}",
            hint=f"say which: input_shape={batch} or input_shape={one}, on the command line --input-shape "
            f"{','.join(map(str, batch))} or {','.join(map(str, one))}",
        )
    return (whole or found)[0]
