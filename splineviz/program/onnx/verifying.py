"""A graph that was read beside its file: the shape that this declares, and what ONNX's own reference makes of
it."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

from splineviz.errors import InputError
from splineviz.program.fidelity import sample
from splineviz.program.onnx.batch_axis import Lengths, Reading
from splineviz.program.onnx.loading import WHOLE_NUMBERS, Source
from splineviz.program.onnx.module import OnnxNetwork

__all__ = ["verify"]

_LARGE = 1e9
"""Weights times numbers of one input from which on the reference, plain NumPy, takes minutes"""

_TOLERANCE = 1e-3
"""Differences above this share of the largest output are no rounding of single precision"""


_MISTAKEN = {"BatchNormalization": 14, "Softmax": 13, "LogSoftmax": 13, "Hardmax": 13}
"""Operators, and the first opset at which the reference computes what the specification says of them"""


def verify(source: Source, reading: Reading, network: OnnxNetwork, path: str) -> None:
    """Compare a network with its file.

    Raises
    ------
    InputError
        If its outputs have another shape than the file declares, or other values than the reference gets.
    """
    count = reading.batch or 1
    x = sample(network.input_shape, count)
    if source.kind in WHOLE_NUMBERS:
        x = (10 * x.abs()).round()
    own = next(network.parameters(), next(network.buffers(), torch.zeros(())))
    with torch.no_grad():
        found = network(x.to(own.dtype)).double().numpy()
    shape = found.shape
    declared = source.output_shape
    if declared is not None and reading.batch is None:
        # The batch is in front, and an axis of length one more may stand for it.
        mine = [n for n in shape[1:] if n != 1]
        in_front = reading.has_batch and declared[0] in (None, 1)
        told = [n for n in (declared[1:] if in_front else declared) if n != 1]
        if None not in told and mine != told:
            raise InputError(
                f"'{path}' declares outputs of shape {_written(declared)}, but its nodes make {tuple(shape)}",
                hint="which of the two is meant? Export it again, or mend the declared shape",
            )
    if any(source.opset < _MISTAKEN.get(node.op_type, 0) for node in source.model.graph.node):
        return
    if source.kind in (TensorProto.FLOAT16, TensorProto.BFLOAT16):
        return  # there the reference rounds every number to a few bits
    if source.kind in WHOLE_NUMBERS and any(node.domain for node in source.model.graph.node):
        return  # there the reference cuts off what a scaler makes of whole numbers
    weights = sum(p.numel() for p in network.parameters()) + sum(b.numel() for b in network.buffers())
    if weights * x[0].numel() > _LARGE:
        return
    kind = onnx.helper.tensor_dtype_to_np_dtype(source.kind)
    given = x.numpy().reshape(reading.shape if count == 1 else (count, *reading.shape[1:])).astype(kind)
    try:
        inputs = source.held | {source.input: given}
        (wanted,) = ReferenceEvaluator(source.model).run([source.output], inputs)
        wanted = np.asarray(wanted, np.float64)
        mixed = reading.batch is not None and wanted.size != found.size
        wanted = found if mixed else wanted.reshape(found.shape)
    except Exception:  # it knows not every operator in each of its forms
        return
    if mixed:
        raise InputError(
            f"'{path}' takes {count} inputs at a time, and mixes them",
            hint="export it again with a batch of one, or a dynamic batch axis",
        )
    gap, size = np.abs(found - wanted).max(initial=0.0), np.abs(wanted).max(initial=0.0)
    if not gap <= _TOLERANCE * max(1.0, size):
        raise InputError(
            f"'{path}' is read as another function than ONNX's reference makes of it: outputs differ by "
            f"{gap:.2g} of {size:.2g}",
            hint="an operator is not read as its specification says, here or there: please report it",
        )


def _written(shape: Lengths) -> str:
    return "(" + ", ".join("?" if n is None else str(n) for n in shape) + ")"
