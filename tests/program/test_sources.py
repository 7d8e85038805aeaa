"""Where programs come from, how they take other weights, and what they say of themselves."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.program import describe, load_program, load_weights, models
from splineviz.program.models import find_module
from splineviz.program.sources import program_for

from .nets import Residual

torch.set_num_threads(1)

FACTORY = """
import torch
from torch import nn

def make():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2))

def broken():
    raise ValueError("no such dataset")

NET = nn.Sequential(nn.Linear(3, 2))
number = 3
"""


def make() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)).eval()


@pytest.fixture
def factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "nets_for_loading.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "nets_for_loading", raising=False)
    return "nets_for_loading"


def same(a: sv.Program, b: sv.Program) -> bool:
    x = torch.randn(5, *a.input_shape, dtype=torch.float64)
    return torch.equal(a.forward(x), b.forward(x))


def test_factory_from_the_current_directory_is_taken_in_eval_mode(factory: str) -> None:
    path = list(sys.path)
    program = load_program(f"{factory}:make")
    assert (program.input_shape, program.output_shape, program.n_parameters) == ((3,), (2,), 34)
    assert program.name == f"{factory}:make"
    assert sys.path == path
    assert load_program(f"{factory}:NET").stages == ()


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("broken", "cannot load the model 'nets_for_loading:broken': ValueError: no such dataset"),
        ("missing", "AttributeError: module 'nets_for_loading' has no attribute 'missing'"),
        ("number", "TypeError"),
        ("torch.zeros", "TypeError"),
    ],
)
def test_factory_that_makes_no_model(factory: str, attribute: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_program(f"{factory}:{attribute}")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_such_module_here:make", "ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("net.onnx", "no such file: 'net.onnx'"),
        ("runs/net.pt2", "no such file: 'runs/net.pt2'"),
        ("net.pth", "a weights file holds no architecture"),
        ("resnet18", "named 'module:factory', an .onnx or .pt2 file or 'demo', got 'resnet18'"),
        (":make", "named 'module:factory'"),
    ],
)
def test_names_that_are_no_model(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_program(name)


def test_demo() -> None:
    program = sv.load_program("demo")
    assert (program.input_shape, program.output_shape) == ((784,), (10,))
    assert [stage.n_units for stage in program.stages] == [200, 200, 200]


@pytest.mark.parametrize("wrap", [None, "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
def test_weights_file(factory: str, tmp_path: Path, wrap: str | None, prefix: str) -> None:
    other = make()
    state = {prefix + key: value for key, value in other.state_dict().items()}
    torch.save({wrap: state, "epoch": 3} if wrap else state, tmp_path / "w.pt")
    loaded = find_module(f"{factory}:make", tmp_path / "w.pt", None, None, None, None).module
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in loaded.state_dict().items())


def test_counters_of_old_checkpoints(factory: str, tmp_path: Path) -> None:
    state = {key: value for key, value in make().state_dict().items() if "num_batches_tracked" not in key}
    torch.save({"state_dict": state, "best_prec1": 91.8}, tmp_path / "resnet.th")
    assert same(
        load_program(f"{factory}:make", weights=tmp_path / "resnet.th"), load_program(make()).rebind(state)
    )


def test_a_factory_and_its_weights_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes are tried on one module; what is wrong with weights is no matter of shapes."""
    (tmp_path / "convs_for_loading.py").write_text(
        "from torch import nn\nmade = []\ndef make():\n"
        "    made.append(nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3)))\n"
        "    return made[-1]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    made: list[nn.Module] = importlib.import_module("convs_for_loading").made
    read, reads = models.weights_for, []
    monkeypatch.setattr(models, "weights_for", lambda *asked: reads.append(1) or read(*asked))
    shapes = [(4, 5), (3, 4, 4), (4, 4)]
    fresh = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3))
    program = program_for("convs_for_loading:make", shapes, weights=fresh.state_dict())
    assert program.input_shape == (1, 4, 4) and len(made) == len(reads) == 1
    with pytest.raises(InputError, match=r"missing: 3.weight, 3.bias"):
        program_for("convs_for_loading:make", shapes, weights=fresh[:1].state_dict())
    assert len(made) == len(reads) == 2
    with pytest.raises(InputError, match="the shape of one input is needed"):
        program_for("convs_for_loading:make", shapes[:2])


