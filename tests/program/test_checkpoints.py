"""Checkpoints: which files, in which order, with which weights, and what is said of broken ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError

torch.set_num_threads(1)


def net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2)).eval()


def save(folder: Path, *steps: int, inside: str = "step") -> Path:
    """One file for each step, named by letters only; the seed of its weights is its step."""
    folder.mkdir(parents=True, exist_ok=True)
    for step, letter in zip(steps, "zyxwvu", strict=False):
        torch.save({"state_dict": net(step).state_dict(), inside: step}, folder / f"{letter}.pt")
    return folder


@pytest.mark.parametrize("inside", ["step", "global_step", "iteration", "epoch"])
def test_order_and_steps_from_inside(tmp_path: Path, inside: str) -> None:
    runs = sv.Checkpoints(net(), save(tmp_path, 30, 4, 100, inside=inside))
    assert runs.steps == (4, 30, 100) and len(runs) == 3
    assert runs.names == ("y.pt", "z.pt", "x.pt")
    assert [path.name for path in runs.paths] == list(runs.names)
    assert repr(runs) == "Checkpoints(3 of Sequential, steps 4 to 100)"


@pytest.mark.parametrize(
    ("names", "steps"),
    [
        (("step-00000002.pt", "step-00000010.pt", "step-00000100.pt"), (2, 10, 100)),
        (("10.pt", "9.pt", "net-011.pt"), (9, 10, 11)),
        (("epoch=1-step=20.pt", "epoch=2-step=5.pt"), (5, 20)),
        (("resnet20_epoch_3_acc0.91.pt", "resnet20_epoch_12_acc0.93.pt"), (3, 12)),
        (("net_7_loss0.125.pt", "net_8_loss0.5.pt"), (7, 8)),
        (("run2/checkpoint-20/model.pt", "run2/checkpoint-3/model.pt"), (3, 20)),
        (("step=00100.ckpt", "step=-1.ckpt"), (-1, 100)),
        (("model_v2_epoch10.pt", "model_v2_epoch9.pt"), (9, 10)),
        (("resnet18_e5.pth", "resnet18_e12.pth"), (5, 12)),
        (("500/model.pt", "1500/model.pt"), (500, 1500)),
        (("ckpt_10k", "ckpt_500"), (500, 10_000)),
        (("model.7.pth.tar", "model.8.pth.tar"), (7, 8)),
        (("2024-05-01_net_3.pt", "2024-05-02_net_2.pt"), (2, 3)),
    ],
)
def test_steps_from_names(tmp_path: Path, names: tuple[str, ...], steps: tuple[int, ...]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        torch.save(net().state_dict(), tmp_path / name)
    runs = sv.Checkpoints(net(), [tmp_path / name for name in names])
    assert runs.steps == steps
    assert set(runs.names) == {name.removeprefix("run2/") for name in names}


def test_a_key_that_only_some_files_have_is_no_step(tmp_path: Path) -> None:
    torch.save({"state_dict": net().state_dict(), "step": 900}, tmp_path / "a-1.pt")
    torch.save({"state_dict": net().state_dict()}, tmp_path / "a-2.pt")
    assert sv.Checkpoints(net(), tmp_path).steps == (1, 2)


def test_sources(tmp_path: Path) -> None:
    folder = save(tmp_path / "run [1]", 1, 2)
    (folder / "notes.txt").write_text("of no interest")
    (folder / ".z-half.pt").write_bytes(b"being written")
    save(tmp_path / "other", 3)
    assert sv.Checkpoints(net(), folder).steps == sv.Checkpoints(net(), str(folder)).steps == (1, 2)
    assert sv.Checkpoints(net(), tmp_path / "*" / "z.pt").steps == (1, 3)
    assert sv.Checkpoints(net(), str(tmp_path / "**" / "*.pt")).steps == (1, 2, 3)
    assert sv.Checkpoints(net(), folder / "z.pt").steps == (1,)
    assert sv.Checkpoints(net(), iter([folder / "y.pt", folder / "z.pt"])).steps == (1, 2)


@pytest.mark.parametrize("kind", ["pt", "npz", "safetensors"])
def test_weights_are_those_of_the_file_everywhere(tmp_path: Path, kind: str) -> None:
    trained, path = net(5), tmp_path / f"step-5.{kind}"
    if kind == "pt":
        torch.save({"model": {f"module.{name}": value for name, value in trained.state_dict().items()}}, path)
    elif kind == "npz":
        np.savez(path, **{name: value.numpy() for name, value in trained.state_dict().items()})
    else:
        pytest.importorskip("safetensors.torch").save_file(trained.state_dict(), path)
    program, x = sv.Checkpoints(net(), path)[0], torch.randn(40, 3, dtype=torch.float64)
    fresh = sv.load_program(trained)
    assert program.digest == fresh.digest
    assert torch.equal(program.forward(x), fresh.forward(x))
    assert program.origin is not None and torch.equal(program.origin.weights["0.weight"], trained[0].weight)
    counts = [
        sv.local_complexity(model, x, radius=0.3, directions=3).counts
        for model in (program, fresh, trained, net())
    ]
    assert np.array_equal(counts[0], counts[1]) and np.array_equal(counts[0], counts[2])
    assert not np.array_equal(counts[0], counts[3])


def test_a_program_is_traced_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = sv.load_program(net())
    monkeypatch.setattr("splineviz.program.sources.trace", None)
    runs = sv.Checkpoints(program, save(tmp_path, 1, 2))
    assert runs.program is program
    assert [found.digest for found in runs] == [runs[0].digest, runs[-1].digest]
    assert len({found.digest for found in runs} | {program.digest}) == 3


def test_metrics_where_files_tell_them(tmp_path: Path) -> None:
    for step, metrics in enumerate([{"loss": 1.0}, {}, {"loss": 0.5, "accuracy": 0.75}]):
        torch.save(
            {"state_dict": net().state_dict(), "step": step, "metrics": metrics}, tmp_path / f"{step}.pt"
        )
    metrics = sv.Checkpoints(net(), tmp_path).metrics
    assert metrics["loss"].dtype == np.float64
    np.testing.assert_array_equal(metrics["loss"], [1.0, np.nan, 0.5])
    np.testing.assert_array_equal(metrics["accuracy"], [np.nan, np.nan, 0.75])


def test_digests_are_those_of_the_content(tmp_path: Path) -> None:
    runs = sv.Checkpoints(net(), save(tmp_path, 1, 2))
    assert runs.digest(0) == hashlib.sha256(runs.paths[0].read_bytes()).hexdigest() != runs.digest(1)


def test_the_copy_of_choice(tmp_path: Path) -> None:
    torch.save({"state_dict": net(1).state_dict(), "ema": net(2).state_dict(), "step": 1}, tmp_path / "w.pt")
    for key, seed in (("state_dict", 1), ("ema", 2)):
        runs = sv.Checkpoints(net(), tmp_path, weights_key=key)
        assert runs[0].digest == sv.load_program(net(seed)).digest
    with pytest.raises(InputError, match=r"w\.pt': several entries fit the network, .*: state_dict, ema"):
        sv.Checkpoints(net(), tmp_path)[0]


def test_folders_without_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"no checkpoint in '{tmp_path}'"):
        sv.Checkpoints(net(), tmp_path)
    with pytest.raises(InputError, match=r"no checkpoint in '.*step-\*\.pt'"):
        sv.Checkpoints(net(), tmp_path / "step-*.pt")
    with pytest.raises(InputError, match="no checkpoint in the list"):
        sv.Checkpoints(net(), [])
    with pytest.raises(InputError, match=r"is a folder, not a file of weights"):
        (tmp_path / "checkpoint-1.pt").mkdir()
        sv.Checkpoints(net(), tmp_path / "checkpoint-*")


def test_two_of_one_step_and_none(tmp_path: Path) -> None:
    save(tmp_path, 7, 8)
    torch.save({"state_dict": net(9).state_dict(), "step": 7}, tmp_path / "x.pt")
    with pytest.raises(InputError, match=r"two checkpoints have the step 7: '.*x\.pt' and '.*z\.pt'"):
        sv.Checkpoints(net(), tmp_path)
    torch.save(net().state_dict(), tmp_path / "final.pt")
    with pytest.raises(InputError, match=r"final\.pt' does not tell its step"):
        sv.Checkpoints(net(), [tmp_path / "final.pt"])


def test_a_file_that_is_cut_short_is_left_out_of_a_folder_and_refused_by_name(tmp_path: Path) -> None:
    save(tmp_path, 1, 2)
    cut = tmp_path / "y.pt"
    cut.write_bytes(cut.read_bytes()[: len(cut.read_bytes()) // 2])
    runs = sv.Checkpoints(net(), tmp_path)
    assert runs.steps == (1,) and repr(runs).endswith("; 1 files left out)")
    assert runs.left_out == {cut: f"'{cut}' cannot be read as a torch file: BadZipFile"}
    for source in (cut, [tmp_path / "z.pt", cut]):
        with pytest.raises(InputError, match=r"y\.pt' cannot be read as a torch file: \w+\n.*cut short"):
            sv.Checkpoints(net(), source)


def test_a_folder_of_everything_that_trainers_write(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    for step in (-1, 500, 1000):
        folder = tmp_path / f"checkpoint_{step}"
        folder.mkdir()
        save_file(net(step + 1).state_dict(), folder / "model.safetensors")
        torch.save(torch.optim.Adam(net().parameters()).state_dict(), folder / "optimizer.pt")
        torch.save({"python": 1, "cpu": torch.get_rng_state()}, folder / "rng_state.pth")
    save_file(net(1001).state_dict(), tmp_path / "model.safetensors")
    torch.save({"state": {}, "param_groups": []}, tmp_path / "optim-7.pt")
    runs = sv.Checkpoints(net(), tmp_path)
    assert runs.steps == (-1, 500, 1000)
    assert runs.names[0] == "checkpoint_-1/model.safetensors"
    assert runs[2].digest == sv.load_program(net(1001)).digest
    final, optimiser = tmp_path / "model.safetensors", tmp_path / "optim-7.pt"
    assert runs.left_out[final].endswith("does not tell its step")
    assert runs.left_out[optimiser].endswith("holds no state dict")


def test_weights_of_another_network_beside_each_checkpoint(tmp_path: Path) -> None:
    for step in (1, 2):
        torch.save(net(step).state_dict(), tmp_path / f"generator-{step}.pt")
        torch.save(nn.Linear(9, 9).state_dict(), tmp_path / f"discriminator-{step}.pt")
    runs = sv.Checkpoints(net(), tmp_path)
    assert runs.names == ("generator-1.pt", "generator-2.pt")
    assert [path.name for path in runs.left_out] == ["discriminator-1.pt", "discriminator-2.pt"]
    assert "do not fit the network; missing: 0.weight" in runs.left_out[tmp_path / "discriminator-1.pt"]


def test_checkpoints_in_folders_below(tmp_path: Path) -> None:
    folder = tmp_path / "version_0" / "checkpoints"
    folder.mkdir(parents=True)
    for step in (10, 20):
        state = {f"model.{name}": value for name, value in net(step).state_dict().items()}
        content = {"state_dict": state, "epoch": 1, "global_step": step, "hyper_parameters": {"lr": 0.1}}
        torch.save(content, folder / f"epoch=1-step={step}.ckpt")
    torch.save(content, folder / "last.ckpt")
    runs = sv.Checkpoints(net(), tmp_path)
    assert runs.steps == (10, 20) and runs.names == ("epoch=1-step=10.ckpt", "epoch=1-step=20.ckpt")
    assert runs[1].digest == sv.load_program(net(20)).digest
    assert [path.name for path in runs.left_out] == ["last.ckpt"]


def test_weights_at_fault_are_named_with_their_file_when_asked_for(tmp_path: Path) -> None:
    broken, other = net(), nn.Sequential(nn.Linear(3, 5), nn.ReLU())
    with torch.no_grad():
        broken[3].bias[1] = torch.nan
    for step, module in enumerate((net(), broken, other)):
        torch.save(module.state_dict(), tmp_path / f"step-{step}.pt")
    runs = sv.Checkpoints(net(), tmp_path)
    assert runs[0].digest == runs.program.digest
    with pytest.raises(InputError, match=r"step-1\.pt': NaN or infinite weights: 3\.bias"):
        runs[1]
    with pytest.raises(
        InputError,
        match=r"step-2\.pt': the weights do not fit .* missing: 1\.weight.* wrong shape: 0\.weight",
    ):
        runs[2]
    runs.paths[0].unlink()
    with pytest.raises(InputError, match="no such file"):
        runs[0]
    with pytest.raises(IndexError):
        runs[3]
