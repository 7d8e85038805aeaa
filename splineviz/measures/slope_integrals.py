"""Integrals of what is constant on each cell: total variation of outputs, and mean Lipschitz constants."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.measures.deviation import Deviation, Swept
from splineviz.measures.moments import spectral_norms, total
from splineviz.measures.result import Quantity, proven

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["slope_quantities"]


def slope_quantities(
    arr: Arrangement,
    areas: Float64[np.ndarray, "cell"],
    deviation: Deviation,
    swept: Swept | None,
    *,
    input_norms: bool,
) -> Iterator[Quantity]:
    """Total variation of each output, the integral of the norm of its gradient, and means of the norm of the
    Jacobian. Kinks add nothing, as outputs are continuous.

    ``areas`` (F,) are those of what is measured of each cell. An edge that is misplaced moves area from one
    cell to the other, and with it the difference of their norms.
    """
    slopes = arr.affine[:, :, :2]
    norms = np.column_stack([np.hypot(slopes[:, :, 0], slopes[:, :, 1]), spectral_norms(slopes)])
    sums = total(areas[:, None] * norms)
    errors = _errors(arr, norms, areas, deviation, swept)
    for k, (variation, error) in enumerate(zip(sums[:-1].tolist(), errors, strict=False)):
        yield Quantity("total variation", variation, f"output {k}", proven(error), "input distance")
    mean = float(sums[-1]) / deviation.area
    error = deviation.mean(mean, errors[-1])
    yield Quantity("mean Lipschitz constant", mean, "the slice", proven(error))
    if input_norms:
        mean = float(total(areas * arr.jacobian_norms())) / deviation.area
        yield Quantity("mean Lipschitz constant", mean, "input space")


def _errors(
    arr: Arrangement,
    norms: Float64[np.ndarray, "cell norm"],
    areas: np.ndarray,
    deviation: Deviation,
    swept: Swept | None,
) -> list[float]:
    """Errors of the integrals of norms of gradients, the last of which is that of all outputs."""
    if swept is None:
        return [math.inf] * norms.shape[1]
    left, right = arr.edge_cells[swept.inner].T
    jump = np.abs(norms[left] - norms[right])
    wrong = np.hypot(*arr._bounded.errors[:, :2].T)
    share = np.append(np.ones(norms.shape[1] - 1), math.sqrt(norms.shape[1] - 1))
    moved = swept.areas @ jump + (swept.areas @ (wrong[left] + wrong[right])) * share
    own = np.abs(areas) @ (wrong[:, None] * share + 16.0 * UNIT_ROUNDOFF * norms)
    largest = norms.max(0, initial=0.0)
    return [
        SAFE * (m + o) + deviation.integral(0.0, size)
        for m, o, size in zip(moved.tolist(), own.tolist(), largest.tolist(), strict=True)
    ]
