from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from splineviz_cli.commands import run

NETS = """
    import torch
    from torch import nn

    def small():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))

    def other():
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))

    def plane():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))

    def conv():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))

    def channels():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))

    def flat():
        return nn.Linear(6, 3)

    def smooth():
        return nn.Sequential(nn.Linear(6, 4), nn.GELU(), nn.Linear(4, 4), nn.Softmax(1), nn.Linear(4, 2))

    def classifier():
        return nn.Sequential(small(), nn.Softmax(1))

    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 2)

        def forward(self, x):
            return self.layer(x), x

    def half():
        return small().half()

    def broken():
        net = small()
        with torch.no_grad():
            net[0].weight[0, 0] = float("nan")
        return net

    def first_six(point):
        return point.ravel()[:6]
"""


OWN_WEIGHTS = (
    "note: no --weights, so the weights are those that nets:small makes: random ones, unless it loads some"
)


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder, made the current one, with networks in nets.py, their weights, and ten data points in several
    files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(textwrap.dedent(NETS))
    x = np.random.default_rng(0).random((10, 6))
    y = np.arange(10) % 3
    np.savez(tmp_path / "data.npz", x=x, y=y)
    np.save(tmp_path / "data.npy", x)
    torch.save({"x": torch.tensor(x), "y": torch.tensor(y)}, tmp_path / "data.pt")
    np.save(tmp_path / "images.npy", np.random.default_rng(1).random((4, 6, 6)))
    for row, name in enumerate("abc"):
        np.save(tmp_path / f"{name}.npy", x[row])
    sys.modules.pop("nets", None)
    yield tmp_path
    sys.modules.pop("nets", None)


@pytest.fixture
def splineviz(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run one command line in this process."""

    def call(*arguments: object) -> Result:
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call
