"""Files that cannot be read: one error that names the file, what is wrong with it, and what to try."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import splineviz as sv
from splineviz.data import read_data, read_point_files

X = np.random.default_rng(0).random((4, 3))


def cut(write: Callable[[], object], path: str, size: int) -> None:
    write()
    Path(path).write_bytes(Path(path).read_bytes()[:size])


def sparse(name: str) -> Callable[[], object]:
    """A file of 4 TB with nothing in it but its first line."""

    def write() -> None:
        Path(name).write_text("a,b\n1,2\n")
        os.truncate(name, 1 << 42)

    return write


def table(text: str) -> Callable[[], object]:
    return lambda: Path("a.csv").write_text(text)


def announced(shape: tuple[int, ...]) -> None:
    """An archive of an array whose head tells more than there is."""
    with zipfile.ZipFile("a.npz", "w") as archive, archive.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": shape})


def parquet(**columns: object) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(columns), "a.parquet")


def idx(content: bytes) -> Callable[[], object]:
    return lambda: Path("a.idx").write_bytes(content)


BAD: dict[str, tuple[Callable[[], object], str, str]] = {
    "nothing there": (lambda: None, "gone.npy", "no such file"),
    "a pipe": (lambda: os.mkfifo("a.npy"), "a.npy", "it is a pipe or a device"),
    "a device": (lambda: None, "/dev/zero", "it is a pipe or a device"),
    "an empty file": (lambda: Path("a.npz").touch(), "a.npz", "the file is empty"),
    "an empty folder": (lambda: Path("a").mkdir(), "a", "holds no picture"),
    "an unknown suffix": (lambda: Path("a.h5").write_text("a"), "a.h5", "expected a file .npy, .npz, .pt"),
    "a pickle": (lambda: Path("a.pkl").write_text("a"), "a.pkl", "a pickle is not read, since it can run"),
    "npy: no array": (lambda: Path("a.npy").write_text("text"), "a.npy", "is damaged, or holds Python obj"),
    "npy: cut short": (lambda: cut(lambda: np.save("a.npy", X), "a.npy", 150), "a.npy", "cannot read a.npy"),
    "npy: objects": (
        lambda: np.save("a.npy", np.array([{}], dtype=object), allow_pickle=True),
        "a.npy",
        "holds Python objects",
    ),
    "npy: one point": (lambda: np.save("a.npy", X[0]), "a.npy", "must hold an array of points"),
    "npy: no point": (lambda: np.save("a.npy", X[:0]), "a.npy", "must hold an array of points"),
    "npz: cut short": (lambda: cut(lambda: np.savez("a.npz", x=X), "a.npz", 99), "a.npz", "not a zip file"),
    "npz: objects": (
        lambda: np.savez("a.npz", x=np.array([{}], dtype=object)),
        "a.npz",
        "'x' holds Python objects",
    ),
    "npz: several arrays": (lambda: np.savez("a.npz", a=X, b=X), "a.npz", "several arrays .* it has a, b"),
    "npz: none": (lambda: np.savez("a.npz"), "a.npz", "holds no array"),
    "npz: too large": (lambda: announced((1 << 20, 1 << 20)), "a.npz", r"1048576 x 1048576 values\): 8 TB"),
    "pt: an object": (lambda: torch.save(torch.nn.ReLU(), "a.pt"), "a.pt", "holds more than tensors"),
    "pt: text": (lambda: torch.save("text", "a.pt"), "a.pt", "expected tensors, got str"),
    "pt: no tensors": (
        lambda: torch.save(["a"], "a.pt"),
        "a.pt",
        "expected a tuple of tensors, got one of st",
    ),
    "pt: cut short": (
        lambda: cut(lambda: torch.save(torch.zeros(9, 9), "a.pt"), "a.pt", 200),
        "a.pt",
        "cannot read a.pt",
    ),
    "safetensors: no header": (lambda: Path("a.safetensors").write_text("a"), "a.safetensors", "cannot read"),
    "csv: no numbers": (table("a,b,kind\n1,2,cat\n"), "a.csv", r"hold no numbers: 'kind' \('cat'\)"),
    "csv: a missing cell": (table("a,b\n1,2\n3,\n"), "a.csv", "in row 2 the column 'b' is missing"),
    "csv: a missing first cell": (table("a,b\n1,\n3,4\n"), "a.csv", "in row 1 the column 'b' is missing"),
    "csv: NaN": (table("a,b\n1,2\nnan,1\n"), "a.csv", "in row 2 the column 'a' holds 'nan', no number"),
    "csv: a word further down": (table("a,b\n1,2\n3,x\n"), "a.csv", "in row 2 the column 'b' holds 'x'"),
    "csv: rows of two lengths": (table("a,b\n1,2\n3,4,5\n"), "a.csv", "row 2 has 3 cells"),
    "csv: names alone": (table("a,b\n"), "a.csv", "and no row"),
    "csv: blank": (table("\n \n"), "a.csv", "holds no row"),
    "csv: row numbers": (table(",a\n0,1.5\n1,2.5\n"), "a.csv", "column 1 of a.csv has no name"),
    "csv: two columns of a name": (table("a,a\n0,1.5\n"), "a.csv", "several columns 'a'"),
    "csv: a point or a head": (table("0,1\n2,3\n"), "a.csv", "is this a point, or are these names"),
    "csv: no text": (lambda: Path("a.csv").write_bytes(b"\xff\xfe\0\1"), "a.csv", "no text in UTF-8"),
    "csv: too large": (sparse("a.csv"), "a.csv", "a.csv: 4 TB, and .* of memory are free"),
    "safetensors: too large": (sparse("a.safetensors"), "a.safetensors", "4 TB, and .* of memory are free"),
    "pt: too large": (sparse("a.pt"), "a.pt", "4 TB, and .* of memory are free"),
    "parquet: missing": (lambda: parquet(a=[1.0, None]), "a.parquet", "in row 2 the column 'a' is missing"),
    "parquet: NaN": (lambda: parquet(a=[1.0, np.nan]), "a.parquet", "row 2 the column 'a' holds no finite"),
    "parquet: no numbers": (lambda: parquet(a=[1.0], b=["u"]), "a.parquet", "hold no numbers: 'b'"),
    "parquet: ragged": (lambda: parquet(x=[[1.0], [2.0, 3.0]]), "a.parquet", "'x' have several lengths"),
    "parquet: damaged": (lambda: Path("a.parquet").write_text("PAR1"), "a.parquet", "cannot read a.parquet"),
    "parquet: no row": (lambda: parquet(a=np.zeros(0)), "a.parquet", "holds no row"),
    "idx: another magic": (
        idx(b"\x1f\x8b\x08\x03" + bytes(12)),
        "a.idx",
        "begins with 1f 8b 08 03, and an ID",
    ),
    "idx: cut short": (
        idx(struct.pack(">4B2I", 0, 0, 8, 2, 3, 3) + bytes(8)),
        "a.idx",
        "9 bytes, and there a",
    ),
    "idx: too long": (idx(struct.pack(">4B2I", 0, 0, 8, 2, 3, 3) + bytes(10)), "a.idx", "there are more"),
    "idx: no sizes": (idx(struct.pack(">4B1I", 0, 0, 8, 3, 3)), "a.idx", "cut short within its head"),
    "idx: too large": (
        idx(struct.pack(">4B2I", 0, 0, 14, 2, 1 << 31, 1 << 31)),
        "a.idx",
        r"2147483648 x 2147483648 values\): 3.36e.07 TB",
    ),
    "idx: no gzip": (lambda: Path("a-idx3-ubyte.gz").write_text("text"), "a-idx3-ubyte.gz", "cannot read"),
}


@pytest.mark.parametrize(("write", "name", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_named(
    write: Callable[[], object], name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write()
    with pytest.raises(sv.InputError, match=message) as caught:
        read_data(name)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"key": "z"}, "no array 'z'; it has x, y"),
        ({"labels_key": "z"}, "no array 'z'; it has y"),
        ({"labels_key": "y"}, "must be class numbers or names, got float64 such as 0.5"),
        ({"labels": "x.npy"}, r"must have shape \(4,\), one for each point of a.npz, got \(4, 3\)"),
        ({"labels": "few.npy"}, r"must have shape \(4,\), one for each point of a.npz, got \(2,\)"),
        ({"labels": "gone.npy"}, "no such file: 'gone.npy'"),
        ({"labels": "a.png"}, "cannot read labels from a.png"),
    ],
)
def test_parts_that_are_not_there(
    how: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", x=X, y=[0, 1, 0.5, 1])
    np.save("x.npy", X)
    np.save("few.npy", [0, 1])
    Path("a.png").write_text("a")
    with pytest.raises(sv.InputError, match=message):
        read_data("a.npz", **how)  # type: ignore[arg-type]


def test_numbers_beside_the_points_that_are_no_classes_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", x=X, y=[0, 1, 0.5, 1])
    with pytest.warns(sv.errors.SplinevizWarning, match="no classes are read, since the labels must be"):
        assert read_data("a.npz").classes is None


def test_an_index_outside_is_named() -> None:
    with pytest.raises(sv.InputError, match="holds 4 points, 0 to 3; there is no 4, -5"):
        read_data(X).take([4, 0, -5])


def test_a_folder_is_no_point(tmp_path: Path) -> None:
    with pytest.raises(sv.InputError, match="is no file of a single point"):
        read_point_files([str(tmp_path)])


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, package, extra in (
        ("a.parquet", "pyarrow.parquet", "parquet"),
        ("a.safetensors", "safetensors.torch", "safetensors"),
    ):
        Path(name).write_text("a")
        monkeypatch.setitem(__import__("sys").modules, package, None)
        with pytest.raises(sv.InputError, match=f"pip install 'splineviz\\[{extra}\\]'"):
            read_data(name)
