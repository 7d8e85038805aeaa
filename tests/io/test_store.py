"""Stores heal: what is not, to the last bit, what was kept under its name is made anew."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from splineviz import shared_folders
from splineviz.errors import InputError, SplinevizWarning
from splineviz.files import check_writable
from splineviz.io.seal import append_seal, bears_seal, unsealed
from splineviz.io.store import Store, digest_of
from splineviz.shared_folders import is_exposed
from tests.io.faults import FAULTS

KEY, OTHER = digest_of("one"), digest_of("another")
ARRAYS = {"a": np.arange(5.0), "b": np.eye(2)}


def filled(folder: Path) -> Store:
    store = Store(folder, "results")
    for k, key in enumerate((KEY, OTHER)):
        store.keep_numbers(key, {"cells": 7 + k})
        store.keep_arrays(key, {name: array + k for name, array in ARRAYS.items()}, compress=bool(k))
    return store


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    filled(tmp_path / "kept")
    with warnings.catch_warnings(action="error"):
        store = Store(tmp_path / "kept", "results")
        assert store.numbers(KEY) == {"cells": 7} and store.numbers(OTHER) == {"cells": 8}
        found = store.arrays(KEY)
        assert found is not None and all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)
        assert store.numbers(digest_of("none")) is None and store.arrays(digest_of("none")) is None
    store.discard()
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_what_does_not_read_is_missing_and_can_be_kept_again(fault, suffix: str, tmp_path: Path) -> None:
    store = filled(tmp_path)
    fault(store.path(KEY, suffix), store.path(OTHER, suffix))
    with pytest.warns(SplinevizWarning, match=rf"{KEY}\{suffix} is damaged"):
        assert store.find(KEY, suffix) is None
    with warnings.catch_warnings(action="error"):  # it is said once
        assert (store.numbers(KEY) if suffix == ".json" else store.arrays(KEY)) is None
    store.keep_numbers(KEY, {"cells": 7})
    store.keep_arrays(KEY, ARRAYS, compress=False)
    found = store.arrays(KEY)
    assert (
        store.numbers(KEY) == {"cells": 7} and found is not None and np.array_equal(found["a"], ARRAYS["a"])
    )
    assert Path("/dev/null").is_char_device()


def test_every_single_bit_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"{}")
    append_seal(path, "x.json")
    whole = path.read_bytes()
    assert bears_seal(path, "x.json") and not bears_seal(path, "y.json") and unsealed(path) == b"{}"
    for place in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert not bears_seal(path, "x.json"), place
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert not bears_seal(path, "x.json"), length


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    store, precious = filled(tmp_path / "kept"), tmp_path / "precious.txt"
    precious.write_text("all of it")
    store.path(KEY, ".json").unlink()
    store.path(KEY, ".json").symlink_to(precious)
    store.keep_numbers(KEY, {"cells": 7})
    assert precious.read_text() == "all of it" and not store.path(KEY, ".json").is_symlink()


def test_a_folder_that_holds_something_is_not_removed(tmp_path: Path) -> None:
    store = Store(tmp_path, "results")
    (store.path(KEY, ".json") / "inner").mkdir(parents=True)
    with pytest.raises(InputError, match="it is a folder"):
        store.keep_numbers(KEY, {})
    assert (store.path(KEY, ".json") / "inner").is_dir()


def test_only_its_own_files_are_discarded(tmp_path: Path) -> None:
    store = filled(tmp_path)
    (tmp_path / "thesis.tex").write_text("all of it")
    store.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_leftovers_of_a_killed_run_go(tmp_path: Path) -> None:
    (tmp_path / f".{KEY}-0123abcd.unfinished.npz").touch()
    Store(tmp_path, "results")
    assert not list(tmp_path.iterdir())


def test_what_others_may_have_put_there_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(InputError, match="shared is a shared temporary folder, so no results are kept there"):
        Store(shared, "results")
    Store(shared / "mine", "results")
    (tmp_path / "link").symlink_to(shared)
    with pytest.raises(InputError, match="is a shared temporary folder"):
        Store(tmp_path / "link", "results")
    inode = (shared / "mine").stat().st_ino
    monkeypatch.setattr(shared_folders, "_of_another", lambda found: found.st_ino == inode)
    with pytest.raises(InputError, match="mine was put into a shared folder by another user"):
        Store(shared / "mine", "results")
    Store(shared / "mine" / "inner", "results")  # the folder was named by whoever asks
    Store(shared / "mine-too", "results")
    assert [is_exposed(shared / name) for name in ("", "mine", "mine/inner", "mine-too")] == [True] * 3 + [
        False
    ]


def test_a_link_that_another_user_put_into_a_shared_folder_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.png").symlink_to(tmp_path / "precious")
    check_writable(tmp_path / "x.png")
    monkeypatch.setattr(shared_folders, "_of_another", lambda _found: True)
    check_writable(tmp_path / "x.png")
    tmp_path.chmod(0o1777)
    with pytest.raises(InputError, match="a link that another user has put there"):
        check_writable(tmp_path / "x.png")
