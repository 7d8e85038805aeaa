from __future__ import annotations

import sys
from pathlib import Path

import pytest

from splineviz.own_code import current_folder_first, named_object


def test_objects_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_alone.py").write_text("class Outer:\n    inner = 3\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    with pytest.raises(ModuleNotFoundError):
        named_object("mine_alone:Outer.inner")
    with current_folder_first():
        assert named_object("mine_alone:Outer.inner") == 3
    assert sys.path == before


@pytest.mark.parametrize("emptied", [True, False])
def test_the_path_is_left_as_it_was(emptied: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    with pytest.raises(KeyError), current_folder_first():
        if emptied:  # by the code itself
            sys.path.remove(str(tmp_path))
        raise KeyError
    assert sys.path == before
