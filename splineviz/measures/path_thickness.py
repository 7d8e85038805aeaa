"""Thickness of the decision boundary along a segment of input space, by differences of probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.inputs import real_number
from splineviz.measures.measure import Request, segment_provenance
from splineviz.measures.path_values import PathValues
from splineviz.measures.result import Measured, Quantity

if TYPE_CHECKING:
    from splineviz.segments.segment import Segment

__all__ = ["ThicknessAlong", "thickness_along"]

_READ = ("level", "truth", "between", "tolerance", "exact")
_UNIT = "input distance"
_BETWEEN = (0.0, 0.75)
_GENERATIONS = 60
_MOST = 1 << 20
"""Intervals that are looked at in a generation; what is left then stays undecided"""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ThicknessAlong(Measured):
    """Thickness of the boundary along a segment.

    Attributes
    ----------
    classes
        The classes at the two ends, whose probabilities are compared.
    half_width
        Half the width of the interval in which the thickness lies for certain, if the values at the knots
        are right.
    """

    classes: tuple[int, int]
    half_width: float


def thickness_along(segment: Segment, request: Request | None = None) -> ThicknessAlong:
    """Length of the part of a segment from x of class i to y of class j on which p_i - p_j lies between two
    numbers: the thickness of the boundary of Yang et al. for one pair of points.

    Their expectation over pairs of points is the mean of this over segments. Logits are affine between
    knots, along which p_i - p_j, of their softmax, changes by no more than the spread of their changes: so
    an interval is within, without, or cut in two.

    Parameters
    ----------
    segment
        Its cells.
    request
        Its ``level``, ``truth``, ``between``, ``tolerance`` and ``exact`` are read. ``truth`` are the classes
        i and j, by default those that win at the ends; ``between`` is (0, 0.75) as in the experiments of the
        paper, and ``tolerance`` is a share of the segment, by default 1e-9. With ``exact`` errors are proven.

    Raises
    ------
    InputError
        If something else is asked for, both classes are one, or bounds are not in ascending order.

    References
    ----------
    Y. Yang, R. Khanna, Y. Yu, A. Gholami, K. Keutzer, J. E. Gonzalez, K. Ramchandran and M. W. Mahoney,
    Boundary thickness and robustness in learning models, NeurIPS 2020, arXiv:2007.05086.

    Examples
    --------
    >>> import splineviz as sv
    >>> a, b, _ = sv.demo.load_points()
    >>> found = sv.segment("demo", a, b).measure("thickness")
    >>> found.classes, 0 < found["thickness", "3 to 5"] < found["length"]
    ((3, 5), True)
    """
    request = Request() if request is None else request
    low, high, tolerance = _checked(segment, request)
    path = PathValues.of(segment, exact=request.exact)
    lines, off = path.logits(request.level), 0.0 if path.errors is None else float(path.errors.max())
    classes = _classes(lines.values, request.truth)
    share, half = _share(lines.values, lines.sizes, classes, (low, high), tolerance, off)
    rounding = 16.0 * UNIT_ROUNDOFF * segment.length
    error = None if path.errors is None else SAFE * half * segment.length + rounding
    return ThicknessAlong(
        measure="thickness",
        quantities=(
            Quantity("length", segment.length, unit=_UNIT),
            Quantity("thickness", share * segment.length, f"{classes[0]} to {classes[1]}", error, _UNIT),
        ),
        provenance=segment_provenance(segment, request.said),
        classes=classes,
        half_width=half * segment.length,
    )


def _checked(segment: Segment, request: Request) -> tuple[float, float, float]:
    """The bounds of differences of probabilities, and the tolerance."""
    if unread := [name for name in request.said if name not in _READ]:
        raise InputError(
            f"the thickness along a segment is not asked with {unread[0]}=",
            hint=f"it reads {', '.join(_READ)}",
        )
    if request.level is not None and segment.values.shape[1] > 1:
        raise InputError(
            f"a level belongs to a network with one output, and this one has {segment.values.shape[1]}"
        )
    between = np.asarray(_BETWEEN if request.between is None else request.between, dtype=np.float64)
    if between.shape != (2,) or not -1 <= between[0] < between[1] <= 1:
        raise InputError(
            f"between must be two numbers in [-1, 1], ascending, got {request.between}",
            hint="between=(0, 0.75)",
        )
    tolerance = 1e-9 if request.tolerance is None else real_number(request.tolerance, "tolerance", above=0.0)
    return float(between[0]), float(between[1]), tolerance


def _classes(values: np.ndarray, truth: int | Sequence[int] | None) -> tuple[int, int]:
    """The classes at the two ends."""
    n = values.shape[2]
    if truth is None:
        found = int(values[0, 0].argmax()), int(values[-1, 1].argmax())
        if found[0] == found[1]:
            raise InputError(
                f"both ends of the segment are of class {found[0]}, so it need not cross a boundary",
                hint="truth=(3, 8) for the classes that are to be compared",
            )
        return found
    if not isinstance(truth, Sequence) or len(truth) != 2 or truth[0] == truth[1]:
        raise InputError(f"truth must be two different classes, one for each end, got {truth}")
    if wrong := [c for c in truth if int(c) != c or not 0 <= c < n]:
        raise InputError(f"truth must be a class in 0 .. {n - 1}, got {wrong[0]}")
    return int(truth[0]), int(truth[1])


def _share(
    values: Float64[np.ndarray, "interval 2 logit"],
    sizes: Float64[np.ndarray, "interval"],
    classes: tuple[int, int],
    between: tuple[float, float],
    tolerance: float,
    off: float,
) -> tuple[float, float]:
    """Share of the segment on which the difference of two probabilities is between two numbers, and by how
    much it may be wrong where logits are ``off``, by which that difference changes no more."""
    (low, high), (i, j), within = between, classes, 0.0
    start, end = values[:, 0], values[:, 1]
    for _ in range(_GENERATIONS):
        middle = 0.5 * (start + end)
        probability = np.exp(middle - middle.max(1, keepdims=True))
        probability /= probability.sum(1, keepdims=True)
        difference = probability[:, i] - probability[:, j]
        reach = SAFE * (0.5 * np.ptp(end - start, axis=1) + off) + 64.0 * UNIT_ROUNDOFF
        inside = (difference - reach > low) & (difference + reach < high)
        open_ = ~inside & (difference + reach > low) & (difference - reach < high)
        within += float(sizes[inside].sum())
        start, middle, end, sizes = start[open_], middle[open_], end[open_], 0.5 * sizes[open_]
        left = 2.0 * float(sizes.sum())
        if left <= tolerance or 2 * len(sizes) > _MOST:
            break
        start, end = np.concatenate([start, middle]), np.concatenate([middle, end])
        sizes = np.tile(sizes, 2)
    rounding = 8.0 * UNIT_ROUNDOFF * (_GENERATIONS + len(values))
    return within + 0.5 * left, SAFE * 0.5 * left + rounding
