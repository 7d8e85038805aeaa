"""A referee of the walk: what every refinement is told, and what it decides, against exact arithmetic at its
vertices."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import splineviz.engine.walk
import splineviz.geometry.refine
import splineviz.geometry.refine_maxima
from splineviz.exact.ancestry import Ancestry, Key, missing
from splineviz.exact.resolver import Resolver, _at_once, find
from splineviz.geometry.places import places_of
from splineviz.geometry.refine import Refinement, refine
from splineviz.geometry.subdivision import Subdivision
from splineviz.program import Program
from tests.geometry.hand import errors_of

MISSING = 1e299
"""Windows without a candidate in a round, or with their first one, have values beyond this."""

Uv = tuple[Fraction, Fraction]


def places(program: Program, ancestry: Ancestry, vertices: Iterable[int]) -> list[Uv]:
    """The exact points of vertices."""
    keys = [ancestry.key(int(vertex)) for vertex in vertices]
    find(program, missing(keys))
    points = [born.places[row].point for born, row in keys]
    return [(Fraction(x, w), Fraction(y, w)) for x, y, w in points]


def values(resolver: Resolver, vertices: Iterable[int]) -> np.ndarray:
    """(vertices, units) fractions: what a step switches on, exactly."""
    keys = [resolver.ancestry.key(int(vertex)) for vertex in vertices]
    find(resolver.program, missing(keys))
    rows: list[list[Fraction]] = []
    for first in range(0, len(keys), 64):
        some = keys[first : first + 64]
        order, exact = _at_once(resolver.program, some, resolver.step)
        n, unit = exact.digits[0, 0].numel(), Fraction(2) ** -exact.exponent / exact.divisor
        for (born, at), row in zip(some, order.tolist(), strict=True):
            numbers = exact.integers(np.full(n, row), np.arange(n))
            rows.append([number * unit / born.places[at].point[2] for number in numbers])
    return np.array(rows, dtype=object)


def nominal_places(ancestry: Ancestry, vertices: Iterable[int]) -> list[Uv]:
    """The nominal places of vertices: corners of windows, or between two others at the parameter that was computed."""
    found: dict[Key, Uv] = {}

    def at(key: Key) -> Uv:
        if key not in found:
            born, row = key
            if born.before is None:
                corner = born.places[row]
                assert corner is not None
                x, y, w = corner.point
                found[key] = Fraction(x, w), Fraction(y, w)
            else:
                t, (first, second, *_) = Fraction(float(born.born["t"][row])), born.parents(row)
                (a, b), (c, d) = at(first), at(second)
                found[key] = a + t * (c - a), b + t * (d - b)
        return found[key]

    return [at(ancestry.key(int(vertex))) for vertex in vertices]


def minus(p: Uv, q: Uv) -> Uv:
    return p[0] - q[0], p[1] - q[1]


def cross(p: Uv, q: Uv) -> Fraction:
    return p[0] * q[1] - p[1] * q[0]


class Referee:
    """Looks at up to ``sample`` vertices, births and edges of every refinement."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, sample: int = 1 << 30) -> None:
        self.random, self.sample = np.random.default_rng(0), sample
        self.seen, self.asked, self.zeros, self.steps = 0, 0, 0, 0
        self.nearest = np.inf
        """The least share of its bound that an error, of those that are not zero, left unused"""
        self.unknown = 0
        """Vertices whose lines do not tell their places"""
        # Values that are taken anew lie at other nominal places than births tell: tests of their own have them.
        monkeypatch.setattr(splineviz.geometry.refine, "_MANY_OPEN", 1 << 30)
        for module in (splineviz.engine.walk, splineviz.geometry.refine_maxima):
            monkeypatch.setattr(module, "refine", self.refine)

    def some(self, n: int) -> np.ndarray:
        return (
            np.arange(n) if n <= self.sample else np.sort(self.random.choice(n, self.sample, replace=False))
        )

    def refine(
        self,
        subdivision: Subdivision,
        z: np.ndarray,
        scale: np.ndarray,
        slack: np.ndarray,
        *arguments: Any,
        **options: Any,
    ) -> Refinement:
        proof = options.get("proof", arguments[3] if len(arguments) > 3 else None)
        assert proof is not None, "decisions are not proven any more"
        used = np.unique(
            subdivision.faces.values
        )  # others are there to be interpolated from, or are ancestors
        rows = used[self.some(len(used))]
        self.check_places(subdivision, proof.exact)
        exact = values(proof.exact, rows)
        known = np.abs(z[rows]) < MISSING
        self.check_bounds(z[rows], exact, known, errors_of(subdivision, z, scale, proof.slack)[rows])
        exactly_zero = np.array([[x == 0 for x in row] for row in exact])
        sure = (z[rows] == 0.0) & known & (proof.sure | (scale == 0.0))
        assert exactly_zero[sure].all(), "what is 0.0 is not zero"
        before = z.copy()
        result = refine(subdivision, z, scale, slack, *arguments, **options)
        assert result.open == 0
        first = 64 * options.get("first_word", arguments[1] if len(arguments) > 1 else 0)
        decided = known & (np.arange(z.shape[1]) >= first)
        signs = np.array([[(x > 0) - (x < 0) for x in row] for row in exact])
        assert (np.sign(z[rows]) == signs)[decided].all(), "signs"
        slack = proof.slack + 2.0 * result.moved[:, 1]
        self.check_bounds(z[rows], exact, known, errors_of(subdivision, z, scale, slack)[rows])
        self.check_births(subdivision, result, proof.exact)
        self.seen, self.asked, self.steps = (
            self.seen + int(known.sum()),
            self.asked + result.re_evaluated,
            self.steps + 1,
        )
        self.zeros += int(((signs == 0) & decided).sum())
        assert np.array_equal(before[~(np.abs(z) < MISSING)], z[~(np.abs(z) < MISSING)])
        return result

    def check_places(self, subdivision: Subdivision, resolver: Resolver) -> None:
        """Rounded coordinates, distances of nominal places from exact lines, and shares of sides are within their
        bounds."""
        used, told = np.unique(subdivision.faces.values), places_of(subdivision.arrays())
        vertices = used[self.some(len(used))]
        edges = self.some(len(subdivision.edges))
        needed = np.unique(
            np.concatenate([vertices, told.neighbours[vertices].ravel(), subdivision.edges[edges].ravel()])
        )
        nominal = dict(zip(needed.tolist(), nominal_places(resolver.ancestry, needed), strict=True))
        exact = dict(zip(needed.tolist(), places(resolver.program, resolver.ancestry, needed), strict=True))
        rounding = Fraction(subdivision.rounding)
        for v in needed.tolist():
            x, y = (
                Fraction(c) - p for c, p in zip(subdivision.vertices[v].tolist(), nominal[v], strict=True)
            )
            assert x * x + y * y <= rounding * rounding, "coordinates"
        for e in edges.tolist():
            a, b = (exact[v] for v in subdivision.edges[e].tolist())
            way = minus(b, a)
            for i, v in enumerate(subdivision.edges[e].tolist()):
                off, bound = cross(way, minus(nominal[v], a)), Fraction(float(subdivision.stray[e, 2 + i]))
                assert off * off <= bound * bound * (way[0] ** 2 + way[1] ** 2), "distance from a line"
        for v in vertices.tolist():
            if told.shares[v, 2] > 1.0:
                self.unknown += 1
                continue
            off = minus(exact[v], nominal[v])
            assert off[0] ** 2 + off[1] ** 2 <= Fraction(float(told.distance[v, 1])) ** 2, (
                "distance of a vertex"
            )
            first, second = (minus(nominal[int(w)], nominal[v]) for w in told.neighbours[v])
            area = cross(first, second)
            assert abs(cross(off, second)) <= Fraction(float(told.shares[v, 2])) * abs(area), (
                "share of a side"
            )
            assert abs(cross(first, off)) <= Fraction(float(told.shares[v, 3])) * abs(area), "share of a side"

    def check_bounds(self, z: np.ndarray, exact: np.ndarray, known: np.ndarray, bounds: np.ndarray) -> None:
        for v, u in np.argwhere(known):
            error, bound = abs(Fraction(z[v, u]) - exact[v, u]), Fraction(float(bounds[v, u]))
            assert error <= bound, f"unit {u}: {float(error):.3g} is more than {float(bound):.3g}"
            if error:
                self.nearest = min(self.nearest, 1.0 - float(error / bound))

    def check_births(self, before: Subdivision, result: Refinement, resolver: Resolver) -> None:
        """Parameters are within their bounds, and the new vertices of an edge in their exact order."""
        steps = [(resolver.step, len(result.birth))]
        ancestry = resolver.ancestry.after(result.birth, steps, len(before.vertices), None)
        births = self.some(len(result.birth))
        if not len(births):
            return
        own = places(resolver.program, ancestry, births + len(before.vertices))
        ends = [places(resolver.program, ancestry, result.birth[end][births]) for end in ("a", "b")]
        for born, v, a, b in zip(result.birth[births], own, *ends, strict=True):
            axis = int(abs(b[1] - a[1]) > abs(b[0] - a[0]))
            t = (v[axis] - a[axis]) / (b[axis] - a[axis])
            assert 0 < t < 1
            assert abs(t - Fraction(float(born["t"]))) <= Fraction(float(born["proof"])), "t"
        counts = np.diff(result.first_part)
        several = np.flatnonzero(counts > 2)
        for e in several[self.some(len(several))]:
            parts = result.subdivision.edges[result.first_part[e] : result.first_part[e + 1]]
            assert (parts[1:, 0] == parts[:-1, 1]).all()
            way = places(resolver.program, ancestry, [parts[0, 0], *parts[:, 1]])
            axis = int(abs(way[-1][1] - way[0][1]) > abs(way[-1][0] - way[0][0]))
            forward = 1 if way[-1][axis] > way[0][axis] else -1
            assert min(forward * (q[axis] - p[axis]) for p, q in pairwise(way)) > 0, "order on an edge"
