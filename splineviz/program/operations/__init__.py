"""The operation table: one entry per ATen operation, keyed by its name."""

from splineviz.program.operations import (  # noqa: F401  (each registers its entries)
    contraction,
    dense,
    elementwise,
    layout,
    maxima,
    moves,
    pointwise,
    pooling,
    resampling,
)
from splineviz.program.operations.base import OPERATIONS, Active, Builder, Constant, RefusedError, Rows, Step

__all__ = ["OPERATIONS", "Active", "Builder", "Constant", "RefusedError", "Rows", "Step"]
