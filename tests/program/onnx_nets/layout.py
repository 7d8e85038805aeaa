"""Shapes, order and parts."""

from __future__ import annotations

import numpy as np

from .building import IMAGE, ROW, SERIES, Cases, op, reals, whole

__all__ = ["CASES"]

CASES = Cases()

for _opset in (7, 11):
    CASES.add("squeeze", (1, 3, 1, 6), op("Squeeze", "x", axes=[2]), opset=_opset)
    CASES.add("unsqueeze", SERIES, op("Unsqueeze", "x", axes=[0, 3]), opset=_opset)
CASES.add("squeeze", (1, 3, 1, 6), op("Squeeze", "x a"), a=whole(-2), opset=13)
CASES.add("squeeze all", (1, 3, 1, 6), op("Squeeze", "x"), opset=13)
CASES.add("unsqueeze", SERIES, op("Unsqueeze", "x a"), a=whole(-1), opset=13)
CASES.add("reshape", SERIES, op("Reshape", "x s"), s=whole(0, -1))
CASES.add("reshape baked", SERIES, op("Reshape", "x s"), s=whole(1, 9, 2))
CASES.add("reshape flat", SERIES, op("Reshape", "x s"), s=whole(-1))
CASES.add("reshape first to last", SERIES, op("Reshape", "x s"), s=whole(6, 3, 1))
CASES.add("reshape allowzero", SERIES, op("Reshape", "x s", allowzero=1), s=whole(2, 9), opset=14)
for _axis in (0, 1, 2, -1):
    CASES.add(f"flatten {_axis}", IMAGE, op("Flatten", "x", axis=_axis), opset=11)
CASES.add("flatten no batch", (2, 3), op("Flatten", "x", axis=0))
CASES.add("transpose", IMAGE, op("Transpose", "x", perm=[0, 2, 3, 1]))
CASES.add("transpose all", IMAGE, op("Transpose", "x"))
CASES.add("transpose no batch", (2, 3, 4), op("Transpose", "x", perm=[2, 0, 1]))
CASES.add(
    "channels last",
    (1, 6, 5, 4),
    op("Transpose", "x", "h", perm=[0, 3, 1, 2]),
    op("Conv", "h w", "k"),
    op("Transpose", "k", perm=[0, 2, 3, 1]),
    w=reals(3, 4, 2, 2),
)
CASES.add("expand", (1, 3, 1), op("Expand", "x s"), s=whole(2, 1, 6))
CASES.add("expand more axes", (6,), op("Expand", "x s"), s=whole(1, 3, 6))
CASES.add("tile", SERIES, op("Tile", "x n"), n=whole(1, 2, 3))
CASES.add("tile the first axis", SERIES, op("Tile", "x n"), n=whole(2, 1, 1))
for _mode in ("constant", "reflect", "edge"):
    CASES.add(f"pad {_mode}", IMAGE, op("Pad", "x", mode=_mode, pads=[0, 1, 0, 2, 0, 0, 3, 1]), opset=7)
    CASES.add(f"pad {_mode}", IMAGE, op("Pad", "x p", mode=_mode), p=whole(0, 0, 1, 2, 0, 0, 2, 0), opset=13)
