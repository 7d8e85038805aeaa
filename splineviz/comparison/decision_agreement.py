"""Share of slices on which two networks decide alike, by areas of their overlays, with proven errors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float64

from splineviz.errors import InputError
from splineviz.geometry.csr import Csr
from splineviz.geometry.rounding import SAFE
from splineviz.measures.deviation import Deviation, Swept, deviation_of, swept_areas
from splineviz.measures.parts import Parts
from splineviz.measures.result import Measured, Quantity, proven

if TYPE_CHECKING:
    from splineviz.comparison.common_refinement import Overlay

__all__ = ["Reproducibility", "agreements"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Reproducibility(Measured):
    """How alike networks decide, on one plane or on several.

    Attributes
    ----------
    pairs
        Names of the networks of each pair.
    agreements, errors
        (n_planes, n_pairs) share of the window on which both decide the same class, and its proven error;
        infinite where none is proven.
    """

    pairs: tuple[tuple[str, str], ...]
    agreements: Float64[np.ndarray, "plane pair"]
    errors: Float64[np.ndarray, "plane pair"]

    @property
    def _about(self) -> str:
        return f"{len(self.pairs)} pairs of networks on {len(self.agreements)} planes"


def agreements(
    pairs: Sequence[tuple[str, str]],
    overlays: Sequence[Sequence[Overlay]],
    provenance: Mapping[str, Any],
) -> Reproducibility:
    """Share of the window on which two networks decide alike, and intersection over union of each class.

    Parameters
    ----------
    pairs
        Names of the networks of each pair.
    overlays
        By planes, and by pairs.
    provenance
        Where they come from.

    Raises
    ------
    InputError
        If networks have different numbers of outputs.
    """
    if any(both.classes is None for row in overlays for both in row):
        raise InputError("networks with different numbers of outputs decide between different classes")
    areas = [[_Areas.of(both) for both in row] for row in overlays]
    shares, errors = np.array([[area.agreement for area in row] for row in areas]).transpose(2, 0, 1)
    return Reproducibility(
        measure="reproducibility",
        quantities=tuple(_quantities(pairs, areas, shares, errors)),
        provenance=provenance,
        pairs=tuple(pairs),
        agreements=shares,
        errors=errors,
    )


@dataclass(frozen=True, eq=False)
class _Areas:
    """Areas by the classes of two networks on one plane."""

    overlay: Overlay
    swept: Swept | None
    deviation: Deviation
    replaced: float
    """By how much areas that are not those of stored corners differ from these, in all"""

    @classmethod
    def of(cls, both: Overlay) -> _Areas:
        arr = both.arrangement
        parts = Parts(
            Csr(arr.cells.offsets, arr.vertices[arr.cells.values]),
            np.arange(arr.n_cells),
            np.full(arr.n_cells, -1),
        )
        swept = swept_areas(arr, np.ones(arr.n_cells, dtype=bool))
        triangles = parts.triangles
        stored = np.bincount(triangles.parts, weights=triangles.areas, minlength=arr.n_cells)
        replaced = math.fsum(np.abs(arr.areas - stored).tolist())
        return cls(both, swept, deviation_of(arr, parts, swept, cut=False), replaced)

    @property
    def agreement(self) -> tuple[float, float]:
        """Share of the area on which both decide alike, and its error."""
        assert self.overlay.classes is not None
        one, other = self.overlay.classes.T
        share = float(self.overlay.areas[one == other].sum() / self.overlay.areas.sum())
        _, error = self.area(one == other)
        return share, self.deviation.mean(share, error + self.replaced)

    def area(self, chosen: Bool[np.ndarray, "piece"]) -> tuple[float, float]:
        """Area of some pieces, and its error, infinite where none is proven.

        What edges may sweep counts where one side is chosen and the other is not.
        """
        area = math.fsum(self.overlay.areas[chosen].tolist())
        if self.swept is None:
            return area, math.inf
        left, right = self.overlay.arrangement.edge_cells[self.swept.inner].T
        exchanged = float(self.swept.areas[chosen[left] != chosen[right]].sum())
        return area, SAFE * (exchanged + self.replaced) + self.deviation.integral(0.0, 1.0)


def _quantities(
    pairs: Sequence[tuple[str, str]], areas: list[list[_Areas]], agreements: np.ndarray, errors: np.ndarray
) -> Iterator[Quantity]:
    """Rows of the table: of all pairs together, then of each, then of each class."""
    n_planes = len(agreements)
    yield Quantity("agreement", float(agreements.mean()), "", proven(float(errors.mean())))
    if n_planes > 1:
        spread = float(agreements.mean(1).std(ddof=1)) / math.sqrt(n_planes)
        yield Quantity("standard error over planes", spread)
    for k, (one, other) in enumerate(pairs):
        mean, error = float(agreements[:, k].mean()), float(errors[:, k].mean())
        yield Quantity("agreement", mean, f"{one} and {other}", proven(error))
    for k, (one, other) in enumerate(pairs):
        for c, (overlap, error) in _overlaps([row[k] for row in areas]).items():
            of = f"class {c}, {one} and {other}"
            yield Quantity("intersection over union", overlap, of, proven(error))


def _overlaps(areas: list[_Areas]) -> dict[int, tuple[float, float]]:
    """Intersection over union of every class for which a network decides on any of the planes, and errors."""
    every = [area.overlay.classes for area in areas if area.overlay.classes is not None]
    found = {}
    for c in np.unique(np.concatenate(every)).tolist():
        common = [area.area((classes == c).all(1)) for area, classes in zip(areas, every, strict=True)]
        either = [area.area((classes == c).any(1)) for area, classes in zip(areas, every, strict=True)]
        (inner, inner_error), (outer, outer_error) = (
            np.sum(one, axis=0).tolist() for one in (common, either)
        )
        share, least = inner / outer, outer - outer_error
        error = SAFE * (inner_error + share * outer_error) / least if least > 0 else math.inf
        found[c] = (share, error)
    return found
