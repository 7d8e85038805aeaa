"""Kinds of entries that nodes make: arithmetic on whole numbers cuts off or wraps, so they may only be
moved."""

from __future__ import annotations

from onnx import NodeProto, TensorProto
from onnx.helper import tensor_dtype_to_np_dtype

from splineviz.program.onnx.loading import FLOATS
from splineviz.program.onnx.node import Numbers, RefusedNodeError, Value, key_of

__all__ = ["kind_made"]

_CHOOSE = "Greater GreaterOrEqual Less LessOrEqual Equal And Or Not Xor".split()
_MOVE = """
Identity Reshape Flatten Squeeze Unsqueeze Transpose Expand Tile Slice Gather GatherElements GatherND Split
Concat DepthToSpace SpaceToDepth ReverseSequence Compress ScatterND ScatterElements Scatter
ai.onnx.ml::ArrayFeatureExtractor
""".split()
_READ_WHOLE_NUMBERS = [
    "DequantizeLinear",
    *(f"ai.onnx.ml::{name}" for name in "Scaler LinearClassifier LinearRegressor FeatureVectorizer".split()),
]


def kind_made(proto: NodeProto, known: list[Value]) -> Numbers:
    """Kind of the entries that a node makes of known values.

    Raises
    ------
    RefusedNodeError
        If it computes with whole numbers.
    """
    kinds, key = {value.numbers for value in known if value.active}, key_of(proto)
    if key in _CHOOSE:
        return Numbers.FLAGS
    if key == "ArgMax":
        return Numbers.WHOLE
    if key == "Cast":
        return _cast(next(a.i for a in proto.attribute if a.name == "to"), kinds)
    if key == "CastLike":  # refused where the other is not real
        return Numbers.REAL
    if key == "Where":  # the condition is its first input
        kinds = {value.numbers for value in known[1:] if value.active}
    if Numbers.WHOLE not in kinds or key in _READ_WHOLE_NUMBERS:
        return Numbers.REAL if kinds != {Numbers.FLAGS} else Numbers.FLAGS
    if key in _MOVE:
        return Numbers.WHOLE
    raise RefusedNodeError(
        "computes with whole numbers, which are cut off or wrap: cast them to float before"
    )


def _cast(to: int, kinds: set[Numbers]) -> Numbers:
    if to in FLOATS:
        return Numbers.REAL
    if Numbers.WHOLE in kinds and tensor_dtype_to_np_dtype(to).kind in "iu":
        return Numbers.WHOLE
    return Numbers.FLAGS if to == TensorProto.BOOL and kinds == {Numbers.FLAGS} else Numbers.REAL
