"""Sequences, branches and loops."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from .building import ROW, SERIES, Cases, op, reals, whole

__all__ = ["CASES"]

CASES = Cases()

CASES.add(
    "chunks",
    ROW,
    op("SplitToSequence", "x s", "q", axis=1),
    op("SequenceAt", "q z"),
    s=np.array(4),
    z=np.array(-1),
)
CASES.add(
    "cuts of given lengths, joined in another order",
    SERIES,
    op("SplitToSequence", "x s", "q", axis=-1),
    op("SequenceAt", "q z", "a"),
    op("SequenceErase", "q z", "p"),
    op("SequenceInsert", "p a", "r"),
    op("ConcatFromSequence", "r", axis=2),
    s=whole(1, 3, 2),
    z=np.array(0),
)
for _opset in (11, 17):
    _rows = [op("SplitToSequence", "x", "q", axis=1, keepdims=0), op("SequenceInsert", "q v z", "p")]
    CASES.add(
        "rows, stacked",
        SERIES,
        *_rows,
        op("ConcatFromSequence", "p", axis=-1, new_axis=1),
        opset=_opset,
        v=reals(1, 6),
        z=np.array(1),
    )
CASES.add(
    "scaled by the length of a sequence",
    SERIES,
    op("SplitToSequence", "x", "q", axis=1),
    op("Identity", "q", "p"),
    op("SequenceLength", "p", "n"),
    op("Cast", "n", "f", to=TensorProto.DOUBLE),
    op("Mul", "x f"),
)
CASES.add(
    "sequence of all",
    ROW,
    op("Relu", "x", "h"),
    op("SequenceEmpty", "", "e"),
    op("SequenceInsert", "e h", "q"),
    op("SequenceInsert", "q x z", "r"),
    op("ConcatFromSequence", "r", axis=1),
    z=np.array(0),
)
