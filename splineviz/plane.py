"""Planes in input space and convex windows on them. Coordinates: uv on the plane, x in input space."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.few_lines import few_lines
from splineviz.inputs import as_inputs, numbers_of, real_number, whole_number
from splineviz.showing import in_lines

__all__ = ["Plane", "Window", "measured_once"]

T = TypeVar("T")

_COLLINEAR = 1e-9  # sine of the angle at the first anchor below which three anchors are refused as collinear
_ROUNDING = (
    4 * 2.0**-24
)  # of single precision, over the size of a point: a point of a line may lie so far off it

_SQUARABLE = 450
"""Exponent of two, of either sign, up to which numbers are squared and added as they are"""
_AREAS = (sys.float_info.min, sys.float_info.max)
"""Areas of windows are numbers of full precision between these: those of cells are told apart"""


def _as_point(value: Any, what: str) -> np.ndarray:
    """A finite float64 array from an array, a tensor or nested lists."""
    point = numbers_of(value, what)
    if point.size == 0:
        raise InputError(f"{what} is empty", hint="as many numbers as the network takes")
    if not np.isfinite(point).all():
        raise InputError(
            f"{what} holds NaN or infinite values", hint="clean the data, or choose another point"
        )
    return point


@dataclass(frozen=True, eq=False)
class Plane:
    """A 2-D plane in input space: x = origin + u * basis[0] + v * basis[1], with an orthonormal basis.

    Parameters
    ----------
    origin
        (D,) float64, flattened input space.
    basis
        (2, D) float64, orthonormal rows, so that distances in uv are distances in input space.
    input_shape
        The shape that a point of input space has.
    anchors
        (A, 2) uv of the points that the plane was made from.

    Examples
    --------
    >>> plane = Plane.through([0.0, 0.0, 1.0], [2.0, 0.0, 1.0], [0.0, 3.0, 1.0])
    >>> plane.anchors.tolist()
    [[0.0, 0.0], [2.0, 0.0], [0.0, 3.0]]
    >>> plane.lift([1.0, 1.0]).tolist()
    [1.0, 1.0, 1.0]
    """

    origin: Float64[np.ndarray, "dim"]
    basis: Float64[np.ndarray, "2 dim"]
    input_shape: tuple[int, ...]
    anchors: Float64[np.ndarray, "anchor 2"]

    def __repr__(self) -> str:
        shape = f"inputs of shape {self.input_shape}"
        lines = [f"Plane in {shape}, {np.linalg.norm(self.origin):.6g} from 0 at its origin"]
        lines += few_lines([f"anchor at uv = ({u:.6g}, {v:.6g})" for u, v in self.anchors])
        return in_lines(lines)

    @classmethod
    def through(cls, a: Any, b: Any, c: Any) -> Plane:
        """The plane through three points of input space: origin at ``a``, u along ``b - a``, v by
        Gram-Schmidt of ``c - a``.

        Raises
        ------
        InputError
            If shapes differ, a value is not finite, or the three points lie on one line; of points in single
            precision, if they lie off it by no more than its rounding.
        """
        points = [_as_point(p, f"anchor {name}") for p, name in zip((a, b, c), "abc", strict=True)]
        shapes = {p.shape for p in points}
        if len(shapes) != 1:
            raise InputError(
                f"the three anchors must have one shape, got {', '.join(str(p.shape) for p in points)}"
            )
        flat = [p.ravel() for p in points]
        with np.errstate(over="ignore"):
            apart = [flat[1] - flat[0], flat[2] - flat[0], flat[2] - flat[1]]
        if not np.isfinite(apart).all():
            raise _too_far()
        if not all(map(np.any, apart)):
            raise InputError(
                "two of the three anchors are equal, so they span no plane",
                hint="choose three different points",
            )
        (ab, ab_power), (ac, ac_power) = map(_squarable, apart[:2])
        length, reach = np.linalg.norm(ab), np.linalg.norm(ac)
        u = ab / length
        off = ac - (ac @ u) * u
        off -= (
            off @ u
        ) * u  # a second pass keeps the frame orthogonal to the last bit when the angle is small
        height = np.linalg.norm(off)
        if height <= _COLLINEAR * reach:
            raise InputError(
                "the three anchors lie on one line, so they span no plane",
                hint="choose a third point off that line",
            )
        if all(map(_is_single, flat)):  # whose differences are not scaled
            smallest_height = length * height / max(length, reach, np.linalg.norm(apart[2]))
            if smallest_height <= _ROUNDING * max(map(np.linalg.norm, flat)):
                raise InputError(
                    "the three anchors lie on one line, up to the rounding of single precision",
                    hint="choose a third point off that line; if its distance is meant, "
                    "sv.Plane.at(a, directions=[b - a, c - a])",
                    command_hint="choose a third point off that line",
                )
        v = off / height
        anchors = np.array([[0.0, 0.0], [length, 0.0], [ac @ u, ac @ v]])
        with np.errstate(over="ignore", under="ignore"):
            anchors = np.ldexp(anchors, np.array([[0], [ab_power], [ac_power]]))
        if not np.isfinite(anchors).all():
            raise _too_far()
        return cls(flat[0], np.stack([u, v]), points[0].shape, anchors)

    @classmethod
    def at(cls, x: Any, directions: Any = None, seed: int = 0) -> Plane:
        """The plane through one point, along two given directions (2, D) or a seeded random orthonormal
        pair."""
        point = _as_point(x, "the point")
        if point.size < 2:
            raise InputError(
                "a plane needs an input space of at least two dimensions, got 1",
                hint="sv.segment(model, a, b), in Python, for the cells along a line",
            )
        if directions is None:
            generator = np.random.default_rng(whole_number(seed, "seed", 0))
            given = generator.standard_normal((2, point.size))
        else:
            given = _as_point(directions, "directions")
            if given.size != 2 * point.size:
                raise InputError(f"directions must have shape (2, {point.size}), got {given.shape}")
            given = given.reshape(2, point.size)
        origin = point.ravel()
        frame = cls.through(origin * 0.0, given[0], given[1]).basis
        return cls(origin, frame, point.shape, np.zeros((1, 2)))

    @classmethod
    def identity(cls) -> Plane:
        """The whole input space of a network with two inputs: uv is x."""
        return cls(np.zeros(2), np.eye(2), (2,), np.zeros((0, 2)))

    def for_inputs(self, input_shape: tuple[int, ...]) -> Plane:
        """The plane for a network that takes as many numbers in another shape: the same, or turned to the
        network's layout as `splineviz.inputs.as_inputs` does it."""
        if self.input_shape == input_shape:
            return self
        rows = np.concatenate([self.origin[None], self.basis]).reshape(3, *self.input_shape)
        moved = as_inputs(rows, input_shape).reshape(3, -1)
        if np.array_equal(moved, rows.reshape(3, -1)):
            return self
        return Plane(moved[0], moved[1:], input_shape, self.anchors)

    @property
    def dim(self) -> int:
        """Dimension of input space."""
        return self.origin.size

    def lift(self, uv: Any) -> np.ndarray:
        """Points of input space, (..., *input_shape), from uv, (..., 2)."""
        uv = np.asarray(uv, dtype=np.float64)
        x: np.ndarray = self.origin + uv[..., :1] * self.basis[0] + uv[..., 1:] * self.basis[1]
        return x.reshape(*uv.shape[:-1], *self.input_shape)

    def project(self, x: Any) -> tuple[np.ndarray, np.ndarray]:
        """uv (..., 2) of the nearest points of the plane, and the distances (...) to them; x is (...,
        *input_shape), or flat, (..., D)."""
        x = _as_point(x, "the points")
        trail = len(self.input_shape)
        if x.ndim and x.shape[-1] == self.dim:
            x = x.reshape(*x.shape[:-1], *self.input_shape)
        if x.shape[x.ndim - trail :] != self.input_shape:
            raise InputError(f"points must end in the input shape {self.input_shape}, got {x.shape}")
        offset = x.reshape(*x.shape[: x.ndim - trail], -1) - self.origin
        uv = offset @ self.basis.T
        return uv, np.linalg.norm(offset - uv @ self.basis, axis=-1)


