"""Shapes that are computed in the graph."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from .building import IMAGE, ROW, SERIES, Cases, op, reals, whole

__all__ = ["CASES"]

CASES = Cases()

CASES.add(
    "flatten by shape arithmetic",
    ("n", 2, 3, 4),
    op("Shape", "x", "s"),
    op("Gather", "s zero", "n", axis=0),
    op("Unsqueeze", "n z", "m"),
    op("Concat", "m minus", "t", axis=0),
    op("Reshape", "x t"),
    zero=np.array(0),
    z=whole(0),
    minus=whole(-1),
)
CASES.add(
    "half of the channels",
    IMAGE,
    op("Shape", "x", "s", start=1, end=2),
    op("Div", "s two", "h"),
    op("Slice", "x zero h one", "a"),
    op("Cast", "h", "f", to=TensorProto.DOUBLE),
    op("Mul", "a f"),
    two=whole(2),
    zero=whole(0),
    one=whole(1),
)
CASES.add(
    "constants made in the graph",
    SERIES,
    op("Shape", "x", "s"),
    op("ConstantOfShape", "s", "c", value=helper.make_tensor("v", TensorProto.DOUBLE, [1], [2.0])),
    op("Constant", "", "k", value=helper.make_tensor("v", TensorProto.DOUBLE, [], [0.5])),
    op("Range", "a b d", "r"),
    op("Add", "x c", "h"),
    op("Mul", "h k", "i"),
    op("Gather", "i r", axis=2),
    a=np.array(0),
    b=np.array(6),
    d=np.array(2),
)
# The reference has no such form of Unsqueeze as this, which exporters make for every view(x.shape[0], -1)
_sized = [
    op("Shape", "x", "s"),
    op("Gather", "s zero", "n"),
    op("Unsqueeze", "n", "m", axes=[0]),
    op("Concat", "m minus", "t", axis=0),
]
CASES.add(
    "flatten by older shape arithmetic",
    ("n", 2, 3, 4),
    *_sized,
    op("Reshape", "x t"),
    opset=11,
    same=[op("Flatten", "x")],
    zero=np.array(0),
    minus=whole(-1),
)
CASES.add(
    "weight unsqueezed",
    IMAGE,
    op("Unsqueeze", "a", "b", axes=[1, 2]),
    op("PRelu", "x b"),
    opset=11,
    same=[op("Unsqueeze", "a i", "b"), op("PRelu", "x b")],
    a=reals(4),
    i=whole(1, 2),
)
CASES.add(
    "weight computed in the graph",
    ROW,
    op("Transpose", "w", "t"),
    op("Mul", "t g", "u"),
    op("MatMul", "x u"),
    w=reals(4, 6),
    g=reals(4),
)
