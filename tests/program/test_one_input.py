"""Networks of several inputs, all but one fixed, and of several outputs, one chosen."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

import splineviz as sv
from splineviz.errors import InputError
from splineviz.program import load_program, network_for

from .nets import Call

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

ACTION = np.array([0.3, -0.2])


class Critic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, state: Tensor, action: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(torch.cat([state, action], -1))))


class Timed(nn.Module):
    """A denoiser: smooth in the time, piecewise affine in the image."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.time, self.last = nn.Linear(4, 8), nn.Linear(2, 8), nn.Linear(8, 4)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        angle = t.to(x.dtype)[:, None]
        shift = nn.functional.silu(self.time(torch.cat([angle.sin(), angle.cos()], 1)))
        return self.last(torch.relu(self.first(x) + shift))


class Conditioned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.classes, self.net = nn.Embedding(10, 4), Critic()

    def forward(self, x: Tensor, /, y: Tensor, *, scale: float) -> Tensor:
        return self.net(x, self.classes(y)[:, :2]) * scale


FIXED: dict[str, tuple[Callable[[], nn.Module], dict[str, Any], Callable[[nn.Module, Tensor], Tensor]]] = {
    "array": (Critic, {"action": ACTION}, lambda m, x: m(x, torch.from_numpy(ACTION).expand(len(x), 2))),
    "tensor": (
        Critic,
        {"action": torch.tensor(ACTION, dtype=torch.float32)},
        lambda m, x: m(x, torch.tensor(ACTION, dtype=torch.float32).double().expand(len(x), 2)),
    ),
    "time": (Timed, {"t": np.array(7)}, lambda m, x: m(x, torch.full((len(x),), 7))),
    "class and number": (
        Conditioned,
        {"y": torch.tensor(3), "scale": np.float64(0.5)},
        lambda m, x: m(x, torch.full((len(x),), 3), scale=0.5),
    ),
    "first of two": (
        Critic,
        {"state": np.ones(4)},
        lambda m, x: m(torch.ones(len(x), 4, dtype=torch.float64), x),
    ),
}


@pytest.mark.parametrize("name", FIXED)
def test_all_inputs_but_one_are_held(name: str) -> None:
    make, fix, run = FIXED[name]
    torch.manual_seed(0)
    module, other, x = make().eval(), make().eval(), torch.randn(5, 2 if "state" in fix else 4).double()
    program = load_program(module, input_shape=x.shape[1:], fix=fix)
    torch.testing.assert_close(program.forward(x), run(module.double(), x))
    assert program.n_units == 8 and program.name == make.__name__
    assert program.fidelity is not None and (program.fidelity.float64 or 0.0) < 1e-12
    again = load_program(module.float(), input_shape=x.shape[1:], fix=fix, weights=other.state_dict())
    for rebound in (program.rebind(other.state_dict()), again):
        torch.testing.assert_close(rebound.forward(x), run(other.double(), x))
        other.float()
    assert sv.local_complexity(program, x, directions=2).counts.shape[2] == 5


def test_what_is_fixed_is_part_of_the_network() -> None:
    critic, x = Critic().eval(), torch.zeros(3, 4)
    digests = {
        sv.local_complexity(load_program(critic, input_shape=4, fix={"action": a}), x, directions=2).digest
        for a in (ACTION, ACTION, 2 * ACTION)
    }
    networks = {
        network_for(critic, [], input_shape=4, fix={"action": a}).digest for a in (ACTION, 2 * ACTION)
    }
    assert len(digests) == len(networks) == 2


def test_numbers_in_calls_are_part_of_the_network() -> None:
    digests = [network_for(nn.LeakyReLU(slope), [], input_shape=2).digest for slope in (0.1, 0.1, 0.2)]
    assert digests[0] == digests[1] != digests[2]


def test_what_is_held_in_few_bits_is_part_of_the_network() -> None:
    def net(*values: float) -> nn.Module:
        net = Call(lambda m, x: (x + m.held.float()).relu())
        net.held = torch.tensor(values, dtype=torch.bfloat16)
        return net.eval()

    nets = [net(0.5, 2.0), net(0.5, 2.0), net(0.5, 3.0)]
    first, same, other = (network_for(one, [], input_shape=2).digest for one in nets)
    assert first == same != other


def test_an_input_by_keyword_only() -> None:
    class Keyword(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, *, x: Tensor, scale: float = 2.0) -> Tensor:
            return self.layer(x).relu() * scale

    module, x = Keyword().eval(), torch.randn(5, 4)
    torch.testing.assert_close(load_program(module).forward(x.double()).float(), module(x=x))


