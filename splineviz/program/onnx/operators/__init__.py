"""The table of ONNX operators: one entry each, keyed by its name."""

from splineviz.program.onnx.node import OPERATORS
from splineviz.program.onnx.operators import (  # noqa: F401  (each registers its entries)
    classical,
    convolution,
    entrywise,
    fourier,
    matrix_products,
    parts,
    pools,
    reductions,
    reshaping,
    resize,
    scattering,
    smooth,
)
from splineviz.program.onnx.operators.smooth import refusal_of

__all__ = ["OPERATORS", "refusal_of"]
