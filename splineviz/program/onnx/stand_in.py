"""Stand-in for a node that cannot be part of a program, so that the rest of the graph can still be
examined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
import torch
from onnx import NodeProto
from torch import Tensor

from splineviz.program.onnx.node import Numbers, Value

__all__ = ["copies", "inferred"]

_TYPES = {
    Numbers.REAL: onnx.TensorProto.FLOAT,
    Numbers.WHOLE: onnx.TensorProto.INT64,
    Numbers.FLAGS: onnx.TensorProto.BOOL,
}
_LONGEST = 256
"""Entries of an array up to which it may be a list of lengths, axes or places, on which shapes depend"""


def copies(shapes: list[tuple[int, ...]]) -> Callable[..., Any]:
    """Tensors of these shapes, behind the batch, that depend on all that is given."""

    def run(*tensors: Tensor) -> Any:
        first = torch.stack([x.flatten(1)[:, 0] if x.dim() > 1 else x for x in tensors], 1).sum(1)
        made = tuple(first.reshape(-1, *(1,) * len(shape)).expand(-1, *shape) for shape in shapes)
        return made if len(made) != 1 else made[0]

    return run


def inferred(proto: NodeProto, opset: int, known: Mapping[str, Value]) -> dict[str, tuple[int, ...]]:
    """Shapes that onnx infers for the results of one node, by name; none where it cannot."""
    types, arrays = {}, {}
    for name, value in known.items():
        kind: int = _TYPES[value.numbers]
        if value.array is not None:
            array = value.array.astype(np.float32) if value.array.dtype == np.float64 else value.array
            kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
            if array.size <= _LONGEST:
                arrays[name] = onnx.numpy_helper.from_array(array)
        types[name] = onnx.helper.make_tensor_type_proto(kind, value.shape)
    imports = [onnx.helper.make_opsetid(proto.domain, opset)]
    try:
        schema = onnx.defs.get_schema(proto.op_type, opset, proto.domain)
        found = onnx.shape_inference.infer_node_outputs(schema, proto, types, arrays, opset_imports=imports)
    except Exception:  # an operator of another domain, or one whose inference fails
        return {}
    dims = {
        name: [d.dim_value for d in t.tensor_type.shape.dim]
        for name, t in found.items()
        if t.tensor_type.HasField("shape")
    }
    return {name: tuple(lengths) for name, lengths in dims.items() if all(n > 0 for n in lengths)}
