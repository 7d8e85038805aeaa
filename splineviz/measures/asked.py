"""What is asked of integrals, checked against the arrangement: a polygon, right classes, wanted outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.inputs import SQUARABLE, numbers_of, real_number, whole_number
from splineviz.measures.parts import half_planes_of
from splineviz.plane import Window

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.measures.measure import Request
    from splineviz.measures.shares import ClassParts

__all__ = ["LEAST_TOLERANCE", "Asked", "Weight"]

_TOLERANCE = 1e-6
LEAST_TOLERANCE = 1e-15
"""Means are not known closer than float64 holds them"""
_PROPORTION = 1e9
"""How many times larger or smaller than the slice, with the way to its centre, a Gaussian may be"""


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
        asked = request.tolerance
        tolerance = _TOLERANCE if asked is None else real_number(asked, "tolerance", least=LEAST_TOLERANCE)
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
    if np.abs(numbers_of(request.polygon, "polygon")).max(initial=0.0) > SQUARABLE:
        raise InputError("polygon reaches beyond where float64 can multiply", hint="corners within 1e150")
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
    truth: Any = request.truth
    if np.ndim(truth) == 0:
        return ((np.zeros((0, 4)), _class(arr, truth)),)
    _one_plane(arr, request, "a class for each anchor")
    anchors = arr.planes[request.window or 0].anchors
    if len(anchors) != len(truth):
        raise InputError(
            f"truth has {len(truth)} classes, and the plane has {len(anchors)} anchors",
            hint="truth=3 for one class that is right everywhere",
        )
    found = []
    for k, label in enumerate(truth):
        step = np.delete(anchors, k, axis=0) - anchors[k]
        middle = anchors[k] + 0.5 * step
        unit = step / np.hypot(*step.T)[:, None]
        found.append((np.column_stack([-unit, middle]), _class(arr, label)))
    return tuple(found)


def _weight(arr: Arrangement, request: Request) -> Weight | None:
    """The Gaussian weight."""
    if request.centre is None and request.sigma is None:
        return None
    if request.centre is None or request.sigma is None:
        raise InputError("a Gaussian weight has a centre and a sigma", hint="centre=[0, 0], sigma=1")
    _one_plane(arr, request, "a Gaussian weight")
    centre = numbers_of(request.centre, "centre")
    if centre.shape != (2,) or not np.isfinite(centre).all():
        raise InputError(f"centre must be a finite point (u, v), got {request.centre}")
    sigma = real_number(request.sigma, "sigma", above=0.0)
    corners = arr.windows[request.window or 0].vertices
    far = float(np.hypot(*(corners - centre).T).max())
    if not far / _PROPORTION <= sigma <= far * _PROPORTION < np.inf:
        raise InputError(
            f"the slice reaches {far:g} from the centre, and sigma is {sigma:g}: expected a Gaussian from "
            f"{far / _PROPORTION:.1g} to {far * _PROPORTION:.1g}",
            hint="a centre on the slice, and a sigma that is not out of all proportion to it",
        )
    return Weight(centre, sigma)


def _class(arr: Arrangement, label: int) -> int:
    """A class of the network."""
    return whole_number(label, "truth, a class,", 0, max(2, arr.affine.shape[1]) - 1)


def _target(arr: Arrangement, request: Request) -> np.ndarray | None:
    """(C, 3) map of the outputs that are wanted."""
    if request.target is None:
        return None
    target, n_out = numbers_of(request.target, "target"), arr.affine.shape[1]
    if target.shape not in ((n_out,), (n_out, 3)) or not np.isfinite(target).all():
        raise InputError(
            f"target must be {n_out} finite outputs, or ({n_out}, 3) as a map of [u, v, 1], got an array of "
            f"shape {target.shape}"
        )
    if np.abs(target).max(initial=0.0) > SQUARABLE:
        raise InputError(
            f"target goes up to {np.abs(target).max():g}, whose square is beyond float64",
            hint="outputs that are wanted, of their size",
        )
    if target.ndim == 2:
        _one_plane(arr, request, "a target as a map")
        return target
    return np.column_stack([np.zeros((n_out, 2)), target])
