"""Hatching of the cells that are in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from splineviz.render.style import MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from splineviz.arrangement.result import Arrangement

__all__ = ["draw_in_doubt"]

_LIGHT: dict[str, Any] = {"facecolor": "none", "edgecolor": MUTED, "linewidth": 0}


def draw_in_doubt(ax: Axes, arr: Arrangement, window: int) -> tuple[list[Any], list[str]]:
    """Hatch the cells of a window that are in doubt, all as one shape; its legend, nothing if there are
    none."""
    from matplotlib.patches import Patch, PathPatch
    from matplotlib.path import Path

    cells = arr.in_doubt[arr.cell_window[arr.in_doubt] == window]
    if not len(cells):
        return [], []
    rings = [arr.vertices[arr.cells[cell]] for cell in cells]
    shape = Path.make_compound_path(*(Path([*ring, ring[0]], closed=True) for ring in rings))
    ax.add_patch(PathPatch(shape, hatch="....", zorder=3.3, label="in doubt", **_LIGHT))
    return [Patch(hatch="......", **_LIGHT)], ["in doubt"]
