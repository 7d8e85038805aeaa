"""Cells that break a rule are marked, those and no others, and the verdict says how many."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import splineviz as sv
from splineviz.arrangement.consistency import doubtful_cells, marked
from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.verdict import proven_up_to
from splineviz.geometry.csr import Csr
from tests.arrangement.hand_made import linear, program_of, random_mlp
from tests.arrangement.test_check import BROKEN, _changed, _inner

NOBODY = np.empty(0, np.int64)


@pytest.fixture(scope="module")
def arr() -> Arrangement:
    return sv.arrange(
        random_mlp(2, 12, 12, 3),
        [sv.Plane.identity()] * 2,
        [sv.Window.box(-1, 1, -1, 1), sv.Window.diamond(3.0)],
    )


def test_a_sound_arrangement_is_returned_as_it_is(arr: Arrangement) -> None:
    assert marked(arr, NOBODY) is arr and not len(arr.in_doubt)


@pytest.mark.parametrize("sentence", sorted(set(BROKEN) - {"V - E"}))
def test_whatever_check_finds_is_marked(arr: Arrangement, sentence: str) -> None:
    broken = marked(dataclasses.replace(arr, **BROKEN[sentence](arr)), NOBODY)
    assert broken.status is sv.Status.IN_DOUBT and len(broken.in_doubt) == broken.stats.in_doubt > 0
    assert not broken.stats.certified and 0 < broken.stats.share_in_doubt <= 1
    with pytest.raises(sv.SplinevizError):
        broken.check()


def test_two_cells_with_one_pattern_are_marked_and_no_others(arr: Arrangement) -> None:
    hashes = _changed(arr.pattern_hash, 7, arr.pattern_hash[3])
    broken = marked(dataclasses.replace(arr, pattern_hash=hashes), NOBODY)
    np.testing.assert_array_equal(broken.in_doubt, [3, 7])
    share = arr.areas[[3, 7]].sum() / (4.0 + 18.0)
    assert broken.stats.share_in_doubt == pytest.approx(share)
    assert broken.verdict.endswith(f"2 cells ({100 * share:.2g} % of the area) are in doubt")


def test_a_window_whose_area_underflows_is_in_doubt_as_a_whole(arr: Arrangement) -> None:
    tiny = tuple(sv.Window(1e-200 * window.vertices) for window in arr.windows)
    broken = marked(dataclasses.replace(arr, windows=tiny), np.array([0]))
    assert broken.status is sv.Status.IN_DOUBT and broken.stats.share_in_doubt == 1.0


def test_one_pattern_in_two_windows_is_no_fault() -> None:
    arr = sv.arrange(random_mlp(2, 6, 2), [sv.Plane.identity()] * 2, [sv.Window.box(-1, 1, -1, 1)] * 2)
    assert len(np.unique(arr.pattern_hash, axis=0)) * 2 == arr.n_cells and arr.status is sv.Status.COMPLETE


def test_an_edge_without_units_puts_both_of_its_cells_in_doubt(arr: Arrangement) -> None:
    edge = _inner(arr)
    lengths = arr.edge_units.lengths.copy()
    start = arr.edge_units.offsets[edge]
    values = np.delete(arr.edge_units.values, slice(start, start + lengths[edge]), axis=0)
    lengths[edge] = 0
    units = Csr(np.concatenate([[0], np.cumsum(lengths)]), values)
    found = doubtful_cells(dataclasses.replace(arr, edge_units=units))
    np.testing.assert_array_equal(found, np.sort(arr.edge_cells[edge]))


def test_an_edge_that_is_not_glued_puts_both_of_its_sides_in_doubt(arr: Arrangement) -> None:
    """The edge of two cells as two, each with a cell on one side only."""
    edge = _inner(arr)
    left, right = arr.edge_cells[edge]
    side = np.flatnonzero((arr.cell_edges == edge) & (arr.cells.row_of == right))[0]
    units = np.concatenate([arr.edge_units.values, arr.edge_units[edge]])
    broken = dataclasses.replace(
        arr,
        edges=np.vstack([arr.edges, arr.edges[edge]]),
        edge_cells=np.vstack([_changed(arr.edge_cells, (edge, 1), -1), [-1, right]]),
        cell_edges=_changed(arr.cell_edges, side, arr.n_edges),
        edge_units=Csr(np.append(arr.edge_units.offsets, len(units)), units),
    )
    assert set(doubtful_cells(broken)) >= {left, right}
    # A vertex at which the rim is not closed puts all cells round it in doubt, too.
    near = np.isin(arr.cells.values, arr.edges[edge])
    assert set(doubtful_cells(broken)) == set(arr.cells.row_of[near])
    batch = dataclasses.replace(broken, status=sv.Status.BATCH)
    np.testing.assert_array_equal(doubtful_cells(batch), np.sort([left, right]), "twice the same edge")


def test_areas_that_do_not_add_up_put_their_window_in_doubt_and_no_other(arr: Arrangement) -> None:
    larger = (sv.Window.box(-1, 1, -1, 1.5), arr.windows[1])
    found = doubtful_cells(dataclasses.replace(arr, windows=larger))
    np.testing.assert_array_equal(found, np.flatnonzero(arr.cell_window == 0))


def test_a_window_with_someone_to_blame_is_not_in_doubt_as_a_whole(arr: Arrangement) -> None:
    larger = (sv.Window.box(-1, 1, -1, 1.5), arr.windows[1])
    hashes = _changed(arr.pattern_hash, 1, arr.pattern_hash[0])
    found = doubtful_cells(dataclasses.replace(arr, windows=larger, pattern_hash=hashes))
    np.testing.assert_array_equal(found, [0, 1])


def test_a_vertex_of_no_cell_leaves_nobody_out(arr: Arrangement) -> None:
    broken = dataclasses.replace(arr, **BROKEN["V - E"](arr))
    assert len(doubtful_cells(broken)) == arr.n_cells


def test_suspects_are_marked_where_nothing_contradicts_them(arr: Arrangement) -> None:
    broken = marked(dataclasses.replace(arr, status=sv.Status.INCOMPLETE), np.array([5, 2, 5]))
    np.testing.assert_array_equal(broken.in_doubt, [2, 5])
    assert broken.status is sv.Status.INCOMPLETE and "2 cells" in broken.verdict


def test_rounding_of_coordinates_far_out_is_no_fault() -> None:
    """Many lines cross within 2^-20 of a place at a million, where coordinates have steps of 2^-33."""
    far = [[np.cos(k), np.sin(k)] for k in range(9)]
    bias = [-1e6 * (a + b) + 1e-8 * k for k, (a, b) in enumerate(far)]
    window = sv.Window.box(1e6 - 2.0**-20, 1e6 + 2.0**-20, 1e6 - 2.0**-20, 1e6 + 2.0**-20)
    arr = sv.arrange(program_of(linear(far, bias)), sv.Plane.identity(), window, certify="full")
    assert not len(arr.in_doubt)


def test_nothing_is_proven_after_a_stage_with_an_open_decision() -> None:
    assert proven_up_to("fast", (5, 5, 0, 5), (5, 5, 0, 4)) == 2
    assert proven_up_to("full", (5,), (4,)) is None
    assert proven_up_to("fast", (), ()) is None


def test_marks_are_saved(arr: Arrangement, tmp_path: Path) -> None:
    broken = marked(arr, np.array([4]))
    sv.save(broken, tmp_path / "x.npz")
    back = sv.load(tmp_path / "x.npz")
    np.testing.assert_array_equal(back.in_doubt, [4])
    assert (back.status, back.verdict) == (sv.Status.IN_DOUBT, broken.verdict)
    assert back.to_networkx().nodes[4]["in_doubt"] and not back.to_networkx().nodes[3]["in_doubt"]
