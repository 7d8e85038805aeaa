"""The training runs of the gallery, in miniature: seeded, and as their table says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import splineviz as sv

from .conftest import train_runs

RUNS, Run = train_runs.RUNS, train_runs.Run


@pytest.fixture(autouse=True)
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    made = torch.Generator().manual_seed(0)
    pixels, labels = torch.rand(2000, 784, generator=made), torch.randint(0, 10, (2000,), generator=made)
    monkeypatch.setattr(train_runs, "digits", lambda: (pixels.clone(), labels.clone()))


def test_runs_are_repeatable(tmp_path: Path) -> None:
    run = Run((12, 12), 25, batch_norm=True)
    for name in ("one", "two"):
        train_runs.train(run, tmp_path / name)
    one, two = (sv.Checkpoints(run.network().eval(), tmp_path / name) for name in ("one", "two"))
    assert len(one) == train_runs.CHECKPOINTS and one.steps[0] == 0 and one.steps[-1] == 25
    assert [program.digest for program in one] == [program.digest for program in two]
    assert len({program.digest for program in one}) == len(one)
    assert set(one.metrics) == {"train_accuracy", "test_accuracy", "train_loss", "test_loss"}
    assert one.metrics["train_loss"][-1] < one.metrics["train_loss"][0]


def test_networks_are_those_of_the_papers() -> None:
    torch.manual_seed(0)
    plain = RUNS["plain"].network()
    torch.manual_seed(0)
    large = RUNS["grokking"].network()
    assert all(torch.equal(8 * a, b) for a, b in zip(plain.parameters(), large.parameters(), strict=True))
    assert [stage.n_units for stage in sv.load_program(RUNS["figure14"].network().eval()).stages] == [
        200,
        200,
    ]
    assert (
        sum(p.numel() for p in RUNS["batchnorm"].network().parameters())
        - sum(p.numel() for p in plain.parameters())
        == 1200
    )