def test_weights_leave_the_given_module_alone(tmp_path: Path) -> None:
    model, other = make(), make()
    before = model[0].weight.clone()
    program = load_program(model, weights=other.state_dict())
    assert torch.equal(model[0].weight, before)
    assert same(program, load_program(other))


def test_safetensors(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    other = make()
    safetensors.save_file(other.state_dict(), tmp_path / "w.safetensors")
    assert torch.equal(load_weights(tmp_path / "w.safetensors")["0.weight"], other[0].weight)


def test_unreadable_weights(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"not a file of tensors")
    (tmp_path / "w.npz").write_bytes(b"")
    (tmp_path / "w.bin").write_bytes(b"")
    torch.save(make(), tmp_path / "whole.pt")
    torch.save({"epoch": 3}, tmp_path / "no_state.pt")
    torch.save([torch.ones(2)], tmp_path / "list.pt")
    for name, words in {
        "broken.pt": "(holds more than tensors|cannot be read)",
        "whole.pt": "holds more than tensors",
        "no_state.pt": "holds no state dict",
        "list.pt": "holds no state dict",
        "missing.pt": "no such file",
        "w.npz": "w.npz' is empty",
        "w.bin": "w.bin' is empty",
    }.items():
        with pytest.raises(InputError, match=words):
            load_weights(tmp_path / name)


def test_weights_that_a_wrapper_renames() -> None:
    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = make()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x)

    with pytest.raises(InputError, match=r"missing: inner\.0\.weight") as caught:
        load_program(Wrapper().eval(), weights=make().state_dict())
    assert "a subclass that overrides forward() does not" in (caught.value.hint or "")


def test_rebind_is_loading_anew() -> None:
    model, other = Residual().eval(), Residual().eval()
    program = load_program(model, input_shape=(2, 5, 5))
    rebound = program.rebind(other.state_dict())
    fresh = load_program(other, input_shape=(2, 5, 5))
    assert same(rebound, fresh)
    assert rebound.digest == fresh.digest != program.digest
    assert rebound.rebind(model.state_dict()).digest == program.digest
    assert rebound.fidelity is None
    double = {
        key: value.double() + (1e-12 if value.is_floating_point() else 0)
        for key, value in other.state_dict().items()
    }
    assert program.rebind(double).digest == fresh.digest, (
        "weights pass through the module's data type, as in load_state_dict"
    )


def test_rebind_folds_again() -> None:
    make_normed = lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)).eval()  # noqa: E731
    other = make_normed()
    assert same(load_program(make_normed()).rebind(other.state_dict()), load_program(other))


def test_rebind_outlives_changes_to_the_module() -> None:
    model = make()
    program, state = load_program(model), {key: value.clone() for key, value in model.state_dict().items()}
    digest = program.digest
    with torch.no_grad():
        model[0].weight.add_(1)
    x = torch.ones(1, 3, dtype=torch.float64)
    assert same(program, program.rebind(state))
    assert program.rebind(state).digest == digest
    assert not torch.equal(load_program(model).forward(x), program.forward(x))


def test_rebind_names_all_that_does_not_fit() -> None:
    program = load_program(make())
    state = make().state_dict()
    del state["0.bias"], state["1.running_mean"]
    state["extra"] = torch.ones(1)
    state["4.weight"] = torch.ones(3, 4)
    with pytest.raises(InputError) as caught:
        program.rebind(state)
    words = caught.value.message
    assert "missing: 0.bias, 1.running_mean" in words
    assert "unexpected: extra" in words
    assert "wrong shape: 4.weight (expected (2, 4), got (3, 4))" in words


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_rebind_refuses_weights_that_are_not_finite(value: float) -> None:
    state = make().state_dict()
    state["4.bias"] = torch.tensor([0.0, value])
    with pytest.raises(InputError, match=r"NaN or infinite weights: 4\.bias"):
        load_program(make()).rebind(state)


