"""Nodes of constants, computed when a file is read, by the reference implementation that comes with onnx."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import NodeProto
from onnx.reference import ReferenceEvaluator

__all__ = ["evaluated", "exact"]


def exact(array: np.ndarray) -> np.ndarray:
    """Real numbers of any precision as float64; whole numbers, flags and text as they are."""
    # the types of ml_dtypes, bfloat16 among them, are no subtypes of numpy's floating
    real = np.issubdtype(array.dtype, np.floating) or array.dtype.name.startswith(("bfloat", "float"))
    return array.astype(np.float64) if real else array


def evaluated(proto: NodeProto, opset: int, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Results of one node on arrays, real ones in float64."""
    given = dict(inputs)
    if proto.op_type == "OneHot":  # its depth may be a list of one number, but not for the reference
        given[proto.input[1]] = given[proto.input[1]].reshape(())
    results = ReferenceEvaluator(proto, opsets={proto.domain: opset}).run(None, given)
    return [exact(np.asarray(result)) for result in results]
