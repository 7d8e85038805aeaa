"""Lengths of the decision boundary, in all and by pairs of classes, each with its proven error."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.geometry.rounding import SAFE, UNIT_ROUNDOFF
from splineviz.measures.exact_ties import exact_ties
from splineviz.measures.result import Quantity, proven
from splineviz.measures.shares import logit_maps

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary import TiedSegments
    from splineviz.arrangement.result import Arrangement

__all__ = ["boundary_lengths"]

_UNIT = "input distance"
_Classes = tuple[int, int]


def boundary_lengths(
    arr: Arrangement, tied: TiedSegments, lengths: Float64[np.ndarray, "segment"], level: float | None
) -> Iterator[Quantity]:
    """Rows of the table: the length of the boundary, and that between two classes each.

    The error of the length within cells is how far it may be from all that clipping exact lines may leave
    (`tie_lengths`), and along edges the distance from what exact arithmetic tells (`exact_ties`).
    """
    errors = _errors(arr, tied, lengths, level)
    sums = {pair: _total(lengths[rows]) for pair, rows in _by_pair(tied.classes).items()}
    wrong = math.inf if errors is None else math.fsum(errors.values())
    yield Quantity("length", _total(lengths), "", _rounded(wrong, lengths), _UNIT)
    for (a, b), own in sums.items():
        wrong = math.inf if errors is None else errors.get((a, b), 0.0)
        yield Quantity("length", own, f"classes {a} and {b}", _rounded(wrong, lengths), _UNIT)


def _errors(
    arr: Arrangement, tied: TiedSegments, lengths: np.ndarray, level: float | None
) -> dict[_Classes, float] | None:
    """Error of the length between two classes each; None where nothing is proven."""
    proof, maps = arr._proof, logit_maps(arr, level)
    if proof is None or tied.open or not arr.stats.certified:
        return None
    along = exact_ties(arr, proof, maps, np.unique(tied.winners[:, 0]), level)
    if along is None:
        return None
    within = tied.cells >= 0
    stored = {pair: _total(lengths[~within][rows]) for pair, rows in _by_pair(tied.classes[~within]).items()}
    found = {
        pair: abs(stored.get(pair, 0.0) - math.fsum(along.get(pair, [])))
        for pair in stored.keys() | along.keys()
    }
    for pair, error in _within_cells(arr, tied, lengths, maps).items():
        found[pair] = found.get(pair, 0.0) + error
    return found


def _within_cells(
    arr: Arrangement, tied: TiedSegments, lengths: np.ndarray, maps: np.ndarray
) -> dict[_Classes, float]:
    """Errors of what lies within cells, by pairs of classes."""
    # With torch, which is not waited for by those who ask what measures there are.
    from splineviz.measures.tie_lines import tie_lengths

    assert arr._proof is not None
    bounds, n = tie_lengths(arr, arr._proof, maps, tied.winners), maps.shape[1]

    def key(cells: np.ndarray, classes: np.ndarray) -> np.ndarray:
        keys: np.ndarray = (cells * n + classes[:, 0]) * n + classes[:, 1]
        return keys

    cuts = np.flatnonzero(tied.cells >= 0)
    ties = key(bounds.cells, bounds.classes)
    order = np.argsort(ties)
    place = np.searchsorted(ties[order], key(tied.cells[cuts], tied.classes[cuts]))
    stored = np.bincount(order[place], weights=lengths[cuts], minlength=len(ties))
    off = np.maximum(stored - bounds.least, bounds.most - stored)
    return {pair: _total(off[rows]) for pair, rows in _by_pair(bounds.classes).items()}


def _by_pair(classes: np.ndarray) -> dict[_Classes, np.ndarray]:
    """Rows of each pair of classes, in ascending order of pairs."""
    pairs, which = np.unique(classes, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    ends = np.searchsorted(which.ravel()[order], np.arange(len(pairs) + 1))
    rows = (order[ends[k] : ends[k + 1]] for k in range(len(pairs)))
    return {(a, b): own for (a, b), own in zip(pairs.tolist(), rows, strict=True)}


def _total(values: np.ndarray) -> float:
    return math.fsum(values.tolist())


def _rounded(error: float, lengths: np.ndarray) -> float | None:
    """A bound that covers the rounding of sums, too; lengths are those of segments as they are stored."""
    return proven(SAFE * error + 8.0 * UNIT_ROUNDOFF * _total(lengths))
