"""The operation table: one entry per ATen operation, keyed by its name."""

from splineviz.program.operations import (  # noqa: F401  (each registers its entries)
    contraction,
    dense,
    elementwise,
    grid_sampling,
    layout,
    maxima,
    moves,
    order,
    pointwise,
    pooling,
    resampling,
    scattering,
    sparse,
)
from splineviz.program.operations.base import (
    BATCH,
    OPERATIONS,
    Active,
    Builder,
    Constant,
    RefusedError,
    Rows,
    Step,
)
from splineviz.program.operations.complex_numbers import COMPLEX, Complex, is_complex, lost, why_not_complex
from splineviz.program.operations.gates import COMPARISONS, GATES
from splineviz.program.operations.meeting import settled
from splineviz.program.operations.piecewise import Piecewise

__all__ = [
    "BATCH",
    "COMPARISONS",
    "COMPLEX",
    "GATES",
    "OPERATIONS",
    "Active",
    "Builder",
    "Complex",
    "Constant",
    "Piecewise",
    "RefusedError",
    "Rows",
    "Step",
    "is_complex",
    "lost",
    "settled",
    "why_not_complex",
]
