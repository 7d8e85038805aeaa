"""An arrangement against the exact slice: the same patterns, and for each the same area, affine map, neighbours and region."""

from __future__ import annotations

import numpy as np

from splineviz.arrangement.result import Arrangement, Status
from tests.oracles.rational import ExactSlice

__all__ = ["assert_same", "assert_same_up_to_rounding", "patterns_of"]


def patterns_of(arr: Arrangement) -> np.ndarray:
    """(F, n_units) the states of all units, stage after stage: bool, or int with the places of winners where there are maxima."""
    assert arr.program is not None
    states = [arr.winners(s.index) if s.candidates else arr.pattern_bits(s.index) for s in arr.program.stages]
    return np.concatenate([np.zeros((arr.n_cells, 0), dtype=bool), *states], axis=1)


def _keys(arr: Arrangement, exact: ExactSlice) -> tuple[list[bytes], list[bytes]]:
    """The patterns of both sides, in the order of their cells."""
    mine = [row.tobytes() for row in patterns_of(arr).astype(np.int64)]
    theirs = [np.array([state for row in cell.pattern for state in row], dtype=np.int64).tobytes() for cell in exact.cells]
    assert len(set(theirs)) == len(theirs), "the oracle found one pattern twice"
    return mine, theirs


def assert_same_up_to_rounding(arr: Arrangement, exact: ExactSlice, *, tolerance: float = 1e-9) -> None:
    """As `assert_same`; but an undecided arrangement may lose, or bend the patterns of, cells of no area to speak of."""
    if arr.status is not Status.UNDECIDED:
        assert_same(arr, exact, tolerance=tolerance)
        return
    mine, theirs = _keys(arr, exact)
    areas = {pattern: float(area) for pattern, area in zip(theirs, exact.areas, strict=True)}
    window = sum(areas.values())
    found = dict(zip(mine, arr.areas.tolist(), strict=True))
    for pattern in areas.keys() | found.keys():
        mismatch = abs(areas.get(pattern, 0.0) - found.get(pattern, 0.0))
        assert mismatch <= tolerance * window, f"a cell of area {areas.get(pattern)} has area {found.get(pattern)}"


def assert_same(arr: Arrangement, exact: ExactSlice, *, tolerance: float = 1e-9) -> None:
    """Compare an arrangement of one window with the exact slice of it.

    ``tolerance`` is relative: to the window's area for areas, to the largest coefficient for affine maps.
    """
    mine, theirs = _keys(arr, exact)
    missing, invented = set(theirs) - set(mine), set(mine) - set(theirs)
    assert not missing, f"{len(missing)} of {exact.n_cells} cells are missing"
    assert not invented, f"{len(invented)} of {arr.n_cells} cells are invented"
    assert arr.n_cells == exact.n_cells

    where = {pattern: number for number, pattern in enumerate(theirs)}
    match = np.array([where[pattern] for pattern in mine])
    areas = np.array([float(area) for area in exact.areas])
    np.testing.assert_allclose(arr.areas, areas[match], rtol=0, atol=tolerance * areas.sum())
    affine = np.array([[[float(c) for c in form] for form in cell.output] for cell in exact.cells])
    np.testing.assert_allclose(arr.affine, affine[match], rtol=0, atol=tolerance * max(1.0, float(np.abs(affine).max())))

    inner = (arr.edge_cells >= 0).all(axis=1)
    pairs = [frozenset(match[pair].tolist()) for pair in arr.edge_cells[inner]]
    units = [frozenset((int(s), int(u)) for s, u in arr.edge_units[edge]) for edge in np.flatnonzero(inner).tolist()]
    assert len(set(pairs)) == len(pairs), "two cells share more than one edge"
    assert dict(zip(pairs, units, strict=True)) == {frozenset(edge.cells): edge.units for edge in exact.edges}
    assert (arr.n_vertices, arr.n_edges) == (exact.n_vertices, exact.n_edges)
    assert arr.n_linear_regions == exact.n_linear_regions
