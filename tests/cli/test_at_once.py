"""Several processes at one cache, one folder of finished jobs and one file, one of them killed: what is there in the
end is what one alone would have left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import splineviz as sv

from .conftest import Result

Command = Callable[..., Result]

PLANE = ("--data", "data.npz", "--points", "0,1,2")
ANIMATE = ("animate", "s-*.pt", "--model", "nets:small", *PLANE, "--width", "3", "--jobs", "1", "-o")
VALIDATE = (
    "validate",
    "nets:small",
    "--data",
    "data.npz",
    "--limit",
    "4",
    "--frames",
    "2",
    "--jobs",
    "1",
    "-o",
)


def begun(*arguments: str) -> subprocess.Popen[str]:
    """A process of the command, of a group of its own."""
    code = "import sys; from splineviz_cli.main import main; sys.argv[0] = 'splineviz'; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=300)
    return process.returncode, said


def kill_when(there: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Kill a process as soon as something is there, or it has ended."""
    while process.poll() is None and not there():
        time.sleep(0.005)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if ".tmp" in path.name or path.name.endswith(".part")]


@pytest.fixture
def checkpoints(nets: Path) -> Path:
    for step in range(4):
        torch.manual_seed(step)
        layers = {"0": (6, 8), "2": (8, 8), "4": (8, 3)}
        net = torch.nn.ModuleDict({name: torch.nn.Linear(*sizes) for name, sizes in layers.items()})
        torch.save({"model": net.state_dict(), "step": step}, nets / f"s-{step}.pt")
    return nets


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_animations_with_one_cache(checkpoints: Path, splineviz: Command) -> None:
    assert splineviz(*ANIMATE, "alone.webp", "--cache", "alone").code == 0
    killed = begun(*ANIMATE, "killed.webp", "--cache", "shared")
    others = [begun(*ANIMATE, name, "--cache", "shared") for name in ("one.webp", "two.webp", "one.webp")]
    shared = checkpoints / "shared"
    kill_when(lambda: shared.exists() and any(path.is_file() for path in shared.rglob("*")), killed)
    assert [ended(process)[0] for process in others] == [0, 0, 0]
    alone = (checkpoints / "alone.webp").read_bytes()
    assert all((checkpoints / name).read_bytes() == alone for name in ("one.webp", "two.webp"))
    assert splineviz(*ANIMATE, "killed.webp", "--cache", "shared").code == 0
    assert (checkpoints / "killed.webp").read_bytes() == alone
    made = {path.relative_to(shared): path.read_bytes() for path in shared.rglob("*.npz")}
    assert made and made.keys() == {path.relative_to("alone") for path in Path("alone").rglob("*.npz")}


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_studies_with_one_folder_of_jobs(nets: Path, splineviz: Command) -> None:
    assert splineviz(*VALIDATE, "alone.npz", "--work", "alone").code == 0
    work = nets / "shared"
    killed = begun(*VALIDATE, "killed.npz", "--work", "shared")
    others = [begun(*VALIDATE, name, "--work", "shared") for name in ("one.npz", "two.npz")]
    kill_when(lambda: work.exists() and any(path.is_file() for path in work.rglob("*")), killed)
    assert [ended(process)[0] for process in others] == [0, 0]
    assert splineviz(*VALIDATE, "killed.npz", "--work", "shared").code == 0
    alone, *found = (counted(nets / f"{name}.npz") for name in ("alone", "one", "two", "killed"))
    for study in found:
        assert study.keys() == alone.keys()
        for name, array in alone.items():
            np.testing.assert_array_equal(study[name], array, err_msg=name)


def counted(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a study, but those that tell how long something took."""
    with np.load(path) as file:
        return {name: file[name] for name in file.files if not name.endswith("meta") and "second" not in name}


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_slices_into_one_file(nets: Path, splineviz: Command) -> None:
    asked = ("slice", "nets:small", *PLANE, "--affine", "-o", "cells.npz", "-o", "cells.csv.png")
    assert splineviz(*asked).code == 0
    alone = sv.load("cells.npz")
    (nets / "cells.npz").unlink()
    killed, *others = (begun(*asked) for _ in range(3))
    kill_when(lambda: bool(leftovers(nets)) or (nets / "cells.npz").exists(), killed)
    assert [ended(process)[0] for process in others] == [0, 0]
    found = sv.load("cells.npz")
    np.testing.assert_array_equal(found.vertices, alone.vertices)
    np.testing.assert_array_equal(found.pattern_hash, alone.pattern_hash)
