"""Regions of a slice and what proves them, as far as there is time for them after the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from splineviz.deadline import SpentError, until

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["GRACE", "found_in_time"]

GRACE = 4.0
"""Seconds beyond --seconds for what is told of the cells: without it a budget that ends leaves none of it"""


def found_in_time(arr: Arrangement, end: float | None) -> bool:
    """Have the areas and regions of cells found, which the arrangement keeps; whether the regions were found
    before ``end``, on the clock of ``time.monotonic``. None is no end."""
    with until(end):
        _ = arr.areas
        try:
            if arr.has_outputs:
                _ = arr.n_linear_regions, arr.n_decision_regions
            in_time = True
        except SpentError:
            in_time = False
        _ = arr.exact  # the proofs of both
    return in_time
