"""Candidates for the weights of a network: state dicts in what was given, with what trainers and wrappers put
before their names taken off."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from splineviz.program.state_dicts.entries import State, state_dicts
from splineviz.program.state_dicts.faults import faults
from splineviz.program.state_dicts.names import bare_names, beginnings, counts_batches, slot, superfluous
from splineviz.program.state_dicts.reparametrisations import as_wanted
from splineviz.program.state_dicts.wanted import Wanted

__all__ = ["Candidate", "candidates", "in_place"]

_USUAL = {"model", "net", "network"}
"""Attributes under which trainers' own modules hold the network"""


@dataclass(frozen=True, eq=False)
class Candidate:
    """Weights that may be meant, by the network's own names as far as they are known."""

    key: str
    state: State
    whole: bool
    """Whether nothing but the weights of trainers' own modules is left out"""
    n_known: int


def candidates(content: object, wanted: Wanted) -> list[Candidate]:
    """For every state dict in the content, and every beginning of its names, what follows; where weights are
    missing after all of them, the most telling one."""
    sources = state_dicts(content)
    found = [candidate for path, state in sources.items() for candidate in _by_beginning(path, state, wanted)]
    if len(sources) < 2 or any(not faults(candidate.state, wanted) for candidate in found):
        return found
    joined = {f"{path}.{name}": v for path, state in sources.items() if path for name, v in state.items()}
    parts = _by_beginning("", joined, wanted)
    return [candidate for candidate in parts if not faults(candidate.state, wanted)] or found


def _by_beginning(path: str, state: State, wanted: Wanted) -> list[Candidate]:
    """Candidates in one state dict: what follows each beginning of its names that leaves nothing missing."""
    bare = bare_names(state)
    named = {bare[name]: value for name, value in state.items()}
    ours = [name for name in named if name in wanted.bare or not superfluous(name)]
    required, known = _required(wanted), beginnings(named, wanted.bare)

    complete = [b for b, slots in known.items() if all(slots & group for group in required)]

    def after(beginning: str) -> Candidate:
        key = f"{path}.{beginning}".strip(".")
        followed = {name[len(beginning) :]: v for name, v in named.items() if name.startswith(beginning)}
        return Candidate(key, in_place(followed, wanted), whole(beginning), len(known.get(beginning, ())))

    def whole(beginning: str) -> bool:
        usual = _parts(beginning) <= _USUAL and (not beginning or len(complete) < 2)
        return usual or all(name.startswith(beginning) for name in ours)

    found = [after(beginning) for beginning in complete]
    # a part of another network is of interest only where it fits
    if found := [one for one in found if one.whole or not faults(one.state, wanted)]:
        return found
    return [after(max(filter(whole, known), key=lambda beginning: len(known[beginning]), default=""))]


def _parts(beginning: str) -> set[str]:
    return {part for part in beginning.split(".") if part}


def _required(wanted: Wanted) -> list[set[str]]:
    """Slots of which a complete state dict has one at least: of each weight, or of those that are one."""
    own = {name: bare for bare, name in wanted.bare.items()}
    groups = [{slot(own[name]) for name in group} for group in wanted.ties]
    tied = set().union(*groups)
    single = [{slot(bare)} for bare in wanted.bare if slot(bare) not in tied and not counts_batches(bare)]
    return groups + single


def in_place(state: State, wanted: Wanted) -> State:
    """Weights under the network's own names as far as they are known: put together or renamed, tied ones
    twice, and without what is superfluous."""
    bare = {name: wanted.tensors[own] for name, own in wanted.bare.items()}
    renamed = as_wanted(state, bare, wanted.transposed)
    found = {
        wanted.bare.get(name, name): value
        for name, value in renamed.items()
        if name in wanted.bare or not superfluous(name)
    }
    for group in wanted.ties:
        known = next((found[name] for name in group if name in found), None)
        if known is not None:
            found = dict.fromkeys(group, known) | found
    for name, value in wanted.tensors.items():
        if counts_batches(name):
            found.setdefault(name, torch.zeros(value.shape, dtype=value.dtype))
        elif name in found and value.dim() == 0 and found[name].shape == (1,):
            found[name] = found[name][0]  # as load_state_dict does for files from before torch 0.4
    return found
