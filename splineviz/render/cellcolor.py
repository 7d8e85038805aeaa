"""What colours the cells: a quantity per cell with its scale, or colours given by pattern, class or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.errors import InputError
from splineviz.render.palette import pattern_colors

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize

    from splineviz.arrangement.result import Arrangement

__all__ = ["CellColor", "CellColors", "cell_colors", "in_slice_norm", "volume_factor", "weighted_quantile"]

CellColor = Literal["random", "norm", "jacobian", "class", "area", "stage", "volume", "none"]
"""What the fill of a cell shows."""

Extend = Literal["neither", "min", "max", "both"]
_EXTEND: dict[tuple[bool, bool], Extend] = {
    (False, False): "neither",
    (True, False): "min",
    (False, True): "max",
    (True, True): "both",
}
_PLAIN = (0.965, 0.965, 0.955)


@dataclass(frozen=True, eq=False)
class CellColors:
    """Colours of some cells, with the scale that explains them where there is one."""

    rgb: Float64[np.ndarray, "cell 3"]
    label: str = ""
    norm: Normalize | None = None
    cmap: Colormap | None = None
    extend: Extend = "neither"
    ticks: tuple[float, ...] | None = None


def cell_colors(arr: Arrangement, cells: Int64[np.ndarray, "cell"], how: CellColor) -> CellColors:
    """Colours of ``cells``; the scale of a quantity is taken from these cells.

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
        return _by_stage(arr, cells)
    if how not in _QUANTITIES:
        raise InputError(f"unknown color {how!r}, expected one of {', '.join(get_args(CellColor))}")
    values, label, spread = _QUANTITIES[how](arr)
    return _by_quantity(values[cells], arr.areas[cells], label, log=spread)


def in_slice_norm(affine: Float64[np.ndarray, "cell output 3"]) -> Float64[np.ndarray, "cell"]:
    """Spectral norm of the linear part of each cell's map from uv to the outputs.

    Examples
    --------
    >>> in_slice_norm(np.array([[[3.0, 0.0, 9.0], [0.0, 4.0, 9.0]]])).tolist()
    [4.0]
    """
    a, b, d = _gram(affine)
    norm: np.ndarray = np.sqrt((a + d + np.hypot(a - d, 2 * b)) / 2)
    return norm


def volume_factor(affine: Float64[np.ndarray, "cell output 3"]) -> Float64[np.ndarray, "cell"]:
    """sqrt(det A'A): by how much each cell's map stretches area; (F,). Zero where it is not one to one.

    Examples
    --------
    >>> volume_factor(np.array([[[3.0, 0.0, 9.0], [0.0, 4.0, 9.0]]])).tolist()
    [12.0]
    """
    a, b, d = _gram(affine)
    factor: np.ndarray = np.sqrt(np.maximum(a * d - b * b, 0.0))
    return factor


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


def _gram(affine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    u, v = affine[:, :, 0], affine[:, :, 1]
    return np.einsum("fc,fc->f", u, u), np.einsum("fc,fc->f", u, v), np.einsum("fc,fc->f", v, v)


def _volume(arr: Arrangement) -> tuple[np.ndarray, str, bool]:
    if arr.affine.shape[1] < 2:
        raise InputError("color 'volume' needs a network of at least two outputs, got one", hint="use color='norm'")
    return volume_factor(arr.affine), "volume factor $\\sqrt{\\det(A^{\\top} A)}$", True


_QUANTITIES: dict[str, Callable[[Arrangement], tuple[np.ndarray, str, bool]]] = {
    "norm": lambda arr: (in_slice_norm(arr.affine), "in-slice gradient norm $\\Vert A\\,\\Vert_2$", False),
    "jacobian": lambda arr: (arr.jacobian_norms(), "input Jacobian norm $\\Vert J\\,\\Vert_2$", False),
    "area": lambda arr: (arr.areas, "cell area", True),
    "volume": _volume,
}


def _by_quantity(values: np.ndarray, areas: np.ndarray, label: str, *, log: bool) -> CellColors:
    """cividis between limits beyond which lies 1 % of the picture each, so that a few extreme cells do not take the whole scale."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize

    usable = np.isfinite(values) & (values > 0) if log else np.isfinite(values)
    low, high = weighted_quantile(values[usable], areas[usable], (0.01, 0.99)) if usable.any() else (1.0, 1.0)
    if not high > low:
        low, high = (low * 0.5, high * 2.0) if log else (low - 0.5, high + 0.5)
    norm = LogNorm(low, high, clip=True) if log else Normalize(low, high, clip=True)
    below, above = bool((values < low).any()), bool((values > high).any())
    extend = _EXTEND[below, above]
    cmap = colormaps["cividis"]
    shown = np.where(values > 0, values, low) if log else values
    return CellColors(cmap(norm(shown))[:, :3], label, norm, cmap, extend)


def _by_stage(arr: Arrangement, cells: np.ndarray) -> CellColors:
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm, ListedColormap

    n = max(len(arr.stats.cells_per_stage), int(arr.cell_stage.max(initial=-1)) + 1, 1)
    table = np.vstack([[_PLAIN], colormaps["cividis"](np.linspace(0.15, 0.95, n))[:, :3]])
    uncut = bool((arr.cell_stage[cells] < 0).any())
    first = 0 if uncut else 1
    norm = BoundaryNorm(np.arange(first, n + 2) - 0.5, n + 1 - first)
    step = max(1, -(-n // 8))
    ticks = tuple(float(t) for t in range(first, n + 1, step))
    return CellColors(table[arr.cell_stage[cells] + 1], "stage of birth", norm, ListedColormap(table[first:]), "neither", ticks)
