"""The result of the proxy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.stage import Stage

__all__ = ["Estimate"]


@dataclass(frozen=True, eq=False)
class Estimate:
    """How many units separate the vertices of the neighbourhoods x ± r v_p.

    Attributes
    ----------
    counts
        (radius, directions, point, stage) units whose state is not the same at all vertices. Exact zeros are off.
    zeros
        (radius, directions, point, stage) units whose smallest or largest value at the vertices is exactly their breakpoint, dead
        ones among them; of maxima, the units with two winners at some vertex.
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
    """

    counts: Int64[np.ndarray, "radius directions point stage"]
    zeros: Int64[np.ndarray, "radius directions point stage"]
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

    @property
    def n_points(self) -> int:
        return len(self.counts[0, 0])

    @property
    def n_units(self) -> int:
        return sum(stage.n_units for stage in self.stages)

    @property
    def totals(self) -> Int64[np.ndarray, "radius directions point"]:
        """The proxy n_sep: counts summed over the stages."""
        totals: np.ndarray = self.counts.sum(-1)
        return totals

    @property
    def fractions(self) -> Float64[np.ndarray, "radius directions point stage"]:
        """Counts as shares of the units of each stage."""
        shares: np.ndarray = self.counts / np.array([stage.n_units for stage in self.stages])
        return shares

    def at(self, radius: float, directions: int) -> Int64[np.ndarray, "point"]:
        """The proxy of every point for one of the radii and one of the numbers of directions.

        Raises
        ------
        KeyError
            If the estimate does not hold them.
        """
        if radius not in self.radii or directions not in self.directions:
            raise KeyError(f"the estimate has radii {self.radii} and directions {self.directions}")
        found: np.ndarray = self.totals[self.radii.index(radius), self.directions.index(directions)]
        return found
