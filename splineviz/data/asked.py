"""Request to read a source: which of its parts are the points, and which the classes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from splineviz.data.classes import LABEL_NAMES, Classes, as_classes, classes_found
from splineviz.errors import InputError

__all__ = ["Asked"]

_POINTS = "x"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, as :func:`splineviz.data.read_data` takes it."""

    key: str | None = None
    labels: str | os.PathLike[str] | None = None
    labels_key: str | None = None
    class_names: Sequence[str] | None = None
    limit: int | None = None
    seed: int = 0

    @property
    def inside(self) -> bool:
        """True where classes are looked for beside the points."""
        return self.labels is None

    def points_in(self, names: Iterable[str], source: str) -> str:
        """The name of the points among those of a source: that asked for, ``x``, or the only one that is no
        label.

        Raises
        ------
        InputError
            If there is no such, or several could be meant.
        """
        held = list(names)
        if not held:
            raise InputError(f"{source} holds no array", hint="a file with an array of points, (n, ...)")
        if self.key is not None:
            return _present(self.key, held, source, "key")
        labels = {self.labels_key, *LABEL_NAMES}
        for candidates in (
            [n for n in held if n.lower() == _POINTS],
            held,
            [n for n in held if n not in labels],
        ):
            if len(candidates) == 1:
                return candidates[0]
        raise InputError(
            f"{source} holds several arrays and none is called '{_POINTS}'; it has {_listed(held)}",
            hint="key=NAME, and labels_key=NAME for the classes",
            command_hint="--key NAME, and --labels-key NAME for the classes",
        )

    def check_nameless(self, source: str) -> None:
        """Refuse names of arrays for a source that has none.

        Raises
        ------
        InputError
            If the request has some.
        """
        if self.key is not None or self.labels_key is not None:
            option = "--key" if self.key is not None else "--labels-key"
            raise InputError(f"{source} has no arrays by name, so there is nothing for {option} to choose")

    def labels_in(self, names: Iterable[str], points: str, source: str) -> str | None:
        """The name of the classes beside the points: that asked for, or a usual one, or none.

        Raises
        ------
        InputError
            If the one that was asked for is not there.
        """
        held = [name for name in names if name != points]
        if self.labels_key is not None:
            return _present(self.labels_key, held, source, "labels_key")
        by_name: Mapping[str, str] = {name.lower(): name for name in reversed(held)}
        found = next((name for name in LABEL_NAMES if name in by_name), None)
        return None if found is None or not self.inside else by_name[found]

    def classes(self, values: np.ndarray, count: int, source: str) -> Classes | None:
        """Classes from the part of a source that holds them; where nobody named it and it has none, they are
        left out with a warning.

        Raises
        ------
        InputError
            If it is named, and holds no classes.
        """
        read = as_classes if self.labels_key is not None else classes_found
        return read(values, count, source, self.class_names)


def _present(name: str, held: list[str], source: str, keyword: str) -> str:
    if name not in held:
        listed = _listed(held) if any(held) else "one array without a name"
        raise InputError(
            f"{source} holds no array {name!r}; it has {listed}",
            hint=f"{keyword}=NAME",
            command_hint=f"--{keyword.replace('_', '-')} NAME",
        )
    return name


def _listed(names: list[str]) -> str:
    return ", ".join(name or "(unnamed)" for name in names)
