"""--weights and --weights-key: whatever trainers write, in every command."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import splineviz as sv

from .conftest import Result

Command = Callable[..., Result]
POINTS = ("--data", "data.npz", "--points", "3,1,4")


@pytest.fixture
def both(nets: Path) -> Path:
    """Weights of nets:small as the student and of nets:other as the teacher, in one file of Lightning's."""
    sys.path.insert(0, str(nets))
    module = importlib.import_module("nets")
    sys.path.remove(str(nets))
    state = {f"student.{name}": value for name, value in module.small().state_dict().items()}
    state |= {f"teacher.{name}": value for name, value in module.other().state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3, "global_step": 40}, nets / "last.ckpt")
    return nets


def test_the_key_chooses_in_slice_and_check(both: Path, splineviz: Command) -> None:
    made = splineviz(
        "slice", "nets:small", "--weights", "last.ckpt", "--weights-key", "teacher", *POINTS, "--json"
    )
    plain = splineviz("slice", "nets:other", *POINTS, "-o", "cells.npz", "--json")
    assert made.code == plain.code == 0, made.err
    assert json.loads(made.out)["cells"] == json.loads(plain.out)["cells"]
    checked = ("check", "cells.npz", "--model", "nets:small", "--weights", "last.ckpt", "--weights-key")
    assert splineviz(*checked, "state_dict.teacher").code == 0
    assert "not the one that was arranged" in splineviz(*checked, "student").err


def test_the_key_chooses_in_inspect_and_estimate(both: Path, splineviz: Command) -> None:
    cards = [
        json.loads(
            splineviz("inspect", "nets:small", "--weights", "last.ckpt", "--weights-key", key, "--json").out
        )
        for key in ("student", "teacher")
    ]
    digests = [sv.load_program(f"nets:{name}").digest for name in ("small", "other")]
    assert [card["digest"] for card in cards] == digests
    how = ("--data", "data.npz", "--radius", "0.3", "--directions", "3", "--json")
    made = splineviz("estimate", "nets:small", "--weights", "last.ckpt", "--weights-key", "teacher", *how)
    plain = splineviz("estimate", "nets:other", *how)
    assert made.code == 0, made.err
    assert json.loads(made.out)["summary"] == json.loads(plain.out)["summary"]


def test_two_keys_of_one_file_are_compared(both: Path, splineviz: Command) -> None:
    keys = ("--weights-key", "student", "--weights-key", "teacher")
    plain = json.loads(splineviz("compare", "nets:small", "nets:other", *POINTS, "--json").out)
    for files in (("nets:small", "--weights", "last.ckpt"), ("--model", "nets:small", "last.ckpt")):
        done = splineviz("compare", *files, *keys, *POINTS, "--json")
        assert done.code == 0, done.err
        got = json.loads(done.out)
        assert [model["name"] for model in got["models"]] == ["student", "teacher"]
        assert [m["cells"] for m in got["models"]] == [m["cells"] for m in plain["models"]]


def test_the_key_chooses_in_animate_and_validate(both: Path, splineviz: Command) -> None:
    where = ("last.ckpt", "--model", "nets:small", "--weights-key", "teacher", "--data", "data.npz")
    moved = splineviz("animate", *where, "--points", "3,1,4", "-o", "a.webp", "--json", "--jobs", 1)
    assert moved.code == 0, moved.err
    (row,) = json.loads(moved.out)["checkpoints"]
    plain = json.loads(splineviz("slice", "nets:other", *POINTS, "--json").out)
    assert (row["step"], row["cells"]) == (40, plain["cells"])
    design = (
        "--radii",
        "0.3",
        "--medians",
        "0",
        "--directions",
        "2",
        "--frames",
        1,
        "--planes",
        1,
        "--limit",
        6,
        "--jobs",
        1,
    )
    done = splineviz("validate", *where, *design, "-o", "study.npz")
    assert done.code == 0, done.err
    assert "several entries fit" in splineviz("validate", *where[:3], *where[5:], *design, "-o", "b.npz").err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("slice", "nets:small", "--weights", "last.ckpt", *POINTS),
            4,
            "differ: state_dict.student, state_dict.teac",
        ),
        (("slice", "nets:small", "--weights-key", "ema", *POINTS), 4, "is for weights, and there are none"),
        (("slice", "last.ckpt", *POINTS), 4, "a weights file holds no architecture"),
        (
            ("slice", "nets:flat", "--weights", "last.ckpt", *POINTS),
            4,
            "do not fit the network; missing: weight",
        ),
        (("compare", "nets:small", "nets:other", "--weights-key", "ema", *POINTS), 2, "there are none"),
        (
            (
                *(
                    "compare",
                    "nets:small",
                    "--weights",
                    "last.ckpt",
                    "--weights",
                    "last.ckpt",
                    "--weights-key",
                    "a",
                ),
                *("--weights-key", "b", "--weights-key", "c", *POINTS),
            ),
            2,
            "one for each of 2 networks, got 3",
        ),
    ],
)
def test_bad_input(
    both: Path, splineviz: Command, arguments: tuple[object, ...], code: int, words: str
) -> None:
    result = splineviz(*arguments)
    assert result.code == code and words in result.err
