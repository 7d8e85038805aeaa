"""Groups of cells: what they cover, and what they take."""

from __future__ import annotations

import numpy as np
import pytest

import splineviz as sv
from splineviz.arrangement.cell_groups import cell_groups
from tests.arrangement.hand_made import random_mlp


@pytest.mark.parametrize("most", [3, 12, 1000])
def test_groups_cover_all_cells_and_keep_to_their_rows_and_windows(most: int) -> None:
    program = random_mlp(2, 30, 30, 3)
    windows = [sv.Window.box(-2, 0, -2, 2), sv.Window.box(0, 2, -2, 2)]
    arr = sv.arrange(program, [sv.Plane.identity()] * 2, windows, jobs=1)
    first, rows = cell_groups(arr, program, most)
    assert first[0] == 0 and first[-1] == arr.n_cells and (np.diff(first) > 0).all()
    assert (np.diff(first) == 1).all() == (most == 3)
    for begin, end, n in zip(first, first[1:], rows, strict=False):
        assert len(set(arr.cell_window[begin:end])) == 1
        bits = np.concatenate([arr.pattern_bits(s, np.arange(begin, end)) for s in range(2)], axis=1)
        assert n == 3 + (bits != bits[0]).any(0).sum() <= most


def test_a_network_without_units_has_a_group_for_each_window() -> None:
    program = random_mlp(2, 3)
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), jobs=1)
    first, rows = cell_groups(arr, program, 100)
    assert first.tolist() == [0, 1] and rows.tolist() == [3]
