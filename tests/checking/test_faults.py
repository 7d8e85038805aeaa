"""A planted fault of each kind is found, by the check that is there for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.checking import Verdict
from splineviz.geometry.csr import Csr
from splineviz.program import Program
from tests.checking.networks import linear, mlp, unit_square

Fault = Callable[[Arrangement], dict[str, Any]]


def network(without: int | None = None) -> nn.Sequential:
    """Nothing depends on unit 7 of the second layer, so that linear regions are joined across it; unit 2 of a
    layer may be off."""
    net = mlp(2, 10, 10, 3)
    with torch.no_grad():
        net[4].weight[:, 7] = 0.0
        if without is not None:
            net[without].weight[2] = 0.0
            net[without].bias[2] = -1.0
    return net


@pytest.fixture(scope="module")
def program() -> Program:
    return sv.load_program(network())


@pytest.fixture(scope="module")
def arr(program: Program) -> Arrangement:
    """Twice the same window, and a diamond."""
    planes = [sv.Plane.identity()] * 3
    result = sv.arrange(program, planes, [unit_square(), unit_square(), sv.Window.diamond(1.5)])
    assert result.affine.size and result.n_linear_regions and result.edge_jump.size
    return result


def changed(array: np.ndarray, index: Any, value: Any) -> np.ndarray:
    array = array.copy()
    array[index] = value
    return array


def with_faults(arr: Arrangement, **faults: Any) -> Arrangement:
    """The same arrangement, with its affine maps, kinks and regions, but for what is given."""
    derived = {name: vars(arr)[name] for name in ("affine", "edge_jump", "linear_regions")}
    derived |= {name: faults.pop(name) for name in list(faults) if name in derived}
    result = dataclasses.replace(arr, **faults)
    vars(result).update(derived)
    return result


def failing(arr: Arrangement, program: Program, **how: Any) -> set[str]:
    return {check.name for check in sv.check(arr, program, **{"points": 500, "segments": 8, **how}).failures}


def inner_edge(arr: Arrangement, number: int = 7) -> int:
    return int(np.flatnonzero((arr.edge_cells >= 0).all(1))[number])


def inner_vertex(arr: Arrangement, number: int = 3) -> int:
    rim = arr.edges[(arr.edge_cells < 0).any(1)]
    return int(np.setdiff1d(np.arange(arr.n_vertices), rim)[number])


def rows_of(csr: Csr) -> list[np.ndarray]:
    return [np.asarray(row) for row in csr]


def csr_of(rows: list[np.ndarray]) -> Csr:
    return Csr(np.concatenate([[0], np.cumsum([len(row) for row in rows])]), np.concatenate(rows))


def merge_two_cells(arr: Arrangement) -> dict[str, Any]:
    """The cells on both sides of an edge become one, correctly in all arrays: only the network tells."""
    edge = inner_edge(arr)
    left, right = arr.edge_cells[edge]
    corners, sides = rows_of(arr.cells), rows_of(Csr(arr.cells.offsets, arr.cell_edges))
    joined = []
    for rows in (corners, sides):
        at, other = (int(np.flatnonzero(sides[cell] == edge)[0]) for cell in (left, right))
        joined.append(
            np.concatenate([np.roll(rows[left], -at - 1)[:-1], np.roll(rows[right], -other - 1)[:-1]])
        )
    cells, cell_edges = (
        [*(j if k == left else row for k, row in enumerate(rows) if k != right)]
        for rows, j in zip((corners, sides), joined, strict=True)
    )
    edge_cells = np.where(arr.edge_cells == right, left, arr.edge_cells)
    edge_cells = np.delete(np.where(edge_cells > right, edge_cells - 1, edge_cells), edge, axis=0)
    flat = np.concatenate(cell_edges)
    per_cell = {
        name: np.delete(getattr(arr, name), right, axis=0)
        for name in ("cell_window", "cell_stage", "pattern_hash")
    }
    return {
        **per_cell,
        "patterns": (*arr.patterns[:-1], tuple(np.delete(part, right, axis=0) for part in arr.patterns[-1])),
        "affine": np.delete(arr.affine, right, axis=0),
        "linear_regions": np.arange(arr.n_cells - 1),
        "edge_jump": np.delete(arr.edge_jump, edge),
        "cells": csr_of(cells),
        "cell_edges": np.where(flat > edge, flat - 1, flat),
        "edges": np.delete(arr.edges, edge, axis=0),
        "edge_cells": edge_cells,
        "edge_units": csr_of([row for k, row in enumerate(rows_of(arr.edge_units)) if k != edge]),
    }


def named(arr: Arrangement, edge: int, units: list[list[int]]) -> dict[str, Any]:
    rows = rows_of(arr.edge_units)
    rows[edge] = np.array(units, dtype=np.int64).reshape(-1, 2)
    return {"edge_units": csr_of(rows)}


def split_vertex(arr: Arrangement) -> dict[str, Any]:
    """One cell and its two edges get a vertex of their own, at the same place."""
    vertex = inner_vertex(arr)
    side = int(np.flatnonzero(arr.cells.values == vertex)[0])
    vertices = np.vstack([arr.vertices, arr.vertices[vertex]])
    cells = Csr(arr.cells.offsets, changed(arr.cells.values, side, arr.n_vertices))
    edge = arr.cell_edges[side]
    edges = arr.edges.copy()
    edges[edge, edges[edge] == vertex] = arr.n_vertices
    return {"vertices": vertices, "cells": cells, "edges": edges}


def moved(arr: Arrangement, step: float) -> dict[str, Any]:
    vertex = inner_vertex(arr)
    return {"vertices": changed(arr.vertices, vertex, arr.vertices[vertex] + [step, -step / 3])}


def other_plane(arr: Arrangement, **parts: Any) -> dict[str, Any]:
    return {"planes": (dataclasses.replace(arr.planes[0], **parts), *arr.planes[1:])}


def exchanged(array: np.ndarray, a: int, b: int) -> np.ndarray:
    return changed(array, [a, b], array[[b, a]])


FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "a vertex moved by 1e-9": (lambda a: moved(a, 1e-9), {"kinks"}),
    "a vertex moved by 0.2": (lambda a: moved(a, 0.2), {"kinks", "corners", "points"}),
    "a vertex twice": (split_vertex, {"edges"}),
    "a vertex that nothing uses": (
        lambda a: {"vertices": np.vstack([a.vertices, [0.1, 0.1]])},
        {"vertices", "euler"},
    ),
    "all cells clockwise": (
        lambda a: {"vertices": a.vertices * [-1.0, 1.0]},
        {"convex", "areas", "rim", "corners"},
    ),
    "an edge with its cells exchanged": (
        lambda a: {"edge_cells": changed(a.edge_cells, inner_edge(a), a.edge_cells[inner_edge(a), ::-1])},
        {"edges"},
    ),
    "an edge that another took the place of": (
        lambda a: {"cell_edges": changed(a.cell_edges, a.cell_edges == inner_edge(a), inner_edge(a, 8))},
        {"edges"},
    ),
    "an edge with a cell on one side only": (
        lambda a: {"edge_cells": changed(a.edge_cells, (inner_edge(a), 0), -1)},
        {"edges"},
    ),
    "two cells in one": (merge_two_cells, {"kinks", "corners"}),
    "a hash twice": (lambda a: {"pattern_hash": changed(a.pattern_hash, 1, a.pattern_hash[0])}, {"patterns"}),
    "two hashes for one pattern": (
        lambda a: {"pattern_hash": changed(a.pattern_hash, 1, 12345)},
        {"patterns"},
    ),
    "two hashes exchanged": (lambda a: {"pattern_hash": exchanged(a.pattern_hash, 0, 1)}, {"patterns"}),
    "another unit on an edge": (lambda a: named(a, inner_edge(a), [[1, 9]]), {"edge units"}),
    "a unit that there is not": (lambda a: named(a, inner_edge(a), [[5, 9]]), {"edge units"}),
    "no unit on an edge": (lambda a: named(a, inner_edge(a), []), {"edge units"}),
    "a unit on the rim": (
        lambda a: named(a, int(np.flatnonzero((a.edge_cells < 0).any(1))[0]), [[0, 1]]),
        {"edge units"},
    ),
    "a scaled affine map": (lambda a: {"affine": changed(a.affine, 3, a.affine[3] * (1 + 1e-7))}, {"maps"}),
    "a shifted affine map": (lambda a: {"affine": a.affine + np.array([0.0, 0.0, 1e-6])}, {"maps"}),
    "maps of too few outputs": (lambda a: {"affine": a.affine[:, :1]}, {"maps"}),
    "two regions in one": (
        lambda a: {"linear_regions": np.minimum(a.linear_regions, a.n_linear_regions - 2)},
        {"regions"},
    ),
    "every cell a region": (lambda a: {"linear_regions": np.arange(a.n_cells)}, {"regions"}),
    "a scaled kink": (
        lambda a: {"edge_jump": changed(a.edge_jump, inner_edge(a), 2 * a.edge_jump.max())},
        {"kink sizes"},
    ),
    "a plane that is shifted": (lambda a: other_plane(a, origin=np.array([1e-6, 0.0])), {"kinks"}),
    "a plane that is turned": (
        lambda a: other_plane(a, basis=np.array([[np.cos(1.0), np.sin(1.0)], [-np.sin(1.0), np.cos(1.0)]])),
        {"kinks", "edge units", "patterns", "points", "segments", "maps", "corners"},
    ),
    "a plane that is stretched": (
        lambda a: other_plane(a, basis=np.array([[1.0, 0.0], [0.0, 1.0 + 1e-9]])),
        {"frames", "kinks"},
    ),
    "a window that is too large": (
        lambda a: {"windows": (a.windows[0], unit_square(2.5), a.windows[2])},
        {"rim", "areas", "points"},
    ),
    "a cell of another stage": (lambda a: {"cell_stage": changed(a.cell_stage, 5, 0)}, {"stages"}),
    "another number of cells after a stage": (
        lambda a: {
            "stats": dataclasses.replace(a.stats, cells_per_stage=(a.stats.cells_per_stage[0] + 1, a.n_cells))
        },
        {"stages"},
    ),
    "a cell in another window": (lambda a: {"cell_window": changed(a.cell_window, 0, 2)}, {"edges", "areas"}),
}


def test_without_a_fault_nothing_fails(arr: Arrangement, program: Program) -> None:
    assert failing(with_faults(arr), program) == set()


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, arr: Arrangement, program: Program) -> None:
    fault, expected = FAULTS[name]
    found = failing(with_faults(arr, **fault(arr)), program)
    assert expected <= found, f"found {found}"


def test_offenders_are_named(arr: Arrangement, program: Program) -> None:
    edge = inner_edge(arr)
    report = sv.check(with_faults(arr, **named(arr, edge, [[1, 9]])), program)
    assert report["edge units"].offenders == (edge,) and report["edge units"].failed == 1
    report = sv.check(
        with_faults(arr, pattern_hash=changed(arr.pattern_hash, 1, arr.pattern_hash[0])), program
    )
    assert set(report["patterns"].offenders) & {0, 1}
    vertex = inner_vertex(arr)
    report = sv.check(with_faults(arr, **moved(arr, 1e-7)), program)
    around = np.unique(arr.cells.row_of[arr.cells.values == vertex])
    assert set(report["kinks"].offenders) <= set(around.tolist()) and report["kinks"].worst is not None
    assert 1e-8 < report["kinks"].worst < 2e-7


@pytest.mark.parametrize("layer", [0, 2])
def test_a_missing_cut_is_found(layer: int, program: Program) -> None:
    """The arrangement of the network without one unit, under the name of the whole."""
    arr = sv.arrange(sv.load_program(network(layer)), sv.Plane.identity(), unit_square())
    assert {"kinks", "segments", "points"} <= failing(dataclasses.replace(arr, info=program.info), program)


def test_a_cut_too_many_is_found(program: Program) -> None:
    """The arrangement of the whole network, under the name of the one where a unit never switches."""
    name = sv.load_program(network(2))
    arr = sv.arrange(program, sv.Plane.identity(), unit_square())
    assert {"patterns", "edge units", "segments"} <= failing(dataclasses.replace(arr, info=name.info), name)


def _three_lines(offset: float) -> Program:
    layers = (
        linear([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 0.0, -offset]),
        nn.ReLU(),
        linear([[1.0, 1.0, 1.0]], [0.0]),
    )
    return sv.load_program(nn.Sequential(*layers))


def test_a_missing_cell_of_area_1e_37_is_found_by_exact_areas_alone() -> None:
    """Three lines that nearly meet in one point, and the arrangement of those that do: six cells for
    seven."""
    nearly, through = _three_lines(2.0**-60), _three_lines(0.0)
    arr = dataclasses.replace(sv.arrange(through, sv.Plane.identity(), unit_square()), info=nearly.info)
    assert arr.n_cells == 6
    assert failing(arr, nearly) == set()
    report = sv.check(arr, nearly, exact_cells="all")
    assert [check.name for check in report.failures] == ["exact areas"]
    assert (
        sv.check(dataclasses.replace(arr, info=through.info), through, exact_cells="all")[
            "exact areas"
        ].verdict
        is Verdict.HOLDS
    )


def test_another_network_is_refused(arr: Arrangement) -> None:
    other = sv.load_program(mlp(2, 10, 10, 3, seed=1))
    with pytest.raises(
        sv.InputError, match=r"is not the one that was arranged: expected .* with digest [0-9a-f]{16}"
    ):
        sv.check(arr, other)


def test_a_chosen_output_is_another_network(program: Program) -> None:
    from splineviz.program.select import select_outputs

    arr = sv.arrange(select_outputs(program, [1]), sv.Plane.identity(), unit_square())
    assert sv.check(arr, program, outputs=[1]).ok
    with pytest.raises(sv.InputError, match="is not the one"):
        sv.check(arr, program)
