"""Colours of cells: by a quantity per cell with its scale, or given by pattern, class or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.blocks import by_blocks
from splineviz.arrangement.volume_factors import volume_factor
from splineviz.choices import COLORS, CellColor
from splineviz.errors import InputError
from splineviz.render.palette import pattern_colors

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize

    from splineviz.arrangement.result import Arrangement

__all__ = [
    "CellColors",
    "Limits",
    "cell_colors",
    "check_cmap",
    "color_limits",
    "even_steps",
    "in_slice_norm",
    "largest_kink",
    "quantity_colors",
    "shared_limits",
    "stage_fills",
    "weighted_quantile",
]

Limits = tuple[float, float]
"""The ends of a colour scale"""

Extend = Literal["neither", "min", "max", "both"]
_EXTEND: dict[tuple[bool, bool], Extend] = {
    (False, False): "neither",
    (True, False): "min",
    (False, True): "max",
    (True, True): "both",
}
_PLAIN = (0.965, 0.965, 0.955)
_WHITE = 0.25


@dataclass(frozen=True, eq=False)
class CellColors:
    """Colours of some cells, with the scale that explains them where there is one."""

    rgb: Float64[np.ndarray, "cell 3"]
    label: str = ""
    norm: Normalize | None = None
    cmap: Colormap | None = None
    extend: Extend = "neither"
    ticks: tuple[float, ...] | None = None


def cell_colors(
    arr: Arrangement,
    cells: Int64[np.ndarray, "cell"],
    how: CellColor,
    limits: Limits | None = None,
    cmap: str | None = None,
) -> CellColors:
    """Colours of ``cells``; the scale of a quantity has the given limits, or is taken from these cells.

    ``class`` is left plain here: cells that the decision boundary crosses have to be split first.

    Raises
    ------
    InputError
        If ``how`` is unknown, or the quantity does not exist for this network.
    """
    if how == "random":
        return CellColors(pattern_colors(arr.pattern_hash[cells]))
    if how in ("none", "class"):
        return CellColors(np.broadcast_to(np.array(_PLAIN), (len(cells), 3)))
    if how == "stage":
        return _by_stage(arr, cells, cmap)
    if how not in _QUANTITIES:
        raise InputError(f"unknown color {how!r}, expected one of {', '.join(COLORS)}")
    values, label, spread = _QUANTITIES[how](arr)
    own = color_limits(values[cells], arr.areas[cells], log=spread) if limits is None else limits
    return quantity_colors(values[cells], own, label, log=spread, shared=limits is not None, cmap=cmap)


def shared_limits(arrs: Sequence[Arrangement], how: CellColor) -> Limits | None:
    """Limits of one scale for several arrangements; None where colours show no quantity."""
    if how not in _QUANTITIES:
        return None
    found = [_QUANTITIES[how](arr) for arr in arrs]
    return color_limits(
        np.concatenate([values for values, _, _ in found]),
        np.concatenate([arr.areas for arr in arrs]),
        log=found[0][2],
    )


def in_slice_norm(affine: Float64[np.ndarray, "cell output 3"]) -> Float64[np.ndarray, "cell"]:
    """Spectral norm of the linear part of each cell's map from uv to the outputs.

    Examples
    --------
    >>> in_slice_norm(np.array([[[3.0, 0.0, 9.0], [0.0, 4.0, 9.0]]])).tolist()
    [4.0]
    """

    def norm(part: slice) -> np.ndarray:
        u, v = affine[part, :, 0], affine[part, :, 1]
        a, b, d = (np.einsum("fc,fc->f", one, other) for one, other in ((u, u), (u, v), (v, v)))
        norms: np.ndarray = np.sqrt((a + d + np.hypot(a - d, 2 * b)) / 2)
        return norms

    return by_blocks(norm, len(affine))


def largest_kink(arr: Arrangement) -> Float64[np.ndarray, "cell"]:
    """The largest jump of the affine map across a side of each cell; sides on the rim count as none."""
    jump, offsets = arr.edge_jump, arr.cells.offsets

    def kink(part: slice) -> np.ndarray:
        starts = offsets[part.start : part.stop + 1]
        sides = arr.cell_edges[starts[0] : starts[-1]]
        return np.maximum.reduceat(jump[sides], starts[:-1] - starts[0])

    return by_blocks(kink, arr.n_cells)


def weighted_quantile(values: np.ndarray, weights: np.ndarray, shares: Sequence[float]) -> tuple[float, ...]:
    """Values below which these shares of the total weight lie.

    Examples
    --------
    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([8.0, 1.0, 1.0]), (0.0, 0.5, 1.0))
    (1.0, 3.0, 3.0)
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.asarray(shares) * reached[-1])
    return tuple(values[order[np.minimum(places, len(order) - 1)]].tolist())


