"""The outputs of a network as logits: their maps, the largest at each vertex, and the cells of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.cells import Cells
from splineviz.errors import InputError
from splineviz.inputs import real_number

if TYPE_CHECKING:
    from splineviz.arrangement.proof import Proof

__all__ = ["Logits", "affected_cells", "beats", "check_level", "logits_at", "logits_of"]

# Logits closer than this share of the terms they are summed from count as tied: rounding of the maps and of
# the vertices leaves about 1e-15 per layer, and an arrangement wants a tie along an edge found as a tie.
_TIE = 2.0**-40


_ROUNDINGS = 4
"""Of three products, added up"""


@dataclass(frozen=True)
class Logits:
    """The logits as maps on cells, and the largest of them at the vertices."""

    maps: np.ndarray
    """(F, C, 3), with the level as a first logit for a scalar output."""
    cell_of: np.ndarray
    """(V,) a cell at each vertex."""
    winner: np.ndarray
    """(V,) the largest logit at each vertex."""
    clear: np.ndarray
    """(V,) whether the largest logit exceeds every other by more than rounding."""
    reach: np.ndarray
    """(3,) the largest coordinates, homogeneous: they are rounded on that scale, whatever their own size."""


def logits_of(
    arr: Cells,
    maps: Float64[np.ndarray, "cell output 3"],
    level: float | None,
    proof: Proof | None = None,
) -> Logits:
    """The logits of cells from their affine maps; a single output is the second of two, its level the first.

    With a ``proof`` what is clear is proven, else it is estimated.

    Raises
    ------
    InputError
        If a level is given and there are several outputs.
    """
    check_level(level, maps.shape[1])
    if maps.shape[1] == 1:
        constant = np.zeros_like(maps)
        constant[:, 0, 2] = 0.0 if level is None else float(level)
        maps = np.concatenate([constant, maps], axis=1)
    cell_of = arr.a_cell_at_each_vertex()
    # Of the windows, so that it is the same whichever of their cells there are.
    corners = np.concatenate([window.vertices for window in arr.windows])
    reach = np.append(np.abs(corners).max(0), 1.0)
    if proof is None:
        values, slack = logits_at(maps, cell_of, arr.vertices, reach)
        top = np.partition(values, -2, axis=1)[:, -2:]
        with np.errstate(invalid="ignore"):
            clear = top[:, 1] - top[:, 0] > slack
        return Logits(maps, cell_of, values.argmax(1), clear, reach)
    # Compiled, and of no use to those who draw what was saved.
    from splineviz.arrangement.logit_bounds import proven_largest

    # The bound of the walk does nearly everywhere. That of each vertex is sharper, and has to be worked out.
    sharpest = arr.stats.largest_displacement
    coarse = np.full(arr.n_vertices, np.inf if sharpest is None else sharpest)
    winner, clear = proven_largest(maps, proof.errors, cell_of, arr.vertices, coarse, _ROUNDINGS)
    left = np.flatnonzero(~clear)
    if len(left):
        own, uv, displacement = cell_of[left], arr.vertices[left], proof.displacement_at(left)[left]
        _, clear[left] = proven_largest(maps, proof.errors, own, uv, displacement, _ROUNDINGS)
    return Logits(maps, cell_of, winner, clear, reach)


def check_level(level: float | None, n_outputs: int) -> None:
    """Refuse a level that is no number, or belongs to none of several outputs.

    Raises
    ------
    InputError
        With what to do instead.
    """
    if level is not None and n_outputs != 1:
        raise InputError(
            f"a level belongs to a network with one output, and this one has {n_outputs}",
            hint="leave it out for the boundary between the largest outputs, "
            "or give a module that returns one of them",
        )
    if level is not None:
        real_number(level, "level")


def logits_at(
    maps: np.ndarray, cells: np.ndarray, uv: np.ndarray, reach: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, C) of a cell's map each, of all (F, C, 3), at a point (n, 2) each, and the difference that
    counts as a tie, (n,).

    ``reach`` is that of `Logits`.
    """
    own = maps[cells]
    values = own[:, :, 0] * uv[:, :1] + own[:, :, 1] * uv[:, 1:] + own[:, :, 2]
    size = (np.abs(own) @ reach).max(1, initial=0.0)
    return values, _TIE * size


def beats(values: np.ndarray, bounds: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(n, C) bool: which logits are less than that of class ``own`` (n,) by more than the bounds of both."""
    rows = np.arange(len(own))
    with np.errstate(invalid="ignore", over="ignore"):
        less: np.ndarray = (values[rows, own] - bounds[rows, own])[:, None] > values + bounds
    return less


def affected_cells(arr: Cells, logits: Logits, window: int | None) -> np.ndarray:
    """The cells, of one window or of all, in which no class is clearly the largest at every vertex."""
    winner = logits.winner[arr.cells.values]
    start = arr.cells.offsets[:-1]
    same = winner == np.repeat(winner[start], arr.cells.lengths)
    plain = (
        np.logical_and.reduceat(same & logits.clear[arr.cells.values], start)
        if len(start)
        else np.zeros(0, dtype=bool)
    )
    return np.flatnonzero(~plain if window is None else ~plain & (arr.cell_window == window))
