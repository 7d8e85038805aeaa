"""Studies fit together, come back from files as they were, and are tidy tables."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import jaxtyping
import numpy as np
import pytest

from splineviz.errors import InputError
from splineviz.validation.decomposition import TERMS, decompose
from splineviz.validation.study import Study, array_fields
from tests.validation.synthetic import given_up, synthetic


def test_a_study_comes_back_from_its_file(tmp_path: Path) -> None:
    study = given_up(synthetic())
    study.save(tmp_path / "study.npz")
    again = Study.load(tmp_path / "study.npz")
    for name, _, _ in array_fields():
        assert np.array_equal(getattr(study, name), getattr(again, name)), name
    for name in ("design", "model", "digest", "stages", "names", "radius_labels", "directions", "examples"):
        assert getattr(study, name) == getattr(again, name)
    np.testing.assert_equal(again.metrics, study.metrics)
    np.testing.assert_equal(again.seconds, study.seconds)
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "study.npz").read_bytes()


def test_files_that_are_no_study(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, schema=np.array("splineviz.arrangement/2"))
    with pytest.raises(InputError, match=r"holds no study: expected schema splineviz.study/2"):
        Study.load(path)
    np.savez(path, schema=np.array("splineviz.study/99"))
    with pytest.raises(InputError, match=r"reads up to splineviz.study/2"):
        Study.load(path)
    synthetic().save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match="cannot be read as an NPZ file"):
        Study.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radii": np.array([0.1])}, "has 2 entries along its axis radius, other arrays have 1"),
        (
            {"steps": np.zeros(3, dtype=np.int64)},
            "has 4 entries along its axis checkpoint, other arrays have 3",
        ),
        ({"directions": (25, 2)}, "must ascend and hold 2"),
        ({"patterns": np.zeros((4, 2, 60))}, "patterns of a study must be int32 of axes"),
        ({"names": ("a",)}, "names has 1 entries"),
    ],
)
def test_axes_that_do_not_fit(
    change: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as it is for users
    with pytest.raises(InputError, match=message):
        replace(synthetic(), **change)


@pytest.mark.parametrize("kind", ["perfect", "noisy", "none", "zeros"])
def test_the_terms_add_up(kind: str) -> None:
    study = given_up(synthetic(kind))
    terms = decompose(study)
    total = sum(getattr(terms, term).sum(-1) for term in TERMS)
    assert (total[study.counted] == study.cells[study.counted, -1] - 1).all()
    assert (total[~study.counted] == 0).all()
    if kind == "perfect":
        assert not terms.missed.any() and not terms.crossings.any()


def test_counts_that_contradict_each_other_are_found() -> None:
    study = synthetic()
    with pytest.raises(AssertionError):
        decompose(replace(study, first=study.first + 100))


def test_the_table(tmp_path: Path) -> None:
    study = given_up(synthetic(stages=3))
    table = study.table()
    assert {len(column) for column in table.values()} == {4 * 2 * 3 * 60}
    row = np.flatnonzero(
        (table["checkpoint"] == 2) & (table["radius"] == 0.1) & (table["frame"] == 1) & (table["point"] == 7)
    )
    assert len(row) == 1
    assert table["n_sep_25"][row[0]] == study.n_sep[2, 1, 1, 1, 7].sum()
    assert table["cells"][row[0]] == (
        study.cells[2, 1, 1, 7, -1] if study.counted[2, 1, 1, 7] else np.ma.masked
    )
    assert table["cells"].mask[table["frame"] == 2].all()
    study.save_table(tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    card = json.loads((tmp_path / "x.csv.json").read_text(encoding="utf-8"))
    assert card["model"] == "nets:make" and card["design"] == study.design
    assert [row["cells"] for row in rows] == [
        "" if cells is None else str(cells) for cells in table["cells"].tolist()
    ]
    study.save_table(tmp_path / "x.parquet")
    parquet = pytest.importorskip("pyarrow.parquet")
    read = parquet.read_table(tmp_path / "x.parquet")
    assert read.column_names == list(table)
    assert read["cells"].to_pylist() == table["cells"].tolist()
    with pytest.raises(InputError, match=r"written to .csv or .parquet"):
        study.save_table(tmp_path / "x.txt")
