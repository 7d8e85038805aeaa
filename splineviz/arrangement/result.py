"""The result of `arrange`: cells with their network, and all that is computed from both on first use."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.arrangement.cells import Cells
from splineviz.arrangement.consistency import check
from splineviz.inputs import real_number, whole_number

if TYPE_CHECKING:
    import networkx as nx

    from splineviz.arrangement.affine_maps import BoundedMaps
    from splineviz.arrangement.decisions.boundary import DecisionRegions, TiedSegments
    from splineviz.arrangement.proof import Proof
    from splineviz.measures.result import Measured
    from splineviz.program.program import Program

__all__ = ["Arrangement"]


@dataclass(frozen=True, eq=False, repr=False)
class Arrangement(Cells):
    """The exact cells of a network on one or several windows, and the network. All coordinates are uv.

    The arrays are those of :class:`splineviz.arrangement.cells.Cells`. Affine maps and what follows from them
    are computed on first use, and kept.
    """

    program: Program | None = field(kw_only=True)
    """The network; None after loading from a file without it, where only what was saved is known."""

    def __post_init__(self) -> None:
        if self.info is None and self.program is not None:
            object.__setattr__(self, "info", self.program.info)

    @cached_property
    def areas(self) -> Float64[np.ndarray, "cell"]:
        """(F,) area of each cell, in squared input distance; of thin cells from exact coordinates."""
        if not self._provable:
            return self._rounded_areas
        from splineviz.arrangement.areas import measured_areas

        assert self.program is not None
        return measured_areas(self, self.program, self._rounded_areas)

    @cached_property
    def smallest_area(self) -> float | None:
        """The least of `areas`, of which it takes only those to be found that may be it; None of no cells."""
        if not self.n_cells:
            return None
        if "areas" in vars(self) or not self._provable:
            return float(self.areas.min())
        from splineviz.arrangement.smallest_area import smallest_area

        assert self.program is not None
        return smallest_area(self, self.program, self._rounded_areas)

    @property
    def exact(self) -> dict[str, int]:
        """Number of open questions behind each kind of number that has been asked for: 0 where all is proven.

        ``cells`` are combinatorial decisions of the subdivision, ``linear_regions`` edges at which it is not
        proven whether the function bends, ``decision_regions`` cells in which it is not proven which classes
        win, ``areas`` cells whose area is not proven to a thousandth, or, where only the smallest was asked
        for, cells that may be smaller. These three take the cells for right.
        """
        asked = vars(self)
        found = {"cells": self.stats.decisions if self.stats.certify == "off" else self.stats.undecided}
        if "_jumps" in asked:
            found["linear_regions"] = self._jumps[1]
        if "_decisions" in asked:
            found["decision_regions"] = self._decisions.open
        if "areas" in asked and "_bounded" in asked:
            found["areas"] = self._open_areas
        elif "smallest_area" in asked and "_bounded" in asked:
            found["areas"] = self._open_smallest
        return found

    @property
    def certified(self) -> bool:
        """Whether all that has been asked for is proven; see `exact`."""
        return self.stats.certified and not any(self.exact.values())

    @property
    def n_overflowing_maps(self) -> int:
        """Number of cells whose affine map has coefficients beyond the largest float64, which are
        infinite."""
        return int((~np.isfinite(self.affine).all((1, 2))).sum())

    @property
    def _provable(self) -> bool:
        """Whether there are patterns of all stages, and something to prove."""
        return (
            self.program is not None
            and self.stats.certify != "off"
            and len(self.patterns) == len(self.program.stages)
        )

    @cached_property
    def _open_areas(self) -> int:
        from splineviz.arrangement.areas import open_areas

        return self.n_cells if self._proof is None else open_areas(self, self._proof, self.areas)

    @cached_property
    def _open_smallest(self) -> int:
        from splineviz.arrangement.smallest_area import open_smallest

        if self._proof is None or self.smallest_area is None:
            return self.n_cells
        return open_smallest(self, self._proof, self._rounded_areas, self.smallest_area)

    @cached_property
    def _bounded(self) -> BoundedMaps:
        from splineviz.arrangement.affine_maps import bounded_maps
        from splineviz.arrangement.exact_cells import with_overflows

        return with_overflows(self, self.program, bounded_maps(self, self.program))

    @cached_property
    def affine(self) -> Float64[np.ndarray, "cell output 3"]:
        """(F, C, 3) the network on each cell: output = A [u, v, 1], composed from its own affine maps.
        Computed on first use."""
        return self._bounded.maps

    @cached_property
    def _proof(self) -> Proof | None:
        """Bounds and exact arithmetic for what is computed of the cells; None with ``certify="off"``, for
        cells of an earlier stage, and after loading from a file."""
        if not self._provable:
            return None
        from splineviz.arrangement.proof import Proof

        assert self.program is not None
        return Proof(self, self.program, self._bounded)

    @cached_property
    def _jacobian_norms(self) -> np.ndarray:
        from splineviz.arrangement.jacobians import jacobian_norms

        return jacobian_norms(self, self.program)

    def jacobian_norms(self) -> Float64[np.ndarray, "cell"]:
        """(F,) spectral norm of the full input Jacobian on each cell. Computed once, on first use."""
        return self._jacobian_norms

    @cached_property
    def edge_jump(self) -> Float64[np.ndarray, "edge"]:
        """(E,) bend of the function at each edge; see :func:`splineviz.arrangement.jumps.edge_jump`."""
        return self._jumps[0]

    @cached_property
    def _jumps(self) -> tuple[np.ndarray, int]:
        from splineviz.arrangement.jumps import edge_jumps

        return edge_jumps(self, self.affine, self.program, self._proof)

    @cached_property
    def linear_regions(self) -> Int64[np.ndarray, "cell"]:
        """(F,) the linear region of each cell: cells joined across edges where the function does not bend."""
        from splineviz.arrangement.jumps import linear_regions

        return linear_regions(self, self.edge_jump)

    @property
    def n_linear_regions(self) -> int:
        """Number of maximal sets with one affine map that are connected across edges."""
        return int(self.linear_regions.max(initial=-1)) + 1

    @cached_property
    def n_decision_regions(self) -> int:
        """Number of connected regions of one class, the index of the largest output; with one output, whether
        it is above 0."""
        return int(self._decisions.regions.max(initial=-1)) + 1

    @cached_property
    def _decisions(self) -> DecisionRegions:
        from splineviz.arrangement.decisions.boundary import decision_regions

        return decision_regions(self, self.affine, proof=self._proof)

    def locate(self, uv: Any, window: int | np.ndarray | None = None) -> Int64[np.ndarray, "*point"]:
        """The cell of each point (..., 2): -1 outside, the lowest cell on an edge; see
        :mod:`splineviz.arrangement.locate`."""
        from splineviz.arrangement.locate import locate

        return locate(self, uv, window)

    def distance(
        self, uv: Any, window: int | np.ndarray | None = None, *, level: float | None = None
    ) -> tuple[Float64[np.ndarray, "*point"], Float64[np.ndarray, "*point"]]:
        """Input distance of each point to the nearest edge, and to the decision boundary, within the
        window."""
        from splineviz.arrangement.locate import distance

        if level is not None:
            level = real_number(level, "level")
        return distance(self, self.affine, uv, window, level=level)

    def decision_boundary(
        self, *, level: float | None = None, window: int | None = None
    ) -> Float64[np.ndarray, "segment 2 2"]:
        """(K, 2, 2) segments where the two largest outputs tie, or where a single output equals ``level`` (by
        default 0)."""
        return self._tied_segments(level, window).ends.copy()

    @cached_property
    def _tied(self) -> dict[tuple[float | None, int | None], TiedSegments]:
        return {}

    def _tied_segments(self, level: float | None, window: int | None) -> TiedSegments:
        """The decision boundary with the classes that meet there; decided once for a level and a window."""
        from splineviz.arrangement.decisions.boundary import tied_segments

        if window is not None:
            window = whole_number(window, "window", 0, len(self.windows) - 1)
        if level is not None:
            level = real_number(level, "level")
        if (level, window) not in self._tied:
            self._tied[level, window] = tied_segments(
                self, self.affine, level=level, window=window, proof=self._proof
            )
        return self._tied[level, window]

    def decision_regions(self, *, level: float | None = None) -> DecisionRegions:
        """The cells cut into pieces of one class."""
        from splineviz.arrangement.decisions.boundary import decision_regions

        if level is None:
            return self._decisions
        return decision_regions(self, self.affine, level=level, proof=self._proof)

    def to_shapely(self) -> np.ndarray:
        """(F,) shapely polygons in uv."""
        from splineviz.io.export import to_shapely

        return to_shapely(self)

    def to_networkx(self) -> nx.Graph:
        """The dual graph: a node for each cell, an edge where two cells share one."""
        from splineviz.io.export import to_networkx

        return to_networkx(self)

    def measure(self, name: str, **asked: Any) -> Measured:
        """A measure of these cells, by its name: ``arr.measure("regions")``.

        The names are those of :data:`splineviz.measures.registry.MEASURES`, and ``asked`` are fields of
        :class:`splineviz.measures.measure.Request`, of which each measure reads its own.
        """
        from splineviz.measures.measure import Request
        from splineviz.measures.registry import measure

        return measure(self, name, Request.of(**asked))

    def check(self) -> None:
        """Verify the subdivision: watertight, convex, areas add up, V - E + F; raise with the first
        violation."""
        check(self)

    def draw(self, ax: Any = None, **how: Any) -> Any:
        """Draw the cells; see :func:`splineviz.draw`."""
        from splineviz.render import draw

        return draw(self, ax, **how)

    def _repr_html_(self) -> str:
        from splineviz.pages.notebook import repr_html

        return repr_html(self)