def test_rebind_keeps_tied_weights_tied() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    model[2].weight = model[0].weight
    program, state = load_program(model), dict(model.state_dict())
    assert program.n_parameters == 15
    assert same(program.rebind(state), program)
    state["2.weight"] = state["2.weight"] + 1
    with pytest.raises(InputError, match=r"0\.weight, 2\.weight are one weight in the network, but differ"):
        program.rebind(state)


def test_digest_tells_programs_apart_and_ignores_names() -> None:
    torch.manual_seed(0)
    first, last = nn.Linear(3, 4), nn.Linear(4, 2)
    digests = [
        load_program(nn.Sequential(first, act, last)).digest
        for act in (
            nn.ReLU(),
            nn.LeakyReLU(0.1),
            nn.LeakyReLU(0.2),
            nn.Hardtanh(),
            nn.Hardtanh(0, 1),
            nn.Identity(),
        )
    ]
    assert len(set(digests)) == 6
    assert load_program(nn.Sequential(first, nn.Identity(), nn.ReLU(), last)).digest == digests[0]
    assert load_program(nn.Sequential(first, nn.ReLU(inplace=True), last).double()).digest == digests[0]


def test_stage_names() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(3, 3), nn.PReLU())
            self.act = nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.act(self.act(self.net(x)).clamp(-1, 1))
            return torch.relu(x - 1).abs()

    rows = describe(load_program(Net().eval())).stages
    names = [
        ("net.1", "prelu"),
        ("act", "relu"),
        ("clamp", "clamp"),
        ("act#2", "relu"),
        ("relu", "relu"),
        ("abs", "abs"),
    ]
    assert [(row.name, row.kind) for row in rows] == names
    assert [row.units for row in rows] == [3, 3, 6, 3, 3, 3]
    assert "return torch.relu(x - 1).abs()" in rows[-1].source
    assert rows[-1].source.startswith(__file__)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_wrappers_are_taken_off() -> None:
    model = make()
    plain = load_program(model)
    assert load_program(nn.DataParallel(model)).digest == plain.digest
    assert load_program(torch.compile(model)).digest == plain.digest


def test_tensors_held_outside_parameters_and_buffers() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.basis, self.last = torch.randn(4, 3), nn.Linear(3, 2)

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                h = inputs[0] @ self.basis
            return self.last(h.relu())

    program = load_program(Net().eval(), input_shape=4)
    assert [stage.shape for stage in program.stages] == [(3,)]
    assert program.fidelity is not None
    assert program.fidelity.float64 is None, "the module cannot run in float64"
    assert program.fidelity.float32 is not None
    assert program.fidelity.float32 < 1e-5


def test_describe_shows_fidelity() -> None:
    card = describe(load_program(make()))
    assert card.fidelity is not None
    assert card.fidelity.float32 is not None
    assert (card.n_units, card.n_affine, card.n_parameters) == (4, 3, 34)


def test_batch_norm_is_reduced_once_in_the_stated_order() -> None:
    norm = nn.BatchNorm1d(3).double().eval()
    for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias):
        value.data.uniform_(0.1, 2.0)
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - norm.running_mean * scale
    zero = torch.zeros(1, 3, dtype=torch.float64)
    program = load_program(norm, input_shape=3)
    assert torch.equal(program.forward(zero)[0], shift)
    assert torch.equal(program.nodes[0].linear(zero + 1)[0], scale)  # type: ignore[union-attr]


def test_importing_the_package_leaves_torch_alone() -> None:
    code = "import sys, splineviz, splineviz.errors, splineviz.plane; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("shape", [np.int64(6), (np.int32(2), 3), np.array([6]), [6], 6])
def test_numpy_integers_are_integers(shape: Any) -> None:
    size = np.array((2, 3)).prod()
    net = nn.Sequential(nn.Flatten(), nn.Linear(size, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    program = load_program(net, input_shape=shape)
    assert all(type(n) is int for n in program.input_shape) and np.prod(program.input_shape) == 6
    assert type(load_program(nn.Sequential(*net[1:])).input_shape[0]) is int


@pytest.mark.parametrize("shape", [0, (), (2, -1), (2.0,), np.array([2.5])])
def test_what_is_no_shape(shape: Any) -> None:
    with pytest.raises(InputError, match="input_shape must be positive whole numbers"):
        load_program(nn.Linear(2, 2), input_shape=shape)
