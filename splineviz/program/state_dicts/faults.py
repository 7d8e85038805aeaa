"""Faults of weights for a network: names that are missing, with the nearest that there are, unexpected, or of
another shape; and why that may be."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from torch import Tensor

from splineviz.program.state_dicts.wanted import Wanted
from splineviz.program.weight_files.adapter_settings import MERGE
from splineviz.program.weights import some

__all__ = ["faults", "reason"]

_SHOWN = 5
_REASONS = (
    (
        ("lora_", "base_layer.", "modules_to_save.", "hada_w", "lokr_w"),
        "adapters (LoRA) lie beside the weights, and how strongly they act is not told: save them in a file "
        f"and put PEFT's adapter_config.json beside it, or {MERGE}",
    ),
    (
        ("parametrizations.", "_orig", "weight_g", "weight_v"),
        "the weights are parametrised: remove that before saving, "
        "torch.nn.utils.parametrize.remove_parametrizations(module, 'weight')",
    ),
    (("_flat_param",), "the weights are sharded by FSDP: save a full state dict"),
)
"""Parts of unexpected names, and what to do about them"""


def faults(state: Mapping[str, Tensor], wanted: Wanted) -> list[str]:
    """A clause for each kind of fault; none where the weights fit."""
    missing = [name for name in wanted.tensors if name not in state]
    unexpected = [name for name in state if name not in wanted.tensors]
    shapes = [
        f"{name} (expected {tuple(value.shape)}, got {tuple(state[name].shape)})"
        for name, value in wanted.tensors.items()
        if name in state and state[name].shape != value.shape
    ]
    found = []
    if missing:
        near = []
        for name in missing[:_SHOWN]:
            alike = [other for other in unexpected if state[other].shape == wanted.tensors[name].shape]
            near.append(_with_nearest(name, alike or unexpected))
        found.append(f"missing: {some([*near, *missing[_SHOWN:]])}")
    if unexpected:
        found.append(f"unexpected: {some(unexpected)}")
    if shapes:
        found.append(f"wrong shape: {some(shapes)}")
    return found


def reason(state: Mapping[str, Tensor], wanted: Wanted) -> str:
    """Advice where weights do not fit."""
    unexpected = [name for name in state if name not in wanted.tensors]
    for signs, remedy in _REASONS:
        if any(sign in name for name in unexpected for sign in signs):
            return remedy
    missing = [name for name in wanted.tensors if name not in state]
    if missing and {name.partition(".")[2] for name in missing} <= set(unexpected):
        return "a module that holds another renames its weights; a subclass that overrides forward() does not"
    return "give weights of this very architecture"


def _with_nearest(name: str, others: list[str]) -> str:
    near = get_close_matches(name, others, 1, 0.5)
    return f"{name} (nearest: {near[0]})" if near else name
