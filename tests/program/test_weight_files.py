"""State dicts in every kind of file and wrapping, and what else files tell."""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import json
import os
import pickle
import sys
import tarfile
import types
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.program.state_dicts import load_weights
from splineviz.program.weight_files import Facts, files_of, read_content, read_facts

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
    assert same(load_weights(tmp_path / "b.npz", "model"), state())
    with pytest.raises(InputError, match=r"holds several state dicts: model, ema"):
        load_weights(tmp_path / "b.npz")
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


@pytest.mark.parametrize(
    "name", ["last.ckpt", "model_best.pth.tar", "pytorch_model.bin", "x.th", "weights", "a.npz"]
)
@pytest.mark.parametrize("zipped", [True, False])
def test_formats_are_told_by_content(tmp_path: Path, name: str, zipped: bool) -> None:
    torch.save({"state_dict": state()}, tmp_path / name, _use_new_zipfile_serialization=zipped)
    assert same(load_weights(tmp_path / name), state())
    save_file = pytest.importorskip("safetensors.torch").save_file
    save_file(state(2.0), tmp_path / name)
    assert same(load_weights(tmp_path / name), state(2.0))
    with (tmp_path / name).open("wb") as file:
        np.savez(file, **{key: value.numpy() for key, value in state(3.0).items()})
    assert same(load_weights(tmp_path / name), state(3.0))


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_pickles_of_arrays(tmp_path: Path, protocol: int) -> None:
    content = {"model": {key: value.numpy() for key, value in state().items()}, "epoch": np.int64(3)}
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(content, protocol))
    assert same(load_weights(tmp_path / "w.pkl"), state())
    assert read_facts(tmp_path / "w.pkl").counters == {"epoch": 3}


@pytest.mark.parametrize("zipped", [True, False])
def test_plain_settings_beside_the_weights(tmp_path: Path, zipped: bool) -> None:
    settings = argparse.Namespace(lr=0.1, out=Path("runs"), since=dt.datetime(2024, 5, 1))
    content = {
        "state_dict": state(),
        "args": settings,
        "epoch": np.int64(3),
        "metrics": {"accuracy": np.float32(0.5)},
        "history": collections.defaultdict(list, loss=[1.0]),
        "random": np.random.default_rng(0).bit_generator.state,
        "optimizer": torch.optim.SGD([torch.ones(2, requires_grad=True)], lr=0.1),
    }
    torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    assert same(load_weights(tmp_path / "w.pt"), state())
    assert read_facts(tmp_path / "w.pt") == Facts({"epoch": 3}, {"accuracy": 0.5})


class Config:
    """A class of a user's own."""


class Attack:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_runs_and_what_stands_in_the_way_is_named(tmp_path: Path, zipped: bool) -> None:
    path, touched = tmp_path / "w.pt", tmp_path / "touched"
    for beside, words in {
        Config(): rf"plain settings \({__name__}\.Config\), .*\n.*save the weights alone.*\n.*weights_only=False",
        Attack(touched): r"plain settings \(posix.system\), which is not read since it can run code",
        nn.Linear(
            2, 2
        ): r"a whole pickled model \(torch.nn.modules.linear.Linear\).*\n.*\n.* model = torch.load",
    }.items():
        content = {"state_dict": state(), "beside": beside}
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        with pytest.raises(InputError, match=words):
            load_weights(path)
    path.write_bytes(pickle.dumps({"0.weight": Attack(touched)}))
    with pytest.raises(InputError, match=r"posix.system"):
        load_weights(path)
    assert not touched.exists()


