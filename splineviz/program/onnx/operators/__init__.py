"""The table of ONNX operators: one entry each, keyed by its name."""

from splineviz.program.onnx.node import OPERATORS
from splineviz.program.onnx.operators import (  # noqa: F401  (each registers its entries)
    convolution,
    dense,
    elementwise,
    layout,
    parts,
    pooling,
    reductions,
    resize,
    smooth,
)
from splineviz.program.onnx.operators.smooth import refusal_of

__all__ = ["OPERATORS", "refusal_of"]
