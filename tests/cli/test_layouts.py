"""Data as they lie in files: raw integers, and channels on the other side; one rule for all commands."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

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


def test_channels_are_moved_and_that_is_said(pictures: np.ndarray, splineviz: Command) -> None:
    note = "note: the points have shape (4, 4, 3), the network takes (3, 4, 4): their channels are last"
    for command, key in (("slice", "cells"), ("estimate", "summary")):
        given = (command, *COMMANDS[command], "--std", "255", "--json")
        first = splineviz(*given, "--data", "first.npy")
        last = splineviz(*given, "--data", "last.npy")
        assert first.code == last.code == 0, last.err
        assert note in last.err and "channels are last" not in first.err
        assert json.loads(first.out)[key] == json.loads(last.out)[key]
