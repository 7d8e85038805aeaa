"""Values that are wrong make results that contradict themselves, and these are not returned as complete."""

from __future__ import annotations

import json
from pathlib import Path
from weakref import WeakSet

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.choices import Certify
from splineviz.geometry.csr import Csr
from splineviz.geometry.joining import _Chains
from splineviz.io import Totals
from splineviz_cli.commands import run
from tests.engine.libraries import corrupt
from tests.engine.test_batches import arranged, request_of, residual

SHARE, MEMORY = 1e-3, 20_000
"""Enough for batches to cut an edge between them in different ways here and there"""


def unglue(monkeypatch: pytest.MonkeyPatch) -> None:
    """One edge between two batches does not fit, in every arrangement."""
    match, done = _Chains.match, WeakSet[_Chains]()

    def once(self: _Chains, border: np.ndarray, parts: Csr) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        known = border[self.start[border] >= 0]
        if self in done or not len(known):
            return match(self, border, parts)
        done.add(self)
        self.length[known[0]] += 1
        result = match(self, border, parts)
        self.length[known[0]] -= 1
        return result

    monkeypatch.setattr(_Chains, "match", once)


@pytest.mark.parametrize("certify", ["fast", "off"])
def test_what_contradicts_itself_is_in_doubt(certify: Certify, monkeypatch: pytest.MonkeyPatch) -> None:
    corrupt(monkeypatch, SHARE)
    arr = arranged(residual, MEMORY, certify=certify)  # type: ignore[arg-type]
    assert arr.status is sv.Status.IN_DOUBT and not arr.stats.certified
    assert 0 < len(arr.in_doubt) == arr.stats.in_doubt < arr.n_cells / 20
    assert 0 < arr.stats.share_in_doubt < 0.05
    with pytest.raises(sv.SplinevizError, match="rim"):
        arr.check()
    unglued = (arr.edge_cells < 0).any(1) & (arr.edge_units.lengths > 0)
    assert set(arr.edge_cells[unglued].max(1)) <= set(arr.in_doubt)


def test_cells_at_edges_that_do_not_fit_are_known_of_what_a_budget_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There an edge with a cell on one side may as well lie where the finished part ends."""
    corrupt(monkeypatch, SHARE)
    arr = arranged(residual, MEMORY, max_cells=1450)
    assert arr.status is sv.Status.INCOMPLETE and 0 < len(arr.in_doubt) == arr.stats.in_doubt < 100


def test_totals_of_a_stream_doubt_areas_that_do_not_add_up() -> None:
    totals = Totals()
    for batch in sv.stream(*request_of(residual), max_memory=MEMORY):
        totals.add(batch)
    assert totals.batches > 5 and totals.status is sv.Status.COMPLETE and totals.certified
    totals.area *= 1 + 1e-6
    assert totals.status is sv.Status.IN_DOUBT and not totals.certified


@pytest.mark.parametrize(("certify", "code"), [("fast", 5), ("full", 5), ("off", 0)])
def test_the_command_ends_with_5_unless_estimates_were_asked_for(
    certify: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, (plane,), _ = request_of(residual)
    np.save(tmp_path / "x.npy", plane.lift(plane.anchors))
    unglue(monkeypatch)
    torch.manual_seed(0)
    files = [part for name in ("x.npz", "x.png") for part in ("-o", str(tmp_path / name))]
    model = ["tests.engine.test_batches:Residual", "--input-shape", "1,4,4", "--margin", "0.5"]
    data = ["--data", str(tmp_path / "x.npy"), "--points", "0,1,2", "--max-memory", str(MEMORY)]
    asked = ["--certify", certify, "--jobs", "1", "--json"]
    assert run(["slice", *model, *data, *asked, *files]) == code
    got = json.loads(capsys.readouterr().out)
    exact = got["exact"]
    assert got["status"] == "in_doubt" and exact["in_doubt"] > 0 and not exact["certified"]
    assert f"{exact['in_doubt']:,} cells (" in got["message"]
    arr = sv.load(tmp_path / "x.npz")
    assert arr.status is sv.Status.IN_DOUBT and len(arr.in_doubt) == exact["in_doubt"]
