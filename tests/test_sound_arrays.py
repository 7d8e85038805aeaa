"""No bit of a file of ours can change what is read of it without being noticed."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from splineviz.errors import InputError
from splineviz.sound_arrays import sound_arrays

ARRAYS = {
    "schema": np.array("a/1"),
    "x": np.arange(6.0).reshape(2, 3),
    "none": np.zeros((0, 2), dtype=np.int32),
}


def test_a_head_that_lies_is_noticed(tmp_path: Path) -> None:
    path, x = tmp_path / "x.npz", np.arange(100_000.0)
    np.savez(path, schema="a/1", x=x)
    path.write_bytes(path.read_bytes().replace(b"'<f8'", b"'<f4'"))
    assert not np.array_equal(np.load(path)["x"], x), "numpy reads half of the bytes, and raises nothing"
    with pytest.raises(InputError, match="cannot be read as an NPZ file: Bad CRC-32"):
        sound_arrays(path, "splineviz.save")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_whatever_is_flipped_or_cut_the_arrays_are_right_or_refused(save, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    save(path, **ARRAYS)
    whole, refused = path.read_bytes(), 0
    damages = [bytes([*whole[:k], whole[k] ^ (1 << k % 8), *whole[k + 1 :]]) for k in range(len(whole))]
    for damaged in [*damages, *(whole[:length] for length in range(0, len(whole), 5))]:
        path.write_bytes(damaged)
        try:
            found = sound_arrays(path, "splineviz.save")
        except InputError:
            refused += 1
            continue
        for name in found.keys() & ARRAYS.keys():  # a name is under no checksum, and its reader asks for it
            assert found[name].dtype == ARRAYS[name].dtype and np.array_equal(found[name], ARRAYS[name])
    assert refused > 0.5 * len(whole)


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=1)
    assert sound_arrays(tmp_path / "x.npz", "splineviz.save") == {}
    with pytest.raises(InputError, match="no such file"):
        sound_arrays(tmp_path / "no.npz", "splineviz.save")
    for content in (b"", b"PK\x03\x04", b"no archive"):
        (tmp_path / "y.npz").write_bytes(content)
        with pytest.raises(InputError, match=r"y\.npz cannot be read as an NPZ file"):
            sound_arrays(tmp_path / "y.npz", "splineviz.save")


def test_more_than_there_is_memory_for_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, schema="a/1", x=np.zeros(10**6))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10**6))
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    with pytest.raises(InputError, match=r"what .*x\.npz holds: 7\.63 MB, and 977 KB of memory are free"):
        sound_arrays(path, "splineviz.save")
