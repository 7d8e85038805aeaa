"""Points of a plane, found in the data: by index, by class, or by the mistakes of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .choosing import Choice, misclassified, one_of_each, some

if TYPE_CHECKING:
    from splineviz.data import Collection, Data
    from splineviz.program import Program

    from .options import DataSource
    from .preprocessing import Preprocessing

__all__ = ["FoundAnchors", "find_anchors"]


@dataclass(frozen=True)
class FoundAnchors:
    """The points of a plane, ``None`` where the request names the plane itself, the networks asked, and how
    points come to them."""

    points: Data | None
    choice: Choice
    programs: Sequence[Program]
    preprocessing: Preprocessing


def find_anchors(
    data: Collection | None,
    rows: Sequence[int],
    source: DataSource,
    preprocessing: Preprocessing,
    load: Callable[[Sequence[tuple[int, ...]]], Sequence[Program]],
    *,
    count: int,
    seed: int,
    judge: Callable[[Sequence[Program]], Program] = lambda programs: programs[0],
) -> FoundAnchors:
    """Find the points, and load the networks, which are told the shapes that points may have.

    Parameters
    ----------
    rows
        Indices, where the request names them.
    count
        How many misclassified points are wanted.
    judge
        Which network decides what is misclassified.
    """
    choice = Choice(rows)
    if data is None or not (rows or source.classes or source.errors):
        programs = load([])
        return FoundAnchors(None, choice, programs, preprocessing.before(programs))
    if source.classes and not source.errors:
        choice = one_of_each(source.classes, np.arange(len(data)), data, seed)
    sample = data.take(choice.rows or [0])
    programs = load(preprocessing.shapes(sample))
    preprocessing = preprocessing.before(programs)
    if not source.errors:
        return FoundAnchors(sample, choice, programs, preprocessing)
    wrong = misclassified(data, judge(programs), preprocessing)
    choice = (
        one_of_each(source.classes, wrong, data, seed) if source.classes else some(count, wrong, data, seed)
    )
    return FoundAnchors(data.take(choice.rows), choice, programs, preprocessing)
