"""The result of an animation: where it was written, and the numbers of its strip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from splineviz.showing import in_line

__all__ = ["Animation"]


@dataclass(frozen=True, eq=False)
class Animation:
    """A finished animation, one frame per checkpoint. A notebook shows it.

    Attributes
    ----------
    paths
        What was written: files, or a folder of numbered frames.
    steps
        Of each checkpoint.
    cells
        (checkpoint,) in the window; NaN where a checkpoint could not be read, as in all that follows.
    exact, proxy
        (checkpoint,) mean over the points of local complexity: the cells of the diamond conv{x ± r v_1, x ± r
        v_2} less one, and the units that separate its vertices. NaN without points.
    radius
        The r of these.
    metrics
        name -> (checkpoint,) what the files tell, such as accuracies.
    left_out
        Files that are no checkpoints, and why.
    errors
        step -> why this frame is marked as broken.
    incomplete
        Steps whose arrangement a budget ended before the window was covered.
    in_doubt
        Steps some of whose cells contradict each other; their frames say so.
    computed
        Number of arrangements that were computed now; the others were in the cache.
    seconds
        Wall time.
    """

    paths: tuple[Path, ...]
    steps: tuple[int, ...]
    cells: Float64[np.ndarray, "checkpoint"]
    exact: Float64[np.ndarray, "checkpoint"]
    proxy: Float64[np.ndarray, "checkpoint"]
    radius: float
    metrics: Mapping[str, Float64[np.ndarray, "checkpoint"]]
    left_out: Mapping[Path, str]
    errors: Mapping[int, str]
    incomplete: tuple[int, ...]
    in_doubt: tuple[int, ...]
    computed: int
    seconds: float

    def __repr__(self) -> str:
        broken = f", {len(self.errors)} of them broken" if self.errors else ""
        return in_line(f"Animation({len(self.steps)} checkpoints{broken}; {', '.join(map(str, self.paths))})")

    def _repr_html_(self) -> str:
        from splineviz.render.embed import animation_html

        return animation_html(self.paths, repr(self))
