"""Tables and features that are written in parts are the whole, and a writer that is killed leaves no file."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import shapely

import splineviz as sv
from splineviz.io import geojson, parquet, parquet_writer, save_geojson
from splineviz.io.export import cell_class, centroids, to_shapely
from tests.render.samples import images_slice, two_windows


@pytest.mark.parametrize("at_a_time", [1, 7, 10_000])
def test_features_written_in_parts_are_the_cells(
    at_a_time: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arr = images_slice()
    monkeypatch.setattr(geojson, "_CELLS", at_a_time)
    save_geojson(arr, tmp_path / "x.geojson")
    text = (tmp_path / "x.geojson").read_text(encoding="utf-8")
    assert text.count("\n") == arr.n_cells + 2, "one feature a line"
    read = shapely.get_parts(shapely.from_geojson(text))
    assert shapely.equals_exact(read, to_shapely(arr)).all() and len(read) == arr.n_cells
    assert [feature["id"] for feature in json.loads(text)["features"]] == list(range(arr.n_cells))


@pytest.mark.parametrize("rows", [1, 10, 10_000])
def test_rows_written_in_groups_are_the_cells(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arr, other = two_windows(), images_slice()
    monkeypatch.setattr(parquet, "_ROWS", rows)
    with parquet_writer(tmp_path / "x.parquet") as add:
        add(arr)
        add(other)
    file = pyarrow.parquet.ParquetFile(tmp_path / "x.parquet")
    groups = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    assert sum(groups) == arr.n_cells + other.n_cells
    assert all(rows <= n < 2 * rows for n in groups[:-1]) and groups[-1] < 2 * rows
    table = file.read()
    polygons = table["polygon"].combine_chunks()
    offsets = polygons.offsets.to_numpy() // 2
    corners = polygons.values.to_numpy().reshape(-1, 2)
    read = np.array([shapely.Polygon(corners[a:b]) for a, b in pairwise(offsets)])
    assert shapely.equals_exact(read, np.concatenate([to_shapely(arr), to_shapely(other)])).all()
    for name, of in (("class", cell_class), ("centroid", centroids)):
        whole = np.concatenate([of(one, slice(0, one.n_cells)) for one in (arr, other)])
        assert np.array_equal(np.array(table[name].to_pylist()), whole)
    assert table["cell"].to_pylist() == list(range(arr.n_cells + other.n_cells))
    assert table["area"].to_pylist() == [*arr.areas.tolist(), *other.areas.tolist()]
    hashes = np.frombuffer(b"".join(table["pattern_hash"].to_pylist()), "<u8").reshape(-1, 2)
    assert np.array_equal(hashes, np.concatenate([arr.pattern_hash, other.pattern_hash]))


_KILLED = """
import os, signal, sys
from splineviz.io import geojson, load, npz, parquet, parquet_writer, save, save_geojson
from splineviz.render import save_figure, shapes
source, target = sys.argv[1:]
arr = load(source)

def dies_at(module, name, n):
    run, calls = getattr(module, name), []
    def counted(*args, **how):
        calls.append(None)
        if len(calls) == n:
            os.kill(os.getpid(), signal.SIGKILL)
        return run(*args, **how)
    setattr(module, name, counted)

geojson._CELLS = parquet._ROWS = 10
if target.endswith("geojson"):
    dies_at(geojson, "_features", 3)
    save_geojson(arr, target)
elif target.endswith("parquet"):
    dies_at(parquet, "_table", 3)
    with parquet_writer(target) as add:
        add(arr)
elif target.endswith("npz"):
    dies_at(npz, "write_array", 5)
    save(arr, target)
else:
    dies_at(shapes, "blocks", 2)  # some of the lines are there
    save_figure(arr, target, boundary=False)
"""


@pytest.mark.parametrize("suffix", [".geojson", ".parquet", ".npz", ".svg", ".pdf"])
def test_a_writer_that_is_killed_leaves_what_was_there(suffix: str, tmp_path: Path) -> None:
    arr, target = images_slice(), tmp_path / f"x{suffix}"
    sv.save(arr, tmp_path / "cells.npz", affine=False)
    target.write_bytes(b"what was there")
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "cells.npz"), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    assert target.read_bytes() == b"what was there"
    begun = {path.name for path in tmp_path.iterdir()} - {"cells.npz", target.name}
    assert len(begun) == 1 and all(".unfinished" in name for name in begun)
