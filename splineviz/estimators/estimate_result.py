"""The result of the proxy, and of the exact counts that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.few_lines import few_lines
from splineviz.showing import in_lines
from splineviz.stage import Stage

__all__ = ["Estimate"]


@dataclass(frozen=True, eq=False)
class Estimate:
    """Local complexity of each point, for several radii and numbers of directions, by stage.

    Attributes
    ----------
    counts
        (radius, directions, point, stage) what ``metric`` says. ``"separated"``: units whose state is not the
        same at all vertices x ± r v_p; exact zeros are off. ``"cells"``: new cells in the hull of the
        vertices, R - 1 in all; ``"cuts"``: units that are not in one state all over it. These are means over
        random planes.
    zeros
        (radius, directions, point, stage) units whose smallest or largest value at the vertices is exactly
        their breakpoint, dead ones among them; of maxima, the units with two winners at some vertex. None of
        exact counts.
    stages
        The stages that were counted, as in ``program.stages`` where the network has a program.
    radii, directions
        As they were asked for, a single number as a tuple of one.
    frame
        ``"shared"``: one frame of directions for all points; ``"per-point"``: a fresh one for each.
    seed
        Of the frames. The first P directions are the same for every P.
    dtype, device, batch
        What it was computed in, where, and how many points at a time.
    seconds
        Wall time of the passes, the trace not included.
    model
        Name of the network.
    digest
        Of the program, or of the traced network where there is none.
    metric
        ``"separated"``, ``"cells"`` or ``"cuts"``.
    planes
        Random planes through each point, for exact counts; else 0.
    standard_error
        (radius, directions, point) of the totals of exact counts, over the planes; None if there is one
        plane.
    undecided
        Decisions behind exact counts that are not proven.
    in_doubt
        Diamonds behind exact counts some of whose cells contradict each other.
    """

    counts: (
        Int64[np.ndarray, "radius directions point stage"]
        | Float64[np.ndarray, "radius directions point stage"]
    )
    zeros: Int64[np.ndarray, "radius directions point stage"] | None
    stages: tuple[Stage, ...]
    radii: tuple[float, ...]
    directions: tuple[int, ...]
    frame: str
    seed: int
    dtype: str
    device: str
    batch: int
    seconds: float
    model: str
    digest: str
    metric: str = "separated"
    planes: int = 0
    standard_error: Float64[np.ndarray, "radius directions point"] | None = None
    undecided: int = 0
    in_doubt: int = 0

    def __repr__(self) -> str:
        how = f"{self.frame} frame, seed {self.seed}, {self.dtype} on {self.device}, {self.seconds:.3g} s"
        of = f"{self.n_points:,} points, {len(self.stages)} stages, {self.n_units:,} units"
        cases = zip(product(self.radii, self.directions), self.totals.reshape(-1, self.n_points), strict=True)
        means = [
            f"r = {radius:g}, P = {p}: mean {totals.mean():.4g}, median {np.median(totals):.4g}"
            for (radius, p), totals in cases
            if self.n_points
        ]
        head = f"Estimate of {self.model}, {self.metric}: {of}"
        return in_lines([head, *few_lines(means), how])

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.counts[0, 0])

    @property
    def n_units(self) -> int:
        """Number of units of all stages."""
        return sum(stage.n_units for stage in self.stages)

    @property
    def totals(
        self,
    ) -> Int64[np.ndarray, "radius directions point"] | Float64[np.ndarray, "radius directions point"]:
        """Counts summed over the stages: the proxy n_sep, R - 1 or n_cut."""
        totals: np.ndarray = self.counts.sum(-1)
        return totals

    @property
    def fractions(self) -> Float64[np.ndarray, "radius directions point stage"]:
        """Counts as shares of the units of each stage."""
        shares: np.ndarray = self.counts / np.array([stage.n_units for stage in self.stages])
        return shares

    def at(self, radius: float, directions: int) -> Int64[np.ndarray, "point"] | Float64[np.ndarray, "point"]:
        """The total of every point for one of the radii and one of the numbers of directions.

        Raises
        ------
        KeyError
            If the estimate does not hold them.
        """
        if radius not in self.radii or directions not in self.directions:
            raise KeyError(f"the estimate has radii {self.radii} and directions {self.directions}")
        found: np.ndarray = self.totals[self.radii.index(radius), self.directions.index(directions)]
        return found
