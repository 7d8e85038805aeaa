"""Pools."""

from __future__ import annotations

from typing import Any

from .building import IMAGE, Cases, op

__all__ = ["CASES"]

CASES = Cases()

for _pool in ("MaxPool", "AveragePool"):
    _k: dict[str, Any] = {"kernel_shape": [3, 2]}
    CASES.add(f"{_pool}", IMAGE, op(_pool, "x", **_k, strides=[2, 2]))
    CASES.add(f"{_pool} padded", IMAGE, op(_pool, "x", **_k, pads=[1, 1, 1, 1]), opset=7)
    CASES.add(f"{_pool} uneven", IMAGE, op(_pool, "x", **_k, pads=[2, 0, 1, 1], strides=[2, 1]), opset=11)
    CASES.add(
        f"{_pool} ceil", IMAGE, op(_pool, "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), opset=10
    )
    CASES.add(f"{_pool} same upper", IMAGE, op(_pool, "x", **_k, auto_pad="SAME_UPPER", strides=[2, 2]))
    _lower = op(_pool, "x", **_k, pads=[1, 1, 1, 0], strides=[1, 2])
    CASES.add(
        f"{_pool} same lower",
        IMAGE,
        op(_pool, "x", **_k, auto_pad="SAME_LOWER", strides=[1, 2]),
        same=[_lower],
    )
    CASES.add(f"{_pool} 1d", (1, 2, 9), op(_pool, "x", kernel_shape=[4], strides=[3], pads=[1, 2]))
    CASES.add(f"{_pool} 3d", (1, 2, 4, 4, 4), op(_pool, "x", kernel_shape=[2, 2, 2], strides=[2, 2, 2]))
CASES.add("MaxPool with places that nobody reads", IMAGE, op("MaxPool", "x", "y i", kernel_shape=[2, 2]))
CASES.add("MaxPool dilated", IMAGE, op("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 3]))
CASES.add(
    "MaxPool dilated, uneven",
    IMAGE,
    op("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 3], pads=[0, 1, 1, 0]),
)
CASES.add(
    "AveragePool dilated", IMAGE, op("AveragePool", "x", kernel_shape=[2, 2], dilations=[2, 3]), opset=19
)
CASES.add(
    "AveragePool counts padding",
    IMAGE,
    op("AveragePool", "x", kernel_shape=[3, 2], pads=[1, 0, 0, 1], count_include_pad=1),
)
CASES.add(
    "AveragePool even padding counts",
    IMAGE,
    op("AveragePool", "x", kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1),
)
for _kernel in ({"kernel_shape": [3, 2]}, {"kernel_shape": [2, 2], "pads": [1, 0, 0, 1], "strides": [2, 1]}):
    CASES.add(f"sums of absolute values {_kernel}", IMAGE, op("LpPool", "x", p=1, **_kernel))
CASES.add(
    "global sum of absolute values",
    IMAGE,
    op("GlobalLpPool", "x", p=1),
    same=[op("ReduceL1", "x", axes=[2, 3])],
)
CASES.add("global average", IMAGE, op("GlobalAveragePool", "x"))
CASES.add("global max", IMAGE, op("GlobalMaxPool", "x"))
