"""Data as they lie in files: raw integers, and channels on the other side; one rule for all commands."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv

from .conftest import Result

Command = Callable[..., Result]

MODEL = ("nets:channels", "--input-shape", "3,4,4")
POINTS = ("--points", "0,1,2")
COMMANDS = {
    "slice": (*MODEL, *POINTS),
    "compare": ("nets:channels", *MODEL, *POINTS),
    "estimate": (*MODEL, "--directions", "4"),
    "validate": (*MODEL, "--directions", "4"),
    "animate": ("step-*.pt", "--model", *MODEL, *POINTS, "-o", "a.gif"),
}


@pytest.fixture
def pictures(nets: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Three pictures (4, 4, 3) of bytes, in both layouts in files, and weights of a network for them."""
    x = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    np.save("last.npy", x)
    np.save("first.npy", x.transpose(0, 3, 1, 2).copy())
    monkeypatch.syspath_prepend(str(nets))
    network = importlib.import_module("nets").channels()
    for step in (1, 2):
        torch.save(network.state_dict(), f"step-{step}.pt")
    return x


@pytest.mark.parametrize("command", COMMANDS)
def test_raw_integers_are_refused_unless_their_scale_is_told(
    pictures: np.ndarray, splineviz: Command, command: str
) -> None:
    result = splineviz(command, *COMMANDS[command], "--data", "first.npy")
    assert result.code == 4, result.err
    told = f"the data are integers (uint8, {pictures.min()} to {pictures.max()}), and nothing says"
    assert told in result.err and "--std 255 for raw pixels" in result.err


class Bytes(nn.Module):
    """A network that takes pixels as they lie in files."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.inner(x.float() / 255)
        return result


@pytest.fixture
def bytes_file(pictures: np.ndarray) -> str:
    first = torch.from_numpy(np.load("first.npy"))
    exported = torch.export.export(Bytes().eval(), (first,), dynamic_shapes=({0: torch.export.Dim.AUTO},))
    torch.export.save(exported, "bytes.pt2")
    torch.save({"state_dict": Bytes().state_dict(), "step": 1}, "bytes-1.pt")
    return "bytes.pt2"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_network_of_bytes_takes_them_as_they_are(bytes_file: str, splineviz: Command, command: str) -> None:
    arguments = [word for word in COMMANDS[command] if word not in ("--input-shape", "3,4,4")]
    named = {"nets:channels": bytes_file, "step-*.pt": "bytes-1.pt"}
    given = [named.get(word, word) for word in arguments]
    result = splineviz(command, *given, "--data", "first.npy", "--json")
    note = "note: the network takes uint8 numbers, 0 to 255, and gets the data as they are\n"
    assert result.code == 0 and result.err.count(note) == 1, result.err


def test_points_of_a_network_of_bytes(bytes_file: str, splineviz: Command) -> None:
    """The plane goes through the pixels; numbers that are no bytes are refused, small ones pointed out."""
    x = np.load("first.npy").astype(np.float64)
    asked = ("slice", bytes_file, *POINTS, "--json")
    report = json.loads(splineviz(*asked, "--data", "first.npy").out)
    plane = sv.Plane.through(*x)
    arr = sv.arrange(sv.load_program(bytes_file), plane, sv.Window.around(plane))
    assert report["cells"] == arr.n_cells > 1
    told = splineviz(*asked, "--data", "first.npy", "--std", "255")
    assert json.loads(told.out)["cells"] != arr.n_cells and "as they are" not in told.err
    np.save("wide.npy", np.load("first.npy").astype(np.int64) + 100)
    wide = splineviz(*asked, "--data", "wide.npy")
    assert wide.code == 4 and "the network takes uint8 numbers, 0 to 255, and the data go from" in wide.err
    np.save("small.npy", x / 255)
    small = splineviz(*asked, "--data", "small.npy")
    assert small.code == 0 and "though none is above 1: --std 0.0039215686 for 0 to 255" in small.err


def test_channels_are_moved_and_that_is_said(pictures: np.ndarray, splineviz: Command) -> None:
    note = "note: the points have shape (4, 4, 3), the network takes (3, 4, 4): their channels are last"
    for command, key in (("slice", "cells"), ("estimate", "summary")):
        given = (command, *COMMANDS[command], "--std", "255", "--json")
        first = splineviz(*given, "--data", "first.npy")
        last = splineviz(*given, "--data", "last.npy")
        assert first.code == last.code == 0, last.err
        assert note in last.err and "channels are last" not in first.err
        assert json.loads(first.out)[key] == json.loads(last.out)[key]
