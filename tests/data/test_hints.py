"""Hints in the language of the place, keywords in Python and options in the command; and reads of points."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from splineviz.data import read_data, read_point_files
from splineviz.data.collection import Arrays
from splineviz.errors import InputError

X = np.zeros((3, 2))


def _several(folder: Path) -> object:
    np.savez(folder / "a.npz", first=X, second=X)
    return read_data(folder / "a.npz")


def _no_such(folder: Path) -> object:
    np.savez(folder / "a.npz", first=X, second=X)
    return read_data(folder / "a.npz", key="first", labels_key="third")


def _columns(folder: Path) -> object:
    (folder / "a.csv").write_text("a,b\n1,red\n2,blue\n")
    return read_data(folder / "a.csv")


def _column(folder: Path) -> object:
    (folder / "a.csv").write_text("a,b\n1,2\n2,3\n")
    return read_data(folder / "a.csv", key="c")


def _kind(folder: Path) -> object:
    (folder / "a.mat").write_bytes(b"x")
    return read_data(folder / "a.mat")


def _labels(folder: Path) -> object:
    np.save(folder / "a.npy", X)
    np.savez(folder / "l.npz", first=X[:, 0], second=X[:, 0])
    return read_data(folder / "a.npy", labels=folder / "l.npz")


HINTS: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "several arrays": (_several, "key=NAME", "--key NAME"),
    "no such array": (_no_such, "labels_key=NAME", "--labels-key NAME"),
    "words": (_columns, "labels_key='b'", "--labels-key b"),
    "no such column": (_column, "key='A,B,...'", "--key A,B,..."),
    "another format": (_kind, "give the points as an array", "--data module:function"),
    "several labels": (_labels, "labels_key=NAME", "--labels-key NAME"),
}


@pytest.mark.parametrize("name", HINTS)
def test_hints(name: str, tmp_path: Path) -> None:
    read, python, command = HINTS[name]
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert python in str(caught.value) and not re.search(r" --\w", str(caught.value))
    assert command in caught.value.for_command()


def test_a_table_is_no_single_point(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"no file of a single point\n  try: save the point alone, as .npy"):
        read_point_files([str(tmp_path / "a.csv")])


def test_every_point_is_read_once() -> None:
    reads = list[int]()

    class Counted(list[np.ndarray]):
        def __getitem__(self, row: Any) -> Any:
            reads.append(row)
            return super().__getitem__(row)

    taken = Arrays(points=Counted([*X]), source="a list").take([2, 0, -1])
    assert taken.rows.tolist() == reads == [2, 0, 2]
