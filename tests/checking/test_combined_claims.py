"""False claims that fit each other: several arrays and figures changed together, as one fault would not be."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
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
from tests.checking.networks import SOUND, Sound, mlp, unit_square
from tests.checking.test_faults import (
    csr_of,
    exchanged,
    failing,
    inner_edge,
    merge_two_cells,
    network,
    rows_of,
    with_faults,
)

Fault = Callable[[Arrangement], dict[str, Any]]


@pytest.fixture(scope="module")
def program() -> Program:
    return sv.load_program(network())


@pytest.fixture(scope="module")
def arr(program: Program) -> Arrangement:
    """Twice the same window, and a diamond, with all that a file can hold."""
    windows = [unit_square(), unit_square(), sv.Window.diamond(1.5)]
    result = sv.arrange(program, [sv.Plane.identity()] * 3, windows, certify="full")
    assert result.affine.size and result.n_linear_regions and result.edge_jump.size
    return result


def stats(arr: Arrangement, **figures: Any) -> dict[str, Any]:
    return {"stats": dataclasses.replace(arr.stats, **figures)}


def scaled(arr: Arrangement, factor: float, basis: float = 1.0) -> dict[str, Any]:
    """Coordinates, windows, maps and kinks in another unit of length; planes too, where they are."""
    plane = dataclasses.replace(arr.planes[0], basis=arr.planes[0].basis * basis)
    return {
        "vertices": arr.vertices * factor,
        "windows": tuple(sv.Window(window.vertices * factor) for window in arr.windows),
        "planes": (plane,) * 3,
        "affine": arr.affine / [factor, factor, 1.0],
        "edge_jump": arr.edge_jump / factor,
    }


def within_line(arr: Arrangement, edge: int) -> dict[str, Any]:
    """A vertex in the middle of an edge, right in all arrays: V - E + F, areas and kinks are as they were."""
    first, last = arr.edges[edge]
    edges = np.vstack([arr.edges, [arr.n_vertices, last]])
    edges[edge] = first, arr.n_vertices
    corners, sides = rows_of(arr.cells), rows_of(Csr(arr.cells.offsets, arr.cell_edges))
    for cell in arr.edge_cells[edge][arr.edge_cells[edge] >= 0]:
        at = int(np.flatnonzero(sides[cell] == edge)[0])
        along = corners[cell][at] == first
        corners[cell] = np.insert(corners[cell], at + 1, arr.n_vertices)
        sides[cell] = np.insert(sides[cell], at + along, arr.n_edges)
    return {
        "vertices": np.vstack([arr.vertices, arr.vertices[[first, last]].mean(0)]),
        "edges": edges,
        "edge_cells": np.vstack([arr.edge_cells, arr.edge_cells[edge]]),
        "edge_units": csr_of([*rows_of(arr.edge_units), arr.edge_units[edge]]),
        "edge_jump": np.append(arr.edge_jump, arr.edge_jump[edge]),
        "cells": csr_of(corners),
        "cell_edges": np.concatenate(sides),
    }


def without_cell(arr: Arrangement, cell: int) -> dict[str, Any]:
    """A cell removed with its edges, its vertices, and from all counts."""
    kept = np.arange(arr.n_cells) != cell
    number = np.append(np.cumsum(kept) - 1, -1)
    edge_cells = np.where(arr.edge_cells == cell, -1, number[arr.edge_cells])
    edges = (edge_cells >= 0).any(1)
    corners = [row for row, keep in zip(rows_of(arr.cells), kept, strict=True) if keep]
    rows = rows_of(Csr(arr.cells.offsets, arr.cell_edges))
    sides = [row for row, keep in zip(rows, kept, strict=True) if keep]
    used = np.unique(np.concatenate(corners))
    units = [
        row if both else row[:0]
        for row, both in zip(rows_of(arr.edge_units), (edge_cells >= 0).all(1), strict=True)
    ]
    after = (*arr.stats.cells_per_stage[:-1], arr.n_cells - 1)
    return {
        "vertices": arr.vertices[used],
        "cells": csr_of([np.searchsorted(used, row) for row in corners]),
        "cell_edges": (np.cumsum(edges) - 1)[np.concatenate(sides)],
        "edges": np.searchsorted(used, arr.edges[edges]),
        "edge_cells": edge_cells[edges],
        "edge_units": csr_of([row for row, keep in zip(units, edges, strict=True) if keep]),
        "edge_jump": np.where((edge_cells >= 0).all(1), arr.edge_jump, 0.0)[edges],
        "linear_regions": np.unique(arr.linear_regions[kept], return_inverse=True)[1],
        "patterns": (*arr.patterns[:-1], tuple(part[kept] for part in arr.patterns[-1])),
        **{
            name: getattr(arr, name)[kept] for name in ("affine", "cell_window", "cell_stage", "pattern_hash")
        },
        **stats(arr, cells_per_stage=after),
    }


def exchanged_cells(arr: Arrangement) -> dict[str, Any]:
    """Two neighbours with everything exchanged but their corners."""
    left, right = arr.edge_cells[inner_edge(arr)]
    names = ("affine", "linear_regions", "cell_stage", "pattern_hash")
    last = tuple(exchanged(part, left, right) for part in arr.patterns[-1])
    return {name: exchanged(getattr(arr, name), left, right) for name in names} | {
        "patterns": (*arr.patterns[:-1], last)
    }


def renamed_units(arr: Arrangement) -> dict[str, Any]:
    """The units of a stage, one further on all edges."""
    units = arr.edge_units.values.copy()
    units[:, 1] = np.where(units[:, 0] == 1, (units[:, 1] + 1) % 10, units[:, 1])
    return {"edge_units": Csr(arr.edge_units.offsets, units)}


def inner_cell(arr: Arrangement) -> int:
    rim = np.unique(arr.edge_cells[(arr.edge_cells < 0).any(1)])
    return int(np.setdiff1d(np.arange(arr.n_cells), rim)[0])


FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "windows and coordinates scaled": (lambda a: scaled(a, 2.0), {"kinks", "points", "maps"}),
    "windows, coordinates and planes scaled": (lambda a: scaled(a, 2.0, 0.5), {"frames"}),
    "a vertex in the middle of an inner line": (lambda a: within_line(a, inner_edge(a)), {"vertices"}),
    "a vertex in the middle of the rim": (
        lambda a: within_line(a, int(np.flatnonzero((a.edge_cells < 0).any(1))[0])),
        {"vertices"},
    ),
    "an inner cell removed": (lambda a: without_cell(a, inner_cell(a)), {"euler", "rim", "areas"}),
    "a cell of the rim removed": (
        lambda a: without_cell(a, int(a.edge_cells[(a.edge_cells < 0).any(1)][0].max())),
        {"rim", "areas", "stages"},
    ),
    "two cells in one, and counted as one": (
        lambda a: merge_two_cells(a) | stats(a, cells_per_stage=(a.stats.cells_per_stage[0], a.n_cells - 1)),
        {"kinks", "corners"},
    ),
    "all of two neighbours exchanged": (exchanged_cells, {"patterns", "states", "maps"}),
    "units renamed on all edges": (renamed_units, {"edge units", "segments"}),
    "one region without kinks": (
        lambda a: {"linear_regions": np.zeros(a.n_cells, np.int64), "edge_jump": 0.0 * a.edge_jump},
        {"regions", "kink sizes"},
    ),
    "areas given apart, all twice as large": (
        lambda a: {"thin_cells": np.arange(a.n_cells), "thin_areas": 2.0 * a.areas},
        {"thin areas"},
    ),
    "a first stage with two patterns exchanged": (
        lambda a: {"patterns": (tuple(exchanged(part, 0, 1) for part in a.patterns[0]), *a.patterns[1:])},
        {"states"},
    ),
    "doubt with another share": (
        lambda a: {
            "status": sv.Status.IN_DOUBT,
            "in_doubt": np.array([3]),
            **stats(a, in_doubt=1, share_in_doubt=0.9),
        },
        {"certificate"},
    ),
    "incomplete, with other numbers of cells": (
        lambda a: {"status": sv.Status.INCOMPLETE, **stats(a, cells_per_stage=(1, a.n_cells + 1))},
        {"stages"},
    ),
    "incomplete, with cells older than their edges": (
        lambda a: {"status": sv.Status.INCOMPLETE, "cell_stage": np.full(a.n_cells, -1)},
        {"stages"},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_claims_that_fit_each_other_are_found_out(name: str, arr: Arrangement, program: Program) -> None:
    fault, expected = FAULTS[name]
    assert expected <= failing(with_faults(arr, **fault(arr)), program)


ALIKE: dict[str, Fault] = {
    "regions in another order": lambda a: {"linear_regions": (a.linear_regions + 1) % a.n_linear_regions},
    "a first stage in another order": lambda a: {
        "patterns": (
            tuple(exchanged(part, 0, 1) for part in a.patterns[0]),
            (
                a.patterns[1][0],
                np.select([a.patterns[1][1] == 0, a.patterns[1][1] == 1], [1, 0], a.patterns[1][1]),
            ),
        )
    },
    "areas given apart": lambda a: {"thin_cells": np.arange(a.n_cells), "thin_areas": a.areas},
    "whole, but said to be incomplete": lambda a: {"status": sv.Status.INCOMPLETE},
    "the share of doubt": lambda a: {
        "status": sv.Status.IN_DOUBT,
        "in_doubt": np.array([3]),
        **stats(a, in_doubt=1, share_in_doubt=float(a.areas[3] / sum(w.area for w in a.windows))),
    },
}


@pytest.mark.parametrize("name", ALIKE)
def test_the_same_in_other_words_holds(name: str, arr: Arrangement, program: Program) -> None:
    assert failing(with_faults(arr, **ALIKE[name](arr)), program) == set()


def test_figures_of_another_proof_are_said_to_be_taken_on_trust(arr: Arrangement, program: Program) -> None:
    n = arr.stats.decisions
    for status, figures in (
        (sv.Status.COMPLETE, {"certify": "fast"}),
        (
            sv.Status.COMPLETE,
            {"decisions": 2, "proven": 2, "decisions_per_stage": (1, 1), "proven_per_stage": (1, 1)},
        ),
        (
            sv.Status.UNDECIDED,
            {
                "proven": n - 1,
                "undecided": 1,
                "proven_per_stage": (arr.stats.proven_per_stage[0] - 1, arr.stats.proven_per_stage[1]),
            },
        ),
    ):
        report = sv.check(
            with_faults(arr, status=status, **stats(arr, **figures)), program, points=9, segments=1
        )
        assert report["trust"].verdict is Verdict.SKIPPED
        for word in ("COMPLETE", "UNDECIDED", *figures):
            assert word.removesuffix("_per_stage") in report["trust"].note


def test_an_arrangement_of_another_network_or_plane(program: Program) -> None:
    """Whole and sound, with the name card of this one."""
    torch.manual_seed(5)
    other = network()
    with torch.no_grad():
        other[0].weight += 1e-6
    plane = sv.Plane.through([0.0, 0.0], [3.0, 1.0], [1.0, 2.0])
    for made in (
        sv.arrange(sv.load_program(other), sv.Plane.identity(), unit_square()),
        dataclasses.replace(sv.arrange(program, plane, unit_square()), planes=(sv.Plane.identity(),)),
    ):
        claimed = dataclasses.replace(made, info=program.info)
        vars(claimed)["affine"] = made.affine
        assert {"kinks", "maps", "segments"} <= failing(claimed, program)


def test_a_plane_in_another_layout() -> None:
    """Channels last, where the network has them first: as many numbers, and another point."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)).double()
    program = sv.load_program(net, input_shape=(3, 4, 4))
    plane = sv.Plane.at(np.random.default_rng(0).standard_normal((3, 4, 4)))
    arr = sv.arrange(program, plane, sv.Window.diamond(1.0))
    turned = dataclasses.replace(arr.planes[0], input_shape=(4, 4, 3))
    assert failing(arr, program) == set()
    assert failing(dataclasses.replace(arr, planes=(turned,)), program) == {"card"}
    flat = dataclasses.replace(arr.planes[0], input_shape=(48,))
    assert failing(dataclasses.replace(arr, planes=(flat,)), program) == set()


