"""Constants of float64 rounding, and of the bounds that are computed in it."""

from __future__ import annotations

__all__ = ["FLOOR", "SAFE", "UNIT_ROUNDOFF"]

UNIT_ROUNDOFF = 2.0**-53
"""Half the distance from 1 to the next float64: u in bounds of errors."""

SAFE = 1.0 + 1e-9
"""Factor on proven bounds: far above the rounding of norms, and of bounds themselves."""

FLOOR = 2.0**-500
"""Above what a norm loses where squares underflow, and far above what a sum of products does; far below any
bound of use."""
