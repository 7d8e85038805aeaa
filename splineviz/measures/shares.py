"""Areas of the classes within a slice, with what they may be off by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import SAFE
from splineviz.measures.deviation import Deviation, Swept, cut_error, map_errors
from splineviz.measures.parts import Parts
from splineviz.measures.result import Quantity, proven

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary import DecisionRegions
    from splineviz.arrangement.result import Arrangement

__all__ = ["ClassAreas", "ClassParts", "class_parts", "logit_maps"]


@dataclass(frozen=True, eq=False)
class ClassParts:
    """What is measured, as parts of cells."""

    cells: Parts
    """Parts of all cells, of one class or of several"""
    pieces: Parts
    """The pieces of one class of those cells that have several"""

    def within(self, half_planes: np.ndarray) -> ClassParts:
        """Cut along half-planes."""
        return ClassParts(self.cells.within(half_planes), self.pieces.within(half_planes))

    def measured(self, n_cells: int) -> np.ndarray:
        """(F,) bool: which cells have a part that is measured."""
        found = np.zeros(n_cells, dtype=bool)
        found[self.cells.cells] = True
        return found

    @property
    def of_one_class(self) -> tuple[Parts, Parts]:
        """Parts of one class that together are all: whole cells, and pieces."""
        return self.cells.take(np.flatnonzero(self.cells.classes >= 0)), self.pieces


def class_parts(arr: Arrangement, decisions: DecisionRegions, window: int | None) -> ClassParts:
    """The cells of a window, or of all, and the pieces of those that the decision boundary divides."""
    several = np.bincount(decisions.cells, minlength=arr.n_cells) > 1
    classes = np.full(arr.n_cells, -1)
    classes[decisions.cells] = decisions.classes
    classes[several] = -1
    here = np.ones(arr.n_cells, dtype=bool) if window is None else arr.cell_window == window
    cells = np.flatnonzero(here)
    around = arr.cells.take(cells)
    divided = np.flatnonzero((several & here)[decisions.cells])
    sides = decisions.pieces.take(divided)
    return ClassParts(
        Parts(Csr(around.offsets, arr.vertices[around.values]), cells, classes[cells]),
        Parts(
            Csr(sides.offsets, decisions.vertices[sides.values]),
            decisions.cells[divided],
            decisions.classes[divided],
        ),
    )


def logit_maps(arr: Arrangement, level: float | None) -> Float64[np.ndarray, "cell logit 3"]:
    """(F, K, 3) maps of the logits: the outputs, or of a single output the level and the output."""
    if arr.affine.shape[1] > 1:
        return arr.affine
    constant = np.zeros_like(arr.affine)
    constant[:, 0, 2] = 0.0 if level is None else level
    return np.concatenate([constant, arr.affine], axis=1)


@dataclass(frozen=True, eq=False)
class ClassAreas:
    """Areas of the classes within what is measured."""

    parts: ClassParts
    areas: Float64[np.ndarray, "class"]
    misplaced: Float64[np.ndarray, "class"]
    """Area that may be counted to a class wrongly, or not be counted to it"""
    confidence_error: float
    """What the integral of the probability of the class of each part may be off by that of the largest
    probability"""
    deviation: Deviation

    @classmethod
    def of(
        cls,
        arr: Arrangement,
        parts: ClassParts,
        decisions: DecisionRegions,
        maps: Float64[np.ndarray, "cell logit 3"],
        swept: Swept | None,
        deviation: Deviation,
    ) -> ClassAreas:
        """Add up the parts of each class."""
        wrong, less = _misplaced(arr, parts, decisions, maps, swept, deviation)
        return cls(parts, _areas(parts, maps.shape[1]), wrong, less, deviation)

    def quantities(self, truth: Sequence[tuple[np.ndarray, int]]) -> Iterator[Quantity]:
        """Rows of the table: the share of every class that has one, and that of those who are right."""
        for c in np.flatnonzero(self.areas).tolist():
            yield self._share("share", f"class {c}", float(self.areas[c]), float(self.misplaced[c]))
        if not truth:
            return
        right, wrong = 0.0, float(self.misplaced[[c for _, c in truth]].max())
        for half_planes, c in truth:
            within = self.parts.within(half_planes) if len(half_planes) else self.parts
            right += float(_areas(within, len(self.areas))[c])
            if len(half_planes):
                wrong += cut_error(within.cells) + cut_error(within.pieces)
        yield self._share("accuracy", "", right, wrong)

    def _share(self, name: str, of: str, area: float, wrong: float) -> Quantity:
        share = area / self.deviation.area
        return Quantity(name, share, of, proven(self.deviation.mean(share, wrong)))


def _areas(parts: ClassParts, n_classes: int) -> Float64[np.ndarray, "class"]:
    """(K,) area of each class."""
    triangles = [(part, part.triangles) for part in parts.of_one_class]
    areas = np.concatenate([of.areas for _, of in triangles])
    classes = np.concatenate([part.classes[of.parts] for part, of in triangles])
    return np.array([math.fsum(areas[classes == c].tolist()) for c in range(n_classes)])


def _misplaced(
    arr: Arrangement,
    parts: ClassParts,
    decisions: DecisionRegions,
    maps: Float64[np.ndarray, "cell logit 3"],
    swept: Swept | None,
    deviation: Deviation,
) -> tuple[Float64[np.ndarray, "class"], float]:
    """(K,) area that may be counted to a class wrongly, or not be counted to it; and the error of confidence.
    Infinite where not all decisions are proven.

    In a cell of one proven class nothing is doubtful but what its edges may sweep, and of that only what lies
    between two classes. In other cells classes may change where two logits are closer than twice their
    error: within a band along the boundary between two pieces. There, probabilities differ by no more than
    logits do.
    """
    n_classes = maps.shape[1]
    if swept is None or decisions.open:
        return np.full(n_classes, math.inf), math.inf
    classes = np.full(arr.n_cells, -1)
    classes[parts.cells.cells] = parts.cells.classes
    sides = classes[arr.edge_cells[swept.inner]]
    apart = (sides >= 0).all(1) & (sides[:, 0] != sides[:, 1])
    of_several = float(swept.areas[(sides < 0).any(1)].sum()) + cut_error(parts.pieces)
    found = np.full(n_classes, deviation.outline + of_several)
    for side in sides[apart].T:
        found += np.bincount(side, weights=swept.areas[apart], minlength=n_classes)
    bands = _bands(arr, parts.pieces, decisions, maps)
    for touched in (bands.own, bands.rival):
        found += np.bincount(touched, weights=bands.areas, minlength=n_classes)
    # Maps of all cells are off by no more than deviations, and no class that is not listed wins.
    less = 2.0 * deviation.values + of_several + bands.integral_of_leads
    return SAFE * found, SAFE * less


class _Bands(NamedTuple):
    """Bands of pieces in which another class of the cell may win in place of a piece's own."""

    own: np.ndarray
    rival: np.ndarray
    areas: np.ndarray
    integral_of_leads: float
    """Integral over all pieces of how far a rival's logit may be above that of the piece's class"""


