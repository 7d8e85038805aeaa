"""The result of an animation: where it was written, its arrangements, and the numbers of its strip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.pages.panels import Panel, Panels, Strip
from splineviz.render.strip import Chart
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
    durations
        Seconds that each checkpoint is shown.
    arrangements
        Files of the arrangements, in the cache; None of checkpoints that could not be read.
    card
        What the animation was made from.
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
    durations: Sequence[float]
    arrangements: Sequence[Path | None]
    card: Mapping[str, Any]
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
        from splineviz.animation.notebook import animation_html

        return animation_html(self.paths, repr(self))

    @property
    def charts(self) -> list[Chart]:
        """Charts of the strip."""
        found = [Chart("cells in the window, by step", (("cells", self.cells),))]
        if np.isfinite(self.exact).any():
            both = ("cells less one", self.exact), ("proxy", self.proxy)
            found.append(Chart(f"local complexity, r = {self.radius:g}", both))
        accuracies = tuple(
            (name.replace("_", " ").replace(" accuracy", ""), values)
            for name, values in self.metrics.items()
            if "acc" in name.lower()
        )
        return [*found, Chart("accuracy", accuracies[:2], 1.05)] if accuracies else found

    def panels(self) -> Panels:
        """The checkpoints as :func:`splineviz.page` shows them, one after the other; without those that could
        not be read.

        Raises
        ------
        InputError
            If the cache no longer holds their arrangements.
        """
        known = {k: path for k, path in enumerate(self.arrangements) if path is not None}
        for path in known.values():
            if not path.is_file():
                raise InputError(
                    f"the arrangements of this animation are no longer in {path.parent}",
                    hint="animate again, with cache='folder' where it shall stay",
                )
        panels = [Panel(f"step {self.steps[k]:,}", path, int(self.cells[k])) for k, path in known.items()]
        return Panels(
            "animation",
            self.card["program"],
            panels,
            lambda: dict(self.card),
            Strip(
                [self.steps[k] for k in known],
                [self.durations[k] for k in known],
                [chart.take(list(known)) for chart in self.charts],
            ),
            [f"step {step:,} is left out: {reason}" for step, reason in self.errors.items()],
        )
