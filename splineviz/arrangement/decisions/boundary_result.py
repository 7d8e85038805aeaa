"""The decision boundary of a window as a result of its own, without the cells."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.verdict import Stats, Status
from splineviz.few_lines import few_lines
from splineviz.plane import Plane, Window
from splineviz.showing import in_lines
from splineviz.stage import ProgramInfo

__all__ = ["DecisionBoundary"]

_SENTENCES = {
    Status.COMPLETE: "complete: every segment in the window is there",
    Status.UNDECIDED: "complete, but some decisions rest on estimates of rounding errors and are not proven",
    Status.IN_DOUBT: "in doubt: some cells that it may cross contradict each other or are too thin to tell",
    Status.INCOMPLETE: "incomplete: the budget ended before the whole window was looked at",
}


@dataclass(frozen=True, eq=False, repr=False)
class DecisionBoundary:
    """Segments along which the two largest outputs of a network tie on a window, or a single output has a
    level.

    Attributes
    ----------
    segments
        (K, 2, 2) uv of the ends, in no order; one that runs along an edge between cells is there once.
    classes
        (K, 2) the two outputs that tie, ascending; of a single output 0 is its level and 1 the output.
    level
        Of a single output; None for 0, and where there are several.
    stats
        Of the cells that were arranged, those that the boundary crosses and few others: decisions, proofs,
        time.
    open
        Number of these cells in which it is not proven which outputs win.
    n_cells
        Number of these cells.
    left_out
        By stage, the faces that were found out of reach of the boundary before its units cut.
    """

    segments: Float64[np.ndarray, "segment 2 2"]
    classes: Int64[np.ndarray, "segment 2"]
    plane: Plane
    window: Window
    level: float | None
    status: Status
    stats: Stats
    open: int
    n_cells: int
    left_out: tuple[int, ...]
    info: ProgramInfo
    """Name, digest and stages of the network"""

    def __len__(self) -> int:
        return len(self.segments)

    def __repr__(self) -> str:
        head = (
            f"DecisionBoundary of {self.info.name}: {len(self):,} segments, length {self.length:.6g}, "
            f"{self.n_cells:,} cells arranged; {self.verdict}"
        )
        stages = (f"before stage {stage}: {n:,} faces left out" for stage, n in enumerate(self.left_out) if n)
        return in_lines([head, *few_lines([*stages])])

    @property
    def verdict(self) -> str:
        """The status as a sentence."""
        return _SENTENCES[self.status]

    @property
    def certified(self) -> bool:
        """Whether it is proven that these are all segments, each between the cells and classes that it
        names."""
        return self.status is Status.COMPLETE and self.stats.certified and not self.open

    @property
    def lengths(self) -> Float64[np.ndarray, "segment"]:
        """(K,) length of each segment, in input distance."""
        lengths: np.ndarray = np.linalg.norm(self.segments[:, 1] - self.segments[:, 0], axis=1)
        return lengths

    @property
    def length(self) -> float:
        """Length of all segments, in input distance."""
        return float(self.lengths.sum())

    def draw(self, ax: Any = None, **how: Any) -> Any:
        """Draw the segments on Axes, new ones if left out; see
        :func:`splineviz.render.boundary_figure.draw_boundary_alone`."""
        from splineviz.render.boundary_figure import draw_boundary_alone

        return draw_boundary_alone(self, ax, **how)

    def save(self, path: str | os.PathLike[str], *, extra: Mapping[str, Any] | None = None) -> None:
        """Write the segments to .csv, .json, .geojson or .npz; see :mod:`splineviz.io.boundary_files`."""
        from splineviz.io.boundary_files import save_boundary

        save_boundary(self, path, extra=extra)

    def _repr_html_(self) -> str:
        from splineviz.render.boundary_figure import boundary_html

        return boundary_html(self)
