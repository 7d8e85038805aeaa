"""Decision regions and the decision boundary of one window, ready to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from splineviz.errors import InputError
from splineviz.geometry.csr import Csr
from splineviz.render.palette import class_colors
from splineviz.render.panel import Panel

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["boundary_segments", "class_legend", "class_polygons"]

_TINT = 0.4
_MOST = 12


def boundary_segments(arr: Arrangement, window: int) -> np.ndarray:
    """(K, 2, 2) uv segments of the decision boundary.

    Raises
    ------
    InputError
        If the arrangement was loaded from a file without affine maps.
    """
    if arr.program is None and "affine" not in vars(arr):
        raise InputError(
            "the decision boundary needs the affine maps, and the file that this arrangement was loaded from does not hold them",
            hint="draw with boundary=False, or save with affine=True",
        )
    return arr.decision_boundary(window=window)


def class_polygons(arr: Arrangement, window: int) -> tuple[np.ndarray, Csr, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, polygons, the rows to draw, their colours (n, 3), and the classes seen, largest area first."""
    regions = arr.decision_regions()
    rows = np.flatnonzero(arr.cell_window[regions.cells] == window)
    classes = regions.classes[rows]
    seen, index = np.unique(classes, return_inverse=True)
    area = np.bincount(index, weights=regions.areas[rows], minlength=len(seen))
    return regions.vertices, regions.pieces, rows, class_colors(classes, tint=_TINT), seen[np.argsort(-area, kind="stable")]


def class_legend(panel: Panel, classes: np.ndarray, names: Sequence[str] | None) -> None:
    """A patch per class seen; the smallest ones are left out when there are very many."""
    from matplotlib.patches import Patch

    shown = np.sort(classes[:_MOST])
    colors = class_colors(shown, tint=_TINT)
    labels = [names[c] if names is not None and c < len(names) else f"{c}" for c in shown]
    longest = max(len(label) for label in labels)
    handles = [Patch(facecolor=color, edgecolor="0.4", linewidth=0.4) for color in colors]
    more = f" (largest {_MOST} of {len(classes)})" if len(classes) > _MOST else ""
    panel.legend(handles, labels, columns=4 if longest <= 2 else 2 if longest <= 10 else 1, title=f"predicted class{more}")
