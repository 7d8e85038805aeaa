"""State dicts in every kind of file and wrapping, and what else files tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.program.weight_files import Facts, load_weights, read_facts

State = dict[str, Tensor]


def state(value: float = 1.0) -> State:
    return {"0.weight": torch.full((2, 3), value), "0.bias": torch.full((2,), -value)}


def same(a: State, b: State) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_npz_with_a_step_metrics_and_a_second_state(tmp_path: Path) -> None:
    plain = {name: value.numpy() for name, value in state().items()}
    second = {f"ema/{name}": value.numpy() for name, value in state(5.0).items()}
    np.savez(tmp_path / "a.npz", **plain, step=7)
    np.savez(
        tmp_path / "b.npz",
        **{f"model/{name}": value for name, value in plain.items()},
        **second,
        **{"metrics/loss": 0.25},
    )
    assert same(load_weights(tmp_path / "a.npz"), state())
    assert same(load_weights(tmp_path / "b.npz"), state())
    assert same(load_weights(tmp_path / "b.npz", "ema"), state(5.0))
    assert read_facts(tmp_path / "a.npz") == Facts({"step": 7}, {})
    assert read_facts(tmp_path / "b.npz") == Facts({}, {"loss": 0.25})


def test_safetensors_tell_in_their_header(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    path = tmp_path / "w.safetensors"
    safetensors.save_file(
        state(), path, metadata={"global_step": "40", "metrics": '{"loss": 0.5}', "format": "pt"}
    )
    assert same(load_weights(path), state())
    assert read_facts(path) == Facts({"global_step": 40}, {"loss": 0.5})


def test_numbers_of_every_kind_are_told(tmp_path: Path) -> None:
    metrics = {"loss": torch.tensor(0.5), "accuracy": 1, "note": "warm", "good": True, "gone": float("nan")}
    torch.save(
        {"state_dict": state(), "step": torch.tensor(12), "epoch": 3, "metrics": metrics}, tmp_path / "w.pt"
    )
    facts = read_facts(tmp_path / "w.pt")
    assert facts.counters == {"step": 12, "epoch": 3}
    assert facts.metrics.keys() == {"loss", "accuracy", "gone"} and facts.metrics["loss"] == 0.5


def test_a_bare_state_dict_may_hold_its_step(tmp_path: Path) -> None:
    torch.save({**state(), "step": 5, "metrics": {"loss": 1.0}}, tmp_path / "w.pt")
    assert same(load_weights(tmp_path / "w.pt"), state())
    torch.save({**state(), "step": torch.tensor(5)}, tmp_path / "buffer.pt")
    assert "step" in load_weights(tmp_path / "buffer.pt"), "a tensor may be a buffer of the network"


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile, torch.optim.swa_utils.AveragedModel])
def test_wrappers_are_taken_off(tmp_path: Path, wrap: Callable[[nn.Module], Any]) -> None:
    net = nn.Sequential(nn.Linear(3, 2))
    torch.save({"model_state_dict": wrap(net).state_dict()}, tmp_path / "w.pt")
    assert same(load_weights(tmp_path / "w.pt"), net.state_dict())


def test_a_key_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    torch.save({"state_dict": state(), "ema": {"state_dict": state(2.0)}, "epoch": 3}, tmp_path / "w.pt")
    assert same(load_weights(tmp_path / "w.pt", "ema"), state(2.0))
    with pytest.raises(
        InputError, match=r"w\.pt' holds nothing under the key 'average'; it has state_dict, ema, epoch"
    ):
        load_weights(tmp_path / "w.pt", "average")
    with pytest.raises(InputError, match="holds no state dict under the key 'epoch'"):
        load_weights(tmp_path / "w.pt", "epoch")


def test_facts_of_the_format_before_zip_files(tmp_path: Path) -> None:
    torch.save({"state_dict": state(), "step": 9}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert read_facts(tmp_path / "old.pt") == Facts({"step": 9}, {})
