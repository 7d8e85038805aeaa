"""Which outputs of networks a page holds, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from splineviz.arrangement.result import Arrangement
from splineviz.pages.known_function import MOST, known_function, n_outputs
from splineviz.pages.panels import Panels
from splineviz.showing import in_line

__all__ = ["chosen_outputs", "output_names"]

_CELLS = 1 << 14


def chosen_outputs(panels: Panels, *, compute: bool) -> list[int]:
    """Outputs that a page holds, ascending; a network with fewer outputs than others has those of them that
    there are.

    These are all outputs of networks with up to 16. Of others they are all that are the largest anywhere,
    and, up to 16, those that come to the largest values. Without ``compute`` nothing is computed of the
    function that was not asked for before.
    """
    chosen = set[int]()
    for panel in panels.panels:
        arr = panel.load()
        if n_outputs(arr) <= MOST:
            chosen |= set(range(n_outputs(arr)))
            if panels.one_network:
                break
        else:
            maps = known_function(arr, compute=compute).maps
            chosen |= set() if maps is None else _largest(arr, maps, panel.window)
    return sorted(chosen)


def output_names(outputs: Sequence[int], n_outputs: int, names: Sequence[str] | None) -> list[str]:
    """A name for each output: its own, or its number. A single one is no class, and has the name of none."""
    if n_outputs == 1:
        return ["output" for _ in outputs]
    known = dict(enumerate(names or ()))
    return [in_line(str(known.get(output, output))) for output in outputs]


def _largest(arr: Arrangement, maps: Float64[np.ndarray, "cell output 3"], window: int) -> set[int]:
    regions = arr.decision_regions()
    winners = set(np.unique(regions.classes[arr.cell_window[regions.cells] == window]).tolist())
    reached = _reached(maps, arr.interior_points, np.flatnonzero(arr.cell_window == window))
    others = [output for output in np.argsort(-reached, kind="stable").tolist() if output not in winners]
    return winners | set(others[: max(0, MOST - len(winners))])


def _reached(
    maps: Float64[np.ndarray, "cell output 3"], points: Float64[np.ndarray, "cell 2"], cells: np.ndarray
) -> Float64[np.ndarray, "output"]:
    """The largest value of each output at a point in some cells."""
    reached = np.full(maps.shape[1], -np.inf)
    for begin in range(0, len(cells), _CELLS):  # the values of all cells may be more than memory holds
        some = cells[begin : begin + _CELLS]
        here, uv = maps[some], points[some]
        values = here[:, :, 0] * uv[:, :1] + here[:, :, 1] * uv[:, 1:] + here[:, :, 2]
        np.maximum(reached, values.max(0), out=reached)
    return reached
