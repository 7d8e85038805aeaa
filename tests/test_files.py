"""Files appear whole or not at all."""

from __future__ import annotations

import ast
import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from splineviz import files, unfinished
from splineviz.errors import InputError
from splineviz.files import atomic_path, check_writable


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


def test_a_link_to_nothing_makes_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "link.txt"
    link.symlink_to("far/real.txt")
    with atomic_path(link) as temporary:
        assert temporary.parent == tmp_path / "far"
        temporary.write_text("new")
    assert link.is_symlink() and (tmp_path / "far" / "real.txt").read_text() == "new"
    (tmp_path / "astray.txt").symlink_to("no/real.txt")
    with pytest.raises(InputError, match=r"the folder .*no does not exist"):
        check_writable(tmp_path / "astray.txt")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_permissions_of_what_is_replaced_stay(mode: int, tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.touch()
    target.chmod(mode)
    with atomic_path(target) as temporary:
        assert temporary.stat().st_mode & 0o777 == mode, "nobody else reads it while it is written, either"
        temporary.write_text("new")
    assert target.stat().st_mode & 0o777 == mode and target.read_text() == "new"


def test_a_new_file_has_the_permissions_of_any(tmp_path: Path) -> None:
    (tmp_path / "any").touch()
    with atomic_path(tmp_path / "new.txt") as temporary:
        temporary.touch()
    assert (tmp_path / "new.txt").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "device.png").symlink_to("/dev/null")
    (tmp_path / "circle.png").symlink_to("circle.png")
    for name, words in (
        ("pipe.png", "it is a pipe or a device"),
        ("device.png", "it is a pipe or a device"),
        ("circle.png", "Too many levels of symbolic links"),
        ("x" * 300 + ".png", "File name too long"),
        ("a\0b.png", "null byte"),
    ):
        with pytest.raises(InputError, match=words):
            check_writable(tmp_path / name)
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_what_is_write_protected_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch(0o444)
    with pytest.raises(InputError, match="write-protected"):
        check_writable(tmp_path / "a.txt")
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="no permission to write into"):
        check_writable(tmp_path / "b.txt")
    tmp_path.chmod(0o755)


def test_the_longest_name_that_a_file_can_have(tmp_path: Path) -> None:
    target = tmp_path / ("ü" * 125 + ".png")
    with atomic_path(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"


def test_it_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def fsync(descriptor: int) -> None:
        seen.append((os.readlink(f"/proc/self/fd/{descriptor}"), (tmp_path / "a.txt").exists()))

    monkeypatch.setattr(files.os, "fsync", fsync)
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert seen == [(str(temporary), False), (str(tmp_path), True)]


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"cannot write .*a\.txt: No space left"),
        atomic_path(tmp_path / "a.txt"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        (tmp_path / "another").read_bytes()
    assert not list(tmp_path.iterdir())


def test_a_library_that_stumbles_over_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"cannot write .*a\.pdf: No space left"),
        atomic_path(tmp_path / "a.pdf"),
    ):
        try:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            raise AttributeError("its own, of cleaning up")
    with pytest.raises(AttributeError), atomic_path(tmp_path / "a.pdf"):
        raise AttributeError("of nothing else")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_temporary_already_is_finished_once(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.txt") as outer:
        with atomic_path(outer) as inner:
            inner.write_text("new")
        assert inner == outer and not (tmp_path / "a.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


WRITING = """
    import sys, time
    from splineviz.files import atomic_path
    with atomic_path(sys.argv[1]) as temporary:
        temporary.write_text("half")
        print("begun", flush=True)
        time.sleep(60)
"""


def begun(target: Path) -> subprocess.Popen[str]:
    """A process that has written half of a file."""
    command = [sys.executable, "-c", textwrap.dedent(WRITING), str(target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    return process


def test_leftovers_of_the_killed_go_and_those_of_the_living_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished.remove_leftovers(tmp_path)  # that of a process which lives on
    (tmp_path / ".users-0123abcd.txt").touch()
    killed, alive = begun(tmp_path / "p.parquet"), begun(tmp_path / "q.parquet")
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert len(list(tmp_path.glob(".p-*.parquet"))) == 1
        later = time.monotonic() + 61.0
        monkeypatch.setattr(unfinished.time, "monotonic", lambda: later)
        with atomic_path(tmp_path / "r.parquet") as temporary:
            temporary.write_text("new")
            left = sorted(path.name.partition("-")[0] for path in tmp_path.iterdir())
        assert left == [".q", ".r", ".users"]
    finally:
        alive.kill()
        alive.communicate()
        killed.communicate()


def test_once_all_is_discarded_nothing_takes_its_place(tmp_path: Path) -> None:
    code = """
        import os, threading, time
        from splineviz.files import atomic_path, discard_unfinished
        discarded = threading.Event()
        def end():
            discard_unfinished()
            discarded.set()
            time.sleep(0.3)
            os._exit(7)
        with atomic_path("a.txt") as temporary:
            threading.Thread(target=end).start()
            discarded.wait()
        print("the block has ended", flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (7, "", []), done.stderr


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


def other_ways_to_a_name(source: str) -> list[str]:
    """Calls that make a temporary file, or have one take the place of another; a folder of one's own, which is
    gone in the end, is neither."""
    tree = ast.parse(source)
    named = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    moves = [
        name for name in named if name in ("os.replace", "os.rename", "shutil.move", "temporary.replace")
    ]
    made = [name for name in named if name.startswith("tempfile.") and name != "tempfile.TemporaryDirectory"]
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return (
        moves
        + [name for name in named if name.endswith(".rename")]
        + made
        + ["tempfile"] * ("tempfile" in imported)
    )


def test_every_file_takes_its_place_in_one_way() -> None:
    root = Path(__file__).parent.parent
    files = [path for room in ("splineviz", "cli") for path in (root / room).rglob("*.py")]
    found = {path.name: other_ways_to_a_name(path.read_text("utf-8")) for path in files}
    assert {name: ways for name, ways in found.items() if ways} == {"files.py": ["temporary.replace"]}
