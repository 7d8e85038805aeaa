"""Ranges of the arrays of a file: sizes and indices fit together, so that nothing later reads beyond an
array, and numbers are such that what is computed of them means something."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.verdict import Stats
from splineviz.inputs import SQUARABLE
from splineviz.plane import Plane, Window

__all__ = ["check_ranges"]

_COUNTS = ("decisions", "re_evaluated", "undecided", "zeros", "batches", "proven", "in_doubt")
_SIZES = ("seconds", "seconds_affine", "largest_bound", "share_in_doubt")


def check_ranges(arr: Cells, derived: Mapping[str, np.ndarray]) -> None:
    """Raise ValueError where arrays of an arrangement, or what was derived from them and saved beside, cannot
    be what they are called."""
    f, v, e, w = arr.n_cells, arr.n_vertices, arr.n_edges, len(arr.windows)
    stages = arr.info.stages if arr.info is not None else ()
    n_units = np.array([stage.n_units for stage in stages] or [np.iinfo(np.int64).max])
    stage, unit = _shaped("edge_units", arr.edge_units.values, "i", (None, 2)).T
    last = len(stages) if stages else 1 << 62
    _within("edge_units", stage, 0, last)
    if (unit < 0).any() or (stages and (unit >= n_units[stage]).any()):
        raise ValueError("edge_units points outside")
    for name, index, shape, low, high in (
        ("cells", arr.cells.values, (None,), 0, v),
        ("cell_edges", arr.cell_edges, (len(arr.cells.values),), 0, e),
        ("edges", arr.edges, (e, 2), 0, v),
        ("thin_cells", arr.thin_cells, (None,), 0, f),
        ("in_doubt", arr.in_doubt, (arr.stats.in_doubt,), 0, f),
        ("edge_cells", arr.edge_cells, (e, 2), -1, f),
        ("cell_window", arr.cell_window, (f,), 0, w),
        ("cell_stage", arr.cell_stage, (f,), -1, last),
    ):
        _within(name, _shaped(name, index, "i", shape), low, high)
    if len(arr.edge_units) != e or len(arr.planes) != w:
        raise ValueError("sizes of arrays disagree")
    if f and arr.cells.lengths.min() < 3:
        raise ValueError("a cell has fewer than three corners")
    _shaped("pattern_hash", arr.pattern_hash, "u", (f, 2))
    if not (np.abs(_shaped("vertices", arr.vertices, "f", (v, 2))) <= SQUARABLE).all():
        raise ValueError("vertices are not finite, or too far away for areas")
    thin = _finite("thin_areas", _shaped("thin_areas", arr.thin_areas, "f", arr.thin_cells.shape))
    if (thin <= 0).any() or thin.sum() > sum(window.area for window in arr.windows):
        raise ValueError("thin_areas are not areas of parts of the windows")
    for number, (plane, window) in enumerate(zip(arr.planes, arr.windows, strict=True)):
        _check_frame(number, plane, window)
    _check_stats(arr.stats)
    _check_patterns(arr)
    _check_derived(arr, derived)


def _check_frame(number: int, plane: Plane, window: Window) -> None:
    _finite(f"plane_basis {number}", _shaped("plane_basis", plane.basis, "f", (2, plane.dim)))
    _finite(f"plane_origin {number}", plane.origin)
    if not np.array_equal(Window.polygon(window.vertices).vertices, window.vertices):
        raise ValueError(f"window {number} is not counter-clockwise")
    if not 0 < window.area < math.inf:
        raise ValueError(f"window {number} has no area that a float64 can hold")


def _check_stats(stats: Stats) -> None:
    """Counts are counts, and sizes are sizes."""
    counts = [getattr(stats, name) for name in _COUNTS]
    for field in dataclasses.fields(stats):
        if field.name.endswith("_per_stage"):
            counts += getattr(stats, field.name)
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise ValueError("a count is negative, or no whole number")
    sizes = [getattr(stats, name) for name in _SIZES]
    sizes += [] if stats.largest_displacement is None else [stats.largest_displacement]
    if not all(isinstance(size, float | int) and size >= 0 for size in sizes):
        raise ValueError("a figure is negative, or no number")
    if stats.certify not in ("full", "fast", "off"):
        raise ValueError(f"certify is {stats.certify!r}")


def _check_patterns(arr: Cells) -> None:
    """Each cell of a stage has states for all units, and comes from a cell of the stage before, or a
    window."""
    before = len(arr.windows)
    for stage, (words, parents) in enumerate(arr.patterns):
        n_words = 0 if arr.info is None else arr.info.stages[stage].n_words
        _shaped(f"pattern_{stage}", words, "u", (len(parents), n_words))
        _within(f"parent_{stage}", _shaped(f"parent_{stage}", parents, "i", (None,)), 0, before)
        before = len(parents)
    if arr.patterns and before < arr.n_cells:  # after a budget there may be more
        raise ValueError("patterns and cells disagree")


def _check_derived(arr: Cells, derived: Mapping[str, np.ndarray]) -> None:
    """Affine maps, kinks and linear regions belong to the cells and edges."""
    if "affine" in derived:
        outputs = None if arr.info is None else math.prod(arr.info.output_shape)
        if np.isnan(_shaped("affine", derived["affine"], "f", (arr.n_cells, outputs, 3))).any():
            raise ValueError("affine holds what is no number")
    if "edge_jump" in derived:
        jumps = _shaped("edge_jump", derived["edge_jump"], "f", (arr.n_edges,))
        if not (jumps >= 0).all():
            raise ValueError("edge_jump holds what is no size")
    if "linear_regions" in derived:
        regions = _shaped("linear_regions", derived["linear_regions"], "i", (arr.n_cells,))
        kinds = np.unique(regions)
        if not np.array_equal(kinds, np.arange(len(kinds))):
            raise ValueError("linear_regions are not numbered 0, 1, ...")


def _shaped(name: str, array: np.ndarray, kind: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of a kind of numbers and a shape, in which None is any length."""
    fits = array.ndim == len(shape) and all(
        want in (None, is_) for want, is_ in zip(shape, array.shape, strict=True)
    )
    if array.dtype.kind != kind or not fits:
        raise ValueError(f"{name} has numbers of type {array.dtype} and shape {array.shape}")
    return array


def _within(name: str, index: np.ndarray, low: int, high: int) -> None:
    if index.size and not (index.min() >= low and index.max() < high):
        raise ValueError(f"{name} points outside")


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds what is not finite")
    return array
