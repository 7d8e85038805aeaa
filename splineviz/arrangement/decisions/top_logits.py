"""The outputs of a network as logits: their maps, the largest at each vertex, and the cells of several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.cells import Cells
from splineviz.errors import InputError

__all__ = ["Logits", "affected_cells", "logits_at", "logits_of"]

# Logits closer than this share of the terms they are summed from count as tied: rounding of the maps and of
# the vertices leaves about 1e-15 per layer, and an arrangement wants a tie along an edge found as a tie.
_TIE = 2.0**-40


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


def logits_of(arr: Cells, maps: Float64[np.ndarray, "cell output 3"], level: float | None) -> Logits:
    """The logits of cells from their affine maps; a single output is the second of two, its level the first.

    Raises
    ------
    InputError
        If a level is given and there are several outputs.
    """
    if maps.shape[1] == 1:
        constant = np.zeros_like(maps)
        constant[:, 0, 2] = 0.0 if level is None else level
        maps = np.concatenate([constant, maps], axis=1)
    elif level is not None:
        raise InputError(f"a level belongs to a network with one output, and this one has {maps.shape[1]}")
    cell_of = np.zeros(arr.n_vertices, dtype=np.int64)
    cell_of[arr.cells.values] = arr.cells.row_of
    winner, clear = np.zeros(arr.n_vertices, dtype=np.int64), np.zeros(arr.n_vertices, dtype=bool)
    reach = np.append(np.abs(arr.vertices).max(0, initial=0.0), 1.0)
    size = max(1, (64 << 20) // (24 * maps.shape[1]))
    for start in range(0, arr.n_vertices, size):
        rows = slice(start, start + size)
        values, slack = logits_at(maps[cell_of[rows]], arr.vertices[rows], reach)
        winner[rows] = values.argmax(1)
        top = np.partition(values, -2, axis=1)[:, -2:]
        clear[rows] = top[:, 1] - top[:, 0] > slack
    return Logits(maps, cell_of, winner, clear, reach)


def logits_at(maps: np.ndarray, uv: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, C) of maps (n, C, 3) at a point (n, 2) each, and the difference that counts as a tie, (n,).

    ``reach`` is that of `Logits`.
    """
    values = (maps * np.concatenate([uv, np.ones((len(uv), 1))], axis=1)[:, None]).sum(-1)
    return values, _TIE * (np.abs(maps) * reach).sum(-1).max(1)


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
