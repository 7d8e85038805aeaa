"""Adapters (LoRA) as PEFT saves them in the state dict of a network: merged where their strength is told."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import splineviz as sv
from splineviz.errors import InputError

torch.set_num_threads(1)
RANK = 2


class Adapted(nn.Module):
    """A layer with adapters under PEFT's names, and what it computes: base(x) + scale * B A x."""

    def __init__(self, base: nn.Module, down: nn.Module, up: nn.Module, scale: float) -> None:
        super().__init__()
        self.base_layer, self.scale = base, scale
        self.lora_A, self.lora_B = nn.ModuleDict({"default": down}), nn.ModuleDict({"default": up})

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.base_layer(x) + self.scale * self.lora_B["default"](self.lora_A["default"](x))
        return result


class WithLengths(Adapted):
    """A layer whose adapted rows have lengths of their own: m (W + scale B A) / |W + scale B A|."""

    def __init__(self, base: nn.Module, down: nn.Module, up: nn.Module, scale: float) -> None:
        super().__init__(base, down, up, scale)
        lengths = nn.Module()
        lengths.weight = nn.Parameter(torch.rand(len(base.weight)) + 0.5)
        if base.weight.dim() == 4:  # as PEFT has those of convolutions
            lengths.weight = nn.Parameter(lengths.weight.detach().reshape(1, -1, 1, 1))
        self.lora_magnitude_vector = nn.ModuleDict({"default": lengths})

    def forward(self, x: Tensor) -> Tensor:
        one = torch.eye(self.base_layer.weight[0].numel(), dtype=x.dtype)
        one = one.reshape(-1, *self.base_layer.weight.shape[1:])
        bias = self.base_layer.bias.reshape(-1, *(1,) * (one.dim() - 2))
        rows = super().forward(one).flatten(1) - self.base_layer.bias
        factors = self.lora_magnitude_vector["default"].weight.flatten() / rows.norm(dim=0)
        result: Tensor = (super().forward(x) - bias) * factors.reshape(bias.shape) + bias
        return result


def plain() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(27, 5), nn.ReLU(), nn.Linear(5, 2)
    ).eval()


def adapted(scale: float, last: float | None = None, kind: type[Adapted] = Adapted) -> nn.Sequential:
    torch.manual_seed(0)
    net = plain()
    convs = nn.Conv2d(1, RANK, 2, bias=False), nn.Conv2d(RANK, 3, 1, bias=False)
    layers = nn.Linear(27, RANK, bias=False), nn.Linear(RANK, 5, bias=False)
    net[0] = kind(net[0], *convs, scale)
    net[3] = kind(net[3], *layers, scale if last is None else last)
    return net


def saved(folder: Path, state: dict[str, Tensor], **settings: Any) -> Path:
    torch.save({"state_dict": {f"base_model.model.{name}": v for name, v in state.items()}}, folder / "w.pt")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": RANK} | settings))
    return folder / "w.pt"


