"""More networks for the differential tests, by family of operations: each module has MODULES and
FUNCTIONS."""

from __future__ import annotations

from . import (
    compositions,
    convolutions,
    core_aten,
    elementwise,
    moves,
    order,
    pointwise,
    products,
    sampling,
    scattering,
    spectra,
    structure,
    writes,
)

__all__ = ["FUNCTIONS", "MODULES"]

_FAMILIES = (
    compositions,
    convolutions,
    core_aten,
    elementwise,
    moves,
    order,
    pointwise,
    products,
    sampling,
    scattering,
    spectra,
    structure,
    writes,
)
MODULES = {name: case for family in _FAMILIES for name, case in family.MODULES.items()}
FUNCTIONS = {name: case for family in _FAMILIES for name, case in family.FUNCTIONS.items()}
