"""Keeping checkpoints while a network is trained: a hook for any training loop."""

from __future__ import annotations

import math
import os
import re
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, BinaryIO, Literal

import torch
from torch import Tensor, nn

from splineviz.errors import InputError, SplinevizWarning
from splineviz.files import atomic_path
from splineviz.inputs import one_or_several, whole_number

__all__ = ["Recorder", "log_steps"]

Metric = float | Tensor | Callable[[], Any]

_FURTHEST = 12
_DENSEST = 10_000
"""Recordings per decade: more are more than anybody stores"""
"""Decades of steps that open-ended log-spaced recording goes on for"""
_FILE = re.compile(r"step-(\d+)\.pt")


class Recorder:
    """Writes the weights of a model in training to ``folder/step-00000123.pt``, for
    :class:`splineviz.Checkpoints`.

    Call it once per step of the training loop, with the number of steps done: ``recorder(step,
    test_accuracy=measure)``. A step that is not recorded costs two comparisons; metrics that are functions
    are called, without arguments, only when one is. A step that a loop leaves out is recorded at the next
    call. Files hold ``state_dict``, ``step`` and ``metrics``, and appear whole or not at all. In a folder
    with checkpoints of earlier steps it goes on where they end; a new run deserves a new folder.

    Training is not ended by a disk: where a file cannot be written (it is full, say, or the folder is gone)
    the first time is told by a warning, the steps are in ``missed``, and the next ones are tried again.

    Parameters
    ----------
    model
        The module in training; nothing is done to it. Values are copied to the CPU.
    folder
        Made if it does not exist.
    steps
        ``"log"``: step 0, then evenly on a logarithmic scale; a number: every so many steps from 0 on; or the
        steps themselves.
    per_decade
        With ``"log"`` alone: from each power of ten to the next, 5 if nothing is said.
    total, last
        With ``"log"``, in place of ``per_decade``: the number of checkpoints, step 0 and ``last`` among them.

    Raises
    ------
    InputError
        If the steps are not positive whole numbers, or the folder cannot be made. When called: if a metric is
        no number.

    Examples
    --------
    >>> import tempfile
    >>> net, folder = nn.Linear(2, 1), tempfile.mkdtemp()
    >>> recorder = Recorder(net, folder, "log", total=4, last=100)
    >>> [step for step in range(101) if recorder(step, loss=lambda: 0.5)]
    [0, 1, 10, 100]
    """

    def __init__(
        self,
        model: nn.Module,
        folder: str | Path,
        steps: Literal["log"] | int | Iterable[int] = "log",
        *,
        per_decade: int | None = None,
        total: int | None = None,
        last: int | None = None,
    ) -> None:
        self.model = model
        self.folder = Path(folder)
        self._every = 0
        self._steps: tuple[int, ...] = ()
        if isinstance(steps, str) and steps == "log":
            self._steps = _log(per_decade, total, last)
        elif (per_decade, total, last) != (None, None, None):
            raise InputError("per_decade, total and last belong to log-spaced steps", hint="steps='log'")
        elif isinstance(steps, Integral):
            self._every = whole_number(steps, "steps", 1)
        else:
            self._steps = tuple(sorted({whole_number(step, "a step", 0) for step in _listed(steps)}))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot make the folder '{folder}': {error.strerror}",
                hint="name a folder that can be written",
            ) from error
        self._called = (
            math.inf
        )  # before the first call, so that it counts as a step back, and looks into the folder
        self._next = math.inf
        self.missed: list[int] = []

    def __call__(self, step: int, /, **metrics: Metric) -> Path | None:
        """Record the model if its turn has come; returns the file that was written, None where there is
        none."""
        if step < self._called:
            self._next = self._after(max((done for done in self._recorded() if done < step), default=-1))
        self._called = step
        if step < self._next:
            return None
        self._next = self._after(step)
        state = {
            name: value.detach().cpu()
            for name, value in self.model.state_dict().items()
            if isinstance(value, Tensor)
        }
        content = {
            "state_dict": state,
            "step": int(step),
            "metrics": {name: _value(name, metric) for name, metric in metrics.items()},
        }
        path = self.folder / f"step-{step:08d}.pt"
        try:
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                _save(content, file)
        except (OSError, InputError) as error:
            if not self.missed:
                warnings.warn(
                    f"step {step} was not recorded, and training goes on: {_reason(error)}",
                    SplinevizWarning,
                    stacklevel=2,
                )
            self.missed.append(int(step))
            return None
        return path

    def _after(self, step: int) -> float:
        """The first step after this one that is to be recorded."""
        if self._every:
            return (step // self._every + 1) * self._every
        place = bisect_right(self._steps, step)
        return self._steps[place] if place < len(self._steps) else math.inf

    def _recorded(self) -> list[int]:
        """Steps of the files that are there; none where the folder cannot be looked into."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        return [int(found[1]) for name in names if (found := _FILE.fullmatch(name))]


def _save(content: object, file: BinaryIO) -> None:
    """Write as torch does, which tells errors of the file system as something else."""
    try:
        torch.save(content, file)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise


def _reason(error: OSError | InputError) -> str:
    return str(error) if isinstance(error, InputError) else error.strerror or type(error).__name__


def log_steps(total: int, last: int) -> tuple[int, ...]:
    """``total`` steps from 0 to ``last``: 0, 1, and on evenly on a logarithmic scale, whole numbers, each
    once.

    Where steps are close together at the beginning they are the whole numbers themselves.

    Examples
    --------
    >>> log_steps(10, 1000)
    (0, 1, 2, 5, 12, 29, 70, 170, 412, 1000)
    """
    whole_number(last, "last", 1)
    if not 2 <= whole_number(total, "total", 0) <= last + 1:
        raise InputError(
            f"total must be a whole number from 2 to {last + 1}, the steps from 0 to {last}, got {total!r}"
        )
    steps = [0]
    for left in range(total - 1, 0, -1):
        # evenly from here on; the ratio is taken anew at each step, for whole numbers eat some of it at the
        # beginning
        here = (
            max(steps[-1] + 1, round(max(steps[-1], 1) * (last / max(steps[-1], 1)) ** (1 / left)))
            if len(steps) > 1
            else 1
        )
        steps.append(last if left == 1 else here)
    return tuple(steps)


def _log(per_decade: int | None, total: int | None, last: int | None) -> tuple[int, ...]:
    if (total is None) != (last is None) or (total is not None and per_decade is not None):
        raise InputError("log-spaced steps are told by per_decade alone, or by total and last together")
    if total is not None and last is not None:
        return log_steps(total, last)
    density = whole_number(5 if per_decade is None else per_decade, "per_decade", 1, _DENSEST)
    return tuple(sorted({0, *(round(10 ** (k / density)) for k in range(_FURTHEST * density + 1))}))


def _listed(steps: Any) -> list[int]:
    listed = [] if isinstance(steps, (str, Mapping)) else [*one_or_several(steps)]
    if not isinstance(steps, Iterable) or not listed:
        raise InputError(f"steps are 'log', a number (every so many) or a list of steps, got {steps!r}")
    return listed


def _value(name: str, metric: Any) -> float:
    value = metric() if callable(metric) and not isinstance(metric, Tensor) else metric
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the metric {name} must be a number or a function that returns one, got {type(value).__name__}"
        ) from error
