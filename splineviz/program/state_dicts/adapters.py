"""Adapters (LoRA) in PEFT's names, merged into the weights that they adapt: W + scale * B A."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from splineviz.program.state_dicts.entries import State
from splineviz.program.state_dicts.wanted import Wanted
from splineviz.program.weight_files.adapter_settings import AdapterSettings

__all__ = ["merged"]

_DOWN = re.compile(r"^(?P<layer>.+)\.lora_A(?P<adapter>\.\w+)?\.weight$")
_COPY = re.compile(r"^(?P<layer>.+)\.(?:base_layer|modules_to_save\.\w+)\.(?P<own>\w+)$")
"""Names of what a layer has of its own, below the names of its adapters or in place of its original"""
_ORIGINAL = ".original_module."


def merged(content: object, settings: AdapterSettings, wanted: Wanted) -> object:
    """The content of a file with all adapters merged whose layers hold one alone; as it is, where the network
    has adapters itself.

    As by PEFT's own merge_and_unload, the sum is computed in the data type of the network.
    """
    if any(_DOWN.match(name) for name in wanted.tensors):
        return content
    if not isinstance(content, Mapping):
        return content
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if any(map(_DOWN.match, tensors)):
        kind = next((v.dtype for v in wanted.tensors.values() if v.is_floating_point()), torch.float32)
        return _merged(tensors, settings, kind)
    return {name: merged(value, settings, wanted) for name, value in content.items()}


def _merged(state: State, settings: AdapterSettings, kind: torch.dtype) -> State:
    found = dict(state)
    adapted = [(name, match) for name in state if (match := _DOWN.match(name))]
    layers = [match["layer"] for _, match in adapted]
    for down, match in adapted:
        layer, up = match["layer"], down.replace(".lora_A", ".lora_B")
        base = f"{layer}.base_layer.weight"
        together = up in state and base in state and state[base].is_floating_point()
        if layers.count(layer) > 1 or not together:
            continue  # which of several acts is not told; what stays is refused as unexpected
        whole, above, below = (state[name].to(kind) for name in (base, up, down))
        weight = _sum(whole, above, below, settings.scale(len(below)))
        if weight is not None:
            found[base] = weight
            del found[down], found[up]
    kept = {name for name in found if _ORIGINAL in name and _copied(name, found)}
    named = {name: _COPY.match(name) for name in found if name not in kept}
    return {name if m is None else f"{m['layer']}.{m['own']}": found[name] for name, m in named.items()}


def _sum(base: Tensor, up: Tensor, down: Tensor, scale: float) -> Tensor | None:
    """The weight of a linear map or a convolution with its adapter; None where shapes do not belong
    together."""
    if up.shape[1:] != (len(down), *(1,) * (up.dim() - 2)) or (len(up), *down.shape[1:]) != base.shape:
        return None
    return base + (up.flatten(1) @ down.flatten(1)).reshape(base.shape) * scale


def _copied(name: str, state: State) -> bool:
    """Whether a copy of the module that this weight is of takes its place."""
    layer = name.partition(_ORIGINAL)[0]
    return any(other.startswith(f"{layer}.modules_to_save.") for other in state)
