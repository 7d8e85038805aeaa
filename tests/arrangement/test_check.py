from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import splineviz as sv
from splineviz.arrangement.consistency import check
from splineviz.arrangement.result import Arrangement
from splineviz.geometry.csr import Csr
from tests.arrangement.hand_made import random_mlp


@pytest.fixture(scope="module")
def arr() -> Arrangement:
    return sv.arrange(
        random_mlp(2, 12, 12, 3),
        [sv.Plane.identity()] * 2,
        [sv.Window.box(-1, 1, -1, 1), sv.Window.diamond(3.0)],
    )


def _changed(array: np.ndarray, index: object, value: object) -> np.ndarray:
    array = array.copy()
    array[index] = value  # type: ignore[index]
    return array


def test_a_sound_arrangement_passes(arr: Arrangement) -> None:
    check(arr)


def test_areas_against_a_plain_shoelace(arr: Arrangement) -> None:
    def shoelace(p: np.ndarray) -> float:
        return float(sum(p[i - 1, 0] * p[i, 1] - p[i, 0] * p[i - 1, 1] for i in range(len(p))) / 2)

    np.testing.assert_allclose(arr.areas, [shoelace(arr.vertices[row]) for row in arr.cells], atol=1e-14)
    totals = np.bincount(arr.cell_window, weights=arr.areas)
    np.testing.assert_allclose(totals, [4.0, 18.0], rtol=1e-13)


def test_small_cells_far_from_the_origin_keep_their_area() -> None:
    arr = sv.arrange(
        random_mlp(2, 4, 2), sv.Plane.identity(), sv.Window.box(1e6, 1e6 + 2.0**-20, 1e6, 1e6 + 2.0**-20)
    )
    np.testing.assert_allclose(arr.areas.sum(), 2.0**-40, rtol=1e-12)


def test_interior_points_are_inside(arr: Arrangement) -> None:
    points = arr.interior_points
    for point, row in zip(points, arr.cells, strict=True):
        side = np.roll(arr.vertices[row], -1, axis=0) - arr.vertices[row]
        offset = point - arr.vertices[row]
        assert (side[:, 0] * offset[:, 1] - side[:, 1] * offset[:, 0] >= 0).all()


def _inner(arr: Arrangement) -> int:
    return int(np.flatnonzero((arr.edge_cells >= 0).all(1))[0])


def _merge_two_windows(arr: Arrangement) -> dict[str, object]:
    return {"cell_window": np.zeros_like(arr.cell_window), "windows": arr.windows[:1]}


BROKEN = {
    "edge_cells does not name": lambda a: {
        "edge_cells": _changed(a.edge_cells, _inner(a), a.edge_cells[_inner(a), ::-1])
    },
    "is not the edge it names": lambda a: {
        "cell_edges": _changed(a.cell_edges, [0, 1], a.cell_edges[[1, 0]])
    },
    "names a cell that it does not bound": lambda a: {
        "edge_cells": np.vstack([a.edge_cells, [0, -1]]),
        "edges": np.vstack([a.edges, [0, 1]]),
        "edge_units": Csr(np.append(a.edge_units.offsets, a.edge_units.offsets[-1]), a.edge_units.values),
    },
    "names no unit": lambda a: {
        "edge_units": Csr(np.zeros(a.n_edges + 1, dtype=np.int64), a.edge_units.values[:0])
    },
    "has the activation pattern of another": lambda a: {
        "pattern_hash": _changed(a.pattern_hash, 1, a.pattern_hash[0])
    },
    "is not finite": lambda a: {"vertices": _changed(a.vertices, (0, 0), np.nan)},
    "no positive area": lambda a: {"vertices": a.vertices * [-1.0, 1.0]},
    "do not add up to the area of window 0": lambda a: {"vertices": a.vertices * (1 + 1e-8)},
    "V - E": lambda a: {"vertices": np.vstack([a.vertices, [[0.0, 0.0]]])},
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_what_is_broken_is_named(arr: Arrangement, sentence: str) -> None:
    broken = dataclasses.replace(arr, **BROKEN[sentence](arr))
    with pytest.raises(sv.SplinevizError, match=sentence.replace("+", r"\+")):
        check(broken)


def test_a_dent_is_not_convex(arr: Arrangement) -> None:
    """A vertex of the cell with most corners, pushed almost to its middle."""
    row = arr.cells[int(arr.cells.lengths.argmax())]
    assert len(row) >= 5
    inner = np.setdiff1d(row, arr.edges[(arr.edge_cells < 0).any(1)])[0]
    moved = arr.vertices[inner] + 0.95 * (arr.vertices[row].mean(0) - arr.vertices[inner])
    with pytest.raises(sv.SplinevizError, match="is not convex"):
        check(dataclasses.replace(arr, vertices=_changed(arr.vertices, inner, moved)))


def test_an_incomplete_arrangement_is_not_asked_for_totals(arr: Arrangement) -> None:
    broken = dataclasses.replace(arr, vertices=arr.vertices * 2, status=sv.Status.INCOMPLETE)
    check(broken)
