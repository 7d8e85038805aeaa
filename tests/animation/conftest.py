from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv

STEPS = (0, 1, 10, 100)


def net(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four checkpoints of a small network with accuracies, each a step of a walk in weight space."""
    run = tmp_path / "run"
    run.mkdir()
    first, last = net(0).state_dict(), net(1).state_dict()
    for k, step in enumerate(STEPS):
        state = {name: torch.lerp(first[name], last[name], k / 3) for name in first}
        metrics = {"train_accuracy": k / 4, "test_accuracy": k / 5, "loss": 9.0}
        torch.save({"state_dict": state, "step": step, "metrics": metrics}, run / f"step-{step}.pt")
    return run


@pytest.fixture
def place() -> tuple[sv.Plane, sv.Window]:
    plane = sv.Plane.through(*np.random.default_rng(0).random((3, 6)))
    return plane, sv.Window.around(plane, 0.5)
