"""Every format of files of points: the values and classes that went in come out."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import splineviz as sv
from splineviz.data import Data, read_data, read_point_files

X = np.random.default_rng(0).standard_normal((5, 3))
Y = np.array([2, 0, 1, 1, 0])
PIXELS = np.random.default_rng(1).integers(0, 256, (5, 4, 6), dtype=np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything(source: object, **how: object) -> Data:
    found = read_data(source, **how)  # type: ignore[arg-type]
    return found.take(range(len(found)))


def values(data: Data) -> np.ndarray:
    return np.stack(list(data.points))


def write_idx(path: str, array: np.ndarray, code: int) -> None:
    head = struct.pack(f">4B{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "wb") as file:
        file.write(head + array.astype(array.dtype.newbyteorder(">")).tobytes())


def write_npz(path: str) -> None:
    np.savez(path, x=X, y=Y)


def write_other_names(path: str) -> None:
    np.savez(path, features=X, label=Y)


def write_npz_with_one_hot_labels(path: str) -> None:
    np.savez(path, X=X, labels=np.eye(3)[Y])


def write_pt(path: str) -> None:
    torch.save({"x": torch.tensor(X), "y": torch.tensor(Y), "note": "both"}, path)


def write_pair(path: str) -> None:
    torch.save(torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y)).tensors, path)


def write_points_with_classes(path: str) -> None:
    torch.save([(torch.tensor(x), int(y)) for x, y in zip(X, Y, strict=True)], path)


def write_safetensors(path: str) -> None:
    from safetensors.torch import save_file

    save_file({"x": torch.tensor(X), "y": torch.tensor(Y)}, path)


def write_csv(path: str) -> None:
    rows = [",".join(map(repr, [*x.tolist(), float(y)])) for x, y in zip(X, Y, strict=True)]
    text = "\n".join(["# of a test", "a,b,c,label", *rows, ""])
    with gzip.open(path, "wt") if path.endswith(".gz") else Path(path).open("w") as file:
        file.write(text)


def write_semicolons(path: str) -> None:
    rows = [";".join(map(repr, [int(y), *x.tolist()])) for x, y in zip(X, Y, strict=True)]
    Path(path).write_text("\ufeff" + "\r\n".join(['"class";"a";"b b";"c"', *rows]), encoding="utf-8")


def write_parquet(path: str) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"target": Y, **{name: X[:, i] for i, name in enumerate("abc")}}), path)


def write_lists(path: str) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"x": X.tolist(), "y": Y, "weight": X[:, 0]}), path)


WITH_CLASSES = {
    "a.npz": write_npz,
    "other.npz": write_other_names,
    "hot.npz": write_npz_with_one_hot_labels,
    "a.pt": write_pt,
    "pair.pt": write_pair,
    "list.pth": write_points_with_classes,
    "a.safetensors": write_safetensors,
    "a.csv": write_csv,
    "a.csv.gz": write_csv,
    "b.csv": write_semicolons,
    "a.parquet": write_parquet,
    "lists.parquet": write_lists,
}


@pytest.mark.parametrize("name", WITH_CLASSES)
def test_points_and_classes_are_those_that_were_written(name: str) -> None:
    WITH_CLASSES[name](name)
    found = everything(name)
    np.testing.assert_array_equal(values(found), X)
    np.testing.assert_array_equal(found.labels, Y)
    few = read_data(name, limit=2)
    assert len(few) == 2
    np.testing.assert_array_equal(values(few.take([-1])), X[1:2])


@pytest.mark.parametrize("name", ["a.npy", "a.pt", "list.pt"])
def test_one_array_is_the_points(name: str) -> None:
    if name == "a.npy":
        np.save(name, X)
    else:
        torch.save(list(torch.tensor(X)) if name == "list.pt" else torch.tensor(X), name)
    found = everything(name)
    np.testing.assert_array_equal(values(found), X)
    assert found.labels is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.uint8, torch.bool])
def test_tensors_of_any_kind_keep_their_values(dtype: torch.dtype) -> None:
    tensor = torch.tensor(4 * X).abs().to(dtype)
    for given in (tensor, tensor.to_sparse()):
        torch.save(given, "a.pt")
        np.testing.assert_array_equal(values(everything("a.pt")), tensor.double().numpy())


def test_keys_choose_among_arrays_and_columns() -> None:
    np.savez("a.npz", train=X, test=X[:2], train_labels=Y, test_labels=Y[:2])
    found = everything("a.npz", key="test", labels_key="test_labels")
    np.testing.assert_array_equal(values(found), X[:2])
    np.testing.assert_array_equal(found.labels, Y[:2])
    write_csv("a.csv")
    found = everything("a.csv", key="c,a")
    np.testing.assert_array_equal(values(found), X[:, [2, 0]])
    assert found.labels is not None


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv", "idx", "parquet"])
def test_labels_may_lie_in_a_file_of_their_own(suffix: str) -> None:
    np.save("x.npy", X)
    name = f"labels.{suffix}"
    if suffix == "npy":
        np.save(name, Y[:, None])
    elif suffix == "npz":
        np.savez(name, a=X, z=Y)
    elif suffix == "csv":
        Path(name).write_text("\n".join(map(str, Y.tolist())) + "\n")
    elif suffix == "idx":
        write_idx(name, Y.astype(np.int32), 12)
    else:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"z": Y}), name)
    found = everything("x.npy", labels=name, labels_key="z" if suffix == "npz" else None)
    np.testing.assert_array_equal(found.labels, Y)
    few = read_data("x.npy", labels=name, labels_key="z" if suffix == "npz" else None, limit=3).take([2])
    np.testing.assert_array_equal(few.labels, Y[2:3])


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_mnist_as_it_is_published(ending: str) -> None:
    write_idx(f"train-images-idx3-ubyte{ending}", PIXELS, 8)
    write_idx(f"train-labels-idx1-ubyte{ending}", Y.astype(np.uint8), 8)
    found = everything(f"train-images-idx3-ubyte{ending}")
    np.testing.assert_array_equal(values(found), PIXELS)
    assert found.points[0].dtype == np.uint8
    np.testing.assert_array_equal(found.labels, Y)


@pytest.mark.parametrize(
    ("code", "dtype"), [(9, np.int8), (11, np.int16), (12, np.int32), (13, np.float32), (14, np.float64)]
)
def test_idx_of_every_type(code: int, dtype: type[np.generic]) -> None:
    array = (10 * X).astype(dtype)
    write_idx("a.idx", array, code)
    np.testing.assert_array_equal(values(everything("a.idx")), array)


def test_large_arrays_are_mapped_and_not_read() -> None:
    np.lib.format.open_memmap("large.npy", mode="w+", dtype=np.uint8, shape=(1 << 16, 1 << 22)).flush()
    found = read_data("large.npy")  # 256 GB, nothing of it on the disk
    assert len(found) == 1 << 16
    np.testing.assert_array_equal(values(found.take([-1])), np.zeros((1, 1 << 22)))
    with pytest.raises(sv.InputError, match=r"65536 x 4194304 values\): 2 TB, and .* of memory are free"):
        found.take(range(1 << 16))


class TestNames:
    """Classes that are words."""

    def test_they_are_numbered_by_name_and_kept(self) -> None:
        Path("a.csv").write_text("a,b,species\n1,2.5,cat\n3,4,bee\n5,6,cat\n")
        found = everything("a.csv", labels_key="species")
        np.testing.assert_array_equal(found.labels, [1, 0, 1])
        assert found.class_names == {0: "bee", 1: "cat"}

    def test_a_list_of_names_numbers_them(self) -> None:
        np.savez("a.npz", x=X[:2], y=["cat", "bee"])
        found = everything("a.npz", class_names=["cat", "dog", "bee"])
        np.testing.assert_array_equal(found.labels, [0, 2])
        with pytest.raises(sv.InputError, match="has the class 'bee', which is not among cat, dog"):
            read_data("a.npz", class_names=["cat", "dog"], labels_key="y")

    def test_names_of_other_words_are_those_of_the_classes_in_order(self) -> None:
        np.savez("a.npz", x=X[:2], y=["n02", "n01"])
        found = everything("a.npz", class_names=["cat", "dog"])
        np.testing.assert_array_equal(found.labels, [1, 0])
        assert found.class_names == {0: "cat", 1: "dog"}

    def test_words_that_are_numbers_are_these_numbers(self) -> None:
        np.savez("a.npz", x=X[:3], y=["7", "10", "3"])
        np.testing.assert_array_equal(everything("a.npz").labels, [7, 10, 3])


class TestTables:
    def test_values_alone_have_no_head(self) -> None:
        np.savetxt("a.csv", X, delimiter="\t")
        np.testing.assert_array_equal(values(everything("a.csv")), X)

    def test_running_numbers_are_a_head(self) -> None:
        Path("a.csv").write_text("0,1,2\n5.5,6,7\n")
        np.testing.assert_array_equal(values(everything("a.csv")), [[5.5, 6, 7]])

    def test_x_and_y_are_coordinates(self) -> None:
        Path("a.csv").write_text("x,y,label\n.5,6,1\n2,3,0\n")
        found = everything("a.csv")
        np.testing.assert_array_equal(values(found), [[0.5, 6], [2, 3]])
        np.testing.assert_array_equal(found.labels, [1, 0])
        np.testing.assert_array_equal(everything("a.csv", key="x", labels_key="y").labels, [6, 3])

    def test_whole_numbers_stay_such(self) -> None:
        Path("a.csv").write_text("label,p0,p1\n1,0,255\n")
        assert everything("a.csv").points[0].dtype == np.int64

    def test_row_numbers_of_pandas_are_no_column(self) -> None:
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(X, columns=list("abc"))
        frame[frame.a > -9].set_index(np.array([4, 2, 9, 1, 0])).to_parquet("a.parquet")
        np.testing.assert_array_equal(values(everything("a.parquet")), X)


def test_points_given_as_one_file_each() -> None:
    Image.fromarray(PIXELS[0]).save("a.png")
    np.save("b.npy", PIXELS[1])
    found = read_point_files(["a.png", "b.npy"])
    np.testing.assert_array_equal(values(found.take([0, 1])), PIXELS[:2])
    assert not found.pictures and read_point_files(["a.png"]).pictures
    assert found.take([1]).names == ["b.npy"]
