"""Columns of a table: which are the entries of a point, and which is the class."""

from __future__ import annotations

from collections.abc import Mapping

from splineviz.data.asked import Asked
from splineviz.errors import InputError

__all__ = ["chosen_columns"]


def chosen_columns(
    texts: Mapping[str, str | None], asked: Asked, source: str
) -> tuple[list[str], str | None]:
    """Columns of the points, in order, and the column of the classes.

    A column ``y`` beside one ``x`` is a coordinate, and no class unless the request says so.

    Parameters
    ----------
    texts
        For each column ``None`` where it holds numbers, or else a word that it holds.

    Raises
    ------
    InputError
        If a column is not there, has no name, or holds no numbers.
    """
    wanted = None if asked.key is None else [name.strip() for name in asked.key.split(",")]
    if missing := [name for name in wanted or () if name not in texts]:
        raise InputError(
            f"{source} has no column {missing[0]!r}; it has {', '.join(texts)}",
            hint="key='A,B,...'",
            command_hint="--key A,B,...",
        )
    taken = wanted or ([] if asked.labels_key is not None else _coordinates(texts))
    label = asked.labels_in([name for name in texts if name not in taken], "", source)
    points = wanted or [name for name in texts if name != label]
    if not points:
        raise InputError(
            f"{source} has no column for the points beside {label!r}",
            hint="labels_key= names the column of the classes, key='A,B,...' those of the points",
            command_hint="--labels-key names the column of the classes, --key A,B,... those of the points",
        )
    if wanted is None and "" in points:
        raise InputError(
            f"column {points.index('') + 1} of {source} has no name, as those of row numbers have none: is "
            "it part of the points?",
            hint="key='A,B,...' for the columns of the points",
            command_hint="--key A,B,... for the columns of the points",
        )
    if words := {name: texts[name] for name in points if texts[name] is not None}:
        listed = ", ".join(f"{name!r} ({word!r})" for name, word in words.items())
        raise InputError(
            f"these columns of {source} hold no numbers: {listed}",
            hint=f"labels_key={next(iter(words))!r} for the classes, key='A,B,...' for the points",
            command_hint=f"--labels-key {next(iter(words))} for the classes, --key A,B,... for the points",
        )
    return points, label


def _coordinates(texts: Mapping[str, str | None]) -> list[str]:
    """The columns x and y, where there are both."""
    found = [name for name in texts if name.lower() in ("x", "y")]
    return found if len(found) == 2 else []
