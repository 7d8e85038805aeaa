"""Thickness of the decision boundary on a slice: how much has a small margin, per length of the boundary.

The margin at a point is the largest output minus the second largest; of a single output the distance from its
level. Where it is below t the network is within t of another decision. By the coarea formula
(H. Federer, Geometric Measure Theory, 1969, theorem 3.2.12) the area of that set is the integral of
1 / |gradient of the margin| over the level lines of all margins from 0 to t. So for small t it is t times
the integral of 1 / |gradient| over both sides of the boundary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.geometry.rounding import SAFE
from splineviz.measures.boundary_lengths import boundary_lengths
from splineviz.measures.deviation import Deviation, deviation_of, swept_areas
from splineviz.measures.margin_areas import MarginAreas
from splineviz.measures.measure import Measure, Request, provenance_of, require_outputs
from splineviz.measures.result import Measured, Quantity, proven
from splineviz.measures.shares import class_parts, logit_maps

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary import TiedSegments
    from splineviz.arrangement.result import Arrangement

__all__ = ["MEASURE", "BoundaryThickness", "boundary_thickness"]

_MARGINS = (0.1, 1.0, 10.0)
_LENGTH, _AREA = "input distance", "squared input distance"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class BoundaryThickness(Measured):
    """Thickness of the decision boundary.

    Attributes
    ----------
    margins
        (T,) the margins that are asked about.
    areas
        (T,) area on which the margin is below each, in squared input distance.
    segments
        (K, 2, 2) uv of the ends of the segments of the boundary.
    slopes
        (K, 2) norm of the margin's gradient on either side of each; NaN beyond the rim. At a small margin t
        the boundary reaches t over this number to that side.
    """

    margins: tuple[float, ...]
    areas: Float64[np.ndarray, "margin"]
    segments: Float64[np.ndarray, "segment 2 2"]
    slopes: Float64[np.ndarray, "segment 2"]


def boundary_thickness(arr: Arrangement, request: Request | None = None) -> BoundaryThickness:
    """Area on which the margin is below given numbers, in all and per length of the boundary.

    ``width per margin`` is the limit of the mean width over the margin, for small margins: the mean of the
    sum of 1 / slope on both sides over the length of the boundary. It is infinite where outputs tie on an
    area.

    Parameters
    ----------
    arr
        Cells of the last stage.
    request
        Its ``window``, ``level`` and ``margins`` are read.

    Raises
    ------
    InputError
        If the cells are those of an earlier stage, a margin is not above 0, or a level is given and the
        network has several outputs.

    Examples
    --------
    >>> import splineviz as sv
    >>> arr = sv.slice("demo", sv.demo.load_points())
    >>> found = boundary_thickness(arr, Request(margins=(0.01, 0.1)))
    >>> 0 < found["share", "margin below 0.01"] < found["share", "margin below 0.1"] < 1
    True
    """
    request = Request() if request is None else request
    require_outputs(arr, "thickness")
    if not np.isfinite(arr.affine).all():
        raise InputError(
            "outputs are beyond the largest float64 on some cells, and so are margins",
            hint="a smaller window",
        )
    margins = _checked(request.margins)
    decisions, logits = arr.decision_regions(level=request.level), logit_maps(arr, request.level)
    parts = class_parts(arr, decisions, request.window)
    swept = swept_areas(arr, parts.measured(arr.n_cells))
    deviation = deviation_of(arr, parts.cells, swept, cut=False)
    below = MarginAreas.of(arr, parts, logits, None if decisions.open else swept, deviation)
    found = [below.below(t) for t in margins]
    tied = arr._tied_segments(request.level, request.window)
    length = np.linalg.norm(tied.ends[:, 1] - tied.ends[:, 0], axis=1)
    slopes = _slopes(arr, tied, logits)
    whole = next(boundary_lengths(arr, tied, length, request.level))
    rows = (_rows(t, area, deviation, whole) for t, area in zip(margins, found, strict=True))
    return BoundaryThickness(
        measure="thickness",
        quantities=(
            whole,
            *_limit(slopes, length),
            *chain.from_iterable(rows),
        ),
        provenance=provenance_of(arr, request),
        margins=margins,
        areas=np.array([area for area, _ in found]),
        segments=tied.ends,
        slopes=slopes,
    )


def _checked(margins: object) -> tuple[float, ...]:
    """The margins that are asked about."""
    if margins is None:
        return _MARGINS
    given = np.atleast_1d(np.asarray(margins))
    if given.dtype.kind not in "iuf" or given.ndim > 1 or not (np.isfinite(given) & (given > 0)).all():
        raise InputError(
            f"margins must be finite numbers > 0, got {margins}",
            hint="margins=(0.1, 1)",
            command_hint="--margins 0.1,1",
        )
    return tuple(float(t) for t in given)


def _slopes(arr: Arrangement, tied: TiedSegments, logits: np.ndarray) -> Float64[np.ndarray, "segment 2"]:
    """Norm of the gradient of the difference of the two logits that tie, on either side of each segment."""
    along = tied.edges >= 0
    sides = np.stack([tied.cells, tied.cells], axis=1)
    sides[along] = arr.edge_cells[tied.edges[along]]
    one, other = (logits[sides, tied.classes[:, k, None], :2] for k in (0, 1))
    slopes: np.ndarray = np.where(sides >= 0, np.hypot(*(one - other).transpose(2, 0, 1)), np.nan)
    return slopes


def _limit(slopes: np.ndarray, length: np.ndarray) -> Iterator[Quantity]:
    """How the mean width begins to grow with the margin."""
    if len(length):
        with np.errstate(divide="ignore"):
            widths = np.nansum(1.0 / slopes, axis=1)
        yield Quantity("width per margin", float(widths @ length / length.sum()), unit=_LENGTH)


def _rows(t: float, found: tuple[float, float], deviation: Deviation, length: Quantity) -> Iterator[Quantity]:
    """Rows of the table for one margin, from the area below it and its error."""
    (area, error), of = found, f"margin below {t:g}"
    yield Quantity("area", area, of, proven(error), _AREA)
    share = area / deviation.area
    yield Quantity("share", share, of, proven(deviation.mean(share, error)))
    if length.value:
        wrong = math.inf if length.error is None else length.error
        width, least = area / length.value, length.value - wrong
        off = SAFE * (error + width * wrong) / least if least > 0 else math.inf
        yield Quantity("mean width", width, of, proven(off), _LENGTH)


MEASURE = Measure(
    "thickness",
    "how much has a small margin, per length of the boundary",
    boundary_thickness,
    ("level", "margins"),
)
