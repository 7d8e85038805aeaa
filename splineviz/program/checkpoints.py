"""The checkpoints of one network over its training: traced once, weights rebound for each when it is asked
for."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from splineviz.errors import InputError
from splineviz.program.program import Program
from splineviz.program.sources import load_program
from splineviz.program.weight_files import COUNTERS, SUFFIXES, Facts, load_weights, read_facts

__all__ = ["Checkpoints", "checkpoint_files"]

Source = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_NAMED_STEP = re.compile(r"(?:step|iter|iteration|epoch|checkpoint|ckpt)[-_=]?(\d+)", re.IGNORECASE)


_WHOLE = re.compile(r"(?<![\d.])\d+(?!\.?\d)")


class Checkpoints:
    """The checkpoints of one network in the order of their steps.

    The network is traced once; ``runs[i]`` reads the file of checkpoint i and binds its weights, each time it
    is asked for. Steps come from inside the files, under the first of the keys ``step``, ``global_step``,
    ``iteration`` and ``epoch`` that every file has; or else from the names: the number after ``step``,
    ``iter``, ``epoch`` or ``checkpoint``, or the last whole number in the name of the file; or the number
    after such a word in that of its folder.

    Parameters
    ----------
    model
        A program, or whatever :func:`splineviz.load_program` takes.
    source
        A pattern such as ``"run/step-*.pt"``, a folder, of which every file of weights is taken, or a list of
        files: .pt, .pth, .th, .safetensors, .npz (see :func:`splineviz.program.load_weights`).
    input_shape, logits
        For the trace, as in :func:`splineviz.load_program`; of no use with a program.
    key
        The entry of each file that holds the weights, where there are several: ``"ema"``, say.

    Attributes
    ----------
    program
        The traced network, with the weights of the model.
    paths, names, steps
        Of each checkpoint: its file, the part of its path that tells it from the others, and its step.
    metrics
        name -> (checkpoint,) the numbers that the files hold in a dict under the key ``metrics``; NaN where a
        file does not tell.

    Raises
    ------
    InputError
        If there is no file, one cannot be read or tells no step, or two have the same. ``runs[i]``: if the
        weights do not fit the network, are not finite, or cannot be read; each naming the file.

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
        model: Any,
        source: Source,
        *,
        input_shape: int | Sequence[int] | None = None,
        logits: bool = False,
        key: str | None = None,
    ) -> None:
        paths = checkpoint_files(source)
        if not paths:
            where = f"'{source}'" if isinstance(source, (str, os.PathLike)) else "the list"
            expected = f"give a folder, a pattern such as 'run/step-*.pt' or files: {', '.join(SUFFIXES)}"
            raise InputError(f"no checkpoint in {where}", hint=expected)
        facts = [read_facts(path) for path in paths]
        steps = _steps(paths, facts)
        order = sorted(range(len(paths)), key=steps.__getitem__)
        for i, j in pairwise(order):
            if steps[i] == steps[j]:
                raise InputError(
                    f"two checkpoints have the step {steps[i]}: '{paths[i]}' and '{paths[j]}'",
                    hint="leave one out, by a list of files or a narrower pattern",
                )
        self.program = (
            model
            if isinstance(model, Program)
            else load_program(model, input_shape=input_shape, logits=logits)
        )
        self.paths = tuple(paths[i] for i in order)
        self.names = _names(self.paths)
        self.steps = tuple(steps[i] for i in order)
        self.metrics = _metrics([facts[i] for i in order])
        self._key = key

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Program:
        path = self.paths[index]
        weights = load_weights(path, self._key)
        try:
            return self.program.rebind(weights)
        except InputError as error:
            raise InputError(f"'{path}': {error.message}", hint=error.hint) from error

    def __iter__(self) -> Iterator[Program]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Checkpoints({len(self)} of {self.program.name}, steps {self.steps[0]} to {self.steps[-1]})"

    def digest(self, index: int) -> str:
        """sha256 of the weights' file, hex: what is computed from it can be kept under this name."""
        path = self.paths[index]
        try:
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"'{path}' cannot be read: {error.strerror}") from error


def checkpoint_files(source: Source) -> list[Path]:
    """The files that a pattern, a folder or a list stands for; there may be none."""
    if not isinstance(source, (str, os.PathLike)):
        return [Path(path) for path in source]
    folder = Path(source)
    if folder.is_dir():
        # what begins with a dot is being written
        return [
            path
            for path in sorted(folder.iterdir())
            if path.suffix in SUFFIXES and not path.name.startswith(".")
        ]
    if folder.is_file():
        return [folder]
    return [Path(path) for path in sorted(glob.glob(str(source), recursive=True))]


def _steps(paths: list[Path], facts: list[Facts]) -> list[int]:
    for counter in COUNTERS:
        if all(counter in fact.counters for fact in facts):
            return [fact.counters[counter] for fact in facts]
    found = [_step_of(path) for path in paths]
    steps = [step for step in found if step is not None]
    if len(steps) == len(paths):
        return steps
    untold = paths[found.index(None)]
    raise InputError(
        f"'{untold}' does not tell its step",
        hint="name it step-100.pt, or save it with its step: {'state_dict': ..., 'step': 100}",
    )


def _step_of(path: Path) -> int | None:
    numbers = (
        _NAMED_STEP.findall(path.stem) or _WHOLE.findall(path.stem) or _NAMED_STEP.findall(path.parent.name)
    )
    return int(numbers[-1]) if numbers else None


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