def _bands(arr: Arrangement, pieces: Parts, decisions: DecisionRegions, maps: np.ndarray) -> _Bands:
    """The bands along the boundaries within cells."""
    listed = np.zeros((arr.n_cells, maps.shape[1]), dtype=bool)
    listed[decisions.cells, decisions.classes] = True
    here = listed[pieces.cells]
    here[np.arange(len(here)), pieces.classes] = False
    piece, rival = np.nonzero(here)
    if not len(piece):
        return _Bands(piece, rival, np.zeros(0), 0.0)
    own, cell = pieces.classes[piece], pieces.cells[piece]
    gap = maps[cell, own] - maps[cell, rival]
    corners = pieces.polygons.take(piece)
    owner, uv = corners.row_of, corners.values
    height = gap[owner, 0] * uv[:, 0] + gap[owner, 1] * uv[:, 1] + gap[owner, 2]
    slack = 2.0 * map_errors(arr)[cell]
    least = np.minimum.reduceat(height, corners.offsets[:-1]) - slack
    with np.errstate(divide="ignore", invalid="ignore"):
        width = SAFE * (slack - np.minimum(least, 0.0)) / np.hypot(gap[:, 0], gap[:, 1])
        band = np.where(least <= slack, width * pieces.perimeters[piece], 0.0)
    triangles = pieces.triangles
    whole = np.bincount(triangles.parts, weights=np.abs(triangles.areas), minlength=len(pieces.cells))
    leads = whole[piece] @ np.maximum(-least, 0.0)
    return _Bands(own, rival, np.fmin(band, whole[piece]), float(leads))
