"""Operators on several tensors."""

from __future__ import annotations

import numpy as np

from .building import SERIES, Cases, op, reals, whole

__all__ = ["CASES"]

CASES = Cases()

for _kind in ("Add", "Sub", "Mul", "Div"):
    CASES.add(f"{_kind} constant", SERIES, op(_kind, "x v"), v=reals(3, 1), opset=7)
    CASES.add(f"{_kind} scalar", SERIES, op(_kind, "x v"), v=np.array(1.5))
    CASES.add(f"{_kind} no batch", (3, 6), op(_kind, "x v"), v=reals(3, 1))
    CASES.add(f"{_kind} more axes", (6,), op(_kind, "x v"), v=reals(2, 1))
    CASES.add(f"{_kind} leading one", (3, 6), op(_kind, "x v"), v=reals(1, 3, 6))
CASES.add("constant minus", SERIES, op("Sub", "v x"), v=reals(6))
CASES.add("Sum", SERIES, op("Relu", "x", "h"), op("Sum", "x h v"), v=reals(6), opset=8)
CASES.add("Mean", SERIES, op("Relu", "x", "h"), op("Mean", "x h"), opset=8)
CASES.add("Max", SERIES, op("Neg", "x", "h"), op("Max", "x h v"), v=reals(6))
CASES.add("Min", SERIES, op("Min", "x v"), v=reals(3, 1))
CASES.add(
    "add of unlike axes",
    SERIES,
    op("ReduceMean", "x", "h", axes=[0, 2], keepdims=0),
    op("Unsqueeze", "h a", "k"),
    op("Add", "x k"),
    a=whole(1),
)
CASES.add("add grows an axis", (6,), op("Unsqueeze", "x a", "h"), op("Add", "x h"), a=whole(1))
