"""Decision regions: how many a class has, how large they are, and how the slice is shared among the classes.

A decision region is a maximal part of the slice that is connected across sides and on which one output is the
largest; with one output, on which it is above its level (class 1) or not (class 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.measures.measure import Measure, Request, provenance_of, require_outputs
from splineviz.measures.result import Measured, Quantity

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["MEASURE", "RegionSizes", "region_sizes"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RegionSizes(Measured):
    """Decision regions with their areas.

    Attributes
    ----------
    classes
        (R,) class of each region.
    areas
        (R,) area of each region, in squared input distance.
    cells
        (R,) number of cells that each region meets.
    """

    classes: Int64[np.ndarray, "region"]
    areas: Float64[np.ndarray, "region"]
    cells: Int64[np.ndarray, "region"]


def region_sizes(arr: Arrangement, request: Request | None = None) -> RegionSizes:
    """Number and areas of the decision regions of each class, and the share of the slice that each class has.

    Shares and areas are sums of exact pieces with rounded corners; their error is not proven here. Numbers of
    regions are proven where `Arrangement.exact` says so of ``decision_regions``.

    Parameters
    ----------
    arr
        Cells of the last stage.
    request
        Its ``window`` and ``level`` are read.

    Raises
    ------
    InputError
        If the cells are those of an earlier stage, or a level is given and the network has several outputs.

    Examples
    --------
    >>> import splineviz as sv
    >>> found = region_sizes(sv.slice("demo", sv.demo.load_points()))
    >>> round(sum(found["share", f"class {c}"] for c in set(found.classes.tolist())), 12)
    1.0
    """
    request = Request() if request is None else request
    require_outputs(arr, "regions")
    decisions = arr.decision_regions(level=request.level)
    here = np.ones(len(decisions.classes), dtype=bool)
    if request.window is not None:
        here = arr.cell_window[decisions.cells] == request.window
    _, first, region = np.unique(decisions.regions[here], return_index=True, return_inverse=True)
    classes = decisions.classes[here][first]
    areas = np.bincount(region, weights=decisions.areas[here], minlength=len(first))
    cells = np.bincount(region, minlength=len(first))
    return RegionSizes(
        measure="regions",
        quantities=tuple(_quantities(classes, areas, None if decisions.open else 0)),
        provenance=provenance_of(arr, request),
        classes=classes,
        areas=areas,
        cells=cells,
    )


def _quantities(classes: np.ndarray, areas: np.ndarray, error: float | None) -> list[Quantity]:
    """Rows of the table: of all classes, then of each."""
    area, found = "squared input distance", [Quantity("regions", len(classes), error=error)]
    for number in np.unique(classes).tolist():
        own, of = areas[classes == number], f"class {number}"
        found += [
            Quantity("regions", len(own), of, error),
            Quantity("share", float(own.sum() / areas.sum()), of),
            Quantity("largest region", float(own.max()), of, unit=area),
            Quantity("median region", float(np.median(own)), of, unit=area),
            Quantity("smallest region", float(own.min()), of, unit=area),
        ]
    return found


MEASURE = Measure(
    "regions", "decision regions: their number, areas and shares by class", region_sizes, ("level",)
)
