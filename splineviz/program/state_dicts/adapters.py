"""Adapters (LoRA) in PEFT's names, merged into the weights that they adapt: W' = W + scale * B A, and with
magnitudes m (DoRA, arXiv 2402.09353, eq. 5) m W' / |W'|, row by row."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.state_dicts.entries import State
from splineviz.program.state_dicts.wanted import Wanted
from splineviz.program.weight_files.adapter_settings import MERGE, AdapterSettings
from splineviz.program.weights import some

__all__ = ["merged"]

_DOWN = re.compile(r"^(?P<layer>.+)\.lora_A(?P<adapter>\.\w+)?\.weight$")
_MAGNITUDES = ".lora_magnitude_vector"
_COPY = re.compile(r"^(?P<layer>.+)\.(?:base_layer|modules_to_save\.\w+)\.(?P<own>\w+)$")
"""Names of what a layer has of its own, below the names of its adapters or in place of its original"""
_ORIGINAL = ".original_module."


def merged(content: object, settings: AdapterSettings, wanted: Wanted) -> object:
    """The content of a file with all adapters merged; as it is, where the network has adapters itself.

    As by PEFT's own merge_and_unload, the sum is computed in the data type of the network.

    Raises
    ------
    InputError
        If a layer has several adapters.
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
    _refuse_several(adapted)
    for down, match in adapted:
        layer, up = match["layer"], down.replace(".lora_A", ".lora_B")
        base, magnitudes = f"{layer}.base_layer.weight", _magnitudes(match, state)
        together = up in state and base in state and state[base].is_floating_point()
        if not together or settings.magnitudes != (magnitudes is not None):
            continue  # what stays is refused as unexpected
        whole, above, below = (state[name].to(kind) for name in (base, up, down))
        weight = _sum(whole, above, below, settings.scale(layer, len(below)))
        if weight is not None and magnitudes is not None:
            weight = _of_lengths(weight, state[magnitudes].to(kind))
        if weight is not None:
            found[base] = weight
            for name in filter(None, (down, up, magnitudes)):
                del found[name]
    kept = {name for name in found if _ORIGINAL in name and _copied(name, found)}
    named = {name: _COPY.match(name) for name in found if name not in kept}
    return {name if m is None else f"{m['layer']}.{m['own']}": found[name] for name, m in named.items()}


def _sum(base: Tensor, up: Tensor, down: Tensor, scale: float) -> Tensor | None:
    """The weight of a linear map or a convolution with its adapter; None where shapes do not belong
    together."""
    if up.shape[1:] != (len(down), *(1,) * (up.dim() - 2)) or (len(up), *down.shape[1:]) != base.shape:
        return None
    return base + (up.flatten(1) @ down.flatten(1)).reshape(base.shape) * scale


def _magnitudes(adapter: re.Match[str], state: State) -> str | None:
    """The name of the lengths that rows have under an adapter; None without."""
    name = f"{adapter['layer']}{_MAGNITUDES}{adapter['adapter'] or ''}"
    return next((n for n in (f"{name}.weight", name) if n in state), None)


def _of_lengths(weight: Tensor, lengths: Tensor) -> Tensor | None:
    """The weight with rows of these lengths; None where their number is another."""
    if lengths.numel() != len(weight):
        return None
    rows = weight.flatten(1)
    factors: Tensor = lengths.reshape(-1, 1) / torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return (factors * rows).reshape(weight.shape)


def _refuse_several(adapted: list[tuple[str, re.Match[str]]]) -> None:
    adapters: dict[str, list[str]] = {}
    for _, match in adapted:
        adapters.setdefault(match["layer"], []).append((match["adapter"] or "").removeprefix("."))
    for layer, names in adapters.items():
        if len(names) > 1:
            raise InputError(
                f"'{layer}' has several adapters (LoRA), {some(names)}, and which of them acts is not told",
                hint=f"choose it, model.set_adapter({names[0]!r}); {MERGE}",
            )


def _copied(name: str, state: State) -> bool:
    """Whether a copy of the module that this weight is of takes its place."""
    layer = name.partition(_ORIGINAL)[0]
    return any(other.startswith(f"{layer}.modules_to_save.") for other in state)
