"""Shards and Parquet: what is written batch by batch is what there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.errors import InputError
from splineviz.io import parquet_writer, shard_writer
from splineviz.io.export import cell_class
from splineviz.io.parquet import COLUMNS

BOX = sv.Window.box(-2, 2, -2, 2)


def program() -> sv.Program:
    torch.manual_seed(0)
    layers = [
        torch.nn.Linear(2, 20),
        torch.nn.ReLU(),
        torch.nn.Linear(20, 12),
        torch.nn.ReLU(),
        torch.nn.Linear(12, 3),
    ]
    return sv.load_program(torch.nn.Sequential(*layers))


def batches(**how: int) -> Iterator[sv.Arrangement]:
    return sv.stream(program(), sv.Plane.identity(), BOX, max_memory=200_000, **how)  # type: ignore[arg-type]


def whole() -> sv.Arrangement:
    return sv.arrange(program(), sv.Plane.identity(), BOX)


def write(folder: Path, **how: bool) -> None:
    with shard_writer(folder, extra={"seed": 7}, **how) as add:  # type: ignore[arg-type]
        for batch in batches():
            add(batch)


def test_shards_hold_all_cells_in_order_and_the_index_tells(tmp_path: Path) -> None:
    write(tmp_path / "cells")
    arr, index = whole(), json.loads((tmp_path / "cells" / "index.json").read_text())
    names = [shard["file"] for shard in index["shards"]]
    assert sorted(path.name for path in (tmp_path / "cells").iterdir()) == [*names, "index.json"]
    loaded = [sv.load(tmp_path / "cells" / name) for name in names]
    np.testing.assert_array_equal(np.concatenate([shard.pattern_hash for shard in loaded]), arr.pattern_hash)
    assert [shard["first_cell"] for shard in index["shards"]] == [
        0,
        *np.cumsum([shard.n_cells for shard in loaded])[:-1],
    ]
    assert len(loaded) > 3 and all(shard.status is sv.Status.BATCH for shard in loaded)
    for shard in loaded:
        shard.check()
    assert index["schema"] == "splineviz.shards/1" and index["status"] == "complete"
    assert (index["cells"], index["cells_per_stage"]) == (arr.n_cells, list(arr.stats.cells_per_stage))
    assert index["covered"] == pytest.approx(1) and index["area"] == pytest.approx(16)
    card = index["provenance"]
    assert card["program"]["digest"] == arr.info.digest and card["seed"] == 7  # type: ignore[union-attr]
    assert (card["cells"], card["status"]) == (arr.n_cells, "COMPLETE")


def test_a_folder_without_index_is_unfinished(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), shard_writer(tmp_path) as add:
        add(next(batches()))
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["cells-00000.npz"]
    with pytest.raises(
        InputError,
        match=r"not empty, it holds the shards of an earlier, unfinished run\n  try: .*overwrite=True",
    ):
        write(tmp_path)


def test_shards_are_replaced_only_if_asked_for_and_not_before_there_are_new_ones(tmp_path: Path) -> None:
    write(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match="earlier, finished run"):
        write(tmp_path)
    with pytest.raises(RuntimeError), shard_writer(tmp_path, overwrite=True):
        raise RuntimeError
    assert sorted(tmp_path.iterdir()) == before
    with shard_writer(tmp_path, overwrite=True) as add:
        add(whole())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells-00000.npz", "index.json"]


def test_a_run_that_was_killed_at_its_first_shard_hinders_no_other(tmp_path: Path) -> None:
    (tmp_path / ".cells-00000-0123abcd.unfinished.npz").write_bytes(b"what it was at")
    write(tmp_path)
    assert not list(tmp_path.glob(".*"))


def test_other_files_are_never_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("all of it")
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"thesis\.tex"):
            write(tmp_path, overwrite=overwrite)
    assert (tmp_path / "thesis.tex").read_text() == "all of it"


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        write(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="it is a file"):
        write(tmp_path / "file")
    with pytest.raises(InputError, match="no batch was given"), shard_writer(tmp_path / "c"):
        pass


def test_what_a_budget_leaves_is_marked(tmp_path: Path) -> None:
    with shard_writer(tmp_path / "some") as add:
        for batch in batches(max_cells=120):
            add(batch)
    index = json.loads((tmp_path / "some" / "index.json").read_text())
    assert index["status"] == "incomplete" and 0 < index["cells"] <= 120 and 0 < index["covered"] < 1
    with shard_writer(tmp_path / "none") as add:
        for batch in batches(max_cells=1):
            add(batch)
    index = json.loads((tmp_path / "none" / "index.json").read_text())
    assert index["cells"] == sum(shard["cells"] for shard in index["shards"]) == 1


def test_parquet_has_a_row_per_cell(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    with parquet_writer(tmp_path / "x.parquet", extra={"seed": 7}) as add:
        for batch in batches():
            add(batch)
    arr, table = whole(), pq.read_table(tmp_path / "x.parquet")
    rows = {name: table[name].to_pylist() for name in table.column_names}
    assert table.column_names == list(COLUMNS)
    assert all(
        table.schema.field(name).metadata[b"description"].decode() == text for name, text in COLUMNS.items()
    )
    assert rows["cell"] == list(range(arr.n_cells)) and set(rows["window"]) == {0}
    assert rows["stage"] == arr.cell_stage.tolist()
    assert rows["class"] == cell_class(arr, slice(0, arr.n_cells)).tolist()
    np.testing.assert_allclose(rows["area"], arr.areas, rtol=1e-9, atol=1e-12)
    hashes = np.frombuffer(b"".join(rows["pattern_hash"]), "<u8").reshape(-1, 2)
    np.testing.assert_array_equal(hashes, arr.pattern_hash)
    import shapely

    polygons = np.array([shapely.Polygon(np.reshape(corners, (-1, 2))) for corners in rows["polygon"]])
    np.testing.assert_allclose(shapely.area(polygons), arr.areas, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        shapely.get_coordinates(shapely.centroid(polygons)), rows["centroid"], rtol=0, atol=1e-9
    )
    card = json.loads(pq.read_metadata(tmp_path / "x.parquet").metadata[b"splineviz"])
    assert (card["schema"], card["cells"], card["status"]) == ("splineviz.cells/1", arr.n_cells, "complete")
    assert card["provenance"]["seed"] == 7


def test_parquet_of_few_stages_has_no_classes_and_of_no_cells_no_rows(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    with parquet_writer(tmp_path / "x.parquet") as add:
        for batch in batches(stage=0):
            add(batch)
    assert pq.read_table(tmp_path / "x.parquet")["class"].null_count > 0
    with parquet_writer(tmp_path / "x.parquet") as add:
        add(sv.arrange(program(), sv.Plane.identity(), BOX, seconds=1e-9))
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 0


def test_a_failure_leaves_no_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(RuntimeError), parquet_writer(tmp_path / "x.parquet") as add:
        add(next(batches()))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with (
        pytest.raises(InputError, match=r"pip install 'splineviz\[parquet\]'"),
        parquet_writer(tmp_path / "x.parquet"),
    ):
        pass
