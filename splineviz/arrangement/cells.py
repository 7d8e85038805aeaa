"""The cells of an arrangement: plain arrays with a verdict, and the activation pattern of each cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64, UInt64

from splineviz.arrangement.polygons import interior_points, polygon_areas
from splineviz.arrangement.verdict import Stats, Status
from splineviz.errors import InputError
from splineviz.geometry.bit_sets import bits_of, numbers_of
from splineviz.geometry.csr import Csr
from splineviz.inputs import whole_number
from splineviz.plane import Plane, Window
from splineviz.stage import ProgramInfo, Stage

__all__ = ["Cells", "Patterns"]

Patterns = tuple[tuple[np.ndarray, np.ndarray], ...]
"""For each stage: states of units as bits, packed in uint64 words, (cells, words), and which cell of the
stage before each comes from, (cells,)."""


@dataclass(frozen=True, eq=False, repr=False)
class Cells:
    """The cells of a network on one or several windows, as one planar subdivision. All coordinates are uv.

    Attributes
    ----------
    vertices
        (V, 2) plane coordinates, isometric to input space.
    cells
        CSR, vertex ids of each cell, counter-clockwise.
    cell_edges
        Flat, aligned with ``cells.values``: the edge from this vertex to the next of the cell.
    cell_window, cell_stage
        (F,) the window a cell lies in; the stage that separated it last, -1 if none did.
    pattern_hash
        (F, 2) 128-bit hash of the activation pattern; comparable between arrangements of one program
        structure.
    edges
        (E, 2) vertex ids.
    edge_cells
        (E, 2) the cell on the left and on the right of the edge from its first to its second vertex; -1
        outside.
    thin_cells, thin_areas
        (k,) cells that are too thin for the rounded coordinates of their vertices, and their areas from the
        exact ones.
    in_doubt
        (k,) cells that break a rule of :func:`splineviz.arrangement.consistency.check`, or are too thin for
        their vertices and not measured, ascending.
    edge_units
        CSR of (stage, unit) rows: the units whose state changes across the edge; none on the rim of a window.
        The unit is a column of its stage: ``program.stages[s].unit_index(unit)``.
    """

    vertices: Float64[np.ndarray, "vertex 2"]
    cells: Csr
    cell_edges: Int64[np.ndarray, "side"]
    cell_window: Int64[np.ndarray, "cell"]
    cell_stage: Int64[np.ndarray, "cell"]
    pattern_hash: UInt64[np.ndarray, "cell 2"]
    edges: Int64[np.ndarray, "edge 2"]
    edge_cells: Int64[np.ndarray, "edge 2"]
    edge_units: Csr
    planes: tuple[Plane, ...]
    windows: tuple[Window, ...]
    status: Status
    stats: Stats
    patterns: Patterns
    """Activation patterns by stage; empty after loading from a file of an earlier version."""
    thin_cells: Int64[np.ndarray, "thin"] = field(default_factory=lambda: np.empty(0, np.int64))
    thin_areas: Float64[np.ndarray, "thin"] = field(default_factory=lambda: np.empty(0))
    in_doubt: Int64[np.ndarray, "doubtful"] = field(default_factory=lambda: np.empty(0, np.int64))
    info: ProgramInfo | None = None
    """Name, digest and stages of the network; a saved file keeps them."""

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.n_cells:,} cells, {self.n_vertices:,} vertices, "
            f"{self.n_edges:,} edges, {len(self.windows)} window(s); {self.verdict})"
        )

    @property
    def verdict(self) -> str:
        """The status as a sentence, with how many cells are in doubt, if any, and their share of the area."""
        return self.status.told(self.stats.in_doubt, self.stats.share_in_doubt)

    @property
    def covered(self) -> float:
        """Share of the windows' area that the cells cover: 1, unless a budget ended."""
        return float(self.areas.sum() / sum(window.area for window in self.windows))

    @property
    def has_outputs(self) -> bool:
        """Whether the cells are those of the last stage, on which the outputs of the network are affine."""
        return self.info is None or len(self.stats.cells_per_stage) == len(self.info.stages)

    @property
    def n_cells(self) -> int:
        return len(self.cells)

    @property
    def n_vertices(self) -> int:
        return len(self.vertices)

    @property
    def n_edges(self) -> int:
        return len(self.edges)

    @cached_property
    def areas(self) -> Float64[np.ndarray, "cell"]:
        """(F,) area of each cell, in squared input distance; of thin cells from exact coordinates."""
        return self._rounded_areas

    @property
    def _rounded_areas(self) -> np.ndarray:
        areas = polygon_areas(self.vertices, self.cells)
        areas[self.thin_cells] = self.thin_areas
        return areas

    def a_cell_at_each_vertex(self) -> Int64[np.ndarray, "vertex"]:
        """(V,) one of the cells with that corner; 0 for a vertex of none."""
        found = np.zeros(self.n_vertices, dtype=np.int64)
        found[self.cells.values] = self.cells.row_of
        return found

    @cached_property
    def interior_points(self) -> Float64[np.ndarray, "cell 2"]:
        """(F, 2) uv of a point inside each cell: the mean of its vertices."""
        return interior_points(self.vertices, self.cells)

    @cached_property
    def edge_stage(self) -> Int64[np.ndarray, "edge"]:
        """(E,) the earliest stage that an edge belongs to, -1 on the rim."""
        return self.stages_of_edges(slice(0, self.n_edges))

    def stages_of_edges(self, part: slice) -> Int64[np.ndarray, "some"]:
        """The earliest stage that each of some edges belongs to, one after the other, -1 on the rim."""
        offsets = self.edge_units.offsets[part.start : part.stop + 1]
        inner = np.flatnonzero(np.diff(offsets))
        stages = np.full(len(offsets) - 1, -1, dtype=np.int64)
        stages[inner] = self.edge_units.values[offsets[inner], 0]
        return stages

    def pattern_bits(self, stage: int, cells: np.ndarray | None = None) -> np.ndarray:
        """(cells, units) bool: the units of one stage that are on (positive) on each cell; all cells by
        default.

        Raises
        ------
        InputError
            For a stage of maxima, whose units have `winners`; if there is no such stage, or there are no
            patterns.
        """
        words, unit_stage = self.words(stage, cells)
        if unit_stage.candidates:
            raise InputError(
                f"the units of stage {stage} ({unit_stage.kind}) are not on or off",
                hint="ask for winners(stage)",
            )
        return bits_of(words, unit_stage.n_units)

    def winners(self, stage: int, cells: np.ndarray | None = None) -> np.ndarray:
        """(cells, units) int: for each maximum of one stage the place of its largest candidate on each cell;
        all by default.

        Where several candidates are equal on a whole cell, the lowest place. Candidates are counted in the
        order of their window: row by row in a pool, by index along an axis, left before right in
        ``torch.maximum``.

        Raises
        ------
        InputError
            For a stage that is no maximum, whose units have `pattern_bits`; if there is no such stage, or
            there are no patterns.
        """
        words, unit_stage = self.words(stage, cells)
        if not unit_stage.candidates:
            raise InputError(
                f"the units of stage {stage} ({unit_stage.kind}) are on or off",
                hint="ask for pattern_bits(stage)",
            )
        return numbers_of(words, unit_stage.n_units, unit_stage.candidates)

    def words(self, stage: int, cells: np.ndarray | None) -> tuple[np.ndarray, Stage]:
        """(cells, words) the states of the units of one stage as packed bits, and the stage; all cells by
        default.

        Raises
        ------
        InputError
            If there is no such stage, or there are no patterns.
        """
        if not self.patterns:
            raise InputError(
                "this arrangement holds no activation patterns", hint="compute it again with sv.arrange"
            )
        stage = whole_number(stage, "stage", 0, len(self.patterns) - 1)
        rows = np.arange(self.n_cells) if cells is None else np.asarray(cells)
        for _, parent in reversed(self.patterns[stage + 1 :]):
            rows = parent[rows]
        assert self.info is not None
        return self.patterns[stage][0][rows], self.info.stages[stage]

    def pattern(self, cell: int) -> tuple[np.ndarray, ...]:
        """The activation pattern of one cell: for each stage (units,) bool, True where the unit is on; or
        (units,) winners."""
        cell = whole_number(cell, "cell", 0, self.n_cells - 1)
        assert self.info is not None
        states = [
            self.winners if stage.candidates else self.pattern_bits
            for stage in self.info.stages[: len(self.patterns)]
        ]
        return tuple(of(stage, np.array([cell]))[0] for stage, of in enumerate(states))
