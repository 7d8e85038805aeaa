"""Files appear whole or not at all."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from splineviz.errors import InputError
from splineviz.files import atomic_path


def test_the_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent and temporary.suffix == ".txt"
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_what_was_there(error: type[BaseException], tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    link = tmp_path / "link.txt"
    link.symlink_to("real.txt")
    with atomic_path(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink() and (tmp_path / "real.txt").read_text() == "new"


def test_a_missing_folder_and_a_folder_in_place_of_the_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"), atomic_path(tmp_path / "no" / "a.txt"):
        pass
    with pytest.raises(InputError, match="it is a folder"), atomic_path(tmp_path):
        pass


def text_without_encoding(source: str) -> list[int]:
    """Lines that read or write text in whatever encoding the machine prefers."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or any(word.arg == "encoding" for word in call.keywords):
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        modes = [
            a.value for a in call.args if isinstance(a, ast.Constant) and a.value in ("r", "w", "a", "x")
        ]
        if name in ("read_text", "write_text") or (name == "open" and modes):
            found.append(call.lineno)
    return found


def test_text_is_read_and_written_in_a_named_encoding() -> None:
    root = Path(__file__).parent.parent
    files = [
        path for room in ("splineviz", "cli", "gallery", "bench") for path in (root / room).rglob("*.py")
    ]
    assert len(files) > 100
    lacking = {str(path.relative_to(root)): text_without_encoding(path.read_text("utf-8")) for path in files}
    assert {name: lines for name, lines in lacking.items() if lines} == {}
    assert text_without_encoding('path.read_text()\npath.open("w")\npath.open("wb")') == [1, 2]
