"""How strongly adapters (LoRA) act: the adapter_config.json that PEFT writes beside them."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

from splineviz.errors import InputError
from splineviz.program.weight_files.formats import unreadable

__all__ = ["MERGE", "AdapterSettings"]

MERGE = "merge them, model.merge_and_unload(), and save that"
"""Advice on adapters that are not merged here"""

_NAME = "adapter_config.json"
_MATTER = (
    "use_dora",
    "use_qalora",
    "fan_in_fan_out",
    "lora_bias",
    "alpha_pattern",
    "target_parameters",
    "alora_invocation_tokens",
    "arrow_config",
)
"""Settings under which adapters add something else than scale * B A, or each its own scale"""


@dataclass(frozen=True)
class AdapterSettings:
    """Settings of the adapters of a network: each adds scale * B A to a weight."""

    alpha: float
    rank_stabilised: bool

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
        alpha = told.get("lora_alpha")
        if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not math.isfinite(alpha):
            raise InputError(f"'{file}' tells no lora_alpha, the strength of the adapters", hint=MERGE)
        return cls(float(alpha), bool(told.get("use_rslora")))

    def scale(self, rank: int) -> float:
        """The factor before B A for adapters of a rank."""
        return self.alpha / (math.sqrt(rank) if self.rank_stabilised else rank)
