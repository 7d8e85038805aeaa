"""Small ONNX graphs, one or more for each operator and each form that it had over the opsets, by family."""

from __future__ import annotations

from . import (
    computed_shapes,
    control_flow,
    convolutions,
    entrywise,
    layout,
    pools,
    products,
    resizing,
    several_tensors,
    spectra,
)
from .building import Case, model_of, op, saved

__all__ = ["CASES", "Case", "model_of", "op", "saved"]

_FAMILIES = (
    products,
    convolutions,
    pools,
    entrywise,
    several_tensors,
    spectra,
    layout,
    resizing,
    control_flow,
    computed_shapes,
)
CASES = [case for family in _FAMILIES for case in family.CASES]
