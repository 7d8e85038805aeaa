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
    Path("run.toml").write_text(Path("run.toml").read_text().replace('["x.npz"]', '"y.npz"'))
    assert json.loads(splineviz("--config", "run.toml", "slice", "nets:small").out)["files"] == ["y.npz"]
    done = splineviz("--config", "run.toml", "slice", "nets:small", "--stage", 1)
    assert len(json.loads(done.out)["cells_per_stage"]) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[slice", "cannot read the configuration run.toml"),
        (
            "[slices]\n",
            "may hold one table per command ([animate], [check], [compare], [draw], [estimate], [inspect], "
            "[lines], [measure], [slice], [validate]), found",
        ),
        ("a = " + 2000 * "[" + 2000 * "]", "cannot read the configuration run.toml"),
        ("[slice]\npoint = 3\n", "[slice] has no option point"),
        ("[slice]\njson = 3\n", "[slice] json: expected true or false, got 3"),
        ("[slice]\nweights = true\n", "[slice] weights: expected one word or number, got True"),
        ("[slice]\nweights = [1]\n", "[slice] weights: expected one word or number, got [1]"),
        ("[slice]\nseconds = [1]\n", "[slice] seconds: expected one word or number"),
        ("[slice]\nseconds = 07:32:00\n", "[slice] seconds: expected a number above zero, got '07:32:00'"),
        ("[slice]\noutput = [['x.png']]\n", "[slice] output: expected one word or number"),
        ("[slice]\npoints = 1.5\n", "[slice] points: expected three points"),
        ("[slice]\nradius = {}\n", "[slice] radius: expected one word or number"),
        ("[slice]\nstage = 1e400\n", "[slice] stage: expected a whole number, got 'inf'"),
        ("[animate]\nfps = 'x'\n", "[animate] "),
    ],
    ids=str,
)
def test_a_bad_config_exits_with_4(text: str, message: str, nets: Path, splineviz: Command) -> None:
    Path("run.toml").write_text(text)
    done = splineviz("--config", "run.toml", "slice", "nets:small")
    assert done.code == 4
    assert message in done.err
