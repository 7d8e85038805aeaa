"""Decision regions and the decision boundary of one window, ready to draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.errors import InputError
from splineviz.render.palette import CLASS_TINT, class_colors
from splineviz.render.panel import Panel
from splineviz.showing import in_line

if TYPE_CHECKING:
    from splineviz.arrangement.decisions.boundary import DecisionRegions
    from splineviz.arrangement.result import Arrangement

__all__ = [
    "boundary_segments",
    "class_legends",
    "class_name",
    "class_pieces",
    "scalar_output",
    "side_names",
]

_MOST = 12


def boundary_segments(arr: Arrangement, window: int, level: float | None = None) -> np.ndarray:
    """(K, 2, 2) uv segments of the decision boundary, or of the level set of a single output.

    Raises
    ------
    InputError
        If the arrangement was loaded from a file without affine maps.
    """
    if arr.program is None and "affine" not in vars(arr):
        raise InputError(
            "the decision boundary needs the affine maps, and the file that this arrangement was loaded "
            "from does not hold them",
            hint="draw with boundary=False, or save with affine=True",
            command_hint="--no-boundary, or write the file with slice --affine",
        )
    return arr.decision_boundary(window=window, level=level)


def class_pieces(regions: DecisionRegions, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours (n, 3) of some pieces of decision regions, and the area that they give each class (C,)."""
    classes = regions.classes[rows]
    return class_colors(classes, tint=CLASS_TINT), np.bincount(classes, weights=regions.areas[rows])


def scalar_output(arr: Arrangement) -> bool:
    """Whether the network has one output, whose sign takes the place of a class."""
    return arr.info is not None and math.prod(arr.info.output_shape) == 1


def class_legends(
    panel: Panel,
    areas: np.ndarray,
    of_data: np.ndarray,
    names: Sequence[str] | None,
    *,
    scalar: bool = False,
) -> None:
    """A patch per class that has an area, largest first, and a dot per class of the data, where the patches
    do not tell."""
    seen = np.flatnonzero(areas)
    predicted = seen[np.argsort(-areas[seen], kind="stable")]
    if len(predicted):
        _predicted_legend(panel, predicted, names, scalar)
    if not np.isin(of_data, predicted).all():
        _data_legend(panel, of_data, names)


def side_names(
    arr: Arrangement, names: Sequence[str] | None, level: float | None = None
) -> Sequence[str] | None:
    """Names of classes as they are given; where there are none, of the sides of a single output's level."""
    if not scalar_output(arr) or (names is not None and len(names) >= 2):
        return names
    return f"output ≤ {level or 0:g}", f"output > {level or 0:g}"


def class_name(number: int, names: Sequence[str] | None) -> str:
    """Name of a class, or its number where it has none."""
    return in_line(names[number]) if names is not None and 0 <= number < len(names) else f"{number}"


def _predicted_legend(panel: Panel, classes: np.ndarray, names: Sequence[str] | None, scalar: bool) -> None:
    """The smallest classes are left out when there are very many."""
    from matplotlib.patches import Patch

    shown = np.sort(classes[:_MOST])
    handles = [
        Patch(facecolor=color, edgecolor="0.4", linewidth=0.4)
        for color in class_colors(shown, tint=CLASS_TINT)
    ]
    more = f" (largest {_MOST} of {len(classes)})" if len(classes) > _MOST else ""
    _class_rows(
        panel, handles, shown, names, f"predicted class{more}" if not scalar else "sign of the output"
    )


def _data_legend(panel: Panel, classes: np.ndarray, names: Sequence[str] | None) -> None:
    from matplotlib.lines import Line2D

    shown = classes[:_MOST]
    style: dict[str, Any] = {"linestyle": "none", "marker": "o", "ms": 4.5, "mec": "white", "mew": 0.3}
    handles = [Line2D([], [], mfc=color, **style) for color in class_colors(shown)]
    more = f" (first {_MOST} of {len(classes)})" if len(classes) > _MOST else ""
    _class_rows(panel, handles, shown, names, f"class of the data{more}")


def _class_rows(
    panel: Panel, handles: Sequence[Any], classes: np.ndarray, names: Sequence[str] | None, title: str
) -> None:
    labels = [class_name(c, names) for c in classes]
    longest = max(len(label) for label in labels)
    panel.legend(handles, labels, columns=4 if longest <= 2 else 2 if longest <= 10 else 1, title=title)
