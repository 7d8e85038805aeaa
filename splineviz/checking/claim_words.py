"""Kinds of what a file writes in words: the figures of its certificate, and the card of its network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["check_words"]

_PER_STAGE = ("cells_per_stage", "decisions_per_stage", "proven_per_stage")


def check_words(stats: Any, card: Any) -> None:
    """Refuse words of another kind than those that a check looks into.

    Raises
    ------
    KeyError, TypeError, ValueError
        If one is missing, or is of another kind.
    """
    if not isinstance(stats, Mapping) or not isinstance(card, Mapping):
        raise TypeError("the figures of its certificate, or the card of its network, are none")
    listed = {name: stats.get(name, ()) for name in _PER_STAGE} | {"stages": card["stages"]}
    for name, value in listed.items():
        if not isinstance(value, list | tuple):
            raise TypeError(f"{name} is {value!r}, and no list")
    if not all(isinstance(stage, Mapping) for stage in card["stages"]):
        raise TypeError("a stage of its network is none")
    for name in ("name", "digest"):
        if not isinstance(card[name], str):
            raise TypeError(f"the {name} of its network is {card[name]!r}")
