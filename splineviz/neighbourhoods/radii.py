"""Radii by what they cut, solved for exactly: from the arrangement of a large diamond, not by trying
radii."""

from __future__ import annotations

import time
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
    programs: Iterable[Program],
    points: Points,
    medians: Sequence[int],
    axes: np.ndarray,
    *,
    first: float = _FIRST,
    seconds: float | None = None,
    **how: Any,
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
    first
        The radius that is arranged first; larger ones follow until one cuts so many units.
    how
        As for :func:`splineviz.arrange`.

    Raises
    ------
    InputError
        If no radius up to a million cuts so many units at half of the points, if every radius does, or if
        ``seconds`` end before it is known.
    """
    if not medians:
        return ()
    several = list(programs)
    most = max(medians)
    radius, deadline = first, None if seconds is None else time.monotonic() + seconds
    while True:
        left = None if deadline is None else max(1e-9, deadline - time.monotonic())
        cut_at = np.concatenate(
            [_smallest(cut_radii(program, points, axes, radius, left, **how), most) for program in several]
        )
        found = _halfway(cut_at)
        if np.isfinite(found[most - 1]):
            radii = tuple(float(found[m - 1]) for m in medians)
            if not all(radii):
                where = "the point" if len(cut_at) == 1 else "half of the points"
                raise InputError(
                    f"every radius cuts {min(medians)} units: the lines of so many pass through {where}",
                    hint="move the points a little off the data by noise, or ask for more",
                    command_hint="--jitter J moves the points off the data; or ask for more",
                )
            return radii
        radius *= 4.0
        if radius > _LARGEST:
            raise InputError(
                f"no radius cuts {most} units at half of the points", hint="ask for fewer, or give radii"
            )


def _halfway(cut_at: np.ndarray) -> np.ndarray:
    """(most,) radii at which the median of the number of units that cut is 1, 2, ..., over the points,
    (point, most + 1): between that of the point that makes it more than half, and what comes next."""
    ordered, middle = np.sort(cut_at, axis=0), len(cut_at) // 2
    this = ordered[middle, :-1]
    # One or two points have no next one; then it is the next unit.
    following = ordered[middle + 1, :-1] if middle + 1 < len(ordered) else ordered[middle, 1:]
    between: np.ndarray = 0.5 * (this + np.where(np.isfinite(following), following, 2.0 * this))
    return between


def _smallest(cut_at: np.ndarray, most: int) -> np.ndarray:
    """(point, most + 1) the smallest radii of each row, in order; inf where it has fewer."""
    if cut_at.shape[1] < most:
        raise InputError(
            f"the network has {cut_at.shape[1]} units, so that no radius cuts {most}", hint="ask for fewer"
        )
    more = np.column_stack([cut_at, np.full(len(cut_at), np.inf)])
    return np.sort(np.partition(more, most, axis=1)[:, : most + 1], axis=1)
