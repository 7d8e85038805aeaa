"""Refinements by affine functions given at vertices, each checked in full as it is made."""

from __future__ import annotations

import numpy as np

from splineviz.geometry.places import places_of
from splineviz.geometry.refine import Refinement, refine
from splineviz.geometry.subdivision import RIM, Subdivision
from tests.geometry.structure import assert_descent, assert_geometry, assert_structure, left_right, vanishing

__all__ = [
    "SQUARE",
    "Cuts",
    "at",
    "bits",
    "cut",
    "errors_of",
    "extended",
    "polygon",
    "square",
    "units_of_edges",
]

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def square() -> Subdivision:
    """[-1, 1]^2 as one face."""
    return Subdivision.from_polygons([SQUARE])


def polygon(n: int, radius: float = 1.0, turn: float = 0.0) -> np.ndarray:
    """(n, 2) corners of a regular polygon."""
    angle = 2 * np.pi * np.arange(n) / n + turn
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def at(sub: Subdivision, lines: object) -> np.ndarray:
    """(V, k) values of the affine functions a x + b y + c, rows of ``lines`` (k, 3), at the vertices."""
    table = np.asarray(lines, dtype=np.float64).reshape(-1, 3)
    # Entry by entry: matrix products may round differently from one vertex to the next.
    return np.ascontiguousarray(
        sub.vertices[:, :1] * table[:, 0] + sub.vertices[:, 1:] * table[:, 1] + table[:, 2], dtype=np.float64
    )


def cut(
    sub: Subdivision,
    z: np.ndarray,
    *,
    slack: float | np.ndarray = 0.0,
    stage: int = 0,
    n_windows: int = 1,
    open_before: int = 0,
) -> Refinement:
    """Refine; check the structure, and where nothing was left open the coordinates and the pattern of every
    face."""
    given = z.copy()
    slacks = np.broadcast_to(np.float64(slack), len(z)).copy()
    result = refine(sub, given, np.ones(z.shape[1]), slacks, stage)
    assert_structure(result.subdivision, n_windows)
    assert_descent(sub, result)
    assert result.on.shape == (len(result.subdivision.faces), max(1, -(-z.shape[1] // 64)))
    if result.open + open_before == 0:
        assert_geometry(result.subdivision)
        _assert_patterns(given, result)
    return result


def errors_of(
    sub: Subdivision, z: np.ndarray, scale: np.ndarray, slack: np.ndarray, *, proven: bool = True
) -> np.ndarray:
    """(V, units) what rounding, ``scale`` times ``slack``, may have done to values at nominal places, and what they
    change from there to the exact ones."""
    neighbours, shares, _ = places_of(sub.arrays())
    first, second = (shares[:, i : i + 1] for i in ((2, 3) if proven else (0, 1)))
    around = np.maximum(slack, slack[neighbours].max(1))[:, None] * (1.0 + 2.0 * (first + second))
    steps = first * np.abs(z[neighbours[:, 0]] - z) + second * np.abs(z[neighbours[:, 1]] - z)
    result: np.ndarray = (1.0 + 1e-8) * (scale * around + steps)
    return result


def extended(values: np.ndarray, refinement: Refinement) -> np.ndarray:
    """The same affine functions at the vertices of a refinement, read from where the new vertices were
    born."""
    birth, n_old = refinement.birth, len(values)
    out = np.empty((n_old + len(birth), values.shape[1]))
    out[:n_old] = values
    on_edge = (birth["a"] < n_old) & (birth["b"] < n_old)
    # Chords may end at vertices that were themselves just born on edges.
    for rows in (np.flatnonzero(on_edge), np.flatnonzero(~on_edge)):
        a, b = out[birth["a"][rows]], out[birth["b"][rows]]
        out[n_old + rows] = a + birth["t"][rows, None] * (b - a)
    return out


def bits(refinement: Refinement, n_units: int) -> np.ndarray:
    """(F, units) whether each unit is on."""
    return np.unpackbits(refinement.on.view(np.uint8), axis=1, bitorder="little")[:, :n_units].astype(bool)


def _assert_patterns(z: np.ndarray, refinement: Refinement) -> None:
    """A unit that is on is nowhere negative on its face and somewhere positive; one that is off is nowhere
    positive."""
    values = extended(z, refinement)
    vertex, unit = vanishing(refinement)
    size = np.abs(z).max(initial=1.0)
    assert np.abs(values[vertex, unit]).max(initial=0.0) <= 1e-12 * size, (
        "a unit is far from zero where it is said to vanish"
    )
    values[vertex, unit] = 0.0
    faces, on = refinement.subdivision.faces, bits(refinement, z.shape[1])
    low = np.minimum.reduceat(values[faces.values], faces.offsets[:-1])
    high = np.maximum.reduceat(values[faces.values], faces.offsets[:-1])
    assert (low[on] >= -1e-12 * size).all() and (high[on] > 0).all(), "a unit is on where it is not positive"
    assert (high[~on] <= 1e-12 * size).all(), "a unit is off where it is positive"


def units_of_edges(sub: Subdivision) -> list[set[tuple[int, int]]]:
    """The (stage, unit) pairs of every edge; none on the rim."""
    units: list[set[tuple[int, int]]] = [{(s, u)} if s != RIM else set() for s, u in sub.edge_source.tolist()]
    for edge, stage, unit in sub.shared.tolist():
        units[edge].add((stage, unit))
    return units


class Cuts:
    """Refinements in a row, with the states of all stages on the newest faces."""

    def __init__(self, sub: Subdivision | None = None) -> None:
        self.sub = square() if sub is None else sub
        self.states: list[np.ndarray] = []
        self.open = 0

    def __call__(self, z: np.ndarray, slack: float = 0.0, n_windows: int = 1) -> Refinement:
        result = cut(
            self.sub, z, slack=slack, stage=len(self.states), n_windows=n_windows, open_before=self.open
        )
        self.states = [*(state[result.parent] for state in self.states), bits(result, z.shape[1])]
        self.sub = result.subdivision
        self.open += result.open
        return result

    def assert_edges(self) -> None:
        """An edge names exactly the units whose state differs between its two faces."""
        start = np.cumsum([0, *(state.shape[1] for state in self.states)])
        everything = np.concatenate(self.states, axis=1)
        left, right = left_right(self.sub)
        named = np.zeros((len(left), start[-1]), dtype=bool)
        for edge, units in enumerate(units_of_edges(self.sub)):
            for stage, unit in units:
                named[edge, start[stage] + unit] = True
        inner = right >= 0
        np.testing.assert_array_equal(named[inner], everything[left[inner]] ^ everything[right[inner]])
        assert named[inner].any(axis=1).all() and not named[~inner].any()
