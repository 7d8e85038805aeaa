"""Operators that act entry by entry."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from .building import IMAGE, ROW, SERIES, Cases, op, reals, whole

__all__ = ["CASES"]

CASES = Cases()

for _kind in ("Relu", "Abs", "Neg", "Identity", "Sigmoid", "Tanh", "Softplus", "Exp", "Elu", "Sign"):
    CASES.add(_kind, SERIES, op(_kind, "x"))
CASES.add("Softmax", SERIES, op("Softmax", "x"))
CASES.add("Selu", SERIES, op("Selu", "x", alpha=1.5, gamma=2.0))
CASES.add("Erf", SERIES, op("Erf", "x"), tolerance=1e-6)
_flat = [
    op("Flatten", "x", "h"),
    op("Softmax", "h", "p", axis=1),
    op("Shape", "x", "s"),
    op("Reshape", "p s"),
]
CASES.add("Softmax", SERIES, op("Softmax", "x"), opset=11, same=_flat)
CASES.add("LogSoftmax", SERIES, op("LogSoftmax", "x", axis=1))
CASES.add("Softmax no batch", (5,), op("Softmax", "x", axis=0))
CASES.add("Gelu", SERIES, op("Gelu", "x"), opset=20, tolerance=1e-6)
CASES.add("Celu", SERIES, op("Celu", "x", alpha=2.0))
CASES.add("Pow", SERIES, op("Pow", "x p"), p=np.array(2.0))
CASES.add("leaky relu", SERIES, op("LeakyRelu", "x", alpha=0.25))
CASES.add("prelu", SERIES, op("PRelu", "x a"), a=reals(1))
CASES.add("prelu channels", IMAGE, op("PRelu", "x a"), a=reals(4, 1, 1))
CASES.add("prelu entries", IMAGE, op("PRelu", "x a"), a=reals(4, 6, 5))
CASES.add("prelu last axis", IMAGE, op("PRelu", "x a"), a=reals(5))
CASES.add("prelu features", (1, 6), op("PRelu", "x a"), a=reals(6))
# As many channels as entries on the last axis: slopes belong to the axis that they stand at, from the right.
for _slope in ((1, 5), (1, 5, 1), (5, 1, 1), (1, 1, 5), (5, 5), (1, 5, 5), (5, 1, 5), (1, 5, 1, 1)):
    CASES.add(f"prelu {_slope}", (1, 5, 5, 5), op("PRelu", "x a"), a=reals(*_slope))
for _slope in ((1, 4), (4, 1), (4, 4), (4,)):
    CASES.add(f"prelu of two axes {_slope}", (1, 4, 4), op("PRelu", "x a"), a=reals(*_slope))
CASES.add("prelu no batch", (6,), op("PRelu", "x a"), a=reals(6))
CASES.add("thresholded relu", SERIES, op("ThresholdedRelu", "x", alpha=0.0))
CASES.add("thresholded relu that jumps", SERIES, op("ThresholdedRelu", "x", alpha=0.5))
CASES.add("shrink", SERIES, op("Shrink", "x", bias=0.5, lambd=0.5))
CASES.add("hard sigmoid", SERIES, op("HardSigmoid", "x", alpha=0.3, beta=0.25))
CASES.add("clip attributes", SERIES, op("Clip", "x", min=-0.5, max=1.0), opset=7)
CASES.add("clip", SERIES, op("Clip", "x lo hi"), opset=11, lo=np.array(-0.5), hi=np.array(1.0))
CASES.add("clip with open bounds", SERIES, op("Clip", "x lo hi"), lo=np.array(-np.inf), hi=np.array(0.5))
CASES.add(
    "clip with bounds in lists", SERIES, op("Clip", "x lo hi"), lo=np.array([-0.5]), hi=np.array([np.inf])
)
CASES.add("clip one side", SERIES, op("Clip", "x - hi"), opset=13, hi=np.array(1.0))
CASES.add("clip without bounds", SERIES, op("Clip", "x"), opset=13)
CASES.add("dropout", SERIES, op("Dropout", "x", "h m", ratio=0.5), op("Relu", "h"), opset=7)
CASES.add("dropout inputs", SERIES, op("Dropout", "x r t"), r=np.array(0.5), t=np.array(False))
CASES.add(
    "cast",
    SERIES,
    op("Cast", "x", "h", to=TensorProto.FLOAT),
    op("Cast", "h", to=TensorProto.DOUBLE),
    tolerance=1e-6,
)
CASES.add("where", SERIES, op("Where", "c x v"), c=np.arange(6) % 2 == 0, v=reals(3, 1))
CASES.add(
    "where greater",
    SERIES,
    op("Greater", "x v", "c"),
    op("Not", "c", "d"),
    op("Where", "d v x"),
    v=reals(3, 1),
)
CASES.add(
    "times comparisons",
    SERIES,
    op("GreaterOrEqual", "x v", "c"),
    op("Less", "x w", "d"),
    op("And", "c d", "e"),
    op("Cast", "e", "f", to=TensorProto.DOUBLE),
    op("Sign", "x", "s"),
    op("Abs", "x", "a"),
    op("Mul", "a s", "b"),
    op("Mul", "b f", "g"),
    op("Less", "x v", "h"),
    op("Where", "h v g", "i"),
    op("Greater", "x w", "j"),
    op("Equal", "x w", "k"),
    op("Or", "j k", "l"),
    op("Where", "l w i"),
    v=np.array(-0.5),
    w=np.array(0.75),
)

CASES.add(
    "by a computed mask",
    ROW,
    op("Greater", "a b", "c"),
    op("Less", "a z", "d"),
    op("Not", "d", "e"),
    op("And", "c e", "f"),
    op("Or", "f d", "g"),
    op("Where", "g x z"),
    a=reals(6),
    b=reals(6),
    z=np.array(0.0),
)
CASES.add(
    "by computed places",
    ROW,
    op("Range", "z n s", "r"),
    op("Mod", "r two", "m"),
    op("Gather", "x m", axis=1),
    z=np.array(0),
    n=np.array(6),
    s=np.array(1),
    two=np.array(2),
)
for _opset in (9, 13):
    _table = {"i": whole(2, 0, 1, 3, 5, 4), "v": np.array([0.0, 1.0])}
    _nodes = [op("OneHot", "i n v", "m"), op("MatMul", "x m")]
    CASES.add("by a table of places", ROW, *_nodes, opset=_opset, n=np.array(6), **_table)
CASES.add(
    "by a table of places, its depth in a list",
    ROW,
    op("OneHot", "i n v", "m"),
    op("Transpose", "m", "t"),
    op("MatMul", "x t"),
    opset=9,
    same=[op("Gather", "x i", axis=1)],
    i=whole(2, 0, 5),
    n=whole(6),
    v=np.array([0.0, 1.0]),
)
CASES.add("first power", SERIES, op("Pow", "x p"), p=np.array([1.0]))