@pytest.mark.parametrize("half", [1e-8, 1e4, 1e12])
@pytest.mark.parametrize("case", [case for case in SOUND if not case.planes], ids=lambda case: case.name)
def test_sound_results_of_any_size_pass(case: Sound, half: float) -> None:
    program = sv.load_program(case.make(), input_shape=case.shape)
    window = sv.Window.box(0.37 - half, 0.37 + half, 0.37 - half, 0.37 + half)
    arr = sv.arrange(program, sv.Plane.identity(), window, **dict(case.how))
    report = sv.check(arr, program, points=100, segments=4)
    assert not report.failures, str(report)


def test_a_file_says_one_thing_to_all_who_read_it(tmp_path: Path) -> None:
    """Fields of two versions of the format in one file: what is checked is what is loaded."""
    program = sv.load_program(mlp(2, 8, 8, 2))
    sv.save(sv.arrange(program, sv.Plane.identity(), unit_square()), tmp_path / "cells.npz")
    with np.load(tmp_path / "cells.npz") as file:
        content = dict(file)
    arr = sv.load(tmp_path / "cells.npz")
    for more in (
        {"edges": arr.edges[:, ::-1], "edge_cells": arr.edge_cells},
        {"cells_offsets": arr.cells.offsets[::-1]},
        {"edge_units_offsets": np.zeros_like(arr.edge_units.offsets)},
        {"parent_9": np.zeros(3, np.int64)},
        {"pattern_9": np.zeros((3, 1), np.uint64)},
    ):
        np.savez(tmp_path / "both.npz", **content, **more)
        try:
            checked = sv.check(tmp_path / "both.npz", program, points=9, segments=1).ok
            loaded = sv.load(tmp_path / "both.npz")
        except sv.InputError:
            continue
        same = np.array_equal(loaded.edges, arr.edges) and np.array_equal(
            loaded.cells.values, arr.cells.values
        )
        assert not checked or same, list(more)
    meta = json.loads(str(content["meta"]))
    assert meta["status"] == "COMPLETE"
