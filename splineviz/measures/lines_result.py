"""Result of `lines_over_training`: arrays by checkpoint and unit, and a table by checkpoint and stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from splineviz.measures.offset_fit import OffsetFit
from splineviz.measures.rank_tests import RankTest
from splineviz.measures.result import Measured, Quantity, proven
from splineviz.showing import in_html

__all__ = ["LinesOverTraining", "quantities_of"]

_LENGTH, _AREA = "input distance", "squared input distance"
_OF_TESTS = ("farther", "low", "high", "p", "adjusted")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LinesOverTraining(Measured):
    """Lines of the U units of S stages at T checkpoints, on one window of one plane.

    Attributes
    ----------
    steps
        (T,) steps of the checkpoints.
    stage, unit
        (U,) stage of each unit, and its column there.
    lengths
        (T, U) length of the line of each unit; 0 where it has none in the window.
    edges, pieces
        (T, U) number of its edges, and of its connected parts.
    switched
        (T - 1, U) area on which the unit has another state at the next checkpoint: what lies between the two
        positions of its line.
    switched_errors
        (T - 1, U) proven bounds of the errors of these areas; infinite where nothing is proven.
    displacements
        (T,) proven bound of the distance of vertices from their exact places; infinite where there is none.
    points
        (n, 2) uv of the data points, projected onto the plane.
    inside
        (n,) whether they lie in the window.
    off_plane
        (n,) distance of each data point from the plane.
    distances
        (T, S + 1, n) distance of each data point to the nearest edge that was born at each stage, and at last
        to the nearest of all; within the window, infinite where there is none, NaN for points outside.
    drawn_distances
        (T, S + 1, m) the same for the points that were drawn uniformly from the window.
    offset_fits
        How well the offsets of each checkpoint fit the data points, all of them; none without points.
    points_test, boundary_test
        Tests (T, S + 1) of the data points, None without two in the window, and of the decision boundary.
    """

    steps: tuple[int, ...]
    stage: Int64[np.ndarray, "unit"]
    unit: Int64[np.ndarray, "unit"]
    lengths: Float64[np.ndarray, "checkpoint unit"]
    edges: Int64[np.ndarray, "checkpoint unit"]
    pieces: Int64[np.ndarray, "checkpoint unit"]
    switched: Float64[np.ndarray, "pair unit"]
    switched_errors: Float64[np.ndarray, "pair unit"]
    displacements: Float64[np.ndarray, "checkpoint"]
    points: Float64[np.ndarray, "point 2"]
    inside: Bool[np.ndarray, "point"]
    off_plane: Float64[np.ndarray, "point"]
    distances: Float64[np.ndarray, "checkpoint row point"]
    drawn_distances: Float64[np.ndarray, "checkpoint row drawn"]
    offset_fits: tuple[OffsetFit, ...]
    points_test: RankTest | None
    boundary_test: RankTest

    @property
    def moved(self) -> Float64[np.ndarray, "pair unit"]:
        """(T - 1, U) how far each line moved to the next checkpoint: the area between its two positions, over
        the mean of their lengths; NaN if one is missing."""
        both = np.stack([self.lengths[:-1], self.lengths[1:]])
        moved: np.ndarray = np.full(self.switched.shape, np.nan)
        np.divide(self.switched, both.mean(0), out=moved, where=both.min(0) > 0)
        return moved

    @property
    def appears(self) -> Bool[np.ndarray, "pair unit"]:
        """(T - 1, U) units that have no line at a checkpoint, and one at the next."""
        there = self.edges > 0
        appears: np.ndarray = ~there[:-1] & there[1:]
        return appears

    @property
    def vanishes(self) -> Bool[np.ndarray, "pair unit"]:
        """(T - 1, U) units that have a line at a checkpoint, and none at the next."""
        there = self.edges > 0
        vanishes: np.ndarray = there[:-1] & ~there[1:]
        return vanishes

    @property
    def by_unit(self) -> dict[str, np.ndarray]:
        """Columns with a row for each checkpoint and unit, for ``pandas.DataFrame``.

        What is about a pair of checkpoints stands at the later one; at the first it is NaN, or False.
        """
        shape = self.lengths.shape
        pairs = {"switched": self.switched, "moved": self.moved}
        changes = {"appears": self.appears, "vanishes": self.vanishes}
        return {
            "step": np.repeat(np.array(self.steps), shape[1]),
            "stage": np.tile(self.stage, shape[0]),
            "unit": np.tile(self.unit, shape[0]),
            "length": self.lengths.ravel(),
            "edges": self.edges.ravel(),
            "pieces": self.pieces.ravel(),
            **{name: np.append(np.full(shape[1], np.nan), value.ravel()) for name, value in pairs.items()},
            **{name: np.append(np.zeros(shape[1], bool), value.ravel()) for name, value in changes.items()},
        }

    @property
    def by_stage(self) -> dict[str, np.ndarray]:
        """Quantities as columns, with a row for each checkpoint and stage, and one for all stages (-1)."""
        rows = [*dict.fromkeys(quantity.of for quantity in self.quantities)]
        names = [*dict.fromkeys(quantity.name for quantity in self.quantities)]
        values = {(quantity.of, quantity.name): quantity.value for quantity in self.quantities}
        n_stages = self.distances.shape[1]
        stage = np.tile(np.append(np.arange(n_stages - 1), -1), len(self.steps))
        return {
            "step": np.repeat(np.array(self.steps), n_stages),
            "stage": stage,
            **{name: np.array([values.get((of, name), np.nan) for of in rows]) for name in names},
        }

    @property
    def _about(self) -> str:
        program = self.provenance["program"]
        steps = f"steps {self.steps[0]:,} to {self.steps[-1]:,}"
        return f"{program['name']}, {len(self.steps)} checkpoints, {steps}"

    def _repr_html_(self) -> str:
        columns = self.by_stage
        head = "".join(f"<th>{in_html(name)}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{'' if np.isnan(cell) else f'{cell:.4g}'}</td>" for cell in row) + "</tr>"
            for row in zip(*columns.values(), strict=True)
        )
        caption = in_html(f"lines of {self._about}; stage -1 is all of them")
        return f"<table><caption><b>{caption}</b></caption><tr>{head}</tr>{body}</table>"


def quantities_of(found: LinesOverTraining) -> tuple[Quantity, ...]:
    """Rows of the table: of each checkpoint, of each stage and then of all."""
    n_stages = found.distances.shape[1] - 1
    return tuple(
        quantity
        for k, step in enumerate(found.steps)
        for stage in range(n_stages + 1)
        for quantity in _of_row(found, k, stage, _name(step, stage, n_stages))
    )


def _name(step: int, stage: int, n_stages: int) -> str:
    return f"step {step}, {f'stage {stage}' if stage < n_stages else 'all stages'}"


def _of_row(found: LinesOverTraining, k: int, stage: int, of: str) -> Iterator[Quantity]:
    """Quantities of one checkpoint and stage."""
    own = found.stage == stage if stage < found.distances.shape[1] - 1 else np.ones(len(found.stage), bool)
    off = float(found.displacements[k])
    counted, edges = 0 if np.isfinite(off) else None, int(found.edges[k, own].sum())
    yield Quantity("units with a line", int((found.edges[k, own] > 0).sum()), of, counted)
    yield Quantity("length", float(found.lengths[k, own].sum()), of, proven(2.0 * off * edges), _LENGTH)
    yield Quantity("edges", edges, of)
    yield Quantity("pieces", int(found.pieces[k, own].sum()), of)
    if k:
        yield from _of_pair(found, k - 1, own, of)
    distances = found.distances[k, stage, found.inside]
    if len(distances):
        for name, values in (("points", distances), ("drawn points", found.drawn_distances[k, stage])):
            median = float(np.median(values))
            yield Quantity(f"median distance of {name}", median, of, proven(off), _LENGTH)
    fit = found.offset_fits[k]._by_name if found.offset_fits else {}
    if ("squares over the least", f"stage {stage}") in fit:
        yield replace(fit["squares over the least", f"stage {stage}"], of=of)
    for name, test in (("points", found.points_test), ("boundary", found.boundary_test)):
        if test is not None and np.isfinite(test.farther[k, stage]):
            yield from _of_test(test, (k, stage), name, of)


def _of_pair(found: LinesOverTraining, pair: int, own: np.ndarray, of: str) -> Iterator[Quantity]:
    """Quantities of what has changed since the checkpoint before."""
    both = found.lengths[pair : pair + 2, own]
    drawn = both.min(0) > 0
    settled = 0 if np.isfinite(found.displacements[pair : pair + 2]).all() else None
    switched, errors = found.switched[pair, own], found.switched_errors[pair, own]
    yield Quantity("units that appeared", int(found.appears[pair, own].sum()), of, settled)
    yield Quantity("units that vanished", int(found.vanishes[pair, own].sum()), of, settled)
    yield Quantity("switched area", float(switched.sum()), of, proven(float(errors.sum())), _AREA)
    if drawn.any():
        moved = float(switched[drawn].sum() / both[:, drawn].mean(0).sum())
        yield Quantity("moved", moved, of, unit=_LENGTH)
        yield Quantity("median moved", float(np.median(found.moved[pair, own][drawn])), of, unit=_LENGTH)


def _of_test(test: RankTest, row: tuple[int, int], name: str, of: str) -> Iterator[Quantity]:
    """Effect, interval and p-values of one test."""
    for part, said in zip(_OF_TESTS, ("farther", "from", "to", "p", "adjusted p"), strict=True):
        value = float(getattr(test, part)[row])
        if np.isfinite(value):
            yield Quantity(f"{name} {said}", value, of)
