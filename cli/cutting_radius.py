"""Radius at which something is cut, for an estimate that found nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from splineviz.errors import SplinevizError
from splineviz.estimators.metrics.metric import Column

if TYPE_CHECKING:
    from splineviz.program import Program

__all__ = ["cutting_radius", "nothing_cut"]

_POINTS = 64
_SECONDS = 10.0


def nothing_cut(columns: Sequence[Column]) -> bool:
    """Tell whether all counts of cut units are zero."""
    counts = [column for column in columns if column.metric in ("lc", "exact") and column.stage == "all"]
    return bool(counts) and not any(column.values.any() for column in counts)


def cutting_radius(load: Callable[[], Program], x: np.ndarray, seed: int) -> str:
    """Advice to end a note with: the radius at which half of the first points have a unit that is cut; empty
    where none can be found."""
    from splineviz.neighbourhoods.diamonds import plane_frames
    from splineviz.neighbourhoods.radii import radii_for

    some = x[:_POINTS]
    try:
        axes = plane_frames(some[0].size, len(some), 1, "shared", seed)
        (radius,) = radii_for([load()], some, (1,), axes, seconds=_SECONDS, certify="off")
    except SplinevizError:  # not piecewise affine, or no unit, or no time
        return ""
    return f"; half of the points have one from --radius {radius:.2g} on"
