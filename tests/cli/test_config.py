"""Defaults from a TOML file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Result

Command = Callable[..., Result]


def test_a_config_gives_defaults_that_the_command_line_overrides(nets: Path, splineviz: Command) -> None:
    Path("run.toml").write_text(
        '[slice]\ndata = "data.npz"\npoints = [3, 1, 4]\nstage = 0\noutput = ["x.npz"]\njson = true\n'
    )
    done = splineviz("--config", "run.toml", "slice", "nets:small")
    assert done.code == 0, done.err
    assert len(json.loads(done.out)["cells_per_stage"]) == 1
    assert json.loads(done.out)["files"] == ["x.npz"]
    done = splineviz("--config", "run.toml", "slice", "nets:small", "--stage", 1)
    assert len(json.loads(done.out)["cells_per_stage"]) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[slice", "cannot read the configuration run.toml"),
        (
            "[slices]\n",
            "may hold one table per command ([animate], [check], [compare], [draw], [estimate], [inspect], "
            "[slice], [validate]), found",
        ),
        ("[slice]\npoint = 3\n", "[slice] has no option point"),
    ],
    ids=["syntax", "table", "option"],
)
def test_a_bad_config_exits_with_4(text: str, message: str, nets: Path, splineviz: Command) -> None:
    Path("run.toml").write_text(text)
    done = splineviz("--config", "run.toml", "slice", "nets:small")
    assert done.code == 4
    assert message in done.err
