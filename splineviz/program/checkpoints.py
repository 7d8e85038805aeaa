"""The checkpoints of one network over its training: traced once, weights rebound for each when it is asked
for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.errors import InputError
from splineviz.inputs import whole_number
from splineviz.program.checkpoint_files import Source, checkpoint_files
from splineviz.program.first_run import Shape
from splineviz.program.models import Model
from splineviz.program.one_input import Fixed, Output
from splineviz.program.program import Program
from splineviz.program.sources import program_for
from splineviz.program.state_dicts import entry, state_dicts
from splineviz.program.steps import step_in_name
from splineviz.program.weight_files import COUNTERS, SUFFIXES, Facts, facts_of, files_of, read_content
from splineviz.showing import in_line

__all__ = ["Checkpoints"]


class Checkpoints:
    """The checkpoints of one network in the order of their steps.

    The network is traced once; ``runs[i]`` reads the file of checkpoint i and binds its weights, each time it
    is asked for. Steps come from inside the files, under the first of the keys ``step``, ``global_step``,
    ``iteration`` and ``epoch`` that every file has; or else from the names: the last number after ``step``,
    ``iter``, ``epoch`` or ``checkpoint``, or the last whole number in the name of the file; or such a number
    in that of its folder.

    Parameters
    ----------
    model
        A program, or whatever :func:`splineviz.load_program` takes.
    source
        A pattern such as ``"run/step-*.pt"``, a folder, of which every file of weights is taken and every
        folder of one, or a list of files; of whatever kind :func:`splineviz.load_program` takes.
    input_shape, logits, fix, output
        For the trace, as in :func:`splineviz.load_program`; a program has been told.
    weights_key
        The entry of each file that holds the weights, where several would do: ``"ema"``, say.

    Attributes
    ----------
    program
        The traced network, with the weights of the model.
    paths, names, steps
        Of each checkpoint: its file, the part of its path that tells it from the others, and its step.
    metrics
        name -> (checkpoint,) the numbers that the files hold in a dict under the key ``metrics``; NaN where a
        file does not tell.
    left_out
        Files of a folder or a pattern that are no checkpoints, and why: they cannot be read, have no weights
        or no step, are copies of others, or of other networks beside ones of the same step.

    Raises
    ------
    InputError
        If there is no file, one that was named cannot be read or tells no step, or two of the same step have
        other weights. ``runs[i]``: if the weights do not fit the network, are not finite, or cannot be read;
        each naming the file.

    Examples
    --------
    >>> import tempfile, torch
    >>> from torch import nn
    >>> folder, net = tempfile.mkdtemp(), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> for step in (100, 20, 3):
    ...     torch.save(net.state_dict(), f"{folder}/step-{step}.pt")
    >>> runs = Checkpoints(net.eval(), f"{folder}/step-*.pt")
    >>> runs.steps, runs[-1].n_units
    ((3, 20, 100), 8)
    """

    def __init__(
        self,
        model: Model | Program,
        source: Source,
        *,
        input_shape: Shape | None = None,
        logits: bool = False,
        fix: Fixed | None = None,
        output: Output | None = None,
        weights_key: str | None = None,
    ) -> None:
        paths = checkpoint_files(source)
        if not paths:
            where = f"'{source}'" if isinstance(source, (str, os.PathLike)) else "the list"
            expected = f"give a folder, a pattern such as 'run/step-*.pt' or files: {', '.join(SUFFIXES)}"
            raise InputError(f"no checkpoint in {where}", hint=expected)
        self.program = program_for(model, [], input_shape=input_shape, logits=logits, fix=fix, output=output)
        self._key = weights_key
        self.left_out: dict[Path, str] = {}
        # who names files wants each of them
        chosen = not isinstance(source, (str, os.PathLike)) or len(paths) == 1
        found = self._in_order(self._readable(paths, chosen), chosen)
        self.paths = tuple(checkpoint.path for checkpoint in found)
        self.names = _names(self.paths)
        self.steps = tuple(checkpoint.step for checkpoint in found)
        self.metrics = _metrics([checkpoint.facts for checkpoint in found])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Program:
        return self.program.rebind(self.paths[index], self._key)

    def __iter__(self) -> Iterator[Program]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        without = f"; {len(self.left_out)} files left out" if self.left_out else ""
        steps = f"steps {self.steps[0]} to {self.steps[-1]}"
        return in_line(f"Checkpoints({len(self)} of {self.program.name}, {steps}{without})")

    def digest(self, index: int) -> str:
        """sha256 of the files of weights, hex: what is computed from them can be kept under this name."""
        made, last = hashlib.sha256(), len(self.paths) - 1
        for path in files_of(self.paths[whole_number(index, "index", 0, last)]):
            try:
                with path.open("rb") as stream:
                    hashlib.file_digest(stream, lambda: made)
            except OSError as error:
                raise InputError(f"'{path}' cannot be read: {error.strerror}") from error
        return made.hexdigest()

    def _readable(self, paths: Sequence[Path], chosen: bool) -> dict[Path, Facts]:
        """Facts of the files that hold weights; others are left out, unless they were chosen."""
        found: dict[Path, Facts] = {}
        refused: list[InputError] = []
        for path in paths:
            try:
                found[path] = _facts(path, self._key)
            except InputError as error:
                refused.append(error)
                self.left_out[path] = error.message
        if refused and (chosen or not found):
            raise refused[0]
        return found

    def _in_order(self, facts: dict[Path, Facts], chosen: bool) -> list[_Checkpoint]:
        """The checkpoints in the order of their steps, each step once; those without one, copies, and those
        of other networks beside them are left out."""
        steps = _steps(facts)
        untold = [path for path in facts if path not in steps]
        if untold and (chosen or not steps):
            raise InputError(
                f"'{untold[0]}' does not tell its step",
                hint="name it step-100.pt, or save it with its step: {'state_dict': ..., 'step': 100}",
            )
        self.left_out |= {path: f"'{path}' does not tell its step" for path in untold}
        # of copies the one stays whose name tells its step
        order = sorted(steps, key=lambda path: (steps[path], step_in_name(path) != steps[path]))
        found: list[_Checkpoint] = []
        for path in order:
            if found and found[-1].step == steps[path]:
                path = self._better(found.pop().path, path, steps[path])
            found.append(_Checkpoint(path, steps[path], facts[path]))
        return found

    def _better(self, one: Path, other: Path, step: int) -> Path:
        """The one of two checkpoints of one step that stays: the first of copies, or the only one to fit."""
        if _alike(one, other):
            self.left_out[other] = f"'{other}' holds the weights of '{one}'"
            return one
        misfits = {}
        for path in (one, other):
            try:
                self.program.rebind(path, self._key)
            except InputError as error:
                misfits[path] = error.message
        if len(misfits) != 1:
            raise InputError(
                f"two checkpoints have the step {step}: '{one}' and '{other}'",
                hint="leave one out, by a list of files or a narrower pattern",
            )
        self.left_out |= misfits
        return one if other in misfits else other


@dataclass(frozen=True)
class _Checkpoint:
    path: Path
    step: int
    facts: Facts


def _facts(path: Path, key: str | None) -> Facts:
    """Facts that a file tells beside its weights.

    Raises
    ------
    InputError
        If it cannot be read, or holds no weights.
    """
    content = read_content(path, lazy=True)
    weights = content if key is None else entry(content, key, f"'{path}'")
    if not isinstance(weights, (Tensor, list, tuple)) and not state_dicts(weights):
        raise InputError(
            f"'{path}' holds no state dict", hint="torch.save(model.state_dict(), path) writes one"
        )
    return facts_of(content)


def _steps(facts: dict[Path, Facts]) -> dict[Path, int]:
    """The steps of the files, told in one way: the first that most of them have and that tells most apart."""
    ways = [
        {path: told.counters[name] for path, told in facts.items() if name in told.counters}
        for name in COUNTERS
    ]
    ways.append({path: step for path in facts if (step := step_in_name(path)) is not None})
    return max(ways, key=lambda way: (len(way), len(set(way.values()))))


def _alike(one: Path, other: Path) -> bool:
    """Whether two files hold the same weights."""
    first, second = (state_dicts(read_content(path, lazy=True)) for path in (one, other))
    return first.keys() == second.keys() and all(
        first[path].keys() == state.keys()
        and all(torch.equal(first[path][name], value) for name, value in state.items())
        for path, state in second.items()
    )


def _names(paths: tuple[Path, ...]) -> tuple[str, ...]:
    if len({path.name for path in paths}) == len(paths):
        return tuple(path.name for path in paths)
    common = os.path.commonpath([path.absolute().parent for path in paths])
    return tuple(str(path.absolute().relative_to(common)) for path in paths)


def _metrics(facts: list[Facts]) -> dict[str, Float64[np.ndarray, "checkpoint"]]:
    names = dict.fromkeys(name for fact in facts for name in fact.metrics)
    return {
        name: np.array([fact.metrics.get(name, np.nan) for fact in facts], dtype=np.float64) for name in names
    }
