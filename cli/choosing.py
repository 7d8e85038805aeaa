"""Choice of points that the request does not name: of some classes, or those that a network misclassifies."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from splineviz.errors import InputError, SplinevizWarning

if TYPE_CHECKING:
    from splineviz.data import Collection
    from splineviz.data.classes import Classes
    from splineviz.program import Program

    from .preprocessing import Preprocessing

__all__ = ["Choice", "misclassified", "of_classes", "one_of_each", "some", "tell_numbers"]

_PART = 256
"""Points at a time that are asked of the network"""
_SHOWN = 5


@dataclass(frozen=True)
class Choice:
    """Indices of points, and how they were chosen where the request does not name them: as JSON."""

    rows: Sequence[int]
    chosen: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def drawn(cls, rows: Sequence[int], of: str, seed: int) -> Choice:
        """Points drawn by a seed."""
        points = f"points {', '.join(map(str, rows))}" if len(rows) > 1 else f"point {rows[0]}"
        said = f"{points} of {of}, seed {seed}"
        return cls(rows, {"points": {"rows": list(rows), "of": of, "seed": seed, "said": said}})


def one_of_each(wanted: Sequence[str], among: np.ndarray, data: Collection, seed: int) -> Choice:
    """One of some points for each class, by number or name, drawn by the seed; two of one named twice.

    Raises
    ------
    InputError
        If the data have no classes, or not so many points of one.
    """
    known, random, rows = _classes(data), np.random.default_rng(seed), list[int]()
    for word in wanted:
        held = among[known.numbers[among] == _number(word, known, data.source)]
        left = np.setdiff1d(held, rows)
        if not len(left):
            raise InputError(
                f"{data.source} has {len(held)} points of the class {word} to choose from, and "
                f"{wanted.count(word)} are asked for; its classes are {_listing(known)}",
                hint=f"at most {len(held)} of that class, or more data",
            )
        rows.append(int(random.choice(left)))
    classes = f"the {'classes' if len(wanted) > 1 else 'class'} {', '.join(wanted)}"
    return Choice.drawn(rows, classes, seed)


def some(count: int, among: np.ndarray, data: Collection, seed: int) -> Choice:
    """So many of the misclassified points, drawn by the seed.

    Raises
    ------
    InputError
        If there are fewer.
    """
    if len(among) < count:
        raise InputError(
            f"{len(among)} of {len(data)} points of {data.source} are misclassified, and {count} are wanted",
            hint="more data, or points by index",
        )
    rows = [int(row) for row in np.random.default_rng(seed).choice(among, count, replace=False)]
    return Choice.drawn(rows, f"the {len(among):,} of {len(data):,} that are misclassified", seed)


def of_classes(wanted: Sequence[str], data: Collection) -> np.ndarray:
    """Indices of the points of some classes.

    Raises
    ------
    InputError
        If the data have no classes, or no point of one of these.
    """
    known = _classes(data)
    numbers = [_number(word, known, data.source) for word in wanted]
    if missing := [w for w, number in zip(wanted, numbers, strict=True) if number not in known.numbers]:
        raise InputError(
            f"{data.source} has no point of the class {missing[0]}; its classes are {_listing(known)}"
        )
    return np.flatnonzero(np.isin(known.numbers, numbers))


def misclassified(data: Collection, program: Program, preprocessing: Preprocessing) -> np.ndarray:
    """Indices of the points whose largest output is not their class; one output decides by its sign.

    Raises
    ------
    InputError
        If the data have no classes, or these are not the outputs of the network.
    """
    import torch

    known, outputs = _classes(data), program.output_shape
    if len(outputs) != 1 or known.numbers.min() < 0 or known.numbers.max() >= max(2, outputs[0]):
        raise InputError(
            f"the classes of {data.source} are {_listing(known)}, and the outputs of the network have the "
            f"shape {outputs}: which output is which class?",
            hint="labels from 0 to the number of outputs - 1",
        )
    tell_numbers(known.names, data.source)
    wrong = list[int]()
    for first in range(0, len(data), _PART):
        rows = range(first, min(first + _PART, len(data)))
        x = torch.from_numpy(preprocessing.apply(data.take(rows), program.input_shape))
        with torch.no_grad():
            y = program.forward(x)
        told = (y[:, 0] > 0).long() if y.shape[1] == 1 else y.argmax(1)
        wrong += [row for row, said in zip(rows, told.tolist(), strict=True) if said != known.numbers[row]]
    return np.array(wrong, dtype=np.int64)


def tell_numbers(names: Mapping[int, str], source: str) -> None:
    """Say which class is taken for which output, where the classes have names."""
    if names:
        listed = ", ".join(f"{number} {name}" for number, name in sorted(names.items())[:_SHOWN])
        more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        warnings.warn(
            f"{source}: the outputs of the network are taken for {listed}{more}",
            SplinevizWarning,
            stacklevel=2,
        )


def _classes(data: Collection) -> Classes:
    known = data.classes
    if known is None:
        raise InputError(
            f"{data.source} tells no classes", hint="--labels FILE, or --labels-key NAME for those in it"
        )
    return known


def _number(word: str, known: Classes, source: str) -> int:
    """The number of a class that is given by its name or its number."""
    named = [number for number, name in known.names.items() if name == word]
    if named:
        return named[0]
    if word.removeprefix("-").isdecimal():
        return int(word)
    raise InputError(f"{source} has no class {word!r}; its classes are {_listing(known)}")


def _listing(known: Classes) -> str:
    held = [known.names.get(number, str(number)) for number in np.unique(known.numbers).tolist()]
    return ", ".join(held[:20]) + (", ..." if len(held) > 20 else "")