def _volume(arr: Arrangement) -> tuple[np.ndarray, str, bool]:
    if arr.affine.shape[1] < 2:
        raise InputError(
            "color 'volume' needs a network of at least two outputs, got one", hint="use color='norm'"
        )
    return volume_factor(arr.affine), "volume factor $\\sqrt{\\det(A^{\\top} A)}$", True


_QUANTITIES: dict[str, Callable[[Arrangement], tuple[np.ndarray, str, bool]]] = {
    "norm": lambda arr: (in_slice_norm(arr.affine), "in-slice gradient norm $\\Vert\\,A\\,\\Vert_2$", False),
    "jacobian": lambda arr: (arr.jacobian_norms(), "input Jacobian norm $\\Vert\\,J\\,\\Vert_2$", False),
    "area": lambda arr: (arr.areas, "cell area", True),
    "kink": lambda arr: (largest_kink(arr), "largest kink on a side", True),
    "volume": _volume,
}


def check_cmap(how: CellColor, cmap: str | None) -> None:
    """Refuse a colour map that does not exist, or that the fill has no use for.

    Raises
    ------
    InputError
        With what is known instead.
    """
    from matplotlib import colormaps

    if cmap is None:
        return
    if how in ("random", "class", "none"):
        raise InputError(
            f"a colour map is for fills that show a quantity, and color {how!r} shows none",
            hint=f"one of {', '.join(c for c in COLORS if c not in ('random', 'class', 'none'))}",
        )
    if cmap not in colormaps:
        near = get_close_matches(cmap, list(colormaps), n=3)
        raise InputError(
            f"unknown colour map {cmap!r}", hint=f"{' or '.join(near or ['viridis', 'magma', 'gray'])}"
        )


def color_limits(values: np.ndarray, areas: np.ndarray, *, log: bool, signed: bool = False) -> Limits:
    """Beyond which lies 1 % of the picture each, so that a few extreme cells do not take the whole scale."""
    usable = np.isfinite(values) & (values > 0) if log else np.isfinite(values)
    low, high = weighted_quantile(values[usable], areas[usable], (0.01, 0.99)) if usable.any() else (1.0, 1.0)
    if not high > low:
        if log:
            return low * 0.5, high * 2.0
        return (low - 0.5, high + 0.5) if signed else (0.0, 2.0 * high or 1.0)
    return low, high


def quantity_colors(
    values: np.ndarray,
    limits: Limits,
    label: str,
    *,
    log: bool,
    shared: bool = False,
    cmap: str | None = None,
) -> CellColors:
    """Colours of values between two limits, and the scale that explains them; ``shared`` by pictures that are
    to look alike."""
    from matplotlib.colors import ListedColormap, LogNorm, Normalize

    low, high = limits
    norm = LogNorm(low, high, clip=True) if log else Normalize(low, high, clip=True)
    below, above = bool((values < low).any()), bool((values > high).any())
    extend = "both" if shared else _EXTEND[below, above]
    steps = ListedColormap(even_steps(cmap, 256))

    def rgb(part: slice) -> np.ndarray:
        shown = np.where(values[part] > 0, values[part], low) if log else values[part]
        colors: np.ndarray = steps(norm(shown))[:, :3]
        return colors

    return CellColors(by_blocks(rgb, len(values)), label, norm, steps, extend)


def even_steps(cmap: str | None, n: int) -> Float64[np.ndarray, "step 3"]:
    """(n, 3) even steps through a colour map; by default cividis with some white, so that dark lines can be
    read on all of it."""
    from matplotlib import colormaps

    color: np.ndarray = colormaps[cmap or "cividis"](np.linspace(0.0, 1.0, n))[:, :3]
    return color if cmap else color + _WHITE * (1 - color)


def stage_fills(n: int, cmap: str | None = None) -> Float64[np.ndarray, "fill 3"]:
    """(n + 1, 3) fills of cells that no stage separated, and of those that each of ``n`` stages did."""
    return np.vstack([[_PLAIN], even_steps(cmap, n + 2)[1:-1]])


def _by_stage(arr: Arrangement, cells: np.ndarray, cmap: str | None) -> CellColors:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    n = max(len(arr.stats.cells_per_stage), int(arr.cell_stage.max(initial=-1)) + 1, 1)
    table = stage_fills(n, cmap)
    uncut = bool((arr.cell_stage[cells] < 0).any())
    first = -1 if uncut else 0
    norm = BoundaryNorm(np.arange(first, n + 1) - 0.5, n - first)
    step = max(1, -(-n // 8))
    ticks = tuple(float(t) for t in range(first, n, step))
    rgb, shown = table[arr.cell_stage[cells] + 1], ListedColormap(table[first + 1 :])
    return CellColors(rgb, "stage of birth", norm, shown, "neither", ticks)