@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        ({"lora_alpha": 16}, 8.0),
        ({"lora_alpha": 16, "use_rslora": True}, 16 / math.sqrt(2)),
        ({"lora_alpha": 3, "use_dora": False, "alpha_pattern": {}}, 1.5),
    ],
)
def test_adapters_are_merged(tmp_path: Path, settings: dict[str, Any], scale: float) -> None:
    net = adapted(scale)
    program = sv.load_program(
        plain(), input_shape=(1, 4, 4), weights=saved(tmp_path, net.state_dict(), **settings)
    )
    x = torch.randn(20, 1, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(program.forward(x), net.double()(x), rtol=0, atol=1e-6)
    wide = sv.load_program(plain().double(), input_shape=(1, 4, 4), weights=tmp_path / "w.pt")
    torch.testing.assert_close(wide.forward(x), net(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("net", "settings"),
    [
        (adapted(8.0, 0.5), {"alpha_pattern": {"0": 16, "3": 1}}),
        (adapted(1.0, 4.0), {"alpha_pattern": {"other": 3, "[2-9]": 8}}),
        (adapted(1.0, kind=WithLengths), {"use_dora": True}),
    ],
    ids=["strengths by name", "strengths by pattern", "rows of given lengths"],
)
def test_adapters_of_other_kinds_are_merged(
    tmp_path: Path, net: nn.Sequential, settings: dict[str, Any]
) -> None:
    path = saved(tmp_path, net.state_dict(), lora_alpha=2, **settings)
    program = sv.load_program(plain().double(), input_shape=(1, 4, 4), weights=path)
    x = torch.randn(20, 1, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(program.forward(x), net.double()(x), rtol=0, atol=1e-12)


def test_a_network_with_adapters_takes_its_own(tmp_path: Path) -> None:
    """Their scale is in the module, whatever lies beside the file."""
    net = adapted(0.5)
    path = saved(tmp_path, net.state_dict(), lora_alpha=100)
    program = sv.load_program(adapted(0.5), input_shape=(1, 4, 4), weights=path)
    x = torch.randn(20, 1, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(program.forward(x), net.double()(x), rtol=0, atol=1e-12)


def test_modules_that_were_trained_whole(tmp_path: Path) -> None:
    net = adapted(1.0)
    state = net.state_dict()
    head = {name: state.pop(f"5.{name}") for name in ("weight", "bias")}
    for name, value in head.items():
        state |= {f"5.original_module.{name}": 0 * value, f"5.modules_to_save.default.{name}": value}
    program = sv.load_program(plain(), input_shape=(1, 4, 4), weights=saved(tmp_path, state, lora_alpha=RANK))
    x = torch.randn(20, 1, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(program.forward(x), net.double()(x), rtol=0, atol=1e-6)


def second_adapter(state: dict[str, Tensor]) -> dict[str, Tensor]:
    more = {n.replace("default", "other"): v for n, v in state.items() if "default" in n}
    return state | more


REFUSED: dict[str, tuple[Callable[[dict[str, Tensor]], dict[str, Tensor]], dict[str, Any], str]] = {
    "two": (
        second_adapter,
        {"lora_alpha": 2},
        r"several adapters \(LoRA\), default, other, .*\n.*set_adapter\('default'\)",
    ),
    "half": (lambda s: {n: v for n, v in s.items() if "lora_B" not in n}, {"lora_alpha": 2}, "unexpected"),
    "shapes": (
        lambda s: {n: v[:, :1] if "3.lora_B" in n else v for n, v in s.items()},
        {"lora_alpha": 2},
        r"unexpected: 3.lora_A.default.weight",
    ),
    "packed": (
        lambda s: {n: (9 * v).char() if n.endswith("base_layer.weight") else v for n, v in s.items()},
        {"lora_alpha": 2},
        "unexpected: .*lora_A",
    ),
    "dora without lengths": (dict, {"lora_alpha": 2, "use_dora": True}, "unexpected: .*lora_A"),
    "transposed": (dict, {"lora_alpha": 2, "fan_in_fan_out": True}, "fan_in_fan_out .* are not merged"),
    "no number": (
        dict,
        {"lora_alpha": 2, "alpha_pattern": {"0": "8"}},
        "alpha_pattern .* no table of numbers",
    ),
    "no pattern": (dict, {"lora_alpha": 2, "alpha_pattern": {"(": 8}}, "no regular expression"),
    "kind": (dict, {"lora_alpha": 2, "peft_type": "LOHA"}, "is not about LoRA"),
    "alpha": (dict, {}, "tells no lora_alpha"),
    "text": (dict, {"lora_alpha": "16"}, "tells no lora_alpha"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_other_adapters_are_refused(tmp_path: Path, kind: str) -> None:
    change, settings, words = REFUSED[kind]
    path = saved(tmp_path, change(adapted(1.0).state_dict()), **settings)
    with pytest.raises(InputError, match=f"{words}(.|\n)*merge_and_unload"):
        sv.load_program(plain(), input_shape=(1, 4, 4), weights=path)


def test_without_their_strength_they_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, adapted(1.0).state_dict(), lora_alpha=2)
    (tmp_path / "adapter_config.json").write_text("[")
    with pytest.raises(InputError, match=r"adapter_config.json' cannot be read as a JSON file"):
        sv.load_program(plain(), input_shape=(1, 4, 4), weights=path)
    (tmp_path / "adapter_config.json").unlink()
    with pytest.raises(InputError, match=r"lora_A(.|\n)*put PEFT's adapter_config.json beside it, or merge"):
        sv.load_program(plain(), input_shape=(1, 4, 4), weights=path)
