"""Geometry of the decision boundary: its length by pairs of classes, its turning angles, and how far points
are from it.

The boundary is where the two largest outputs tie, or where a single output has its level. It is a polygonal
line that bends where it crosses an edge of the arrangement, and ends on the rim of the window or where three
classes meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import cKDTree

from splineviz.measures.boundary_lengths import boundary_lengths
from splineviz.measures.measure import Measure, Request, provenance_of, require_outputs
from splineviz.measures.result import Measured, Quantity

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["MEASURE", "BoundaryGeometry", "boundary_geometry"]

_LENGTH, _ANGLE = "input distance", "degrees"
_SAME = 1e-9
"""Distance, over the size of the window, within which ends of segments are one: those of two cells are
rounded apart"""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class BoundaryGeometry(Measured):
    """The decision boundary of one window, or of all.

    Attributes
    ----------
    segments
        (K, 2, 2) uv of the ends.
    classes
        (K, 2) the two classes on either side, ascending.
    joints, turning
        (J, 2) uv where two segments meet, and (J,) by how much the boundary turns there, in degrees from 0
        (straight on) to 180.
    margins
        (n,) distance of each data point, projected onto the plane, to the boundary within the window;
        infinite where there is none. Empty without points.
    nearest
        (n, 2) uv of the nearest point of the boundary.
    off_plane
        (n,) distance of each data point from the plane.
    """

    segments: Float64[np.ndarray, "segment 2 2"]
    classes: Int64[np.ndarray, "segment 2"]
    joints: Float64[np.ndarray, "joint 2"]
    turning: Float64[np.ndarray, "joint"]
    margins: Float64[np.ndarray, "point"]
    nearest: Float64[np.ndarray, "point 2"]
    off_plane: Float64[np.ndarray, "point"]


def boundary_geometry(arr: Arrangement, request: Request | None = None) -> BoundaryGeometry:
    """Length of the boundary by pairs of classes, turning angles along it, and distances of points from it.

    A segment that runs along an edge counts once. The errors of lengths are proven where the arrangement is,
    and not known else. Which classes meet is proven where `Arrangement.exact` says so of
    ``decision_regions``.

    Parameters
    ----------
    arr
        Cells of the last stage.
    request
        Its ``window``, ``level`` and ``points`` are read; points need a ``window`` where there are several.

    Raises
    ------
    InputError
        If the cells are those of an earlier stage, or a level is given and the network has several outputs.

    Examples
    --------
    >>> import splineviz as sv
    >>> found = boundary_geometry(sv.slice("demo", sv.demo.load_points()))
    >>> found["length"] > found["length", "classes 3 and 8"] > 0
    True
    """
    request = Request() if request is None else request
    require_outputs(arr, "the boundary")
    found = arr._tied_segments(request.level, request.window)
    bounds = np.array([window.bounds for window in arr.windows])
    size = float((bounds[:, 1::2] - bounds[:, ::2]).max())
    joints, turning = _turning(found.ends, _SAME * size)
    margins, nearest, off_plane = _margins(arr, request, found.ends)
    length = np.linalg.norm(found.ends[:, 1] - found.ends[:, 0], axis=1)
    counted = None if found.open else 0
    return BoundaryGeometry(
        measure="boundary",
        quantities=(
            Quantity("segments", len(length), error=counted),
            *boundary_lengths(arr, found, length, request.level),
            *_of_turning(turning),
            *_of_margins(margins),
        ),
        provenance=provenance_of(arr, request),
        segments=found.ends,
        classes=found.classes,
        joints=joints,
        turning=turning,
        margins=margins,
        nearest=nearest,
        off_plane=off_plane,
    )


def _turning(ends: np.ndarray, near: float) -> tuple[np.ndarray, np.ndarray]:
    """(J, 2) where exactly two segments meet, and (J,) the angle in degrees that the boundary turns by
    there."""
    points = ends.reshape(-1, 2)
    if not len(points):
        return np.zeros((0, 2)), np.zeros(0)
    pairs = cKDTree(points).query_pairs(near, output_type="ndarray")
    pairs = pairs[pairs[:, 0] // 2 != pairs[:, 1] // 2]
    meeting = np.bincount(pairs.ravel(), minlength=len(points))
    pairs = pairs[(meeting[pairs] == 1).all(1)]
    away = points.reshape(-1, 2, 2)[:, ::-1].reshape(-1, 2) - points
    one, other = away[pairs[:, 0]], away[pairs[:, 1]]
    crossed = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    between = np.degrees(np.arctan2(np.abs(crossed), (one * other).sum(1)))
    return points[pairs[:, 0]], 180.0 - between


def _of_turning(turning: np.ndarray) -> list[Quantity]:
    if not len(turning):
        return []
    return [
        Quantity("total turning", float(turning.sum()), unit=_ANGLE),
        Quantity("median turning", float(np.median(turning)), of="joints", unit=_ANGLE),
        Quantity("largest turning", float(turning.max()), of="joints", unit=_ANGLE),
    ]


def _margins(
    arr: Arrangement, request: Request, segments: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances (n,) of data points to segments, the nearest points (n, 2), and distances (n,) off the
    plane."""
    if request.points is None or (request.window is None and len(arr.windows) > 1):
        return np.zeros(0), np.zeros((0, 2)), np.zeros(0)
    uv, off = arr.planes[request.window or 0].project(request.points)
    uv, off = np.reshape(uv, (-1, 2)), np.reshape(off, -1)
    margins, nearest = np.full(len(uv), np.inf), np.full((len(uv), 2), np.nan)
    if len(segments) and len(uv):
        import shapely

        tree = shapely.STRtree(shapely.linestrings(segments))
        rows, chosen = tree.query_nearest(shapely.points(uv), all_matches=False)
        start, along = segments[chosen, 0], segments[chosen, 1] - segments[chosen, 0]
        squares = np.maximum((along**2).sum(1), np.finfo(np.float64).tiny)
        t = np.clip(((uv[rows] - start) * along).sum(1) / squares, 0.0, 1.0)
        nearest[rows] = start + t[:, None] * along
        margins[rows] = np.linalg.norm(uv[rows] - nearest[rows], axis=1)
    return margins, nearest, off


def _of_margins(margins: np.ndarray) -> list[Quantity]:
    known = margins[np.isfinite(margins)]
    if not len(known):
        return []
    return [
        Quantity(f"{name} margin", float(value), "points", unit=_LENGTH)
        for name, value in (("least", known.min()), ("median", np.median(known)), ("mean", known.mean()))
    ]


MEASURE = Measure(
    "boundary", "decision boundary: length by classes, turning angles, margins", boundary_geometry, ("level",)
)