@pytest.mark.parametrize(
    ("fix", "words", "hint"),
    [
        ({}, "has one input, but forward.. of Critic takes 2: 'state', 'action'", "fix={'action': array}"),
        ({"actoin": ACTION}, "of Critic has no input 'actoin'; it has state, action", ""),
        ({"action": np.array([np.nan, 0])}, "'action' cannot be held at NaN or infinite values", ""),
        ({"action": np.array(["a"])}, "'action' must be held at real numbers", ""),
        ({"action": ACTION, "state": ACTION}, "is left no input that is not fixed", ""),
        ({"action": ACTION[None]}, "Tensors must have same number of dimensions", ""),
    ],
)
def test_inputs_that_cannot_be_held(fix: dict[str, Any], words: str, hint: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        load_program(Critic().eval(), input_shape=4, fix=fix)
    assert hint in (caught.value.hint or "")


def test_hooks_of_the_module_itself_are_refused() -> None:
    module = Critic().eval()
    module.register_forward_hook(lambda *_: None)
    with pytest.raises(InputError, match="Critic has forward hooks of its own"):
        load_program(module, input_shape=4, fix={"action": ACTION})


Pair = namedtuple("Pair", "logits hidden")


@dataclasses.dataclass
class Output:
    logits: Tensor
    hidden: Tensor


class ModelOutput(OrderedDict[str, Tensor]):
    """As in transformers."""

    def __getattr__(self, name: str) -> Tensor:
        return self[name]


SEVERAL: dict[str, tuple[Callable[[Tensor, Tensor], Any], str | int]] = {
    "dict": (lambda y, h: {"hidden": h, "logits": y}, "logits"),
    "dict by number": (lambda y, h: {0: h, 1: y}, 1),
    "tuple": (lambda y, h: (h, y), 1),
    "tuple, as a command says it": (lambda y, h: (h, y), "1"),
    "list": (lambda y, h: [y, h], 0),
    "namedtuple": (Pair, "logits"),
    "dataclass": (Output, "logits"),
    "ModelOutput": (lambda y, h: ModelOutput(hidden=h, logits=y), "logits"),
}


def _several(kind: str) -> nn.Module:
    torch.manual_seed(0)
    made = SEVERAL[kind][0]
    net = Call(lambda m, x: made(m.last(m.first(x).relu()), m.first(x)))
    net.first, net.last = nn.Linear(2, 6), nn.Linear(6, 3)
    return net.eval()


@pytest.mark.parametrize("kind", SEVERAL)
def test_one_of_several_outputs(kind: str) -> None:
    net, x = _several(kind), torch.randn(5, 2)
    program = load_program(net, output=SEVERAL[kind][1])
    with torch.no_grad():
        torch.testing.assert_close(program.forward(x.double()).float(), net.last(net.first(x).relu()))
    with pytest.raises(InputError, match="must return one tensor, got") as caught:
        load_program(net)
    assert (caught.value.hint or "").startswith("output=")
    assert (caught.value.command_hint or "").startswith("--output-name ")
    with pytest.raises(InputError, match="the model has no output 'loss'"):
        load_program(net, output="loss")


def test_an_output_that_holds_others() -> None:
    net = Call(lambda m, x: (m.layer(x), (x, x)))
    net.layer = nn.Linear(2, 3)
    assert load_program(net.eval(), output=0).output_shape == (3,)
    with pytest.raises(InputError, match="the output 1 of the model is no tensor, but tuple"):
        load_program(net, output=1)


def test_exported_programs_take_their_arguments_as_they_were(tmp_path: Path) -> None:
    torch.manual_seed(0)
    critic, batch = Critic().eval(), {0: Dim.AUTO}
    inputs = (torch.zeros(2, 4), torch.zeros(2, 2))
    exported = torch.export.export(critic, inputs, dynamic_shapes=(batch, batch))
    torch.export.save(exported, tmp_path / "net.pt2")
    x = torch.randn(5, 4)
    wanted = critic(x, torch.tensor(ACTION, dtype=torch.float32).expand(5, 2))
    for model in (exported, tmp_path / "net.pt2"):
        program = load_program(model, fix={"action": ACTION})
        torch.testing.assert_close(program.forward(x.double()).float(), wanted)
        other = Critic().state_dict()
        assert (
            program.rebind(other).digest == load_program(model, fix={"action": ACTION}, weights=other).digest
        )
    with pytest.raises(InputError, match="takes 2: 'state', 'action'"):
        load_program(exported)
    with pytest.raises(InputError, match="the exported program has no input 'b'; it has state, action"):
        load_program(exported, fix={"b": ACTION})

    class Baked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 3)

        def forward(self, x: dict[str, Tensor], scale: float = 1.0, mask: None = None) -> dict[str, Tensor]:
            return {"out": self.layer(x["coords"]).relu() * scale, "in": x["coords"]}

    baked, x = Baked().eval(), torch.randn(5, 2)
    arguments = ({"coords": torch.zeros(2, 2)}, 3.0, None)
    exported = torch.export.export(baked, arguments, dynamic_shapes=({"coords": batch}, None, None))
    program = load_program(exported, output="out")
    torch.testing.assert_close(program.forward(x.double()).float(), baked({"coords": x}, 3.0)["out"])
    with pytest.raises(InputError, match="got dict of 'out', 'in'"):
        load_program(exported)


def test_onnx_files_of_several_inputs_and_outputs(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    def value(name: str, size: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, size])

    nodes = [helper.make_node("Concat", ["a", "b"], ["c"], axis=1), helper.make_node("Relu", ["c"], ["y"])]
    nodes += [helper.make_node("Neg", ["c"], ["z"]), helper.make_node("Abs", ["a"], ["first"])]
    graph = helper.make_graph(nodes, "g", [value("a", 3), value("b", 2)], [value("y", 5), value("z", 5)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    x = torch.randn(5, 3).double()
    joined = torch.cat([x, torch.tensor(ACTION, dtype=torch.float32).double().expand(5, 2)], 1)
    for output, wanted in (("y", joined.relu()), ("z", -joined), (1, -joined), ("0", joined.relu())):
        program = load_program(path, fix={"b": ACTION}, output=output)
        torch.testing.assert_close(program.forward(x), wanted)
        assert program.input_shape == (3,)
    for fix in ({}, {"b": ACTION}):  # which the tensor does not depend on
        torch.testing.assert_close(load_program(path, fix=fix, output="first").forward(x), x.abs())
    for how, words in (
        ({"output": "y"}, "takes 2: 'a', 'b'"),
        ({"fix": {"b": ACTION}}, "has 2: 'y', 'z'"),
        ({"fix": {"b": ACTION}, "output": "q"}, "makes no tensor 'q'"),
        ({"fix": {"c": ACTION}}, "has no input 'c'; it has a, b"),
    ):
        with pytest.raises(InputError, match=words):
            load_program(path, **how)  # type: ignore[arg-type]
