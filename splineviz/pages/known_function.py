"""What is known of the function on the cells of an arrangement, and why that is not more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from splineviz.arrangement.result import Arrangement

__all__ = ["MOST", "KnownFunction", "known_function", "n_outputs"]

MOST = 16
"""Outputs of a network up to which a page holds all"""


@dataclass(frozen=True, eq=False)
class KnownFunction:
    """The maps of cells and the bends at edges, as far as they can be had."""

    maps: Float64[np.ndarray, "cell output 3"] | None
    jump: Float64[np.ndarray, "edge"] | None
    missing: str | None = None
    """Why there are no maps, as a sentence"""

    @property
    def bends(self) -> Bool[np.ndarray, "edge"] | None:
        """Whether the function bends at each edge."""
        return None if self.jump is None else self.jump > 0


def n_outputs(arr: Arrangement) -> int:
    """Number of outputs of the network of an arrangement."""
    assert arr.info is not None
    return math.prod(arr.info.output_shape)


def known_function(arr: Arrangement, *, compute: bool) -> KnownFunction:
    """The function on the cells of an arrangement; without ``compute`` only what was asked for before."""
    there = vars(arr)
    if "affine" not in there:
        missing = _why_missing(arr, compute)
        if missing is not None:
            return KnownFunction(None, None, missing)
    if not compute and n_outputs(arr) > MOST and "_decisions" not in there:
        missing = "which outputs are the largest was not computed yet: arr.n_decision_regions computes it"
        return KnownFunction(None, None, missing)
    # A file may hold maps without bends, which cannot be told from the maps alone.
    jump = arr.edge_jump if "edge_jump" in there or (compute and arr.program is not None) else None
    n_infinite = arr.n_overflowing_maps
    if n_infinite:
        missing = f"the maps of {n_infinite:,} cells are beyond the largest float64, so outputs are left out"
        return KnownFunction(None, jump, missing)
    return KnownFunction(arr.affine, jump)


def _why_missing(arr: Arrangement, compute: bool) -> str | None:
    """Why maps cannot be had; None where they can be computed."""
    without = "so there are no outputs, classes and decision boundary"
    if arr.program is None:
        return (
            f"the file that this arrangement was loaded from holds no affine maps, {without}: write it with "
            "sv.save(..., affine=True), or slice --affine"
        )
    if len(arr.patterns) < len(arr.program.stages):
        return f"the cells are those after stage {len(arr.patterns) - 1}, {without} yet"
    if not compute:
        return f"affine maps were not computed yet, {without}: arr.affine computes them, sv.page shows them"
    return None
