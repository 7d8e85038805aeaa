"""Cells as bytes: what an independent reader finds is the arrangement, and it is small."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.pages.encoding import EncodedCells, encode

from .decoder import Decoded
from .samples import SQUARE, cells, net


def decoded(found: EncodedCells) -> Decoded:
    return Decoded(found.card, base64.b64encode(found.packed))


def read(arr: sv.Arrangement, window: int = 0, **how: object) -> Decoded:
    return decoded(encode(arr, window, affine=arr.affine, bends=arr.edge_jump > 0, **how))


def test_polygons_and_what_is_known_of_cells() -> None:
    arr = cells()
    found = read(arr)
    for cell in range(arr.n_cells):
        np.testing.assert_allclose(found.polygon(cell), arr.vertices[arr.cells[cell]], rtol=0, atol=2e-15)
    assert (found.varints("stage") - 1 == arr.cell_stage).all()
    assert (found.planes("hash", 4) == (arr.pattern_hash[:, 0] >> np.uint64(32)).astype(np.int64)).all()


def test_edges_and_their_units() -> None:
    arr = cells()
    found = read(arr)
    counts, units = found.varints("edge_counts"), found.planes("edge_units", 4)
    first = np.concatenate([[0], np.cumsum(counts)])
    bends, stages = found.parts["bends"], np.cumsum([0, *(stage.n_units for stage in arr.info.stages)])
    theirs = {frozenset(row.tolist()): edge for edge, row in enumerate(arr.edge_cells)}
    edges = found.edges()
    assert len(edges) == arr.n_edges == len(counts)
    n_inner = 0
    for number, sides in edges.values():
        own = units[first[number] : first[number + 1]]
        if len(sides) == 1:
            assert not len(own) and not bends[number]
            continue
        n_inner += 1
        edge = theirs[frozenset(sides)]
        assert sorted(own // 2) == sorted(stages[s] + u for s, u in arr.edge_units[edge])
        assert bends[number] == (arr.edge_jump[edge] > 0)
        for unit in own.tolist():
            stage = int(np.searchsorted(stages, unit // 2, side="right")) - 1
            assert unit % 2 == arr.pattern(sides[0])[stage][unit // 2 - stages[stage]]
    assert n_inner == int((arr.edge_cells.min(1) >= 0).sum())


def test_units_that_are_on_follow_from_the_first_cell() -> None:
    arr = cells()
    on = read(arr).card["on"]
    assert on == [[int(states.sum()) for states in arr.pattern(0)]]


@pytest.mark.parametrize("outputs", [1, 3])
def test_values_to_twelve_digits(outputs: int) -> None:
    arr = cells(outputs)
    found = read(arr)
    for output in range(outputs):
        values = found.values(output)
        size = np.abs(values).max()
        for cell in range(arr.n_cells):
            u, v = found.polygon(cell).T
            a, b, c = arr.affine[cell, output]
            corners = found.corners[found.first[cell] : found.first[cell + 1]]
            np.testing.assert_allclose(values[corners], a * u + b * v + c, rtol=0, atol=1e-12 * size)


def test_one_window_of_two_and_quantities() -> None:
    windows = [SQUARE, sv.Window.diamond(2.0)]
    arr = sv.arrange(sv.load_program(net()), [sv.Plane.identity()] * 2, windows)
    here = np.flatnonzero(arr.cell_window == 1)
    found = read(arr, 1, extra={"area": arr.areas}, edge_extra={"jump": arr.edge_jump})
    assert found.card["cells"] == len(here) < arr.n_cells
    np.testing.assert_allclose(found.polygon(3), arr.vertices[arr.cells[here[3]]], atol=1e-14)
    np.testing.assert_allclose(found.singles("area"), arr.areas[here], rtol=1e-6)
    jumps = found.singles("jump")
    for number, sides in found.edges().values():
        assert (jumps[number] > 0) == (found.parts["bends"][number] > 0) and (
            len(sides) == 2 or not jumps[number]
        )


def test_forty_bytes_a_vertex_with_ten_outputs() -> None:
    torch.manual_seed(0)
    arr = sv.slice("demo", sv.demo.load_points())
    found = encode(arr, 0, affine=arr.affine, bends=np.ones(arr.n_edges, dtype=bool))
    assert len(found.steps) == 10 and arr.n_vertices > 5000
    assert len(found.packed) <= 40 * arr.n_vertices
    assert found.packed == encode(arr, 0, affine=arr.affine, bends=np.ones(arr.n_edges, dtype=bool)).packed


def test_no_cells_at_all() -> None:
    arr = sv.arrange(sv.load_program(net()), sv.Plane.identity(), SQUARE, seconds=1e-9)
    assert arr.n_cells == 0
    found = read(arr)
    assert found.card["cells"] == 0 and len(found.uv) == 0 and not found.edges()