CASES.add("pad value", IMAGE, op("Pad", "x p v"), p=whole(0, 0, 1, 2, 0, 0, 2, 0), v=np.array(3.0))
CASES.add("pad value in a list", ROW, op("Pad", "x p v"), p=whole(0, 1, 0, 2), v=np.array([3.0]))
CASES.add("pad the first axis", (1, 3), op("Pad", "x p"), p=whole(1, 0, 0, 2))
CASES.add("pad axes", IMAGE, op("Pad", "x p - a"), p=whole(1, 2), a=whole(-2), opset=18)
CASES.add("pad wrap", IMAGE, op("Pad", "x p", mode="wrap"), p=whole(0, 0, 1, 2, 0, 0, 2, 0), opset=19)
CASES.add("concat", IMAGE, op("Relu", "x", "h"), op("Concat", "x h v", axis=1), v=reals(1, 2, 6, 5))
CASES.add("concat first axis", ROW, op("Relu", "x", "h"), op("Concat", "x v h", axis=0), v=reals(2, 6))
CASES.add("concat no batch", (6,), op("Relu", "x", "h"), op("Concat", "v x h", axis=-1), v=reals(2))
CASES.add("slice attributes", IMAGE, op("Slice", "x", starts=[1, -3], ends=[3, 1000], axes=[1, 2]), opset=9)
CASES.add(
    "slice",
    IMAGE,
    op("Slice", "x b e a s"),
    b=whole(0, -1),
    e=whole(6, -10),
    a=whole(2, 3),
    s=whole(2, -2),
    opset=10,
)
CASES.add("slice without axes", (4, 5), op("Slice", "x b e"), b=whole(1, 2), e=whole(-1, 2**62), opset=13)
CASES.add("slice first axis", ROW, op("Slice", "x b e a"), b=whole(0), e=whole(1), a=whole(0))
CASES.add("gather", IMAGE, op("Gather", "x i", axis=1), i=whole(2, -1, 0, 0))
CASES.add("gather one", IMAGE, op("Gather", "x i", axis=2), i=np.array(-1))
CASES.add("gather table", SERIES, op("Gather", "x i", axis=2), i=np.array([[0, 1], [3, 3]]))
CASES.add("gather first axis", SERIES, op("Gather", "x i"), i=np.array(0))
CASES.add(
    "gather elements", (3, 4), op("GatherElements", "x i", axis=1), i=np.array([[0, 1], [2, 0], [3, 3]])
)
CASES.add("gather nd", (1, 3, 4), op("GatherND", "x i"), i=np.array([[0, 1], [0, 2]]))
CASES.add("scatter nd", IMAGE, op("ScatterND", "x i v"), i=np.array([[0, 1, 2], [0, 3, 0]]), v=reals(2, 5))
CASES.add("scatter nd into rows", (3, 4), op("ScatterND", "x i v"), i=np.array([[-1], [0]]), v=reals(2, 4))
CASES.add(
    "scatter nd of an activation",
    (1, 6),
    op("ScatterND", "v i x"),
    v=reals(2, 6),
    i=np.array([[1]]),
)
CASES.add(
    "scatter nd of both",
    SERIES,
    op("Slice", "x b e a", "h"),
    op("ScatterND", "x i h"),
    b=whole(1),
    e=whole(2),
    a=whole(1),
    i=np.array([[[0, 2]]]),
)
CASES.add(
    "scatter nd adds",
    SERIES,
    op("ScatterND", "x i v", reduction="add"),
    i=np.array([[0, 1]] * 3),
    v=reals(3, 6),
)
for _opset in (11, 18):
    _places = np.array([[[0, 2, 1], [1, 0, 0]]])
    CASES.add(
        "scatter elements",
        SERIES,
        op("ScatterElements", "x i v", axis=1),
        opset=_opset,
        i=_places,
        v=reals(1, 2, 3),
    )
CASES.add(
    "scatter elements adds",
    ROW,
    op("ScatterElements", "x i v", axis=1, reduction="add"),
    opset=18,
    i=np.array([[2, 2, 0, -1]]),
    v=reals(1, 4),
)
CASES.add(
    "scatter elements of the first axis",
    (4, 2),
    op("ScatterElements", "x i v"),
    i=np.array([[3, 0]]),
    v=reals(1, 2),
)
CASES.add(
    "scatter",
    ROW,
    op("Scatter", "x i v", axis=1),
    opset=9,
    same=[op("ScatterElements", "x i v", axis=1)],
    i=np.array([[2, 5]]),
    v=reals(1, 2),
)
CASES.add("compress", IMAGE, op("Compress", "x c", axis=2), c=np.array([True, False, True, True]))
CASES.add("compress all", ROW, op("Compress", "x c"), c=np.array([False, True, True]))
for _upper in (0, 1):
    CASES.add(f"triangle {_upper}", SERIES, op("Trilu", "x", upper=_upper))
    CASES.add(
        f"triangle of a table {_upper}", (1, 6), op("Trilu", "x k", upper=_upper), k=np.array(2 - 3 * _upper)
    )
CASES.add("triangle no batch", (3, 4), op("Trilu", "x k"), k=np.array(-1))
for _ends in ({}, {"reverse": 1}, {"exclusive": 1}, {"reverse": 1, "exclusive": 1}):
    CASES.add(f"cumulative sum {_ends}", SERIES, op("CumSum", "x a", **_ends), a=np.array(-1))
    CASES.add(f"cumulative sum of rows {_ends}", (3, 4), op("CumSum", "x a", **_ends), a=np.array(0))
CASES.add("identity of the shape", (3, 4), op("EyeLike", "x", "e"), op("Add", "x e"))
CASES.add("split", ROW, op("Split", "x", "a b", axis=1), op("Sub", "a b"), opset=7)
CASES.add("top k", ROW, op("TopK", "x k", "a places", axis=1), op("Relu", "a"), k=whole(3))
CASES.add("least k", SERIES, op("TopK", "x k", "a places", axis=2, largest=0), op("Relu", "a"), k=whole(2))
CASES.add(
    "split lengths", ROW, op("Split", "x", "a b", axis=1, split=[2, 4]), op("Concat", "b a", axis=1), opset=11
)
CASES.add(
    "split", ROW, op("Split", "x s", "a b", axis=-1), op("Concat", "b a", axis=1), s=whole(5, 1), opset=13
)
CASES.add(
    "split number",
    (1, 7),
    op("Split", "x", "a b", axis=1, num_outputs=2),
    op("Concat", "b a", axis=1),
    opset=18,
)
CASES.add("depth to space", (1, 8, 2, 3), op("DepthToSpace", "x", blocksize=2))
CASES.add("depth to space CRD", (1, 8, 2, 3), op("DepthToSpace", "x", blocksize=2, mode="CRD"), opset=11)
CASES.add("space to depth", (1, 2, 4, 6), op("SpaceToDepth", "x", blocksize=2))