def test_folders_of_hugging_face(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    save_file(state(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    assert same(load_weights(tmp_path), state())
    (tmp_path / "model.safetensors").unlink()
    torch.save(state(2.0), tmp_path / "pytorch_model.bin")
    assert same(load_weights(tmp_path), state(2.0))


def test_weights_in_several_files(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    index = tmp_path / "model.safetensors.index.json"
    where = {name: f"model-0000{i + 1}-of-00002.safetensors" for i, name in enumerate(state())}
    for name, file in where.items():
        save_file({name: state()[name]}, tmp_path / file)
    index.write_text(json.dumps({"metadata": {}, "weight_map": where}))
    assert same(load_weights(tmp_path), state()) and same(load_weights(index), state())
    assert [path.name for path in files_of(tmp_path)] == sorted(where.values())
    (tmp_path / where["0.bias"]).unlink()
    with pytest.raises(InputError, match=r"names files that are not beside it: model-00002-of-00002"):
        load_weights(tmp_path)
    index.write_text("{}")
    with pytest.raises(InputError, match="is no index of weights"):
        load_weights(index)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS .*\n.*git lfs pull"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x1f\x8b\x08\x00", "compressed by gzip"),
        (b"something else", "no file of weights, or damaged"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_file_of_weights(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(InputError, match=words):
        load_weights(tmp_path / "w.pt")


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_archives_of_other_kinds(tmp_path: Path) -> None:
    net = nn.Linear(3, 2).eval()
    torch.jit.trace(net, torch.ones(1, 3)).save(str(tmp_path / "script.pt"))
    with pytest.raises(InputError, match=r"is a TorchScript archive.*\n.*torch.jit.load"):
        load_weights(tmp_path / "script.pt")
    torch.export.save(torch.export.export(net, (torch.ones(1, 3),)), tmp_path / "net.pt2")
    (tmp_path / "net.pt2").rename(tmp_path / "net.pt")
    with pytest.raises(InputError, match=r"is an exported program, which is a model"):
        load_weights(tmp_path / "net.pt")
    with tarfile.open(tmp_path / "old.pth.tar", "w") as archive:
        archive.add(tmp_path / "script.pt", "storages")
    with pytest.raises(InputError, match=r"is a tar archive, which torch wrote before"):
        load_weights(tmp_path / "old.pth.tar")
    torch.save(state(), tmp_path / "four.pt", pickle_protocol=4)
    with pytest.raises(InputError, match=r"pickled in a way \(by another protocol"):
        load_weights(tmp_path / "four.pt")


def test_folders_that_are_no_network(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder, not a file of weights"):
        load_weights(tmp_path)
    (tmp_path / ".metadata").write_bytes(b"")
    with pytest.raises(InputError, match=r"a distributed checkpoint of torch.*\n.*dcp_to_torch"):
        load_weights(tmp_path)
    for name in ("model.safetensors", "model_1.safetensors"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match="holds the weights of several networks"):
        load_weights(tmp_path)
    (tmp_path / "model_1.safetensors").unlink()
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(InputError, match=r"an adapter \(LoRA\) in a file of its own.*\n.*merge_and_unload"):
        load_weights(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"an adapter \(LoRA\) in a file of its own"):
        load_weights(tmp_path)


def test_settings_of_packages_that_are_not_installed(tmp_path: Path) -> None:
    names = (
        "omegaconf.dictconfig.DictConfig",
        "yacs.config.CfgNode",
        "mmengine.logging.history_buffer.HistoryBuffer",
    )
    made: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        for path in names:
            module, _, name = path.rpartition(".")
            kind = type(name, (dict if name == "CfgNode" else object,), {"__module__": module})
            for i in range(len(module.split("."))):
                part = ".".join(module.split(".")[: i + 1])
                patch.setitem(sys.modules, part, types.ModuleType(part))
            setattr(sys.modules[module], name, kind)
            made[name] = kind()
            made[name].__dict__["content"] = collections.defaultdict(dict, lr=np.float64(0.1))
        made["CfgNode"]["depth"] = 18
        torch.save({"state_dict": state(), "beside": made}, tmp_path / "w.pt")
    assert same(load_weights(tmp_path / "w.pt"), state())
    assert not any(path.partition(".")[0] in sys.modules for path in names)


def test_files_are_read_in_threads_alike(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.pt" for i in range(16)]
    for i, path in enumerate(paths):
        torch.save({"state_dict": state(float(i)), "args": argparse.Namespace(epoch=np.int64(i))}, path)
    before = torch.serialization.get_safe_globals()
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(load_weights, paths * 4))
    assert all(same(found, state(float(i % 16))) for i, found in enumerate(read))
    assert set(torch.serialization.get_safe_globals()) == set(before), (
        "allowed is what these files need, alone"
    )


class Called:
    """Pickles as the call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("kind", ["?", ">f8", "<f4", "i1", "u2", "f2", "c8"])
def test_arrays_of_every_kind_of_numbers_come_back(tmp_path: Path, kind: str, protocol: int) -> None:
    array = np.arange(12).reshape(3, 4).astype(kind)
    content = {"w": array, "columns": [np.asfortranarray(array)], "step": (np.array(7), array[1, 1])}
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(content, protocol))
    torch.save(content, tmp_path / "w.pt")
    for name in ("w.pkl", "w.pt"):
        read: Any = read_content(tmp_path / name)
        np.testing.assert_array_equal(read["w"], array)
        np.testing.assert_array_equal(read["columns"][0], array)
        assert read["w"].dtype == array.dtype and read["step"][0] == 7 and read["step"][1] == array[1, 1]


@pytest.mark.parametrize("kind", ["O", np.dtype("O")], ids=str)
def test_the_constructor_of_arrays_is_not_called(tmp_path: Path, kind: Any) -> None:
    """It takes bytes for the addresses of objects."""
    torch.save(state() | {"beside": Called(np.ndarray, (1,), kind, bytearray(b"A" * 8))}, tmp_path / "w.pt")
    with pytest.raises(InputError, match="cannot be read"):
        read_content(tmp_path / "w.pt")


def test_arrays_of_objects_are_passed_over(tmp_path: Path) -> None:
    calls = [
        Called(np.ones(1).__reduce_ex__(5)[0], b"A" * 8, np.dtype([("a", "O")]), (1,), "C"),
        Called(np.float64(1).__reduce__()[0], np.dtype("O"), b"A" * 8),
        np.array([{"a": 1}, None]),
        np.array(["words"]),
    ]
    torch.save(state() | {"beside": calls}, tmp_path / "w.pt")
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({"a": 3, "beside": calls}, 2))
    for name in ("w.pt", "w.pkl"):
        read: Any = read_content(tmp_path / name)
        assert read["beside"] == [None] * 4


def test_archives_that_grow_too_large_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "w.npz", **{"0.weight": np.zeros((1000, 1000))})
    torch.save({"0.weight": torch.zeros(1000, 1000)}, tmp_path / "stored.pt")
    with (
        zipfile.ZipFile(tmp_path / "stored.pt") as stored,
        zipfile.ZipFile(tmp_path / "w.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    for name in ("w.npz", "w.pt", "stored.pt"):
        assert load_weights(tmp_path / name)["0.weight"].shape == (1000, 1000)
    monkeypatch.setenv("SPLINEVIZ_UNPACKED_BYTES", "1000000")
    monkeypatch.setattr(np, "load", None)
    monkeypatch.setattr(torch, "load", None)
    for name in ("w.npz", "w.pt"):
        with pytest.raises(
            InputError, match=r"bytes larger when it is unpacked; the limit is 1,000,000"
        ) as it:
            load_weights(tmp_path / name)
        assert "SPLINEVIZ_UNPACKED_BYTES=" in str(it.value.hint)
    monkeypatch.undo()
    monkeypatch.setenv("SPLINEVIZ_UNPACKED_BYTES", "1000000")
    assert load_weights(tmp_path / "stored.pt")["0.weight"].shape == (1000, 1000)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_indices_outside_of_a_sparse_tensor_are_refused(tmp_path: Path) -> None:
    """To write all entries would write outside of the array."""
    far = torch.tensor([[10**9], [0]])
    wrong = torch.sparse_coo_tensor(far, torch.ones(1), (3, 3), check_invariants=False)
    torch.save({"0.weight": wrong}, tmp_path / "w.pt")
    for lazy in (False, True):
        with pytest.raises(InputError, match="cannot be read as a torch file"):
            read_content(tmp_path / "w.pt", lazy=lazy)


def test_claims_of_more_numbers_than_there_are(tmp_path: Path) -> None:
    with (tmp_path / "w.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)}
        )
        file.write(bytes(16))
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        archive.write(tmp_path / "w.npy", "0.weight.npy")
    for name in ("w.npy", "w.npz"):
        with pytest.raises(InputError, match="claims more numbers than there is memory for"):
            load_weights(tmp_path / name)


@pytest.mark.filterwarnings("ignore:.*nested tensors:UserWarning")
def test_nested_tensors_are_named(tmp_path: Path) -> None:
    ragged = torch.nested.nested_tensor([torch.zeros(3), torch.zeros(5)])
    torch.save({"net": {**state(), "tokens": ragged}}, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"nested tensors, which no module has: net\.tokens"):
        load_weights(tmp_path / "w.pt")