@dataclass(frozen=True, eq=False)
class Window:
    """A bounded convex polygon on a plane, counter-clockwise, in uv."""

    vertices: Float64[np.ndarray, "corner 2"]

    @classmethod
    def around(cls, plane: Plane, margin: float = 0.25) -> Window:
        """The rectangle round the plane's anchors, widened on every side by ``margin`` times its longer
        side."""
        if len(plane.anchors) < 2:
            raise InputError(
                "Window.around needs a plane with at least two anchors",
                hint="give a Window.box or a Window.diamond",
            )
        margin = real_number(margin, "margin", least=0.0)
        low, high = plane.anchors.min(0), plane.anchors.max(0)
        pad = margin * float((high - low).max())
        return cls.box(low[0] - pad, high[0] + pad, low[1] - pad, high[1] + pad)

    @classmethod
    def box(cls, x0: float, x1: float, y0: float, y1: float) -> Window:
        """The rectangle [x0, x1] x [y0, y1]."""
        x0, x1, y0, y1 = (real_number(side, "each side of the window") for side in (x0, x1, y0, y1))
        if x0 >= x1 or y0 >= y1:
            raise InputError(
                f"the window is empty: expected x0 < x1 and y0 < y1, got [{x0}, {x1}] x [{y0}, {y1}]"
            )
        return cls(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]))._measurable()

    @classmethod
    def diamond(cls, radius: float) -> Window:
        """conv{+-r u, +-r v}: the neighbourhood that the local-complexity proxy samples for P = 2."""
        radius = real_number(radius, "the radius", above=0.0)
        return cls(radius * np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]))._measurable()

    @classmethod
    def polygon(cls, uv: Sequence[Sequence[float]] | np.ndarray) -> Window:
        """A strictly convex polygon (k, 2), in either orientation; anything else is refused."""
        corners = _as_point(uv, "the window")
        if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:
            raise InputError(f"a window polygon has shape (corners >= 3, 2), got {corners.shape}")
        with np.errstate(over="ignore"):
            apart = np.ptp(corners, axis=0)
        if not np.isfinite(apart).all():
            raise InputError("the window polygon is wider than float64 can hold", hint="sides below 1e150")
        turn = _turns(_squarable(corners)[0])
        if (turn < 0).all():
            corners, turn = corners[::-1], -turn[::-1]
        winding = np.unwrap(
            np.append(angles := np.arctan2(*(np.roll(corners, -1, 0) - corners).T[::-1]), angles[0])
        )
        if not (turn > 0).all() or not math.isclose(winding[-1] - winding[0], 2 * math.pi, rel_tol=1e-6):
            raise InputError(
                "the window polygon is not strictly convex",
                hint="give the corners in order round a convex polygon",
            )
        return cls(np.ascontiguousarray(corners))._measurable()

    def scaled(self, scale: float, about: Sequence[float] | np.ndarray | None = None) -> Window:
        """The window enlarged or shrunk by a factor > 0 about a point of it (uv), by default the mean of its
        corners.

        Examples
        --------
        >>> Window.box(0, 2, 0, 2).scaled(0.5).bounds
        (0.5, 1.5, 0.5, 1.5)
        """
        scale = real_number(scale, "the scale", above=0.0)
        centre = self.centre if about is None else _point_of_plane(about)
        with np.errstate(over="ignore"):
            return Window(centre + scale * (self.vertices - centre))._measurable()

    def _measurable(self) -> Window:
        """The window, refused where it is so small or so large that no float64 holds its area."""
        with np.errstate(all="ignore"):
            area = self.area
        if not _AREAS[0] <= area <= _AREAS[1]:
            raise InputError(
                f"the window's area is {area:g}, and must be from {_AREAS[0]:.3g} to {_AREAS[1]:.3g}",
                hint="sides between 1e-150 and 1e150",
            )
        return self

    @property
    def centre(self) -> Float64[np.ndarray, "2"]:
        """Mean of the corners, in uv."""
        centre: np.ndarray = self.vertices.mean(0)
        return centre

    @cached_property
    def area(self) -> float:
        """Area, in squared input distance."""
        corners = self.vertices - self.vertices[0]
        after = np.concatenate([corners[1:], corners[:1]])
        return float(0.5 * np.sum(corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]))

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """(x0, x1, y0, y1) of the bounding rectangle."""
        (x0, y0), (x1, y1) = self.vertices.min(0), self.vertices.max(0)
        return float(x0), float(x1), float(y0), float(y1)


