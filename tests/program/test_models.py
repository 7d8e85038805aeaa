"""What is handed in place of a model, and modules that do not run: each error names the cause."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from splineviz.errors import InputError
from splineviz.program import load_program

from .nets import Call

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def _net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).eval()


class OfDict(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = _net()

    def forward(self, x: Any) -> Tensor:
        return self.net(x["coords"])


def function(x: Tensor) -> Tensor:
    return x.relu()


NO_MODEL: dict[str, tuple[Callable[[], Any], str, str]] = {
    "state dict": (lambda: _net().state_dict(), "got OrderedDict", "the dict as weights"),
    "optimizer": (lambda: torch.optim.SGD(_net().parameters()), "got SGD", "the module that it trains"),
    "class": (lambda: nn.ReLU, "got the class ReLU", r"ReLU\(\.\.\.\)"),
    "function": (lambda: function, "got the function function", "class Net"),
    "lambda": (lambda: lambda x: x, "got the function <lambda>", "class Net"),
    "number": (lambda: 3, "got int", ""),
    "scripted": (lambda: torch.jit.script(_net()), "is a TorchScript module", "state_dict"),
    "traced": (lambda: torch.jit.trace(_net(), torch.zeros(2, 4)), "is a TorchScript module", "state_dict"),
    "part scripted": (lambda: nn.Sequential(torch.jit.script(_net())), "0 .* is a TorchScript module", ""),
    "quantised": (
        lambda: torch.ao.quantization.quantize_dynamic(_net(), {nn.Linear}),
        r"0 \(Linear\) is quantised: its values jump",
        "before it was quantised",
    ),
    "list of modules": (lambda: nn.ModuleList(_net()), r"has no forward\(\)", r"nn\.Sequential"),
    "dict in": (OfDict, r"does not run on a tensor of two inputs of shape \(4,\): IndexError", "a subclass"),
    "bug": (lambda: Call(lambda m, x: x + m.missing), "AttributeError: .* 'missing'", "one tensor"),
    "wrong shape": (lambda: nn.Conv2d(1, 2, 3), r"does not take inputs of shape \(4,\)", "input_shape="),
    "keras": (lambda: "net.keras", "'net.keras' is not read", "ONNX"),
    "weights file": (lambda: "net.pth", "holds no architecture", "weights='net.pth'"),
}


@pytest.mark.parametrize("name", NO_MODEL)
def test_the_cause_is_named(name: str) -> None:
    make, words, hint = NO_MODEL[name]
    with pytest.raises(InputError, match=words) as caught:
        load_program(make(), input_shape=4)
    assert re.search(hint, caught.value.hint or "")


def test_the_line_that_failed_is_shown() -> None:
    with pytest.raises(
        InputError, match=re.escape(f"{__file__}:") + r"\d+ +return self.net\(x\[.coords.\]\)"
    ):
        load_program(OfDict())


def test_a_subclass_keeps_the_names_of_weights() -> None:
    class OfTensor(OfDict):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward({"coords": x})

    other = OfDict().eval()
    program = load_program(OfTensor().eval(), weights=other.state_dict())
    x = torch.randn(5, 4)
    torch.testing.assert_close(program.forward(x.double()).float(), other({"coords": x}))


def test_modules_of_exported_programs(tmp_path: Path) -> None:
    exported = torch.export.export(_net(), (torch.zeros(2, 4),), dynamic_shapes=({0: torch.export.Dim.AUTO},))
    assert load_program(exported.module(), input_shape=4).digest == load_program(exported).digest
    with pytest.raises(InputError, match="has forward hooks of its own") as caught:
        load_program(exported.module(), input_shape=4, output=0)
    assert caught.value.hint == "give the ExportedProgram itself"


def test_exported_programs_keep_their_weights() -> None:
    exported = torch.export.export(_net(), (torch.zeros(2, 4),), dynamic_shapes=({0: torch.export.Dim.AUTO},))
    before = {name: value.clone() for name, value in exported.state_dict.items()}
    other = {name: value + 1 for name, value in before.items()}
    assert load_program(exported, weights=other).digest == load_program(exported).rebind(other).digest
    assert all(torch.equal(value, before[name]) for name, value in exported.state_dict.items())


def test_a_forward_of_one_module_alone() -> None:
    net = _net()
    run = net.forward
    net.forward = lambda x: {"y": run(x)}
    with pytest.raises(InputError, match=r"Sequential has a forward\(\) that was set on this one module"):
        load_program(net, input_shape=4, output="y")


def test_the_command_is_told_its_own_options() -> None:
    with pytest.raises(InputError) as caught:
        load_program(nn.Conv2d(1, 2, 3).eval())
    assert "sv.load_program(model, input_shape=(1, 28, 28))" in str(caught.value)
    assert "--input-shape 1,28,28" in caught.value.for_command()
    assert caught.value.about("net A").message.startswith("net A: the shape of one input is needed")
    assert caught.value.about("net A").command_hint == caught.value.command_hint
