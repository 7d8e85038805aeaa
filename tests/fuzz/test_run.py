"""The long run: it counts, shrinks, goes on, and starts where it ended."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splineviz.arrangement.result import Arrangement
from splineviz.plane import Window
from tests.fuzz.__main__ import main
from tests.fuzz.chunk import run_chunk
from tests.fuzz.families import FAMILIES
from tests.fuzz.script import as_script
from tests.oracles.harness import Case, unit_box
from tests.oracles.network import linear, relu, sequential


def _line(n: int) -> Case:
    return Case(sequential(2, [linear([[1, 0]], [n]), relu(), linear([[2]])]), (unit_box(),))


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> str:
    """A family whose cases are all right, with an engine that moves a vertex wherever it finds more than one
    cell."""
    monkeypatch.setitem(FAMILIES, "faulty", st.fractions(-2, 2, max_denominator=8).map(_line))
    arrange = Case.arrange

    def moved(case: Case, window: Window, certify: str | None = None) -> Arrangement:
        arr = arrange(case, window, certify)
        if arr.n_cells > 1:
            arr.vertices[0] += 1e-3
        return arr

    monkeypatch.setattr(Case, "arrange", moved)
    return "faulty"


def test_a_fault_is_counted_and_shrunk_and_stops_nothing(faulty: str) -> None:
    chunk = run_chunk(faulty, 0, 40, "full")
    assert 20 < chunk.cases <= 40
    assert 5 < chunk.failures["vertices"] < chunk.cases
    (script,) = chunk.scripts.values()
    assert "op0 = linear([[1, 0]], [0])" in script, "the simplest line is one through the origin"
    assert not run_chunk(faulty, 0, 40, "full", frozenset({"vertices"})).scripts


@pytest.mark.parametrize(
    "family", ["reused modules", "convolutions and pools", "pictures", "batch-norm", "trained, int8"]
)
@settings(max_examples=2)
@given(data=st.data())
def test_scripts_run_on_their_own(
    family: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    case = data.draw(FAMILIES[family])
    path = tmp_path_factory.mktemp("script") / "case.py"
    path.write_text(as_script(case, family, path.name, "full"))
    again = runpy.run_path(str(path))["case"]
    assert again.network == case.network
    assert [window.vertices.tolist() for window in again.windows] == [
        window.vertices.tolist() for window in case.windows
    ]


def test_a_run_goes_on_where_it_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where it was killed while it wrote, and where there are chunks of other code."""
    how = ["--only", "tangency", "--size", "3", "--jobs", "1", "-o", str(tmp_path)]
    assert main([*how, "--cases", "3"]) == 0
    with (tmp_path / "chunks.jsonl").open("a") as file:
        file.write('{"code": "other", "chunk": {}}\n{"code": "half')
    assert main([*how, "--cases", "6"]) == 0
    said = capsys.readouterr().out
    assert [line[:16] for line in said.splitlines() if "seed" in line] == [
        "tangency, seed 0",
        "tangency, seed 1",
    ]
    figures = json.loads((tmp_path / "fuzz.json").read_text())
    assert (figures["cases"], figures["failures"], figures["families"]["tangency"]["seeds"]) == (6, 0, [0, 1])
    assert "| tangency | 6 |" in (tmp_path / "fuzz.md").read_text()
