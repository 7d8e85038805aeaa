"""What grids of points miss of the exact cells: regions that no point lies in, and length of the boundary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64

from splineviz.errors import InputError
from splineviz.measures.boundary_lengths import boundary_lengths
from splineviz.measures.grid_scan import GridScan, scan
from splineviz.measures.measure import Measure, Request, provenance_of, require_outputs
from splineviz.measures.result import Measured, Quantity
from splineviz.measures.shares import logit_maps

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary import DecisionRegions
    from splineviz.arrangement.result import Arrangement

__all__ = ["MEASURE", "GridLosses", "grid_losses"]

_SIZES = (50, 500, 5000)
_MOST = 100_000
"""Points along a side"""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GridLosses(Measured):
    """What grids see of the cells, beside what there is.

    Attributes
    ----------
    sizes
        Points along either side of each grid.
    seen
        (G, F) whether a point of a grid lies in a cell.
    lengths
        (G,) length of the boundary by marching squares on each grid.
    """

    sizes: tuple[int, ...]
    seen: Bool[np.ndarray, "grid cell"]
    lengths: Float64[np.ndarray, "grid"]


def grid_losses(arr: Arrangement, request: Request | None = None) -> GridLosses:
    """Cells, linear regions, decision regions and length of the boundary as grids of n x n points see them,
    beside what there is.

    The points are the middles of n x n equal parts of the bounding box of each window. A cell or a region is
    missed if no point lies in it. ``decision regions`` of a grid are connected components of points of one
    class, each with four neighbours, as are counted where only labels of points are known: a region that is
    narrow somewhere falls into several, so that there can be more than there are. Lengths are by marching
    squares (see :mod:`splineviz.measures.marching_squares`). Work goes with the rows of points that cross
    cells, and with the points: some 20 nanoseconds for each, in bounded memory.

    Parameters
    ----------
    arr
        Cells of the last stage.
    request
        Its ``window``, ``level`` and ``grids`` are read.

    Raises
    ------
    InputError
        If the cells are those of an earlier stage, a size is no whole number from 2 to 100,000, or a level
        is given and the network has several outputs.

    Examples
    --------
    >>> import splineviz as sv
    >>> arr = sv.slice("demo", sv.demo.load_points())
    >>> found = grid_losses(arr, Request(grids=(50, 500)))
    >>> found["missed cells", "50 x 50 points"] > found["missed cells", "500 x 500 points"] > 0
    True
    """
    request = Request() if request is None else request
    require_outputs(arr, "grids")
    sizes = _checked(request.grids)
    decisions, logits = arr.decision_regions(level=request.level), logit_maps(arr, request.level)
    of_piece = arr.cell_window[decisions.cells]
    windows = np.unique(of_piece) if request.window is None else np.array([request.window])
    here = np.isin(of_piece, windows)
    grids = [
        [
            scan(arr.windows[w], decisions, logits, np.flatnonzero(of_piece == w), size)
            for w in windows.tolist()
        ]
        for size in sizes
    ]
    seen, quantities = (
        np.zeros((len(sizes), arr.n_cells), dtype=bool),
        list(_exactly(arr, decisions, here, request)),
    )
    exact = {one.name: one.value for one in quantities}
    for row, size, parts in zip(seen, sizes, grids, strict=True):
        hit = np.logical_or.reduce([part.hit for part in parts])
        row[decisions.cells[hit]] = True
        quantities += _of_grid(arr, decisions, hit, parts, exact, f"{size} x {size} points")
    return GridLosses(
        measure="grids",
        quantities=tuple(quantities),
        provenance=provenance_of(arr, request),
        sizes=sizes,
        seen=seen,
        lengths=np.array([sum(part.length for part in parts) for parts in grids]),
    )


def _checked(sizes: object) -> tuple[int, ...]:
    """The sizes of grids."""
    if sizes is None:
        return _SIZES
    given = np.atleast_1d(np.asarray(sizes))
    if given.dtype.kind not in "iu" or given.ndim > 1 or not ((given >= 2) & (given <= _MOST)).all():
        raise InputError(
            f"grids must be whole numbers from 2 to {_MOST:,}, the points along a side; got {sizes}",
            hint="grids=(50, 500)",
            command_hint="--grids 50,500",
        )
    return tuple(given.tolist())


def _exactly(
    arr: Arrangement, decisions: DecisionRegions, here: np.ndarray, request: Request
) -> Iterator[Quantity]:
    """Rows of the table: what there is."""
    cells = np.unique(decisions.cells[here])
    known = arr.exact
    tied = arr._tied_segments(request.level, request.window)
    lengths = np.linalg.norm(tied.ends[:, 1] - tied.ends[:, 0], axis=1)
    boundary = next(boundary_lengths(arr, tied, lengths, request.level))
    regions = len(np.unique(arr.linear_regions[cells]))
    yield Quantity("cells", len(cells), error=None if known["cells"] else 0)
    yield Quantity("linear regions", regions, error=None if arr.exact["linear_regions"] else 0)
    found = len(np.unique(decisions.regions[here]))
    yield Quantity("decision regions", found, error=None if decisions.open else 0)
    yield replace(boundary, name="boundary length")


def _of_grid(
    arr: Arrangement,
    decisions: DecisionRegions,
    hit: np.ndarray,
    parts: list[GridScan],
    exact: dict[str, float],
    of: str,
) -> Iterator[Quantity]:
    """Rows of the table: what a grid sees, and the share that it misses."""
    seen = {
        "cells": len(np.unique(decisions.cells[hit])),
        "linear regions": len(np.unique(arr.linear_regions[decisions.cells[hit]])),
        "decision regions": len(np.unique(decisions.regions[hit])),
        "boundary length": sum(part.length for part in parts),
    }
    components = sum(part.components for part in parts)
    for name, value in (seen | {"decision regions": components}).items():
        yield Quantity(name, value, of, unit="input distance" if name == "boundary length" else "")
    for name, value in seen.items():
        if exact[name]:
            yield Quantity(f"missed {name}", 1.0 - value / exact[name], of)


MEASURE = Measure(
    "grids", "what grids of points miss of regions and of the boundary", grid_losses, ("level", "grids")
)
