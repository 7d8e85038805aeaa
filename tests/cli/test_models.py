"""Models of several inputs or outputs, of few inputs, and without weights, by the command."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import splineviz as sv

from .conftest import OWN_WEIGHTS, Result

Command = Callable[..., Result]

SEVERAL = """
    import torch
    from torch import nn

    class Critic(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.last = nn.Linear(8, 9), nn.Linear(9, 2)

        def forward(self, state, action, scale):
            hidden = self.first(torch.cat([state, action], 1)).relu()
            return {"value": self.last(hidden) * scale, "hidden": hidden}

    def plane():
        return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Tanh())
"""
FIXED = ("--input-shape", "6", "--fix", "action=action.npy", "--fix", "scale=2")
POINTS = ("--data", "data.npz", "--points", "0,1,2")


@pytest.fixture
def several(nets: Path) -> Path:
    (nets / "several.py").write_text(textwrap.dedent(SEVERAL))
    sys.modules.pop("several", None)
    np.save(nets / "action.npy", [0.25, -0.5])
    rng = np.random.default_rng(0)
    np.savez(nets / "two.npz", x=rng.normal(size=(30, 2)))
    return nets


def test_inputs_are_fixed_and_an_output_is_chosen(several: Path, splineviz: Command) -> None:
    done = splineviz(
        "slice", "several:Critic", *POINTS, *FIXED, "--output-name", "value", "--json", "-o", "a.npz"
    )
    assert done.code == 0, done.err
    fix = {"action": np.load("action.npy"), "scale": 2}
    how: dict[str, Any] = {"input_shape": 6, "fix": fix, "output": "value"}
    x = np.load("data.npz")["x"]
    assert json.loads(done.out)["cells"] == sv.slice("several:Critic", x[:3], **how).n_cells
    checked = splineviz("check", "a.npz", "--model", "several:Critic", *FIXED[2:], "--output-name", "value")
    assert checked.code == 0, checked.err
    assert sv.check("a.npz", "several:Critic", fix=fix, output="value", points=9, segments=2).ok
    told = splineviz("inspect", "several:Critic", *FIXED, "--output-name", "value", "--json")
    assert json.loads(told.out)["output_shape"] == [2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--input-shape", "6"), "--fix action=FILE.npy --fix scale=FILE.npy"),
        (FIXED, "try: --output-name value takes that one"),
        ((*FIXED, "--output-name", "q"), "the model has no output 'q': it returns dict of 'value', 'hidden'"),
        (("--fix", "action"), "expected name=FILE or name=NUMBER"),
        (("--fix", "action=none.npy"), "none.npy"),
    ],
)
def test_what_is_missing_is_told_in_options(
    several: Path, splineviz: Command, arguments: tuple[str, ...], words: str
) -> None:
    done = splineviz("slice", "several:Critic", *POINTS, *arguments)
    assert done.code in (2, 4) and words in done.err


def test_few_inputs_need_no_options(several: Path, splineviz: Command) -> None:
    model = ("several:plane", "--logits", "--data", "two.npz")
    for command in (
        ("estimate", *model, "--metric", "lc", "--metric", "deformation", "-o", "a.csv"),
        ("validate", *model, "--limit", "5", "--frames", "2", "--medians", "1", "-o", "v.npz"),
    ):
        done = splineviz(*command)
        assert done.code == 0, done.err
        assert (
            done.err.count("note: 2 directions are taken, as many as the input has dimensions, not 25") == 1
        )
    assert sv.Study.load("v.npz").directions == (2,)
    done = splineviz("estimate", *model, "--directions", "3", "-o", "b.csv")
    assert done.code == 4 and "3 orthonormal directions do not fit" in done.err


def test_a_film_of_the_plane_needs_no_points(several: Path, splineviz: Command) -> None:
    (several / "run").mkdir()
    for step in (0, 10):
        origin = sv.load_program("several:plane", logits=True).origin
        assert origin is not None
        torch.save(dict(origin.weights), several / "run" / f"step-{step}.pt")
    place = ("animate", "run", "--model", "several:plane", "--logits", "--data", "two.npz")
    done = splineviz(*place, "--box=-2,2,-2,2", "--lc-points", "5", "-o", "a.webp", "--width", "4", "--json")
    assert done.code == 0, done.err
    assert all(row["cells"] >= 1 and row["exact"] is not None for row in json.loads(done.out)["checkpoints"])
    assert "no --weights" not in done.err
    assert "or --box for a network with two inputs" in splineviz(*place, "-o", "a.webp").err


def test_weights_that_nobody_gave_are_told_on_every_run(nets: Path, splineviz: Command) -> None:
    state = sv.load_program("nets:small").origin.weights  # type: ignore[union-attr]
    torch.save(dict(state), "net.pt")
    for command in (
        ("slice", "nets:small", *POINTS),
        ("estimate", "nets:small", *POINTS[:2]),
        ("inspect", "nets:small"),
    ):
        assert OWN_WEIGHTS in splineviz(*command).err.splitlines()
        assert OWN_WEIGHTS not in splineviz(*command, "--quiet").err
        assert "no --weights" not in splineviz(*command, "--weights", "net.pt").err


def test_points_of_a_line_in_the_precision_of_their_file(nets: Path, splineviz: Command) -> None:
    a, b = torch.randn(2, 6)
    np.save("line.npy", torch.stack([a, 0.7 * a + 0.3 * b, b]).numpy())
    place = ("slice", "nets:small", "--data", "line.npy", "--points", "0,1,2")
    for scaled in ((), ("--mean", "0.13", "--std", "0.3")):
        done = splineviz(*place, *scaled)
        assert done.code == 4 and "up to the rounding of single precision" in done.err


def test_the_package_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "splineviz", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout.startswith("splineviz")
