"""Radii by what they cut, solved for exactly: from the arrangement of a large diamond, not by trying
radii."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from splineviz.errors import InputError
from splineviz.estimators.request import Points
from splineviz.neighbourhoods.cut_radii import cut_radii
from splineviz.program.program import Program

__all__ = ["radii_for"]

_FIRST = 2.0**-10
_LARGEST = 2.0**20


def radii_for(
    programs: Iterable[Program], points: Points, medians: Sequence[int], axes: np.ndarray, **how: Any
) -> tuple[float, ...]:
    """Radii, as small as can be, at which the median of n_cut, over points and programs, is at least so many.

    Parameters
    ----------
    programs
        Of the checkpoints that are pooled.
    points
        (n, *input_shape)
    medians
        Numbers of units.
    axes
        (1, 2, D) or (1, n, 2, D), the plane through each point.
    how
        As for :func:`splineviz.arrange`.

    Raises
    ------
    InputError
        If no radius up to a million cuts so many units at half of the points.
    """
    if not medians:
        return ()
    several = list(programs)
    most = max(medians)
    radius = _FIRST
    while True:
        cut_at = np.concatenate(
            [_smallest(cut_radii(program, points, axes, radius, **how), most) for program in several]
        )
        ordered, middle = np.sort(cut_at, axis=0), len(cut_at) // 2
        # between the pair that makes it more than half, and the next
        found = ordered[middle : middle + 2].mean(0)
        if np.isfinite(found[most - 1]):
            return tuple(float(found[m - 1]) for m in medians)
        radius *= 4.0
        if radius > _LARGEST:
            raise InputError(
                f"no radius cuts {most} units at half of the points", hint="ask for fewer, or give radii"
            )


def _smallest(cut_at: np.ndarray, most: int) -> np.ndarray:
    """(point, most) the smallest radii of each row, in order; inf where it has fewer."""
    if cut_at.shape[1] < most:
        raise InputError(
            f"the network has {cut_at.shape[1]} units, so that no radius cuts {most}", hint="ask for fewer"
        )
    return np.sort(np.partition(cut_at, most - 1, axis=1)[:, :most], axis=1)
