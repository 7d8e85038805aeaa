"""Weights in the forms that trainers leave them in: each gives the outputs that torch computes with the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, parametrizations, prune, spectral_norm, weight_norm

import splineviz as sv
from splineviz.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
torch.set_num_threads(1)

State = Mapping[str, Any]


def mlp(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).eval()


def normed(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)).eval()


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = mlp(), nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.encoder(x)))  # type: ignore[no-any-return]


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.b.weight = self.a.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.relu(self.a(x)))  # type: ignore[no-any-return]


def agrees(weights: Any, trained: nn.Module, network: nn.Module, key: str | None = None) -> bool:
    """Whether a program with these weights, loaded or rebound, gives the outputs of the trained module."""
    shape = (
        (3, 3, 3)
        if isinstance(trained, nn.Sequential)
        and isinstance(trained[-1], nn.Linear)
        and (trained[-1].in_features == 75)
        else (4,)
    )
    x = torch.randn(20, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        want = trained.eval()(x.float()).double()
    program = sv.load_program(network.eval(), weights=weights, weights_key=key, input_shape=shape)
    rebound = sv.load_program(network.eval(), input_shape=shape).rebind(weights, key)
    assert rebound.digest == program.digest
    return bool((program.forward(x) - want).abs().max() < 1e-5)


TRAINED = mlp(5)
STATE = TRAINED.state_dict()
PREFIXED = {f"model.{name}": value for name, value in STATE.items()}
FORMS: dict[str, Any] = {
    "net": {"net": STATE, "acc": 93.0, "epoch": 7},
    "an entry of any name": {"generator_weights": STATE, "discriminator": nn.Linear(3, 3).state_dict()},
    "with an optimiser": {"model": STATE, "optimizer": torch.optim.Adam(mlp().parameters()).state_dict()},
    "Lightning's": {"state_dict": PREFIXED | {"loss.weight": torch.ones(2)}, "global_step": 3, "loops": {}},
    "any prefix of all names": {f"backbone.{name}": value for name, value in STATE.items()},
    "compiled, then data parallel": {f"module._orig_mod.{name}": value for name, value in STATE.items()},
    "equal copies": {"state_dict": STATE, "ema": {name: value.clone() for name, value in STATE.items()}},
    "numbers of thop": {**STATE, "total_ops": torch.zeros(1), "0.total_params": torch.zeros(1)},
    "a step beside them": {**STATE, "step": torch.tensor(3), "note": "best"},
    "double precision": {name: value.double() for name, value in STATE.items()},
    "arrays": {name: value.numpy() for name, value in STATE.items()},
    "parameters": dict(TRAINED.named_parameters()),
    "a vector": parameters_to_vector(TRAINED.parameters()),
    "a list of arrays": [value.numpy() for value in STATE.values()],
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_one_state_dict(form: str) -> None:
    assert agrees(FORMS[form], TRAINED, mlp())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_that_of_the_file(dtype: torch.dtype) -> None:
    low = {name: value.to(dtype) for name, value in STATE.items()}
    like_torch = mlp()
    like_torch.load_state_dict(low)
    assert sv.load_program(mlp(), weights=low).digest == sv.load_program(like_torch).digest


def test_a_network_without_weights_takes_none() -> None:
    program = sv.load_program(nn.ReLU(), input_shape=2)
    assert program.rebind({}).digest == program.digest
    with pytest.raises(sv.InputError, match=r"missing: 0\.weight"):
        sv.load_program(nn.Sequential(nn.Linear(2, 1)), weights={})


def test_wrappers_inside_and_parts_by_themselves() -> None:
    whole = Two()
    inside = {
        name.replace("encoder.", "encoder._orig_mod.module."): v for name, v in whole.state_dict().items()
    }
    assert agrees(inside, whole, Two())
    parts = {"encoder": whole.encoder.state_dict(), "head": whole.head.state_dict(), "epoch": 3}
    assert agrees(parts, whole, Two())
    compiled = copy.deepcopy(whole)
    compiled.encoder = torch.compile(compiled.encoder)  # type: ignore[assignment]
    like = sv.load_program(whole.eval()).digest
    assert sv.load_program(Two(), weights=compiled.state_dict()).digest == like
    assert sv.load_program(whole.encoder, weights=whole.state_dict(), weights_key="encoder").n_units == 8


@pytest.mark.parametrize(
    "content",
    [
        {"student": STATE, "teacher": mlp(1).state_dict()},
        {"state_dict": STATE, "state_dict_ema": mlp(1).state_dict(), "arch": "mlp"},
        {**PREFIXED, **{f"ema_model.{name}": value for name, value in mlp(1).state_dict().items()}},
        {f"module.{part}.{n}": v for part in ("q", "k") for n, v in mlp(ord(part)).state_dict().items()},
    ],
)
def test_two_that_fit_are_refused_and_a_key_chooses(content: dict[str, Any]) -> None:
    first, second = (name for name in dict.fromkeys(_heads(content)))
    with pytest.raises(InputError, match=f"several entries fit the network, and differ: {first}, {second}"):
        sv.load_program(mlp(), weights=content)
    digests = {sv.load_program(mlp(), weights=content, weights_key=key).digest for key in (first, second)}
    assert len(digests) == 2


def _heads(content: dict[str, Any]) -> list[str]:
    names = [name.removeprefix("module.") for name in content]
    return [name.partition(".")[0] for name in names if name != "arch"]


def test_keys_of_entries_in_entries() -> None:
    content = {"callbacks": {"ema": {"state_dict": PREFIXED}}, "state_dict": mlp(1).state_dict()}
    for key in ("callbacks", "callbacks.ema", "callbacks.ema.state_dict", "callbacks.ema.state_dict.model"):
        assert agrees(content, TRAINED, mlp(), key)
    assert agrees({"shadow": list(STATE.values())}, TRAINED, mlp(), "shadow")
    with pytest.raises(
        InputError, match="what is given holds nothing under the key 'mean'; it has callbacks"
    ):
        sv.load_program(mlp(), weights=content, weights_key="mean")
    with pytest.raises(InputError, match="the key 'ema' is for weights, and there are none"):
        sv.load_program(mlp(), weights_key="ema")


def test_a_usual_prefix_beside_the_same_names_without_is_no_answer() -> None:
    with pytest.raises(InputError, match=r"those of another network, of which 'model' fits"):
        sv.load_program(mlp(), weights={**mlp(1).state_dict(), **PREFIXED})
    assert agrees({**mlp(1).state_dict(), **PREFIXED}, TRAINED, mlp(), "model")


def test_a_part_of_another_network_is_taken_by_its_key_alone() -> None:
    whole = Two().state_dict()
    with pytest.raises(
        InputError, match=r"those of another network, of which 'encoder' fits\n.*weights_key='encoder'"
    ):
        sv.load_program(mlp(), weights=whole)
    assert sv.load_program(mlp(), weights=whole, weights_key="encoder").n_units == 8


def _with(first: Callable[[nn.Module], object], network: nn.Sequential) -> nn.Sequential:
    first(network[0])
    return network


def transposed() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.ConvTranspose2d(3, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(75, 2))


PARAMETRISED: dict[str, tuple[Callable[[nn.Module], object], Callable[[], nn.Sequential]]] = {
    "weight norm, old": (weight_norm, mlp),
    "weight norm, new": (parametrizations.weight_norm, mlp),
    "weight norm of everything": (lambda m: parametrizations.weight_norm(m, dim=None), mlp),
    "weight norm along another axis": (lambda m: weight_norm(m, dim=1), transposed),
    "spectral norm, old": (spectral_norm, mlp),
    "spectral norm, new": (parametrizations.spectral_norm, mlp),
    "spectral norm, transposed": (parametrizations.spectral_norm, transposed),
    "pruned": (lambda m: prune.l1_unstructured(m, "weight", 0.5), mlp),
    "pruned biases": (lambda m: prune.random_unstructured(m, "bias", 2), mlp),
}


@pytest.mark.parametrize("kind", PARAMETRISED)
def test_parametrised_weights_in_a_network_without(kind: str) -> None:
    parametrise, make = PARAMETRISED[kind]
    trained = _with(parametrise, make())
    trained(torch.randn(2, 4) if make is mlp else torch.randn(2, 3, 3, 3))
    assert agrees({"state_dict": trained.state_dict()}, trained, make())


@pytest.mark.parametrize(
    ("file", "network"),
    [
        (weight_norm, parametrizations.weight_norm),
        (parametrizations.weight_norm, weight_norm),
        (spectral_norm, parametrizations.spectral_norm),
        (parametrizations.spectral_norm, spectral_norm),
    ],
)
def test_names_of_old_and_new_parametrisations(file: Any, network: Any) -> None:
    trained = _with(file, mlp(4))
    trained(torch.randn(2, 4))
    prefixed = {f"model.{name}": value for name, value in trained.state_dict().items()}
    assert agrees(prefixed, trained, _with(network, mlp()))


def test_tied_weights_of_which_one_is_kept() -> None:
    trained = Tied()
    state = trained.state_dict()
    for gone in ("a.weight", "b.weight"):
        assert agrees({name: value for name, value in state.items() if name != gone}, trained, Tied())
    assert agrees(parameters_to_vector(trained.parameters()), trained, Tied())
    with pytest.raises(InputError, match=r"a.weight, b.weight are one weight in the network, but differ"):
        sv.load_program(Tied(), weights=state | {"b.weight": torch.ones(4, 4)})


def test_batch_norms_and_what_a_vector_does_not_tell() -> None:
    trained = normed(4)
    trained.train()(torch.randn(30, 4))
    state = trained.eval().state_dict()
    assert agrees({name: v for name, v in state.items() if "num_batches" not in name}, trained, normed())
    assert agrees([value.numpy() for value in state.values()], trained, normed())
    assert agrees(torch.optim.swa_utils.AveragedModel(trained).state_dict(), trained, normed())
    with pytest.raises(
        InputError, match=r"a vector .* beside its 6 parameters: 1.running_mean, 1.running_var"
    ):
        sv.load_program(normed(), weights=parameters_to_vector(trained.parameters()))
    with pytest.raises(InputError, match=r"a list of 6 arrays does not fit .* has 9; .*1.running_mean"):
        sv.load_program(normed(), weights=[value.detach() for value in trained.parameters()])


FIRST_MISSING = {name: value for name, value in STATE.items() if name != "0.weight"}
REFUSED: dict[str, tuple[Any, str]] = {
    "missing": ({n: v for n, v in STATE.items() if n != "2.bias"}, "fit the network; missing: 2.bias\n"),
    "renamed": (
        {n.replace("0.", "fc1.").replace("2.", "fc2."): v for n, v in STATE.items()},
        r"missing: 0.weight \(nearest: fc1.weight\), .*; unexpected: fc1.weight, fc1.bias",
    ),
    "of another shape": (STATE | {"0.weight": torch.ones(7, 4)}, r"expected \(8, 4\), got \(7, 4\)"),
    "under a prefix, and missing": (
        {n: v for n, v in PREFIXED.items() if n != "model.0.bias"},
        "fit the network; missing: 0.bias\n",
    ),
    "adapters": (
        PREFIXED | {"model.0.lora_A.weight": torch.ones(2, 4), "model.0.lora_B.weight": torch.ones(8, 2)},
        r"unexpected: 0.lora_A.weight, .*\n.*merge_and_unload",
    ),
    "a plain weight for a parametrised one": (STATE, "missing: 0.parametrizations.weight.original0"),
    "complex": (STATE | {"0.bias": torch.zeros(8, dtype=torch.complex64)}, "not real numbers: 0.bias"),
    "beyond single precision": (
        STATE | {"0.bias": torch.full((8,), 1e300, dtype=torch.float64)},
        "NaN or infinite weights: 0.bias",
    ),
    "parts of other shapes": (
        {"0.weight_g": torch.ones(3, 1), "0.weight_v": STATE["0.weight"]} | FIRST_MISSING,
        "missing: 0.weight .*; unexpected: 0.weight_g, 0.weight_v\n.*remove_parametrizations",
    ),
    "whole and in parts": (
        {**STATE, "0.weight_g": torch.ones(8, 1), "0.weight_v": STATE["0.weight"]},
        "fit the network; unexpected: 0.weight_g, 0.weight_v\n.*remove_parametrizations",
    ),
    "a vector of another length": (torch.ones(5), r"shape \(5,\) does not fit the network, which has 58"),
    "a list of other things": ([STATE, 3], "a list of weights holds arrays or tensors"),
    "a module": (mlp(), r"holds no state dict\n.*give model\.state_dict\(\)"),
    "numbers": ({"epoch": 3, "lr": 0.1}, "holds no state dict; it has epoch, lr"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_with_the_reason(kind: str) -> None:
    weights, words = REFUSED[kind]
    network = _with(parametrizations.weight_norm, mlp()) if "parametrised" in kind else mlp()
    with pytest.raises(InputError, match=words):
        sv.load_program(network, weights=weights)


def test_a_module_that_keeps_results_takes_weights() -> None:
    for parametrise in (weight_norm, spectral_norm, lambda m: prune.l1_unstructured(m, "weight", 0.5)):
        trained = _with(parametrise, mlp(4))
        trained.train()(torch.randn(2, 4))
        assert agrees(trained.state_dict(), trained, _with(parametrise, mlp()))


def test_weights_of_an_array_of_any_order(tmp_path: Path) -> None:
    vector = parameters_to_vector(TRAINED.parameters()).detach().numpy()
    np.save(tmp_path / "step-3.npy", vector.astype(">f4"))
    assert agrees(tmp_path / "step-3.npy", TRAINED, mlp())
    assert sv.Checkpoints(mlp(), tmp_path)[0].digest == sv.load_program(TRAINED).digest


class Scaled(nn.Linear):
    """Keeps a number in its state dict that is no weight."""

    scale = 2.0

    def get_extra_state(self) -> dict[str, float]:
        return {"scale": self.scale}

    def set_extra_state(self, state: dict[str, float]) -> None:
        self.scale = state["scale"]

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) * self.scale


def test_more_than_weights_is_refused_but_only_with_other_weights() -> None:
    network = Scaled(4, 2)
    assert sv.load_program(network).output_shape == (2,)
    for load in (lambda state: sv.load_program(network, weights=state), sv.load_program(network).rebind):
        with pytest.raises(InputError, match="has more than that: _extra_state"):
            load(network.state_dict())


def test_weights_without_values() -> None:
    with pytest.raises(InputError, match="weights without values: weight, bias"):
        sv.load_program(nn.LazyLinear(2), weights={"weight": torch.ones(2, 4), "bias": torch.ones(2)})
    with pytest.raises(InputError, match=r"weights without values: 0\.weight"):
        sv.load_program(mlp(), weights={name: value.to("meta") for name, value in STATE.items()})


def test_attributes_with_the_names_of_wrappers() -> None:
    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module, self.weight = nn.Linear(4, 4, bias=False), nn.Parameter(torch.randn(4))

        def forward(self, x: Tensor) -> Tensor:
            return self.module(x) + self.weight  # type: ignore[no-any-return]

    trained, shape = Holder(), (4,)
    want = sv.load_program(trained.eval(), input_shape=shape).digest
    for prefix in ("", "module.", "net."):
        state = {prefix + name: value for name, value in trained.state_dict().items()}
        assert sv.load_program(Holder().eval(), weights=state, input_shape=shape).digest == want
