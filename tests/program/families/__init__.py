"""More networks for the differential tests, by family of operations: each module has MODULES and
FUNCTIONS."""

from __future__ import annotations

from . import convolutions, elementwise, moves, pointwise, products, sampling, structure, writes

__all__ = ["FUNCTIONS", "MODULES"]

_FAMILIES = (convolutions, elementwise, moves, pointwise, products, sampling, structure, writes)
MODULES = {name: case for family in _FAMILIES for name, case in family.MODULES.items()}
FUNCTIONS = {name: case for family in _FAMILIES for name, case in family.FUNCTIONS.items()}
