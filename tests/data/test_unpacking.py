"""Files that are small and become large: refused before they are unpacked, at a limit that can be raised."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from splineviz.data import read_data
from splineviz.errors import InputError

ROWS, WIDTH = 4000, 250
SIZE = ROWS * WIDTH


def arrays(path: Path) -> None:
    np.savez_compressed(path, x=np.zeros((ROWS, WIDTH), dtype=np.uint8))


def tensors(path: Path) -> None:
    """As torch writes them, with the pickle compressed: what is mapped cannot be."""
    stored = path.with_suffix(".stored")
    torch.save({"x": torch.zeros(4, 3), "note": "a" * SIZE}, stored)
    with zipfile.ZipFile(stored) as whole, zipfile.ZipFile(path, "w") as packed:
        for name in whole.namelist():
            kind = zipfile.ZIP_DEFLATED if name.endswith("data.pkl") else zipfile.ZIP_STORED
            packed.writestr(name, whole.read(name), compress_type=kind)


def repeated(path: Path) -> None:
    torch.save({"x": torch.zeros(1, 1, dtype=torch.uint8).expand(ROWS, WIDTH)}, path)


def sparse(path: Path) -> None:
    torch.save({"x": torch.sparse_coo_tensor([[0], [0]], [1.0], (ROWS, WIDTH)).to(torch.uint8)}, path)


def images(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\0\0\x08\x02" + struct.pack(">2I", ROWS, WIDTH) + bytes(SIZE)))


def table(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,0.5\n" * (SIZE // 6 + 1)))


def columns(path: Path) -> None:
    """One value, written once in the file."""
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"a": np.zeros(SIZE // 8), "b": np.zeros(SIZE // 8)}), path)


PACKED: dict[str, Callable[[Path], None]] = {
    "a.npz": arrays,
    "a.pt": tensors,
    "repeated.pt": repeated,
    "sparse.pt": sparse,
    "a-idx2-ubyte.gz": images,
    "a.csv.gz": table,
    "a.parquet": columns,
}


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("name", PACKED)
def test_points_that_grow_too_large_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    PACKED[name](path)
    expected = read_data(path).take([0, -1]).points  # under the usual limit
    monkeypatch.setenv("SPLINEVIZ_UNPACKED_BYTES", "100000")
    tracemalloc.start()
    with pytest.raises(InputError, match=r"larger when it is unpacked; the limit is 100,000") as refused:
        read_data(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < SIZE / 2, "it was unpacked"
    assert f"'{path}'" in refused.value.message
    advice = str(refused.value.hint).partition("SPLINEVIZ_UNPACKED_BYTES=")[2]
    monkeypatch.setenv("SPLINEVIZ_UNPACKED_BYTES", str(max(int(advice), 4 * SIZE)))
    np.testing.assert_array_equal(read_data(path).take([0, -1]).points, expected)


def test_only_what_is_read_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLINEVIZ_UNPACKED_BYTES", "100000")
    np.savez_compressed(tmp_path / "a.npz", x=np.eye(3), other=np.zeros((ROWS, WIDTH)))
    assert len(read_data(tmp_path / "a.npz")) == 3
    table(tmp_path / "a.csv.gz")
    assert len(read_data(tmp_path / "a.csv.gz", limit=10)) == 10
    (tmp_path / "a.csv").write_text("1,0.5\n" * 100_000)
    assert len(read_data(tmp_path / "a.csv")) == 100_000


@pytest.mark.parametrize("layout", ["coo", "csr"])
def test_indices_outside_of_a_sparse_tensor_are_refused(layout: str, tmp_path: Path) -> None:
    """To write all entries would write outside of the array."""
    one, far = torch.ones(1), torch.tensor([10**9])
    if layout == "coo":
        wrong = torch.sparse_coo_tensor(torch.stack([far, far]), one, (3, 3), check_invariants=False)
    else:
        rows = torch.tensor([0, 1, 1, 1])
        wrong = torch.sparse_csr_tensor(rows, far, one, (3, 3), check_invariants=False)
    torch.save({"x": wrong}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"cannot read .*a\.pt"):
        read_data(tmp_path / "a.pt")
