"""Maxima that do not fit into memory at once: faces by faces, and of one face windows by windows."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
import splineviz.engine.renewal
import splineviz.geometry.refine
from tests.engine.same import assert_equal_cells, states


def pooled_at_once(picture: np.ndarray, radius: float) -> tuple[sv.Program, sv.Plane, sv.Window]:
    """Maxima that see the whole window as one face: 200 of them, of four candidates each."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 8, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(200, 2), nn.ReLU()]
    program = sv.load_program(nn.Sequential(*layers), input_shape=picture.shape)
    return program, sv.Plane.at(picture), sv.Window.diamond(radius)


def rows(arr: sv.Arrangement) -> np.ndarray:
    """Hash, area and middle of every cell, in an order that does not depend on theirs."""
    order = np.lexsort(arr.pattern_hash.T)
    np.testing.assert_array_equal(np.unique(arr.pattern_hash, axis=0).shape[0], arr.n_cells)
    return np.column_stack([arr.pattern_hash.astype(np.float64), arr.areas, arr.interior_points])[order]


def assert_edges_name_what_changes(arr: sv.Arrangement) -> None:
    inner = np.flatnonzero((arr.edge_cells >= 0).all(1))
    changes = states(arr, 0)[arr.edge_cells[inner, 0]] != states(arr, 0)[arr.edge_cells[inner, 1]]
    named = np.zeros((arr.n_edges, changes.shape[1]), dtype=bool)
    stage, unit = arr.edge_units.values.T
    named[arr.edge_units.row_of[stage == 0], unit[stage == 0]] = True
    np.testing.assert_array_equal(named[inner], changes)


@pytest.mark.parametrize("size", [1, 1_000_000, 20_000_000])
def test_windows_of_one_face_may_cut_in_groups(size: int) -> None:
    request = pooled_at_once(np.random.default_rng(0).normal(size=(1, 12, 12)), 8.0)
    one, many = (
        sv.arrange(*request, max_memory=1 << 33, jobs=1),
        sv.arrange(*request, max_memory=size, jobs=1),
    )
    many.check()
    assert one.status is many.status is sv.Status.COMPLETE
    assert (one.n_cells, one.n_vertices, one.n_edges) == (many.n_cells, many.n_vertices, many.n_edges)
    assert one.n_cells > 100 and many.stats.batches > 5
    np.testing.assert_allclose(rows(one), rows(many), atol=1e-9)
    np.testing.assert_array_equal(states(one, 0), states(many, 0)[many.locate(one.interior_points)])
    for arr in (one, many):
        assert_edges_name_what_changes(arr)


def test_values_that_are_taken_anew_between_groups_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    request = pooled_at_once(np.random.default_rng(0).normal(size=(1, 12, 12)), 8.0)
    one = sv.arrange(*request, max_memory=1 << 33, jobs=1)
    monkeypatch.setattr(splineviz.geometry.refine, "_MANY_OPEN", 0)  # wherever that is possible
    monkeypatch.setattr(splineviz.engine.renewal, "_WORTHWHILE", 0.0)
    many = sv.arrange(*request, max_memory=1_000_000, jobs=1, certify="full")
    many.check()
    assert many.certified and many.stats.batches > 5
    np.testing.assert_allclose(rows(one), rows(many), atol=1e-9)


def test_a_stream_of_groups_holds_every_cell() -> None:
    request = pooled_at_once(np.random.default_rng(0).normal(size=(1, 12, 12)), 5.0)
    batches = list(sv.stream(*request, max_memory=1_000_000))
    whole = sv.arrange(*request, max_memory=1_000_000, jobs=1)
    assert len(batches) == whole.stats.batches > 5
    np.testing.assert_array_equal(
        np.concatenate([batch.pattern_hash for batch in batches]), whole.pattern_hash
    )


def test_a_network_may_begin_with_maxima() -> None:
    """Then windows are parted before anything has cut, which no other stage does."""
    program = sv.load_program(nn.Sequential(nn.MaxPool1d(2), nn.Flatten()), input_shape=(1, 24))
    planes = [sv.Plane.at(x) for x in np.random.default_rng(0).normal(size=(20, 1, 24))]
    request = program, planes, [sv.Window.diamond(2.0)] * 20
    one, many = sv.arrange(*request, max_memory=1 << 33, jobs=1), sv.arrange(*request, max_memory=1, jobs=1)
    assert_equal_cells(many, one)
    batches = list(sv.stream(*request, max_memory=1))
    assert many.stats.batches == len(batches) > 5 and all(
        batch.status is sv.Status.BATCH for batch in batches
    )


_PEAK = """
import resource, numpy as np, torch, splineviz as sv
torch.set_num_threads(1)
torch.manual_seed(0)
net = torch.nn.Sequential(
    torch.nn.Conv2d(1, 16, 3), torch.nn.PReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(1936, 2)
)
x = np.zeros((1, 24, 24))
x[0, :6] = np.random.default_rng(0).normal(size=(6, 24))
request = sv.load_program(net, input_shape=x.shape), sv.Plane.at(x), sv.Window.diamond(1e-3)
sv.arrange(*request, stage=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
cells = sum(batch.n_cells for batch in sv.stream(*request, max_memory=64 << 20, certify="off"))
print(cells, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10)
"""


def test_flat_ground_fits_into_memory() -> None:
    """In one point thousands of candidates tie, and all of them at all vertices that this makes would be
    gigabytes.

    To prove each of these ties, batch by batch, would take minutes.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PEAK], capture_output=True, text=True, check=True, timeout=600
    )
    cells, grown = map(int, done.stdout.split())
    assert cells > 2000
    assert grown < 250
