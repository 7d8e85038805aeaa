"""`splineviz slice` for arrangements that are large: budgets, workers, counting, shards."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import splineviz as sv
from splineviz_cli.number_types import Size
from splineviz_cli.value_types import Output, OutputType

from .conftest import Result

Command = Callable[..., Result]

WIDE = ("nets:small", "--data", "data.npz", "--points", "3,1,4", "--margin", 3)
SMALL = ("--max-memory", "100K")


def expected(nets: Path) -> sv.Arrangement:
    x = np.load(nets / "data.npz")["x"]
    return sv.slice("nets:small", [x[3], x[1], x[4]], margin=3, max_memory=1 << 20, jobs=1)


def report(done: Result, code: int = 0) -> dict[str, Any]:
    assert done.code == code, done.err
    parsed = json.loads(done.out)
    assert isinstance(parsed, dict)
    return parsed


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2G", 2 << 30),
        ("500m", 500 << 20),
        ("64KiB", 65536),
        ("1.5M", 3 << 19),
        ("12345", 12345),
        ("1 TB", 1 << 40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "0", "2X", "1e9"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected a size like 500M or 2G"):
        Size().convert(text, None, None)


def test_a_folder_is_one_by_its_slash_or_because_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there.png").mkdir()
    for text, folder in (
        ("x/", True),
        ("x", False),
        (f"{tmp_path}/there", True),
        (f"{tmp_path}/there.png", False),
    ):
        assert OutputType().convert(text, None, None) == Output(Path(text), folder)


@pytest.mark.parametrize(
    "limits", [SMALL, ("--jobs", "2", *SMALL), ("--max-cells", "100000"), ("--seconds", "1000")]
)
def test_limits_that_suffice_change_nothing(limits: tuple[str, ...], nets: Path, splineviz: Command) -> None:
    got, arr = report(splineviz("slice", *WIDE, *limits, "--json")), expected(nets)
    assert (got["cells"], got["vertices"], got["edges"]) == (arr.n_cells, arr.n_vertices, arr.n_edges)
    assert (got["status"], got["covered"]) == ("complete", pytest.approx(1))
    assert got["linear_regions"] == arr.n_linear_regions


def test_counting_keeps_nothing_and_counts_everything(
    nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, arr = sorted(nets.iterdir()), expected(nets)
    monkeypatch.setattr("splineviz.engine.arrange.arrange", None)
    got = report(splineviz("slice", *WIDE, *SMALL, "--count", "--json"))
    assert got["schema"] == "splineviz.slice/1" and got["status"] == "complete"
    assert (got["cells"], got["cells_per_stage"]) == (arr.n_cells, list(arr.stats.cells_per_stage))
    assert (
        got["area"] == pytest.approx(arr.windows[0].area)
        and got["covered"] == pytest.approx(1)
        and got["batches"] > 1
    )
    assert got["linear_regions"] is got["vertices"] is got["edges"] is None
    assert (
        got["exact"]["certified"]
        and got["exact"]["undecided"] == 0
        and got["exact"]["proven"] == got["exact"]["decisions"]
    )
    assert got["exact"]["smallest_cell"] == pytest.approx(arr.areas.min())
    assert "--jobs has no effect" in splineviz("slice", *WIDE, *SMALL, "--count", "--jobs", 2).err
    rows = dict(line.split("  ", 1) for line in splineviz("slice", *WIDE, *SMALL, "--count").out.splitlines())
    assert rows["cells"].strip() == f"{arr.n_cells:,}" and rows["area"].endswith("100 % of the window")
    assert "linear regions" not in rows
    assert [path for path in sorted(nets.iterdir()) if path.name != "__pycache__"] == [
        p for p in before if p.name != "__pycache__"
    ]


def test_a_budget_that_ends_exits_with_5_and_says_how_far_it_came(nets: Path, splineviz: Command) -> None:
    for how in ((), ("--count",), ("-o", "x.png"), ("-o", "x.parquet"), ("-o", "cells/")):
        got = report(splineviz("slice", *WIDE, "--max-cells", 20, "--json", *how), 5)
        assert got["status"] == "incomplete" and got["cells"] == 20 and 0 < got["covered"] < 1
    done = splineviz("slice", *WIDE, "--max-cells", 20, "-q")
    assert (
        f"{100 * got['covered']:.1f} % of the window" in done.out
        and "incomplete: the budget ended" in done.out
    )


def test_nothing_at_all_is_drawn_written_and_told(nets: Path, splineviz: Command) -> None:
    names = ["x.png", "x.svg", "x.pdf", "x.npz", "x.geojson", "x.parquet", "cells/"]
    given = (*WIDE, "--seconds", 1e-9, *(word for name in names for word in ("-o", name)))
    got = report(splineviz("slice", *given, "--json"), 5)
    assert (got["cells"], got["linear_regions"], got["covered"]) == (0, 0, 0) and got["files"] == names
    assert sv.load("x.npz").n_cells == 0
    assert json.loads(Path("cells/index.json").read_text())["shards"] == []
    again = splineviz("slice", *given, "--overwrite")
    assert again.code == 5 and "0.0 % of the window" in again.out
    assert report(splineviz("slice", *WIDE, "--seconds", 1e-9, "--count", "--json"), 5)["cells"] == 0


@pytest.mark.parametrize("beside", [(), ("-o", "x.parquet"), ("-o", "x.png")])
def test_shards_are_the_cells(beside: tuple[str, ...], nets: Path, splineviz: Command) -> None:
    got = report(splineviz("slice", *WIDE, *SMALL, "-o", "cells/", *beside, "--json"))
    shards = [sv.load(path) for path in sorted(Path("cells").glob("*.npz"))]
    np.testing.assert_array_equal(
        np.concatenate([shard.pattern_hash for shard in shards]), expected(nets).pattern_hash
    )
    assert json.loads(Path("cells/index.json").read_text())["provenance"]["model"] == "nets:small"
    assert got["files"][0] == "cells/" and got["cells"] == expected(nets).n_cells
    assert (len(shards) == 1) == ("x.png" in beside)


def test_a_folder_in_use_is_refused_before_the_work(nets: Path, splineviz: Command) -> None:
    assert splineviz("slice", *WIDE, "-o", "cells/").code == 0
    again = splineviz("slice", *WIDE, "-o", "cells")
    assert again.code == 4 and "earlier, finished run" in again.err and "--overwrite" in again.err
    assert splineviz("slice", *WIDE, "-o", "cells", "--overwrite").code == 0


def test_an_interrupted_folder_is_unfinished(
    nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from splineviz.engine.arrange import stream

    def interrupted(*given: Any, **how: Any) -> Any:
        yield next(iter(stream(*given, **how)))
        raise KeyboardInterrupt

    monkeypatch.setattr("splineviz.engine.arrange.stream", interrupted)
    done = splineviz("slice", *WIDE, *SMALL, "-o", "cells/", "-o", "x.parquet")
    assert done.code == 130
    assert [path.name for path in Path("cells").iterdir()] == ["cells-00000.npz"]
    assert not list(nets.glob("*x*.parquet"))


USAGE = {
    "count and output": (("--count", "-o", "x.png"), "--count keeps nothing"),
    "count on a cluster": (("--count", "--dask", "tcp://127.0.0.1:1"), "--dask has nothing to do"),
    "overwrite what": (("--overwrite", "-o", "x.png"), "--overwrite is for -o FOLDER/"),
    "no size": (("--max-memory", "much"), "expected a size like 500M or 2G"),
    "no cells": (("--max-cells", "0"), "--max-cells"),
    "no time": (("--seconds", "0"), "--seconds"),
    "no workers": (("--jobs", "0"), "--jobs"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_wrong_usage(arguments: tuple[str, ...], message: str, nets: Path, splineviz: Command) -> None:
    done = splineviz("slice", *WIDE, *arguments)
    assert done.code == 2 and message in done.err


@pytest.mark.parametrize(("command", "files"), [("slice", WIDE), ("compare", ("demo", "demo"))])
def test_a_device_that_is_not_there(
    command: str, files: tuple[str, ...], nets: Path, splineviz: Command
) -> None:
    done = splineviz(command, *files, "--device", "cuda:77")
    assert done.code == 4 and "the device 'cuda:77' cannot be used" in done.err


def test_the_cpu_by_name(nets: Path, splineviz: Command) -> None:
    assert report(splineviz("slice", *WIDE, "--device", "cpu", "--json"))["cells"] == expected(nets).n_cells


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "localhost", "nonsense://x:1", "tcp://127.0.0.1:x"])
def test_a_cluster_that_is_not_there(address: str, nets: Path, splineviz: Command) -> None:
    pytest.importorskip("distributed")
    done = splineviz("slice", *WIDE, "--dask", address)
    assert done.code == 4
    assert ("no dask scheduler answers" in done.err) == (address == "tcp://127.0.0.1:1")
    assert "tcp://host:" in done.err


@pytest.mark.parametrize("greeting", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(64)], ids=repr)
def test_a_port_without_a_scheduler(
    greeting: bytes | None, nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("splineviz_cli.cluster._PATIENCE", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        if greeting is not None:
            threading.Thread(target=greet, args=(server, greeting), daemon=True).start()
        began = time.monotonic()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        done = splineviz("slice", *WIDE, "--dask", address)
    assert done.code == 4 and f"no dask scheduler answers at {address}" in done.err
    assert time.monotonic() - began < 30


def greet(server: socket.socket, greeting: bytes) -> None:
    """Say one thing to whoever connects, and then nothing."""
    with suppress(OSError):  # the server is closed
        while True:
            server.accept()[0].sendall(greeting)


def test_packages_that_are_not_there(nets: Path, splineviz: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = splineviz("slice", *WIDE, "--dask", "tcp://127.0.0.1:1")
    assert done.code == 4 and "pip install 'splineviz[dask]'" in done.err
    done = splineviz("slice", *WIDE, "-o", "x.parquet")
    assert done.code == 4 and "pip install 'splineviz[parquet]'" in done.err