def _squarable(vector: np.ndarray) -> tuple[np.ndarray, int]:
    """A finite vector other than zero, times the power of two that lets squares of its entries neither
    underflow nor overflow, and the exponent that takes this back; most vectors are as they were.

    Examples
    --------
    >>> _squarable(np.array([0.0, 3.0])), _squarable(np.array([2.0**-1074]))
    ((array([0., 3.]), 0), (array([0.5]), -1073))
    """
    exponent = math.frexp(float(np.abs(vector).max()))[1]
    return (vector, 0) if abs(exponent) < _SQUARABLE else (np.ldexp(vector, -exponent), exponent)


def _point_of_plane(uv: Any) -> Float64[np.ndarray, "2"]:
    """A finite point of a plane."""
    point = _as_point(uv, "the point of the plane")
    if point.shape != (2,):
        raise InputError(f"a point of the plane is (u, v), got an array of shape {point.shape}")
    return point


def _too_far() -> InputError:
    return InputError(
        "two of the three anchors are farther apart than float64 can hold",
        hint="choose points of the size that the network's inputs have",
    )


def measured_once(things: Sequence[T], measure: Callable[[T], float]) -> Float64[np.ndarray, "thing"]:
    """A measure of each of some planes or windows, taken once of those that are one and the same."""
    known = {id(thing): measure(thing) for thing in {id(thing): thing for thing in things}.values()}
    return np.array([known[id(thing)] for thing in things])


def _is_single(point: np.ndarray) -> bool:
    """Whether all values are numbers of single precision."""
    with np.errstate(over="ignore"):
        return bool((point == point.astype(np.float32)).all())


def _turns(corners: np.ndarray) -> np.ndarray:
    """Twice the signed area of each three consecutive corners."""
    before, after = np.roll(corners, 1, 0), np.roll(corners, -1, 0)
    a, b = corners - before, after - corners
    turns: np.ndarray = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return turns
