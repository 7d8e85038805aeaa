"""How strongly adapters (LoRA) act: the adapter_config.json that PEFT writes beside them."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from splineviz.errors import InputError
from splineviz.program.weight_files.formats import unreadable

__all__ = ["MERGE", "AdapterSettings"]

MERGE = "merge them, model.merge_and_unload(), and save that"
"""Advice on adapters that are not merged here"""

_NAME = "adapter_config.json"
_MATTER = (
    "use_qalora",
    "fan_in_fan_out",
    "lora_bias",
    "target_parameters",
    "alora_invocation_tokens",
    "arrow_config",
)
"""Settings under which adapters do something else than to add scale * B A"""


@dataclass(frozen=True)
class AdapterSettings:
    """Settings of the adapters of a network: each adds scale * B A to a weight.

    With ``magnitudes`` the rows of the sum are then brought to lengths of their own (DoRA).
    """

    alpha: float
    rank_stabilised: bool
    magnitudes: bool
    alphas: Mapping[str, float]
    """Values of their own, by a regular expression for the ends of the layers' names"""

    @classmethod
    def beside(cls, path: str | os.PathLike[str]) -> AdapterSettings | None:
        """Settings that lie beside a file of weights, or in the folder of them; None where there are none.

        Raises
        ------
        InputError
            If they cannot be read, or are those of adapters that act in another way.
        """
        path = Path(path)
        file = (path if path.is_dir() else path.parent) / _NAME
        if not file.is_file():
            return None
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise unreadable(file, "JSON", error) from error
        if not isinstance(told, dict) or str(told.get("peft_type", "LORA")).upper() != "LORA":
            raise InputError(f"'{file}' is not about LoRA, the adapters that are merged", hint=MERGE)
        if strange := [name for name in _MATTER if told.get(name)]:
            raise InputError(f"adapters with {', '.join(strange)} ('{file}') are not merged", hint=MERGE)
        alphas, alpha = told.get("alpha_pattern") or {}, told.get("lora_alpha")
        if not _is_number(alpha):
            raise InputError(f"'{file}' tells no lora_alpha, the strength of the adapters", hint=MERGE)
        if not isinstance(alphas, dict) or not all(map(_is_number, alphas.values())):
            raise InputError(f"alpha_pattern of '{file}' is no table of numbers", hint=MERGE)
        if odd := [pattern for pattern in alphas if not _is_pattern(pattern)]:
            raise InputError(f"'{odd[0]}' in '{file}' is no regular expression", hint=MERGE)
        return cls(float(alpha), bool(told.get("use_rslora")), bool(told.get("use_dora")), alphas)

    def scale(self, layer: str, rank: int) -> float:
        """The factor before B A for the adapter of a layer."""
        own = (a for pattern, a in self.alphas.items() if re.fullmatch(rf"(.*\.)?({pattern})", layer))
        return next(own, self.alpha) / (math.sqrt(rank) if self.rank_stabilised else rank)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True
