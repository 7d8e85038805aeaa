"""Exact places of vertices against what is told of them from their lines."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from splineviz.geometry.places import places_of
from splineviz.geometry.refine import Proof, refine
from splineviz.geometry.subdivision import Subdivision
from tests.geometry.hand import SQUARE, at, square

Vector = tuple[Fraction, Fraction]
Line = tuple[Fraction, Fraction, Fraction]
"""a x + b y + c = 0 with a^2 + b^2 = 1, exactly"""


def fraction(x: float) -> Fraction:
    return Fraction(float(x))


def line(rng: np.random.Generator, a: np.ndarray, b: np.ndarray, off: float) -> tuple[Line, list[Fraction]]:
    """A line that passes two points at distances of up to about ``off``, and these distances, exact."""
    through = [p + off * rng.uniform(-1, 1, 2) for p in (a, b)]
    x, y = through[1] - through[0]
    m = (
        Fraction(float(y / (np.hypot(x, y) + abs(x))))
        if x >= 0
        else Fraction(float((np.hypot(x, y) - x) / y))
    )
    cos, sin = (1 - m * m) / (1 + m * m), 2 * m / (1 + m * m)  # rational, of length 1
    c = -(-sin * fraction(through[0][0]) + cos * fraction(through[0][1]))
    result = -sin, cos, c
    return result, [abs(value(result, p)) for p in (a, b)]


def value(one: Line, p: np.ndarray) -> Fraction:
    return one[0] * fraction(p[0]) + one[1] * fraction(p[1]) + one[2]


def meet(one: Line, other: Line) -> Vector:
    area = one[0] * other[1] - one[1] * other[0]
    return (one[1] * other[2] - one[2] * other[1]) / area, (one[2] * other[0] - one[0] * other[2]) / area


def up(x: Fraction) -> float:
    return float(np.nextafter(float(x), np.inf))


def corner(points: np.ndarray, stray: np.ndarray, rounding: float = 0.0) -> Subdivision:
    """A triangle whose sides stray from their lines."""
    return replace(Subdivision.from_polygons([points]), stray=np.hstack([stray, stray]), rounding=rounding)


def assert_told(
    sub: Subdivision, nominal: np.ndarray, exact: Vector, shares: np.ndarray, distance: float
) -> None:
    """Vertex 0 belongs to ``exact``, with its neighbours 2 and 1 at ``nominal`` places."""
    v = [fraction(x) for x in nominal[0]]
    a, b = ([fraction(x) - y for x, y in zip(nominal[i], v, strict=True)] for i in (2, 1))
    off = [x - y for x, y in zip(exact, v, strict=True)]
    area = a[0] * b[1] - a[1] * b[0]
    r, s = (off[0] * b[1] - off[1] * b[0]) / area, (a[0] * off[1] - a[1] * off[0]) / area
    assert abs(r) <= fraction(shares[0]) and abs(s) <= fraction(shares[1])
    assert off[0] ** 2 + off[1] ** 2 <= fraction(distance) ** 2


@pytest.mark.parametrize("off", [1e-14, 1e-9, 1e-4, 1e-2, 0.2])
@pytest.mark.parametrize("height", [1.0, 1e-2, 1e-6])
@pytest.mark.parametrize("rounding", [0.0, 1e-9, 1e-4])
def test_the_exact_place_is_within_its_shares(off: float, height: float, rounding: float) -> None:
    """Whatever the two lines do within their distances, and wherever the coordinates are within their rounding."""
    rng, known = np.random.default_rng(0), 0
    for _ in range(200):
        nominal = np.array(
            [[0.0, 0.0], [rng.uniform(-1, 1), height * rng.uniform(0.1, 1)], [rng.uniform(-1, 1), 0.0]]
        )
        nominal = nominal @ np.array([[0.8, 0.6], [-0.6, 0.8]]) + rng.uniform(-3, 3, 2)
        if np.linalg.det(nominal[1:] - nominal[0]) < 0:
            nominal[[1, 2]] = nominal[[2, 1]]
        size = off * height * rng.uniform(0, 1)
        (before, (d_a, d_v)), (after, (d_w, d_b)) = (
            line(rng, nominal[2], nominal[0], size),
            line(rng, nominal[0], nominal[1], size),
        )
        turned = rng.uniform(0, 2 * np.pi, 3)
        moved = nominal + 0.99 * rounding * rng.uniform(0, 1) * np.stack(
            [np.cos(turned), np.sin(turned)], axis=1
        )
        # Edges: 0 from vertex 0 to 1, 2 from vertex 2 to 0.
        stray = np.array([[up(d_w), up(d_b)], [0.0, 0.0], [up(d_a), up(d_v)]])
        sub = corner(moved, stray, rounding)
        told = places_of(sub.arrays())
        shares = told.shares[0, 2:]
        if shares.max() > 1.0:
            continue
        known += 1
        assert told.neighbours[0].tolist() == [2, 1]
        assert_told(sub, nominal, meet(before, after), shares, told.distance[0, 1])
    if off <= 1e-4 and rounding <= 1e-3 * height:
        assert known > 150, "where the lines tell the place, it is told"


def test_shares_are_not_far_above_what_they_have_to_be() -> None:
    """Two lines at a right angle: each share is the distance of the other line over the length of the side."""
    points = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0]])
    stray = np.array([[1e-10, 1e-10], [0, 0], [2e-10, 2e-10]])
    told = places_of(corner(points, stray).arrays())
    np.testing.assert_allclose(told.shares[0, 2:], [1e-10 / 4, 2e-10 / 2], rtol=1e-6)
    np.testing.assert_allclose(told.shares[0, :2], told.shares[0, 2:])


def test_corners_of_windows_are_exact() -> None:
    told = places_of(square().arrays())
    assert not told.shares.any() and not told.distance.any()


def test_lines_that_cannot_be_told_apart_tell_nothing() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1e-9], [1.0, 2e-9]])
    flat = np.array([[1e-9, 1e-9], [0, 0], [1e-9, 1e-9]])
    assert places_of(corner(points, flat).arrays()).shares[0, 2] > 1.0
    rounded = np.array([[1e-20, 1e-20], [0, 0], [1e-20, 1e-20]])
    assert places_of(corner(points, rounded).arrays()).shares[0, 2] < 1e-3
    assert places_of(corner(points, rounded, rounding=1e-9).arrays()).shares[0, 2] > 1.0


def test_a_vertex_is_told_by_its_best_corner() -> None:
    """Two triangles at one vertex, the lines of one nearly parallel."""
    points = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1e-6], [0.0, 1.0]])
    one, other = (
        Subdivision.from_polygons([points[[0, 1, 2]]]),
        Subdivision.from_polygons([points[[0, 2, 3]]]),
    )
    both = Subdivision.from_polygons([points[[0, 1, 2]], points[[0, 2, 3]]])
    joined = replace(
        both,
        vertices=points,
        faces=replace(both.faces, values=np.array([0, 1, 2, 0, 2, 3])),
        edges=np.array([[0, 1], [1, 2], [2, 0], [0, 2], [2, 3], [3, 0]]),
        stray=np.full((6, 4), 1e-10),
    )
    told = places_of(joined.arrays())
    alone = [places_of(replace(sub, stray=np.full((3, 4), 1e-10)).arrays()) for sub in (one, other)]
    assert alone[0].distance[0, 1] > 1e3 * alone[1].distance[0, 1]
    assert told.distance[0, 1] == alone[1].distance[0, 1] and told.neighbours[0].tolist() == [3, 2]


@pytest.mark.parametrize("slope", [1.0, 1e-3, 1e-6])
def test_a_line_that_meets_an_edge_at_a_small_angle_passes_its_ends_as_near_as_any(slope: float) -> None:
    """Where it meets the edge is known badly; how far it is off there, straight across, is not."""
    sub = square()
    z = at(sub, [[-slope, 1.0, 1.0]])  # along the lower side, and through the middle of it
    fine = refine(
        sub, z, np.ones(1), np.full(4, 1e-12), 0, proof=Proof(np.full(4, 1e-12), False, None)
    ).subdivision
    (drawn,) = fine.stray[fine.edge_source[:, 0] == 0]
    assert (drawn >= 1e-13).all() and (drawn <= 3e-12).all()


def test_vertices_without_faces_are_their_own_neighbours() -> None:
    sub = Subdivision.from_polygons([SQUARE])
    more = replace(sub, vertices=np.concatenate([sub.vertices, [[5.0, 5.0]]]))
    told = places_of(more.arrays())
    assert told.neighbours[4].tolist() == [4, 4] and not told.shares[4].any()
