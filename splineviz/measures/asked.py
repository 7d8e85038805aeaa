"""What is asked of integrals, checked against the arrangement: a polygon, right classes, wanted outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.measures.parts import half_planes_of
from splineviz.plane import Window

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.measures.measure import Request
    from splineviz.measures.shares import ClassParts

__all__ = ["Asked", "Weight"]

_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Weight:
    """A Gaussian on the plane."""

    centre: Float64[np.ndarray, "2"]
    sigma: float
    """Standard deviation in any direction, in input distance"""


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked, as lines, classes and maps. All coordinates are uv."""

    half_planes: Float64[np.ndarray, "line 4"] | None
    """Of the polygon that is measured, as `half_planes_of` gives them; None for all of the slice"""
    truth: tuple[tuple[Float64[np.ndarray, "_ 4"], int], ...]
    """Half-planes that together bound where a class is right, and the class; none where it is not asked"""
    target: Float64[np.ndarray, "output 3"] | None
    """The outputs that are wanted, as a map of [u, v, 1]"""
    weight: Weight | None
    """None where all of the area counts alike"""
    tolerance: float
    """Of means of the softmax and its logarithm"""

    @classmethod
    def of(cls, arr: Arrangement, request: Request) -> Asked:
        """Check a request.

        Raises
        ------
        InputError
            If a polygon is not convex, a class is none of the network's, there is not one for each anchor, or
            a target does not fit the outputs, or a tolerance is not above 0.
        """
        polygon = None if request.polygon is None else half_planes_of(_corners(arr, request))
        tolerance = _TOLERANCE if request.tolerance is None else request.tolerance
        if not (math.isfinite(tolerance) and tolerance > 0):
            raise InputError(f"tolerance must be a number > 0, got {tolerance}")
        return cls(polygon, _truth(arr, request), _target(arr, request), _weight(arr, request), tolerance)

    def cut(self, parts: ClassParts) -> ClassParts:
        """What of some parts lies in the polygon that is asked about.

        Raises
        ------
        InputError
            If nothing does.
        """
        if self.half_planes is None:
            return parts
        left = parts.within(self.half_planes)
        if not len(left.cells.cells):
            raise InputError(
                "polygon does not meet the slice", hint="corners in uv; arr.windows tells where the slice is"
            )
        return left


def _corners(arr: Arrangement, request: Request) -> np.ndarray:
    """(k, 2) corners of the polygon, counter-clockwise."""
    _one_plane(arr, request, "polygon")
    assert request.polygon is not None
    try:
        return Window.polygon(request.polygon).vertices
    except InputError as error:
        raise error.about("polygon") from error


def _one_plane(arr: Arrangement, request: Request, what: str) -> None:
    """Refuse what lies on one plane where several are measured."""
    if len(arr.windows) > 1 and request.window is None:
        raise InputError(
            f"{what} lies on one plane, and {len(arr.windows)} windows are measured together",
            hint="window=0 for the first of them",
        )


def _truth(arr: Arrangement, request: Request) -> tuple[tuple[np.ndarray, int], ...]:
    """Where which class is right: everywhere one, or on the Voronoi cell of each anchor its own."""
    if request.truth is None:
        return ()
    if not isinstance(request.truth, Sequence | np.ndarray):
        return ((np.zeros((0, 4)), _class(arr, request.truth)),)
    _one_plane(arr, request, "a class for each anchor")
    anchors = arr.planes[request.window or 0].anchors
    if len(anchors) != len(request.truth):
        raise InputError(
            f"truth has {len(request.truth)} classes, and the plane has {len(anchors)} anchors",
            hint="truth=3 for one class that is right everywhere",
        )
    found = []
    for k, number in enumerate(request.truth):
        step = np.delete(anchors, k, axis=0) - anchors[k]
        middle = anchors[k] + 0.5 * step
        unit = step / np.hypot(*step.T)[:, None]
        found.append((np.column_stack([-unit, middle]), _class(arr, number)))
    return tuple(found)


def _weight(arr: Arrangement, request: Request) -> Weight | None:
    """The Gaussian weight."""
    if request.centre is None and request.sigma is None:
        return None
    if request.centre is None or request.sigma is None:
        raise InputError("a Gaussian weight has a centre and a sigma", hint="centre=[0, 0], sigma=1")
    _one_plane(arr, request, "a Gaussian weight")
    centre = np.asarray(request.centre, dtype=np.float64)
    if centre.shape != (2,) or not np.isfinite(centre).all():
        raise InputError(f"centre must be a finite point (u, v), got {request.centre}")
    if not (math.isfinite(request.sigma) and request.sigma > 0):
        raise InputError(f"sigma must be a finite number > 0, got {request.sigma}")
    return Weight(centre, float(request.sigma))


def _class(arr: Arrangement, number: int) -> int:
    """A class of the network."""
    n_classes = max(2, arr.affine.shape[1])
    if int(number) != number or not 0 <= number < n_classes:
        raise InputError(f"truth must be a class in 0 .. {n_classes - 1}, got {number}")
    return int(number)


def _target(arr: Arrangement, request: Request) -> np.ndarray | None:
    """(C, 3) map of the outputs that are wanted."""
    if request.target is None:
        return None
    target, n_out = np.asarray(request.target, dtype=np.float64), arr.affine.shape[1]
    if target.shape not in ((n_out,), (n_out, 3)) or not np.isfinite(target).all():
        raise InputError(
            f"target must be {n_out} finite outputs, or ({n_out}, 3) as a map of [u, v, 1], got an array of "
            f"shape {target.shape}"
        )
    if target.ndim == 2:
        _one_plane(arr, request, "a target as a map")
        return target
    return np.column_stack([np.zeros((n_out, 2)), target])
