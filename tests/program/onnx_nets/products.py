"""Products, batch norms and sums of products."""

from __future__ import annotations

import numpy as np

from .building import IMAGE, ROW, SERIES, Cases, op, reals

__all__ = ["CASES"]

CASES = Cases()

for _opset in (7, 9, 11, 13, 17, 21):
    CASES.add("gemm", ROW, op("Gemm", "x w b", transB=1), opset=_opset, w=reals(4, 6), b=reals(4))
CASES.add("gemm scaled", ROW, op("Gemm", "x w b", alpha=0.5, beta=-2.0), w=reals(6, 4), b=reals(1, 4))
CASES.add("gemm scalar bias", ROW, op("Gemm", "x w b"), w=reals(6, 4), b=reals(1))
CASES.add("gemm without bias", ROW, op("Gemm", "x w"), w=reals(6, 4))
CASES.add("gemm rows", (3, 6), op("Gemm", "x w b", transB=1), w=reals(4, 6), b=reals(4))
CASES.add("gemm rows, own bias each", (3, 6), op("Gemm", "x w b"), w=reals(6, 4), b=reals(3, 1))
CASES.add("gemm transposed", (6, 3), op("Gemm", "x w b", transA=1, alpha=2.0), w=reals(6, 4), b=reals(4))
CASES.add("gemm transposed row", (6, 1), op("Gemm", "x w b", transA=1), w=reals(6, 4), b=reals(4))
CASES.add("gemm of a row", (1, 6), op("Gemm", "x w b", transA=1), w=reals(1, 4), b=reals(4))
CASES.add("gemm constant left", (6, 3), op("Gemm", "w x b", alpha=3.0), w=reals(4, 6), b=reals(3))
CASES.add("gemm constant left, one row", (6, 3), op("Gemm", "w x b"), w=reals(1, 6), b=reals(1, 3))
CASES.add("gemm constant left, transposed", (3, 6), op("Gemm", "w x", transA=1, transB=1), w=reals(6, 4))
CASES.add(
    "gemm activation as bias", (1, 6), op("Relu", "x", "h"), op("Gemm", "x w h", beta=0.5), w=reals(6, 6)
)
CASES.add("gemm activation as bias of constants", (1, 6), op("Gemm", "v w x"), v=reals(1, 2), w=reals(2, 6))
CASES.add("matmul", ROW, op("MatMul", "x w"), w=reals(6, 4))
CASES.add("matmul no batch", (6,), op("MatMul", "x w"), w=reals(6, 4))
CASES.add("matmul one entry", (1,), op("MatMul", "x w"), w=reals(1, 4))
CASES.add("matmul vector", SERIES, op("MatMul", "x w"), w=reals(6))
CASES.add("matmul vectors", (6,), op("MatMul", "x w"), w=reals(6))
CASES.add("matmul to one row", (6,), op("MatMul", "w x"), w=reals(1, 6))
CASES.add("matmul deep", (1, 2, 3, 6), op("MatMul", "x w"), w=reals(6, 4))
CASES.add("matmul stack of one", SERIES, op("MatMul", "x w"), w=reals(1, 1, 6, 4))
CASES.add("matmul stack", (1, 2, 3, 6), op("MatMul", "x w"), w=reals(2, 6, 4))
CASES.add("matmul vector and stack", (6,), op("MatMul", "x w"), w=reals(2, 3, 6, 4))
CASES.add("matmul stack and vector", (6,), op("MatMul", "w x"), w=reals(2, 4, 6))
CASES.add("matmul stack and one number", (1,), op("MatMul", "w x"), w=reals(2, 4, 1))
CASES.add("matmul left", (6,), op("MatMul", "w x"), w=reals(4, 6))
CASES.add("matmul left column", (6, 1), op("MatMul", "w x"), w=reals(4, 6))
CASES.add("matmul left matrix", (6, 3), op("MatMul", "w x"), w=reals(4, 6))
CASES.add("matmul left maps", (1, 2, 6, 3), op("MatMul", "w x"), w=reals(4, 6))
CASES.add("matmul left row", (1, 3), op("MatMul", "w x"), w=reals(4, 1))
CASES.add("matmul left vector", SERIES, op("MatMul", "w x"), w=reals(3))
CASES.add("einsum", SERIES, op("Einsum", "x w", equation="bij,jk->bki"), w=reals(6, 4))
CASES.add("einsum implicit", (3, 6), op("Einsum", "x w", equation="ij, jk"), w=reals(6, 4))
CASES.add("einsum ellipsis", IMAGE, op("Einsum", "x w", equation="...ij,jk->...ik"), w=reals(5, 2))
CASES.add("einsum alone", SERIES, op("Einsum", "x", equation="bij->bj"))
_names = {"s": reals(4), "b": reals(4), "m": reals(4), "v": np.abs(reals(4)) + 0.1}
for _opset in (7, 9, 14, 15):
    _norm = op("BatchNormalization", "x s b m v", epsilon=1e-3)
    CASES.add("batch norm", IMAGE, _norm, opset=_opset, same=[_norm], **_names)
CASES.add("batch norm of a vector", (1, 4), op("BatchNormalization", "x s b m v"), **_names)

CASES.add(
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
    **{key: np.abs(reals(3, 2)) + 0.1 for key in "sbmv"},
)
