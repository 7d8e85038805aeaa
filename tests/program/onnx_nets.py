"""Small ONNX graphs, one or more for each operator and each form that it had over the opsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


@dataclass(frozen=True, eq=False)
class Case:
    name: str
    shape: tuple[int | str, ...]
    nodes: tuple[NodeProto, ...]
    opset: int
    arrays: dict[str, np.ndarray]
    same: tuple[NodeProto, ...] = ()
    """The same function at opset 17, where the reference is wrong or empty at the case's own opset."""
    tolerance: float = 1e-11
    """Larger where the reference computes in single precision."""


def op(kind: str, inputs: str, outputs: str = "y", name: str = "", **attributes: Any) -> NodeProto:
    """A node; inputs and outputs by name with blanks between them, ``-`` for one that is left out."""
    split = [["" if part == "-" else part for part in text.split()] for text in (inputs, outputs)]
    return helper.make_node(kind, *split, name=name, **attributes)


def model_of(
    nodes: Sequence[NodeProto],
    shape: Sequence[int | str | None] | None,
    arrays: dict[str, np.ndarray] | None = None,
    opset: int = 17,
    output_shape: Sequence[int | str] | None = None,
    kind: int = TensorProto.DOUBLE,
) -> onnx.ModelProto:
    """A model from ``x`` to ``y``."""
    inputs = [helper.make_tensor_value_info("x", kind, shape)]
    outputs = [helper.make_tensor_value_info("y", kind, output_shape)]
    weights = [numpy_helper.from_array(array, name) for name, array in (arrays or {}).items()]
    graph = helper.make_graph(list(nodes), "net", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def saved(folder: Path, *arguments: Any, **options: Any) -> Path:
    path = folder / "net.onnx"
    onnx.save(model_of(*arguments, **options), path)
    return path


_random = np.random.default_rng(0)


def _r(*shape: int) -> np.ndarray:
    """Random weights that float32 does not hold, so that the comparison is in float64."""
    return _random.normal(size=shape)


def _i(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


CASES: list[Case] = []


def _case(
    name: str,
    shape: tuple[int | str, ...],
    *nodes: NodeProto,
    opset: int = 17,
    same: Sequence[NodeProto] = (),
    tolerance: float = 1e-11,
    **arrays: np.ndarray,
) -> None:
    CASES.append(Case(f"{name} ({opset})", shape, nodes, opset, arrays, tuple(same), tolerance))


_V, _I, _M = (1, 6), (1, 3, 6), (1, 4, 6, 5)

# Products
for _opset in (7, 9, 11, 13, 17, 21):
    _case("gemm", _V, op("Gemm", "x w b", transB=1), opset=_opset, w=_r(4, 6), b=_r(4))
_case("gemm scaled", _V, op("Gemm", "x w b", alpha=0.5, beta=-2.0), w=_r(6, 4), b=_r(1, 4))
_case("gemm scalar bias", _V, op("Gemm", "x w b"), w=_r(6, 4), b=_r(1))
_case("gemm without bias", _V, op("Gemm", "x w"), w=_r(6, 4))
_case("gemm rows", (3, 6), op("Gemm", "x w b", transB=1), w=_r(4, 6), b=_r(4))
_case("gemm rows, own bias each", (3, 6), op("Gemm", "x w b"), w=_r(6, 4), b=_r(3, 1))
_case("gemm transposed", (6, 3), op("Gemm", "x w b", transA=1, alpha=2.0), w=_r(6, 4), b=_r(4))
_case("gemm transposed row", (6, 1), op("Gemm", "x w b", transA=1), w=_r(6, 4), b=_r(4))
_case("gemm of a row", (1, 6), op("Gemm", "x w b", transA=1), w=_r(1, 4), b=_r(4))
_case("gemm constant left", (6, 3), op("Gemm", "w x b", alpha=3.0), w=_r(4, 6), b=_r(3))
_case("gemm constant left, one row", (6, 3), op("Gemm", "w x b"), w=_r(1, 6), b=_r(1, 3))
_case("gemm constant left, transposed", (3, 6), op("Gemm", "w x", transA=1, transB=1), w=_r(6, 4))
_case("gemm activation as bias", (1, 6), op("Relu", "x", "h"), op("Gemm", "x w h", beta=0.5), w=_r(6, 6))
_case("gemm activation as bias of constants", (1, 6), op("Gemm", "v w x"), v=_r(1, 2), w=_r(2, 6))
_case("matmul", _V, op("MatMul", "x w"), w=_r(6, 4))
_case("matmul no batch", (6,), op("MatMul", "x w"), w=_r(6, 4))
_case("matmul one entry", (1,), op("MatMul", "x w"), w=_r(1, 4))
_case("matmul vector", _I, op("MatMul", "x w"), w=_r(6))
_case("matmul vectors", (6,), op("MatMul", "x w"), w=_r(6))
_case("matmul to one row", (6,), op("MatMul", "w x"), w=_r(1, 6))
_case("matmul deep", (1, 2, 3, 6), op("MatMul", "x w"), w=_r(6, 4))
_case("matmul stack of one", _I, op("MatMul", "x w"), w=_r(1, 1, 6, 4))
_case("matmul stack", (1, 2, 3, 6), op("MatMul", "x w"), w=_r(2, 6, 4))
_case("matmul vector and stack", (6,), op("MatMul", "x w"), w=_r(2, 3, 6, 4))
_case("matmul stack and vector", (6,), op("MatMul", "w x"), w=_r(2, 4, 6))
_case("matmul stack and one number", (1,), op("MatMul", "w x"), w=_r(2, 4, 1))
_case("matmul left", (6,), op("MatMul", "w x"), w=_r(4, 6))
_case("matmul left column", (6, 1), op("MatMul", "w x"), w=_r(4, 6))
_case("matmul left matrix", (6, 3), op("MatMul", "w x"), w=_r(4, 6))
_case("matmul left maps", (1, 2, 6, 3), op("MatMul", "w x"), w=_r(4, 6))
_case("matmul left row", (1, 3), op("MatMul", "w x"), w=_r(4, 1))
_case("matmul left vector", _I, op("MatMul", "w x"), w=_r(3))
_case("einsum", _I, op("Einsum", "x w", equation="bij,jk->bki"), w=_r(6, 4))
_case("einsum implicit", (3, 6), op("Einsum", "x w", equation="ij, jk"), w=_r(6, 4))
_case("einsum ellipsis", _M, op("Einsum", "x w", equation="...ij,jk->...ik"), w=_r(5, 2))
_case("einsum alone", _I, op("Einsum", "x", equation="bij->bj"))
_names = {"s": _r(4), "b": _r(4), "m": _r(4), "v": np.abs(_r(4)) + 0.1}
for _opset in (7, 9, 14, 15):
    _norm = op("BatchNormalization", "x s b m v", epsilon=1e-3)
    _case("batch norm", _M, _norm, opset=_opset, same=[_norm], **_names)
_case("batch norm of a vector", (1, 4), op("BatchNormalization", "x s b m v"), **_names)

_case(
    "batch norm by entries",
    (1, 3, 2),
    op("BatchNormalization", "x s b m v", spatial=0),
    opset=7,
    same=[
        op("Sub", "x m", "c"),
        op("Add", "v e", "w"),
        op("Sqrt", "w", "d"),
        op("Div", "c d", "n"),
        op("Mul", "n s", "g"),
        op("Add", "g b"),
    ],
    e=np.array(float(np.float32(1e-5))),
    **{key: np.abs(_r(3, 2)) + 0.1 for key in "sbmv"},
)

# Convolutions
_case("conv", _M, op("Conv", "x w b", pads=[1, 1, 1, 1]), w=_r(3, 4, 3, 3), b=_r(3))
_case(
    "conv uneven",
    _M,
    op("Conv", "x w", pads=[1, 0, 2, 1], strides=[2, 1], dilations=[1, 2]),
    w=_r(3, 4, 3, 2),
)
_case("conv groups", _M, op("Conv", "x w b", group=2, kernel_shape=[2, 2]), w=_r(6, 2, 2, 2), b=_r(6))
_case("conv 1d", (1, 3, 9), op("Conv", "x w", strides=[2], pads=[2, 1]), w=_r(2, 3, 4))
_case("conv 3d", (1, 2, 4, 3, 3), op("Conv", "x w", pads=[1, 1, 1, 1, 1, 1]), w=_r(2, 2, 3, 3, 3))
for _auto in ("VALID", "SAME_UPPER", "SAME_LOWER"):
    _case(f"conv {_auto}", _M, op("Conv", "x w", auto_pad=_auto, strides=[2, 2]), w=_r(3, 4, 3, 4))
_T = {"w": _r(4, 3, 3, 2), "b": _r(3)}
_case("conv transpose", _M, op("ConvTranspose", "x w b", strides=[2, 2], pads=[1, 1, 1, 1]), **_T)
_case("conv transpose uneven", _M, op("ConvTranspose", "x w b", strides=[2, 2], pads=[0, 1, 1, 0]), **_T)
_case("conv transpose added", _M, op("ConvTranspose", "x w b", strides=[2, 3], output_padding=[1, 2]), **_T)
_case(
    "conv transpose shape",
    _M,
    op("ConvTranspose", "x w", strides=[2, 2], output_shape=[12, 8]),
    same=[op("ConvTranspose", "x w", strides=[2, 2], pads=[1, 1, 0, 1])],
    w=_T["w"],
)
_case(
    "conv transpose shape, same",
    _M,
    op("ConvTranspose", "x w", strides=[2, 2], output_shape=[12, 7], auto_pad="SAME_UPPER"),
    w=_T["w"],
)
_case("conv transpose same", _M, op("ConvTranspose", "x w", strides=[2, 2], auto_pad="SAME_UPPER"), w=_T["w"])
_halves = [op("Split", "x", "x0 x1", axis=1), op("Split", "w", "w0 w1", axis=0)]
_halves += [op("ConvTranspose", f"x{i} w{i}", f"y{i}", dilations=[2, 1]) for i in (0, 1)]
_case(
    "conv transpose groups",
    _M,
    op("ConvTranspose", "x w", group=2, dilations=[2, 1]),
    same=[*_halves, op("Concat", "y0 y1", axis=1)],
    w=_T["w"],
)
_case("conv transpose 1d", (1, 3, 5), op("ConvTranspose", "x w", strides=[3]), w=_r(3, 2, 4))

for _columns, _how in (
    ((1, 12, 12), {}),
    ((1, 12, 24), {"pads": [1, 0, 1, 1]}),
    ((1, 12, 4), {"strides": [2, 1], "dilations": [1, 2]}),
):
    _case(
        f"windows added up {_how}", _columns, op("Col2Im", "x s b", **_how), opset=18, s=_i(5, 4), b=_i(2, 2)
    )

# Pools
for _pool in ("MaxPool", "AveragePool"):
    _k: dict[str, Any] = {"kernel_shape": [3, 2]}
    _case(f"{_pool}", _M, op(_pool, "x", **_k, strides=[2, 2]))
    _case(f"{_pool} padded", _M, op(_pool, "x", **_k, pads=[1, 1, 1, 1]), opset=7)
    _case(f"{_pool} uneven", _M, op(_pool, "x", **_k, pads=[2, 0, 1, 1], strides=[2, 1]), opset=11)
    _case(f"{_pool} ceil", _M, op(_pool, "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), opset=10)
    _case(f"{_pool} same upper", _M, op(_pool, "x", **_k, auto_pad="SAME_UPPER", strides=[2, 2]))
    _lower = op(_pool, "x", **_k, pads=[1, 1, 1, 0], strides=[1, 2])
    _case(
        f"{_pool} same lower", _M, op(_pool, "x", **_k, auto_pad="SAME_LOWER", strides=[1, 2]), same=[_lower]
    )
    _case(f"{_pool} 1d", (1, 2, 9), op(_pool, "x", kernel_shape=[4], strides=[3], pads=[1, 2]))
    _case(f"{_pool} 3d", (1, 2, 4, 4, 4), op(_pool, "x", kernel_shape=[2, 2, 2], strides=[2, 2, 2]))
_case("MaxPool with places that nobody reads", _M, op("MaxPool", "x", "y i", kernel_shape=[2, 2]))
_case("MaxPool dilated", _M, op("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 3]))
_case(
    "MaxPool dilated, uneven",
    _M,
    op("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 3], pads=[0, 1, 1, 0]),
)
_case("AveragePool dilated", _M, op("AveragePool", "x", kernel_shape=[2, 2], dilations=[2, 3]), opset=19)
_case(
    "AveragePool counts padding",
    _M,
    op("AveragePool", "x", kernel_shape=[3, 2], pads=[1, 0, 0, 1], count_include_pad=1),
)
_case(
    "AveragePool even padding counts",
    _M,
    op("AveragePool", "x", kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1),
)
for _kernel in ({"kernel_shape": [3, 2]}, {"kernel_shape": [2, 2], "pads": [1, 0, 0, 1], "strides": [2, 1]}):
    _case(f"sums of absolute values {_kernel}", _M, op("LpPool", "x", p=1, **_kernel))
_case(
    "global sum of absolute values", _M, op("GlobalLpPool", "x", p=1), same=[op("ReduceL1", "x", axes=[2, 3])]
)
_case("global average", _M, op("GlobalAveragePool", "x"))
_case("global max", _M, op("GlobalMaxPool", "x"))

# Entry by entry
for _kind in ("Relu", "Abs", "Neg", "Identity", "Sigmoid", "Tanh", "Softplus", "Exp", "Elu", "Sign"):
    _case(_kind, _I, op(_kind, "x"))
_case("Softmax", _I, op("Softmax", "x"))
_case("Selu", _I, op("Selu", "x", alpha=1.5, gamma=2.0))
_case("Erf", _I, op("Erf", "x"), tolerance=1e-6)
_flat = [
    op("Flatten", "x", "h"),
    op("Softmax", "h", "p", axis=1),
    op("Shape", "x", "s"),
    op("Reshape", "p s"),
]
_case("Softmax", _I, op("Softmax", "x"), opset=11, same=_flat)
_case("LogSoftmax", _I, op("LogSoftmax", "x", axis=1))
_case("Softmax no batch", (5,), op("Softmax", "x", axis=0))
_case("Gelu", _I, op("Gelu", "x"), opset=20, tolerance=1e-6)
_case("Celu", _I, op("Celu", "x", alpha=2.0))
_case("Pow", _I, op("Pow", "x p"), p=np.array(2.0))
_case("leaky relu", _I, op("LeakyRelu", "x", alpha=0.25))
_case("prelu", _I, op("PRelu", "x a"), a=_r(1))
_case("prelu channels", _M, op("PRelu", "x a"), a=_r(4, 1, 1))
_case("prelu entries", _M, op("PRelu", "x a"), a=_r(4, 6, 5))
_case("prelu last axis", _M, op("PRelu", "x a"), a=_r(5))
_case("prelu features", (1, 6), op("PRelu", "x a"), a=_r(6))
# As many channels as entries on the last axis: slopes belong to the axis that they stand at, from the right.
for _slope in ((1, 5), (1, 5, 1), (5, 1, 1), (1, 1, 5), (5, 5), (1, 5, 5), (5, 1, 5), (1, 5, 1, 1)):
    _case(f"prelu {_slope}", (1, 5, 5, 5), op("PRelu", "x a"), a=_r(*_slope))
for _slope in ((1, 4), (4, 1), (4, 4), (4,)):
    _case(f"prelu of two axes {_slope}", (1, 4, 4), op("PRelu", "x a"), a=_r(*_slope))
_case("prelu no batch", (6,), op("PRelu", "x a"), a=_r(6))
_case("thresholded relu", _I, op("ThresholdedRelu", "x", alpha=0.0))
_case("thresholded relu that jumps", _I, op("ThresholdedRelu", "x", alpha=0.5))
_case("shrink", _I, op("Shrink", "x", bias=0.5, lambd=0.5))
_case("hard sigmoid", _I, op("HardSigmoid", "x", alpha=0.3, beta=0.25))
_case("clip attributes", _I, op("Clip", "x", min=-0.5, max=1.0), opset=7)
_case("clip", _I, op("Clip", "x lo hi"), opset=11, lo=np.array(-0.5), hi=np.array(1.0))
_case("clip with open bounds", _I, op("Clip", "x lo hi"), lo=np.array(-np.inf), hi=np.array(0.5))
_case("clip with bounds in lists", _I, op("Clip", "x lo hi"), lo=np.array([-0.5]), hi=np.array([np.inf]))
_case("clip one side", _I, op("Clip", "x - hi"), opset=13, hi=np.array(1.0))
_case("clip without bounds", _I, op("Clip", "x"), opset=13)
_case("dropout", _I, op("Dropout", "x", "h m", ratio=0.5), op("Relu", "h"), opset=7)
_case("dropout inputs", _I, op("Dropout", "x r t"), r=np.array(0.5), t=np.array(False))
_case(
    "cast",
    _I,
    op("Cast", "x", "h", to=TensorProto.FLOAT),
    op("Cast", "h", to=TensorProto.DOUBLE),
    tolerance=1e-6,
)
_case("where", _I, op("Where", "c x v"), c=np.arange(6) % 2 == 0, v=_r(3, 1))
_case("where greater", _I, op("Greater", "x v", "c"), op("Not", "c", "d"), op("Where", "d v x"), v=_r(3, 1))
_case(
    "times comparisons",
    _I,
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

_case(
    "by a computed mask",
    _V,
    op("Greater", "a b", "c"),
    op("Less", "a z", "d"),
    op("Not", "d", "e"),
    op("And", "c e", "f"),
    op("Or", "f d", "g"),
    op("Where", "g x z"),
    a=_r(6),
    b=_r(6),
    z=np.array(0.0),
)
_case(
    "by computed places",
    _V,
    op("Range", "z n s", "r"),
    op("Mod", "r two", "m"),
    op("Gather", "x m", axis=1),
    z=np.array(0),
    n=np.array(6),
    s=np.array(1),
    two=np.array(2),
)
for _opset in (9, 13):
    _table = {"i": _i(2, 0, 1, 3, 5, 4), "v": np.array([0.0, 1.0])}
    _nodes = [op("OneHot", "i n v", "m"), op("MatMul", "x m")]
    _case("by a table of places", _V, *_nodes, opset=_opset, n=np.array(6), **_table)
_case(
    "by a table of places, its depth in a list",
    _V,
    op("OneHot", "i n v", "m"),
    op("Transpose", "m", "t"),
    op("MatMul", "x t"),
    opset=9,
    same=[op("Gather", "x i", axis=1)],
    i=_i(2, 0, 5),
    n=_i(6),
    v=np.array([0.0, 1.0]),
)
_case("first power", _I, op("Pow", "x p"), p=np.array([1.0]))

# Several tensors
for _kind in ("Add", "Sub", "Mul", "Div"):
    _case(f"{_kind} constant", _I, op(_kind, "x v"), v=_r(3, 1), opset=7)
    _case(f"{_kind} scalar", _I, op(_kind, "x v"), v=np.array(1.5))
    _case(f"{_kind} no batch", (3, 6), op(_kind, "x v"), v=_r(3, 1))
    _case(f"{_kind} more axes", (6,), op(_kind, "x v"), v=_r(2, 1))
    _case(f"{_kind} leading one", (3, 6), op(_kind, "x v"), v=_r(1, 3, 6))
_case("constant minus", _I, op("Sub", "v x"), v=_r(6))
_case("Sum", _I, op("Relu", "x", "h"), op("Sum", "x h v"), v=_r(6), opset=8)
_case("Mean", _I, op("Relu", "x", "h"), op("Mean", "x h"), opset=8)
_case("Max", _I, op("Neg", "x", "h"), op("Max", "x h v"), v=_r(6))
_case("Min", _I, op("Min", "x v"), v=_r(3, 1))
_case(
    "add of unlike axes",
    _I,
    op("ReduceMean", "x", "h", axes=[0, 2], keepdims=0),
    op("Unsqueeze", "h a", "k"),
    op("Add", "x k"),
    a=_i(1),
)
_case("add grows an axis", (6,), op("Unsqueeze", "x a", "h"), op("Add", "x h"), a=_i(1))

# Layout
for _opset in (7, 11):
    _case("squeeze", (1, 3, 1, 6), op("Squeeze", "x", axes=[2]), opset=_opset)
    _case("unsqueeze", _I, op("Unsqueeze", "x", axes=[0, 3]), opset=_opset)
_case("squeeze", (1, 3, 1, 6), op("Squeeze", "x a"), a=_i(-2), opset=13)
_case("squeeze all", (1, 3, 1, 6), op("Squeeze", "x"), opset=13)
_case("unsqueeze", _I, op("Unsqueeze", "x a"), a=_i(-1), opset=13)
_case("reshape", _I, op("Reshape", "x s"), s=_i(0, -1))
_case("reshape baked", _I, op("Reshape", "x s"), s=_i(1, 9, 2))
_case("reshape flat", _I, op("Reshape", "x s"), s=_i(-1))
_case("reshape first to last", _I, op("Reshape", "x s"), s=_i(6, 3, 1))
_case("reshape allowzero", _I, op("Reshape", "x s", allowzero=1), s=_i(2, 9), opset=14)
for _axis in (0, 1, 2, -1):
    _case(f"flatten {_axis}", _M, op("Flatten", "x", axis=_axis), opset=11)
_case("flatten no batch", (2, 3), op("Flatten", "x", axis=0))
_case("transpose", _M, op("Transpose", "x", perm=[0, 2, 3, 1]))
_case("transpose all", _M, op("Transpose", "x"))
_case("transpose no batch", (2, 3, 4), op("Transpose", "x", perm=[2, 0, 1]))
_case(
    "channels last",
    (1, 6, 5, 4),
    op("Transpose", "x", "h", perm=[0, 3, 1, 2]),
    op("Conv", "h w", "k"),
    op("Transpose", "k", perm=[0, 2, 3, 1]),
    w=_r(3, 4, 2, 2),
)
_case("expand", (1, 3, 1), op("Expand", "x s"), s=_i(2, 1, 6))
_case("expand more axes", (6,), op("Expand", "x s"), s=_i(1, 3, 6))
_case("tile", _I, op("Tile", "x n"), n=_i(1, 2, 3))
_case("tile the first axis", _I, op("Tile", "x n"), n=_i(2, 1, 1))
for _mode in ("constant", "reflect", "edge"):
    _case(f"pad {_mode}", _M, op("Pad", "x", mode=_mode, pads=[0, 1, 0, 2, 0, 0, 3, 1]), opset=7)
    _case(f"pad {_mode}", _M, op("Pad", "x p", mode=_mode), p=_i(0, 0, 1, 2, 0, 0, 2, 0), opset=13)
_case("pad value", _M, op("Pad", "x p v"), p=_i(0, 0, 1, 2, 0, 0, 2, 0), v=np.array(3.0))
_case("pad value in a list", _V, op("Pad", "x p v"), p=_i(0, 1, 0, 2), v=np.array([3.0]))
_case("pad the first axis", (1, 3), op("Pad", "x p"), p=_i(1, 0, 0, 2))
_case("pad axes", _M, op("Pad", "x p - a"), p=_i(1, 2), a=_i(-2), opset=18)
_case("pad wrap", _M, op("Pad", "x p", mode="wrap"), p=_i(0, 0, 1, 2, 0, 0, 2, 0), opset=19)
_case("concat", _M, op("Relu", "x", "h"), op("Concat", "x h v", axis=1), v=_r(1, 2, 6, 5))
_case("concat first axis", _V, op("Relu", "x", "h"), op("Concat", "x v h", axis=0), v=_r(2, 6))
_case("concat no batch", (6,), op("Relu", "x", "h"), op("Concat", "v x h", axis=-1), v=_r(2))
_case("slice attributes", _M, op("Slice", "x", starts=[1, -3], ends=[3, 1000], axes=[1, 2]), opset=9)
_case("slice", _M, op("Slice", "x b e a s"), b=_i(0, -1), e=_i(6, -10), a=_i(2, 3), s=_i(2, -2), opset=10)
_case("slice without axes", (4, 5), op("Slice", "x b e"), b=_i(1, 2), e=_i(-1, 2**62), opset=13)
_case("slice first axis", _V, op("Slice", "x b e a"), b=_i(0), e=_i(1), a=_i(0))
_case("gather", _M, op("Gather", "x i", axis=1), i=_i(2, -1, 0, 0))
_case("gather one", _M, op("Gather", "x i", axis=2), i=np.array(-1))
_case("gather table", _I, op("Gather", "x i", axis=2), i=np.array([[0, 1], [3, 3]]))
_case("gather first axis", _I, op("Gather", "x i"), i=np.array(0))
_case("gather elements", (3, 4), op("GatherElements", "x i", axis=1), i=np.array([[0, 1], [2, 0], [3, 3]]))
_case("gather nd", (1, 3, 4), op("GatherND", "x i"), i=np.array([[0, 1], [0, 2]]))
_case("scatter nd", _M, op("ScatterND", "x i v"), i=np.array([[0, 1, 2], [0, 3, 0]]), v=_r(2, 5))
_case("scatter nd into rows", (3, 4), op("ScatterND", "x i v"), i=np.array([[-1], [0]]), v=_r(2, 4))
_case(
    "scatter nd of an activation",
    (1, 6),
    op("ScatterND", "v i x"),
    v=_r(2, 6),
    i=np.array([[1]]),
)
_case(
    "scatter nd of both",
    _I,
    op("Slice", "x b e a", "h"),
    op("ScatterND", "x i h"),
    b=_i(1),
    e=_i(2),
    a=_i(1),
    i=np.array([[[0, 2]]]),
)
_case("scatter nd adds", _I, op("ScatterND", "x i v", reduction="add"), i=np.array([[0, 1]] * 3), v=_r(3, 6))
for _opset in (11, 18):
    _places = np.array([[[0, 2, 1], [1, 0, 0]]])
    _case(
        "scatter elements", _I, op("ScatterElements", "x i v", axis=1), opset=_opset, i=_places, v=_r(1, 2, 3)
    )
_case(
    "scatter elements adds",
    _V,
    op("ScatterElements", "x i v", axis=1, reduction="add"),
    opset=18,
    i=np.array([[2, 2, 0, -1]]),
    v=_r(1, 4),
)
_case(
    "scatter elements of the first axis",
    (4, 2),
    op("ScatterElements", "x i v"),
    i=np.array([[3, 0]]),
    v=_r(1, 2),
)
_case(
    "scatter",
    _V,
    op("Scatter", "x i v", axis=1),
    opset=9,
    same=[op("ScatterElements", "x i v", axis=1)],
    i=np.array([[2, 5]]),
    v=_r(1, 2),
)
_case("compress", _M, op("Compress", "x c", axis=2), c=np.array([True, False, True, True]))
_case("compress all", _V, op("Compress", "x c"), c=np.array([False, True, True]))
for _upper in (0, 1):
    _case(f"triangle {_upper}", _I, op("Trilu", "x", upper=_upper))
    _case(
        f"triangle of a table {_upper}", (1, 6), op("Trilu", "x k", upper=_upper), k=np.array(2 - 3 * _upper)
    )
_case("triangle no batch", (3, 4), op("Trilu", "x k"), k=np.array(-1))
for _ends in ({}, {"reverse": 1}, {"exclusive": 1}, {"reverse": 1, "exclusive": 1}):
    _case(f"cumulative sum {_ends}", _I, op("CumSum", "x a", **_ends), a=np.array(-1))
    _case(f"cumulative sum of rows {_ends}", (3, 4), op("CumSum", "x a", **_ends), a=np.array(0))
_case("identity of the shape", (3, 4), op("EyeLike", "x", "e"), op("Add", "x e"))
_case("split", _V, op("Split", "x", "a b", axis=1), op("Sub", "a b"), opset=7)
_case("top k", _V, op("TopK", "x k", "a places", axis=1), op("Relu", "a"), k=_i(3))
_case("least k", _I, op("TopK", "x k", "a places", axis=2, largest=0), op("Relu", "a"), k=_i(2))
_case(
    "split lengths", _V, op("Split", "x", "a b", axis=1, split=[2, 4]), op("Concat", "b a", axis=1), opset=11
)
_case("split", _V, op("Split", "x s", "a b", axis=-1), op("Concat", "b a", axis=1), s=_i(5, 1), opset=13)
_case(
    "split number",
    (1, 7),
    op("Split", "x", "a b", axis=1, num_outputs=2),
    op("Concat", "b a", axis=1),
    opset=18,
)
_case("depth to space", (1, 8, 2, 3), op("DepthToSpace", "x", blocksize=2))
_case("depth to space CRD", (1, 8, 2, 3), op("DepthToSpace", "x", blocksize=2, mode="CRD"), opset=11)
_case("space to depth", (1, 2, 4, 6), op("SpaceToDepth", "x", blocksize=2))

# Reductions
for _kind in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1"):
    _newer = 13 if _kind == "ReduceSum" else 18
    _case(_kind, _M, op(_kind, "x", axes=[2, -1]), opset=11)
    _case(f"{_kind} input", _M, op(_kind, "x a", keepdims=0), a=_i(1), opset=_newer)
    _case(f"{_kind} all", _M, op(_kind, "x"), opset=_newer)
    _case(f"{_kind} batch alone", _I, op(_kind, "x a", keepdims=0), a=_i(0), opset=_newer)
    _case(f"{_kind} none", _I, op(_kind, "x", noop_with_empty_axes=1), opset=_newer)

# Resizing
_scales, _S = np.array([1.0, 1.0, 2.0, 1.5], np.float32), (1, 2, 4, 4)
_old = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
_case(
    "upsample attributes",
    _S,
    op("Upsample", "x", scales=[1.0, 1.0, 2.0, 1.5]),
    opset=7,
    same=[
        op("Constant", "", "s", value_floats=[1.0, 1.0, 2.0, 1.5]),
        op("Resize", "x - s", mode="nearest", **_old),
    ],
)
_case(
    "upsample",
    _S,
    op("Upsample", "x s", mode="linear"),
    opset=9,
    s=_scales,
    same=[op("Resize", "x - s", mode="linear", **_old)],
)
_case(
    "resize",
    _S,
    op("Resize", "x s", mode="nearest"),
    opset=10,
    s=_scales,
    same=[op("Resize", "x - s", mode="nearest", **_old)],
)
for _mode in ("nearest", "linear", "cubic"):
    for _where in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"):
        _case(
            f"resize {_mode} {_where}",
            _S,
            op("Resize", "x - s", mode=_mode, coordinate_transformation_mode=_where),
            opset=13,
            s=_scales,
            tolerance=1e-11 if _mode != "cubic" else 1e-5,
        )
for _rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
    _a = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": _rounding}
    _case(
        f"resize {_rounding}", _S, op("Resize", "x - - n", mode="nearest", **_a), opset=13, n=_i(1, 2, 8, 2)
    )
_case("resize sizes", _S, op("Resize", "x - - n", mode="linear"), opset=13, n=_i(1, 2, 8, 2))
_case("resize axes", _S, op("Resize", "x - - n", mode="linear", axes=[2, 3]), opset=18, n=_i(8, 8))
_case(
    "resize symmetric",
    _S,
    op("Resize", "x - s", mode="linear", coordinate_transformation_mode="half_pixel_symmetric"),
    opset=19,
    s=np.array([1, 1, 1.2, 1.9], np.float32),
)
_case(
    "resize cubic excluding",
    _S,
    op("Resize", "x - s", mode="cubic", exclude_outside=1, cubic_coeff_a=-0.5),
    opset=13,
    s=_scales,
    tolerance=1e-5,
)
for _mode in ("nearest", "linear"):
    _case(
        f"resize region that reaches out {_mode}",
        _S,
        op(
            "Resize",
            "x r - n",
            mode=_mode,
            coordinate_transformation_mode="tf_crop_and_resize",
            extrapolation_value=2.5,
        ),
        opset=13,
        r=np.array([0, 0, -0.5, 0.25, 1, 1, 0.75, 1.5]),
        n=_i(1, 2, 6, 5),
        tolerance=1e-5,
    )
for _mode in ("linear", "cubic"):
    for _outside in (0, 1):
        for _lengths in ((3, 7), (2, 3)):
            _case(
                f"resize antialiased {_mode} {_outside} {_lengths}",
                (1, 2, 7, 6),
                op("Resize", "x - - n", mode=_mode, antialias=1, exclude_outside=_outside),
                opset=18,
                n=_i(1, 2, *_lengths),
                tolerance=1e-5,
            )
_case(
    "resize region",
    _S,
    op("Resize", "x r - n", mode="linear", coordinate_transformation_mode="tf_crop_and_resize"),
    opset=13,
    r=np.array([0, 0, 0.25, 0, 1, 1, 0.75, 1.0]),
    n=_i(1, 2, 3, 4),
)
_case(
    "resize not larger",
    _S,
    op("Resize", "x - - n", mode="nearest", axes=[2, 3], keep_aspect_ratio_policy="not_larger"),
    opset=18,
    n=_i(8, 6),
)

# Sequences, branches and loops
_case(
    "chunks",
    _V,
    op("SplitToSequence", "x s", "q", axis=1),
    op("SequenceAt", "q z"),
    s=np.array(4),
    z=np.array(-1),
)
_case(
    "cuts of given lengths, joined in another order",
    _I,
    op("SplitToSequence", "x s", "q", axis=-1),
    op("SequenceAt", "q z", "a"),
    op("SequenceErase", "q z", "p"),
    op("SequenceInsert", "p a", "r"),
    op("ConcatFromSequence", "r", axis=2),
    s=_i(1, 3, 2),
    z=np.array(0),
)
for _opset in (11, 17):
    _rows = [op("SplitToSequence", "x", "q", axis=1, keepdims=0), op("SequenceInsert", "q v z", "p")]
    _case(
        "rows, stacked",
        _I,
        *_rows,
        op("ConcatFromSequence", "p", axis=-1, new_axis=1),
        opset=_opset,
        v=_r(1, 6),
        z=np.array(1),
    )
_case(
    "scaled by the length of a sequence",
    _I,
    op("SplitToSequence", "x", "q", axis=1),
    op("Identity", "q", "p"),
    op("SequenceLength", "p", "n"),
    op("Cast", "n", "f", to=TensorProto.DOUBLE),
    op("Mul", "x f"),
)
_case(
    "sequence of all",
    _V,
    op("Relu", "x", "h"),
    op("SequenceEmpty", "", "e"),
    op("SequenceInsert", "e h", "q"),
    op("SequenceInsert", "q x z", "r"),
    op("ConcatFromSequence", "r", axis=1),
    z=np.array(0),
)

# Shapes computed in the graph
_case(
    "flatten by shape arithmetic",
    ("n", 2, 3, 4),
    op("Shape", "x", "s"),
    op("Gather", "s zero", "n", axis=0),
    op("Unsqueeze", "n z", "m"),
    op("Concat", "m minus", "t", axis=0),
    op("Reshape", "x t"),
    zero=np.array(0),
    z=_i(0),
    minus=_i(-1),
)
_case(
    "half of the channels",
    _M,
    op("Shape", "x", "s", start=1, end=2),
    op("Div", "s two", "h"),
    op("Slice", "x zero h one", "a"),
    op("Cast", "h", "f", to=TensorProto.DOUBLE),
    op("Mul", "a f"),
    two=_i(2),
    zero=_i(0),
    one=_i(1),
)
_case(
    "constants made in the graph",
    _I,
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
_case(
    "flatten by older shape arithmetic",
    ("n", 2, 3, 4),
    *_sized,
    op("Reshape", "x t"),
    opset=11,
    same=[op("Flatten", "x")],
    zero=np.array(0),
    minus=_i(-1),
)
_case(
    "weight unsqueezed",
    _M,
    op("Unsqueeze", "a", "b", axes=[1, 2]),
    op("PRelu", "x b"),
    opset=11,
    same=[op("Unsqueeze", "a i", "b"), op("PRelu", "x b")],
    a=_r(4),
    i=_i(1, 2),
)
_case(
    "weight computed in the graph",
    _V,
    op("Transpose", "w", "t"),
    op("Mul", "t g", "u"),
    op("MatMul", "x u"),
    w=_r(4, 6),
    g=_r(4),
)
