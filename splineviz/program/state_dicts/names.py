"""Names of weights without what wrappers and reparametrisations add to them, and where in the names of a file
those of a network begin."""

from __future__ import annotations

import re
from collections.abc import Iterable

from splineviz.program.weight_files import COUNTERS

__all__ = ["bare_names", "beginnings", "counts_batches", "slot", "superfluous"]

_WRAPPERS = {
    "module",  # DataParallel, DistributedDataParallel, AveragedModel
    "_orig_mod",  # torch.compile
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_forward_module",  # Lightning Fabric
}
_SUPERFLUOUS = {
    "n_averaged",  # AveragedModel
    "num_batches_tracked",  # batch norms; of no use in evaluation mode
    "total_ops",  # thop
    "total_params",
}
_PART = re.compile(
    r"^(?P<owner>(?:.*\.)?)(?:"
    r"parametrizations\.(?P<new>\w+)\.(?:original[01]?|0\._[uv])"
    r"|(?P<old>\w+?)_(?:g|v|u|orig|mask))$"
)
"""Name of a part that a reparametrisation made of a weight"""


def bare_names(names: Iterable[str]) -> dict[str, str]:
    """Each name without the parts that wrappers add at any depth; as it is, where two would become one."""
    bare = {name: ".".join(p for p in name.split(".") if p not in _WRAPPERS) for name in names}
    alike = len(set(bare.values())) == len(bare) and all(bare.values())
    return bare if alike else {name: name for name in bare}


def slot(name: str) -> str:
    """The weight that a part of a reparametrisation belongs to; any other name as it is.

    Examples
    --------
    >>> slot("0.weight_g"), slot("0.parametrizations.weight.original1"), slot("0.bias")
    ('0.weight', '0.weight', '0.bias')
    """
    found = _PART.match(name)
    return name if found is None else found["owner"] + (found["new"] or found["old"])


def counts_batches(name: str) -> bool:
    """True of the counter of a batch norm, which state dicts from before torch 0.4.1 lack."""
    return name.rpartition(".")[2] == "num_batches_tracked"


def superfluous(name: str) -> bool:
    """True of an entry that a network does without."""
    return name in COUNTERS or name.rpartition(".")[2] in _SUPERFLUOUS


def beginnings(names: Iterable[str], wanted: Iterable[str]) -> dict[str, set[str]]:
    """For each beginning of names, ``"model."`` or none, the slots of ``wanted`` that follow it.

    Examples
    --------
    >>> beginnings(["net.0.weight", "net.0.bias", "loss.weight"], ["0.weight", "0.bias"])["net."] == {
    ...     "0.weight", "0.bias"
    ... }
    True
    """
    slots = {slot(name) for name in wanted}
    found: dict[str, set[str]] = {}
    for name in map(slot, names):
        parts = name.split(".")
        for i in range(len(parts)):
            rest = ".".join(parts[i:])
            if rest in slots:
                found.setdefault("".join(f"{part}." for part in parts[:i]), set()).add(rest)
    return found
