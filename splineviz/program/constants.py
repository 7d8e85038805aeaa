"""Constants of a traced graph: stored tensors, and calls on constants alone, computed ahead in float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from splineviz.program.trace import Call, Graph

__all__ = ["cast", "computed", "stored"]

_UNFILLED = frozenset({"empty", "empty_like", "new_empty"})
_CPU = torch.device("cpu")


def stored(graph: Graph, weights: Mapping[str, Tensor], name: str) -> Tensor:
    """Copy of a weight, or of a tensor that the module holds beside them, on the CPU, in double precision.

    The graph may write into it.
    """
    value = weights.get(name)
    value = graph.constants[name] if value is None else value
    kept: Tensor = cast(value.detach(), torch.float64, _CPU)
    return kept.clone()


def computed(call: Call, arguments: Mapping[str, Any]) -> Any:
    """Result of a call on constants, on the CPU: real tensors in float64, but what the network rounds to
    fewer than 32 bits (fake quantisation, bfloat16, fp8) is rounded.

    ``arguments`` hold values in place of references, and are left as they are by a call that writes in place.
    Whatever torch raises goes through.
    """
    given = {name: cast(value, torch.float64, _CPU, narrow=False) for name, value in arguments.items()}
    if call.in_place and isinstance(given.get("self"), Tensor):
        given["self"] = given["self"].clone()
    with torch.no_grad():
        by_name = getattr(call.target, "_schema", None) is not None
        result = call.target(**given) if by_name else call.target(*given.values())
    if call.op in _UNFILLED:  # chance is overwritten later, or the network would be no function
        result.zero_()
    return cast(result, torch.float64, _CPU, narrow=False)


def cast(value: Any, dtype: torch.dtype, device: torch.device, *, narrow: bool = True) -> Any:
    """Tensors, data types and devices, also within lists, brought to a floating-point type, or the complex
    one of that precision, and a device; those of fewer than 32 bits only if ``narrow``."""
    if isinstance(value, Tensor):
        to = cast(value.dtype, dtype, device, narrow=narrow)
        return value.to(device, to).resolve_conj().resolve_neg()
    if isinstance(value, torch.dtype):
        if value.is_complex:
            return dtype.to_complex()
        return dtype if value.is_floating_point and (narrow or value.itemsize >= 4) else value
    if isinstance(value, torch.device):
        return device
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(cast(item, dtype, device, narrow=narrow) for item in value)
    return value
