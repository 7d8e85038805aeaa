"""Changes of values at new vertices, where crossings come in another order than values have it."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from splineviz.geometry import edge_crossings
from splineviz.geometry.kernel_compiler import KernelCompiler
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from tests.geometry.test_predicates import units_of

changes_at = numba.njit(pipeline_class=KernelCompiler)(edge_crossings._changes_at.py_func)


@pytest.mark.parametrize(("joined", "late"), [(True, 0.0), (False, 1e-9)])
def test_units_that_cross_there_too_change_by_how_far_off_they_vanish(joined: bool, late: float) -> None:
    """One of two is a point behind by its values: in one point with the first in truth, or before it."""
    off = 1e-10
    z, scale = np.array([[1.0, 2.0, 1.0], [-1.0, -2.0, -1.0]]), np.array([0.25, 0.5, 0.0])
    units = units_of(z, scale, np.zeros(2), np.empty(0))
    nothing = np.zeros(3)
    crossings = edge_crossings._Sorted(
        t=np.array([0.5, 0.5, 0.75]),
        bound=nothing,
        proof=nothing,
        unit=np.arange(3),
        nominal=nothing,
        nominal_proof=nothing,
        quotient=np.array([0.5, 0.5 - off, 0.75]),
        joined=np.array([False, joined, False]),
    )
    norm, share = changes_at(crossings, 3, 0, late, units, 0, 1)
    change = 4.0 * (off + 4.0 * UNIT_ROUNDOFF)
    own = 2.0 * 4.0 * UNIT_ROUNDOFF
    assert norm == pytest.approx(np.hypot(change, own), rel=1e-6)
    assert share == pytest.approx(change / 0.5, rel=1e-6)
