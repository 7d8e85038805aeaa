"""Exact values of units at exact vertices, as far as a budget goes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from splineviz.arrangement.exact.ancestry import Ancestry, Key, Place, missing
from splineviz.arrangement.exact.digits import Exact, InexactError
from splineviz.arrangement.exact.forward import Point, Step, switching, work
from splineviz.geometry.verdicts import Value
from splineviz.plane import Plane
from splineviz.program.program import Program

__all__ = ["Judge", "find"]

_BATCH = 3e8  # products of two digits in one batch, more or less
_DIGITS = 100.0  # products of two digits for one of two numbers, more or less


@dataclass(frozen=True)
class Judge:
    """Answers for one step of a walk; see `geometry.verdicts`."""

    program: Program
    ancestry: Ancestry
    step: Step
    limit: float = math.inf
    """Vertices, times the products of two numbers that one of them takes, for one set of questions"""

    def at(self, pairs: np.ndarray) -> Value | None:
        """Exact values for rows (vertex, unit); None where they cost more than allowed, or cannot be had."""
        wanted = {(self.ancestry.key(vertex), unit) for vertex, unit in pairs.tolist()}
        keys = {key for key, _ in wanted}
        if (len(missing(keys)) + len(keys)) * work(self.program, self.step.stage) > self.limit:
            return None
        try:
            find(self.program, keys)
            known = _values(self.program, wanted, self.step)
        except InexactError:
            return None
        if known is None:
            return None
        return lambda vertex, unit: known[self.ancestry.key(vertex), unit]


def find(program: Program, keys: Iterable[Key]) -> None:
    """Find the places of vertices, and of all that they lie between.

    Raises
    ------
    InexactError
        If a node of the program has no exact form.
    """
    lacking = missing(keys)
    while lacking:
        ready = [key for key, (a, b, _, _) in lacking.items() if a not in lacking and b not in lacking]
        _settle(program, {key: lacking.pop(key) for key in ready})


def _settle(program: Program, ready: dict[Key, tuple[Key, Key, int, Step]]) -> None:
    """Find the places of vertices both of whose ends have one."""
    by_step: dict[Step, list[Key]] = {}
    for key, (*_, step) in ready.items():
        by_step.setdefault(step, []).append(key)
    for step, keys in by_step.items():
        pairs = {(end, ready[key][2]) for key in keys for end in ready[key][:2]}
        placed = {(end, unit) for end, unit in pairs if end[0].places[end[1]] is not None}
        known = _values(program, placed, step) or {}
        for key in keys:
            a, b, unit, _ = ready[key]
            place = None
            if (a, unit) in known and (b, unit) in known:
                place = _between(a[0].places[a[1]], b[0].places[b[1]], known[a, unit], known[b, unit])
            key[0].places[key[1]] = place


def _values(program: Program, pairs: Iterable[tuple[Key, int]], step: Step) -> dict[tuple[Key, int], int] | None:
    """The switching functions of a step, those of a vertex times one positive number; None if a vertex has no place."""
    units: dict[Key, list[int]] = {}
    for key, unit in pairs:
        units.setdefault(key, []).append(unit)
    if any(key[0].places[key[1]] is None for key in units):
        return None
    result: dict[tuple[Key, int], int] = {}
    keys = list(units)
    size = max(1, int(_BATCH / (_DIGITS * max(1.0, work(program, step.stage)))))
    for first in range(0, len(keys), size):
        ordered, exact = _at_once(program, keys[first : first + size], step)
        for row, key in enumerate(ordered):
            for unit in units[key]:
                result[key, unit] = exact.integer(row, unit)
    return result


def _at_once(program: Program, keys: list[Key], step: Step) -> tuple[list[Key], Exact]:
    """(the vertices in another order, the switching functions there)."""
    points: dict[Plane, list[Point]] = {}
    owners: dict[Plane, list[Key]] = {}
    for key in keys:
        place = key[0].places[key[1]]
        assert place is not None
        points.setdefault(place.plane, []).append(place.point)
        owners.setdefault(place.plane, []).append(key)
    return [key for own in owners.values() for key in own], switching(program, points, step)


def _between(a: Place | None, b: Place | None, za: int, zb: int) -> Place | None:
    """Where a function with these values at a and b, over the third coordinates of both, vanishes; None if it does not between."""
    if a is None or b is None or za * zb >= 0:
        return None
    x, y, w = (abs(zb) * p + abs(za) * q for p, q in zip(a.point, b.point, strict=True))
    common = math.gcd(x, y, w)
    return Place(a.plane, (x // common, y // common, w // common))
