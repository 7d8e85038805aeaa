"""Convolutions, plain and transposed."""

from __future__ import annotations

from .building import IMAGE, Cases, op, reals, whole

__all__ = ["CASES"]

CASES = Cases()

CASES.add("conv", IMAGE, op("Conv", "x w b", pads=[1, 1, 1, 1]), w=reals(3, 4, 3, 3), b=reals(3))
CASES.add(
    "conv uneven",
    IMAGE,
    op("Conv", "x w", pads=[1, 0, 2, 1], strides=[2, 1], dilations=[1, 2]),
    w=reals(3, 4, 3, 2),
)
CASES.add(
    "conv groups", IMAGE, op("Conv", "x w b", group=2, kernel_shape=[2, 2]), w=reals(6, 2, 2, 2), b=reals(6)
)
CASES.add("conv 1d", (1, 3, 9), op("Conv", "x w", strides=[2], pads=[2, 1]), w=reals(2, 3, 4))
CASES.add("conv 3d", (1, 2, 4, 3, 3), op("Conv", "x w", pads=[1, 1, 1, 1, 1, 1]), w=reals(2, 2, 3, 3, 3))
for _auto in ("VALID", "SAME_UPPER", "SAME_LOWER"):
    CASES.add(f"conv {_auto}", IMAGE, op("Conv", "x w", auto_pad=_auto, strides=[2, 2]), w=reals(3, 4, 3, 4))
_T = {"w": reals(4, 3, 3, 2), "b": reals(3)}
CASES.add("conv transpose", IMAGE, op("ConvTranspose", "x w b", strides=[2, 2], pads=[1, 1, 1, 1]), **_T)
CASES.add(
    "conv transpose uneven", IMAGE, op("ConvTranspose", "x w b", strides=[2, 2], pads=[0, 1, 1, 0]), **_T
)
CASES.add(
    "conv transpose added", IMAGE, op("ConvTranspose", "x w b", strides=[2, 3], output_padding=[1, 2]), **_T
)
CASES.add(
    "conv transpose shape",
    IMAGE,
    op("ConvTranspose", "x w", strides=[2, 2], output_shape=[12, 8]),
    same=[op("ConvTranspose", "x w", strides=[2, 2], pads=[1, 1, 0, 1])],
    w=_T["w"],
)
CASES.add(
    "conv transpose shape, same",
    IMAGE,
    op("ConvTranspose", "x w", strides=[2, 2], output_shape=[12, 7], auto_pad="SAME_UPPER"),
    w=_T["w"],
)
CASES.add(
    "conv transpose same", IMAGE, op("ConvTranspose", "x w", strides=[2, 2], auto_pad="SAME_UPPER"), w=_T["w"]
)
_halves = [op("Split", "x", "x0 x1", axis=1), op("Split", "w", "w0 w1", axis=0)]
_halves += [op("ConvTranspose", f"x{i} w{i}", f"y{i}", dilations=[2, 1]) for i in (0, 1)]
CASES.add(
    "conv transpose groups",
    IMAGE,
    op("ConvTranspose", "x w", group=2, dilations=[2, 1]),
    same=[*_halves, op("Concat", "y0 y1", axis=1)],
    w=_T["w"],
)
CASES.add("conv transpose 1d", (1, 3, 5), op("ConvTranspose", "x w", strides=[3]), w=reals(3, 2, 4))

for _columns, _how in (
    ((1, 12, 12), {}),
    ((1, 12, 24), {"pads": [1, 0, 1, 1]}),
    ((1, 12, 4), {"strides": [2, 1], "dilations": [1, 2]}),
):
    CASES.add(
        f"windows added up {_how}",
        _columns,
        op("Col2Im", "x s b", **_how),
        opset=18,
        s=whole(5, 4),
        b=whole(2, 2),
    )
