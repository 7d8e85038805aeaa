"""The measures by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from splineviz.errors import InputError
from splineviz.inputs import SQUARABLE, real_number, whole_number
from splineviz.measures import boundary, folds, graph, grids, integrals, regions, thickness, topology
from splineviz.measures.measure import Measure, Request
from splineviz.measures.result import Measured

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["MEASURES", "measure"]

_ALL = (
    regions.MEASURE,
    boundary.MEASURE,
    thickness.MEASURE,
    folds.MEASURE,
    integrals.MEASURE,
    graph.MEASURE,
    topology.MEASURE,
    grids.MEASURE,
)
MEASURES: dict[str, Measure] = {one.name: one for one in _ALL}
"""All measures of an arrangement, in the order of listing"""


def measure(arr: Arrangement, name: str, request: Request) -> Measured:
    """What one measure tells of an arrangement.

    Raises
    ------
    InputError
        If there is no such measure or no such window, or the request lacks what the measure needs.
    """
    if name not in MEASURES:
        raise InputError(f"there is no measure {name!r}", hint=f"one of {', '.join(MEASURES)}")
    one = MEASURES[name]
    if request.level is not None:
        real_number(request.level, "level", least=-SQUARABLE, most=SQUARABLE)
    if request.window is not None:
        whole_number(request.window, "window", 0, len(arr.windows) - 1)
    if unread := one.unread(request):
        raise InputError(
            f"the measure {name} is not asked with {unread[0]}=",
            hint=f"it reads {', '.join((*one.reads, 'window', 'points', 'labels'))}",
        )
    if missing := one.missing(request):
        raise InputError(
            f"the measure {name} needs {' and '.join(missing)}",
            hint=", ".join(f"{what}=..." for what in missing),
        )
    if not arr.n_cells:
        raise InputError(f"the arrangement has no cells, so there is nothing to measure: {arr.verdict}")
    return one.of(arr, request)
