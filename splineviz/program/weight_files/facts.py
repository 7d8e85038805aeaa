"""What a checkpoint tells beside its weights: how far training had come, and numbers that were measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from splineviz.showing import in_line

__all__ = ["COUNTERS", "METRICS", "Facts", "facts_of"]

COUNTERS = ("step", "global_step", "global_steps", "iteration", "iter", "epoch")
"""Keys under which files keep how far training had come, the first choice first"""
METRICS = "metrics"
_BESIDE = "meta"
"""Entry that holds such keys in files of OpenMMLab's libraries"""


@dataclass(frozen=True)
class Facts:
    """Facts that a checkpoint tells beside its weights."""

    counters: dict[str, int]
    """Entries of `COUNTERS` that it has."""
    metrics: dict[str, float]
    """The numbers of its dict ``metrics``, by names that can be printed."""


def facts_of(content: object) -> Facts:
    """The facts in the content of a file."""
    told = content if isinstance(content, Mapping) else {}
    beside = told.get(_BESIDE)
    told = {**(beside if isinstance(beside, Mapping) else {}), **told}
    counters = {name: _number(told.get(name)) for name in COUNTERS}
    inner = told.get(METRICS)
    metrics = {in_line(str(k)): _number(v) for k, v in inner.items()} if isinstance(inner, Mapping) else {}
    return Facts(
        {name: int(value) for name, value in counters.items() if value is not None and value == int(value)},
        {name: float(value) for name, value in metrics.items() if value is not None},
    )


def _number(value: object) -> float | int | None:
    if isinstance(value, (Tensor, np.generic, np.ndarray)):
        array = np.asarray(value)
        value = array.item() if array.size == 1 and array.dtype.kind in "iuf" else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
