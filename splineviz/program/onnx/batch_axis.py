"""Readings of a declared input: with a batch axis in front, or as one input as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from splineviz.errors import InputError
from splineviz.program.first_run import SHAPE_HINTS

__all__ = ["Lengths", "Reading", "readings"]

Lengths = Sequence[int | None]
"""Declared lengths of axes, ``None`` for what is left open"""


@dataclass(frozen=True)
class Reading:
    """Shape of the input in the graph, and of one input."""

    shape: tuple[int, ...]
    """In the graph, with a batch of one where it has a batch axis."""
    input_shape: tuple[int, ...]
    """Of one input, without batch."""
    batch: int | None = None
    """The fixed number of inputs, above one, that the file was written for."""

    @property
    def has_batch(self) -> bool:
        """Whether the first axis in the graph is that of the inputs."""
        return self.shape != self.input_shape


def readings(
    declared: Lengths | None, leading: int | None, given: tuple[int, ...] | None, name: str
) -> list[Reading]:
    """Readings that the declared lengths allow, the likelier first; ``name`` tells of which input.

    ``leading`` is the length of the output's first axis. The first of several axes is the batch where its
    length is open or one, and may be where no other length of the output contradicts. A shape that is given
    decides by its number of axes.

    Raises
    ------
    InputError
        If a length is left open, or the given shape is no reading.
    """
    if declared is None:
        if given is None:
            raise InputError(f"{name} is of no declared shape", **SHAPE_HINTS)
        return [Reading((1, *given), given)]
    first = declared[0] if declared else None
    found = []
    if len(declared) > 1 and (first in (None, 1) or leading in (None, first) or given is not None):
        batch = first if first is not None and first > 1 else None
        found += [Reading((1, *rest), rest, batch) for rest in _filled(declared[1:], given)]
    if len(declared) < 2 or first not in (None, 1) or given is not None:
        found += [Reading(whole, whole) for whole in _filled(declared, given)]
    if found:
        return found
    told = " x ".join("?" if n is None else str(n) for n in _likely(declared)) or "no axes"
    if given is None:
        raise InputError(f"{name} leaves the shape of one input open: {told}", **SHAPE_HINTS)
    raise InputError(
        f"{name} takes one input of shape {told}, without the batch, but input_shape is {given}",
        hint="give a shape that fits, or export it again with that one",
    )


def _likely(declared: Lengths) -> Lengths:
    return declared[1:] if len(declared) > 1 and declared[0] in (None, 1) else declared


def _filled(lengths: Lengths, given: tuple[int, ...] | None) -> list[tuple[int, ...]]:
    """The lengths with what is given for those left open, if that fits."""
    wanted = lengths if given is None else given
    if len(wanted) != len(lengths) or any(n not in (None, m) for n, m in zip(lengths, wanted, strict=True)):
        return []
    known = tuple(n for n in wanted if n is not None)
    return [known] if known and len(known) == len(wanted) else []
