"""Parts of an estimate that are done: those that read are gone on with, and no others."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from splineviz import shared_folders
from splineviz.errors import InputError, SplinevizWarning
from splineviz.estimators.metrics.metric import Column
from splineviz_cli.resuming import Partial
from tests.io.faults import FAULTS

SILENT = ("cut at 0%", "a folder", "a link to a device", "a link to nothing", "one byte short")
"""Faults that leave no line, as a run does that was killed before its first part was done, or all of them"""


def columns(seed: int) -> list[Column]:
    values = np.random.default_rng(seed).random(4)
    zeros = None if seed % 2 else np.arange(4)
    return [Column("lc", "all", values, radius=0.5, directions=2, zeros=zeros)]


def begun(output: Path, request: str, seed: int = 0) -> Path:
    """The file of a request of which three parts are done."""
    with Partial.open(output, request) as parts:
        for start in (0, 4, 8):
            parts.put("lc", start, columns(seed + start))
    return output.with_name(f"{output.name}.partial")


def same(a: list[Column] | None, b: list[Column]) -> bool:
    return a is not None and all(
        np.array_equal(x.values, y.values) and np.array_equal(x.zeros, y.zeros)
        for x, y in zip(a, b, strict=True)
    )


def test_parts_are_gone_on_with(tmp_path: Path) -> None:
    path = begun(tmp_path / "lc.csv", "asked")
    with warnings.catch_warnings(action="error"), Partial.open(tmp_path / "lc.csv", "asked") as parts:
        assert parts.n_parts == 3 and parts.get("lc", 12) is None
        assert all(same(parts.get("lc", start), columns(start)) for start in (0, 4, 8))
        parts.discard()
    assert not path.exists()


def test_a_request_that_is_refused_before_its_first_part_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError), Partial.open(tmp_path / "lc.csv", "asked"):
        raise InputError("no")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FAULTS)
def test_parts_that_do_not_read_are_done_anew(name: str, tmp_path: Path) -> None:
    path, other = begun(tmp_path / "lc.csv", "asked"), begun(tmp_path / "other.csv", "also asked", 1)
    FAULTS[name](path, other)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", SplinevizWarning)
        with Partial.open(tmp_path / "lc.csv", "asked") as parts:
            for start in (0, 4, 8):
                if (found := parts.get("lc", start)) is not None:
                    assert same(found, columns(start))
                else:
                    parts.put("lc", start, columns(start))
    assert len(told) == (name not in SILENT)
    with warnings.catch_warnings(action="error"), Partial.open(tmp_path / "lc.csv", "asked") as parts:
        assert parts.n_parts == 3 and all(same(parts.get("lc", start), columns(start)) for start in (0, 4, 8))


def test_one_damaged_line_costs_one_part(tmp_path: Path) -> None:
    path = begun(tmp_path / "lc.csv", "asked")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"0.5", b"0.6") + lines[2][:-40])
    with pytest.warns(SplinevizWarning, match="what does not read is done anew"):
        parts = Partial.open(tmp_path / "lc.csv", "asked")
    assert parts.n_parts == 1 and same(parts.get("lc", 0), columns(0))


def test_another_request_begins_anew(tmp_path: Path) -> None:
    begun(tmp_path / "lc.csv", "asked")
    with pytest.warns(SplinevizWarning, match="or of another request"):
        assert Partial.open(tmp_path / "lc.csv", "asked otherwise").n_parts == 0


def test_a_file_of_another_user_in_a_shared_folder_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path / "lc.csv", "asked")
    tmp_path.chmod(0o1777)
    assert Partial.open(tmp_path / "lc.csv", "asked").n_parts == 3
    inode = (tmp_path / "lc.csv.partial").stat().st_ino
    monkeypatch.setattr(shared_folders, "_of_another", lambda found: found.st_ino == inode)
    with pytest.raises(InputError, match=r"lc\.csv\.partial was put into a shared folder by another user"):
        Partial.open(tmp_path / "lc.csv", "asked")
