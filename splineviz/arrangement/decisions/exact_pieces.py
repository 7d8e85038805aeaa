"""The pieces of a cell in which one class wins, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from splineviz.arrangement.exact_polygon import ExactPolygon, Triple, combined, value

if TYPE_CHECKING:
    from splineviz.arrangement.exact_cells import ExactCell

__all__ = ["exact_logits", "exact_pieces"]


def exact_pieces(cell: ExactCell, level: float | None) -> list[tuple[int, ExactPolygon]]:
    """(class, polygon) of every class that is the largest on an open set of a cell, ascending; of equal ones
    the lowest. No pieces where the cell's polygon is not known.

    Sides are named by their places round the cell, and cuts -1 - c by the class c on the other side. With a
    single output its class is 1, and 0 that of the level.
    """
    if cell.polygon is None:
        return []
    maps = exact_logits(cell, level)
    rivals = _undominated(maps, cell.polygon)
    winners = [c for c, _ in _cut(maps, rivals, cell.polygon)]
    # A class that wins nowhere can have cut along a line on which three tie: without it cuts are named right.
    return _cut(maps, winners, cell.polygon)


def exact_logits(cell: ExactCell, level: float | None) -> list[Triple]:
    """The maps of the logits of a cell up to a common positive factor: its outputs, or of a single output the
    level and the output."""
    maps = list(cell.maps)
    if len(maps) > 1:
        return maps
    limit = Fraction(0 if level is None else level) / cell.scale
    (a, b, c), q = maps[0], limit.denominator
    return [(0, 0, limit.numerator), (a * q, b * q, c * q)]


def _undominated(maps: Sequence[Triple], polygon: ExactPolygon) -> list[int]:
    """The classes that no winner at a corner equals or beats on all of a polygon."""
    values = [[value(form, corner) for corner in polygon.corners] for form in maps]
    best = {max(range(len(maps)), key=lambda c: (values[c][k], -c)) for k in range(len(polygon.corners))}

    def dominated(c: int) -> bool:
        return any(
            all(x >= y for x, y in zip(values[d], values[c], strict=True))
            and (d < c or values[d] != values[c])
            for d in best
            if d != c
        )

    return [c for c in range(len(maps)) if not dominated(c)]


def _cut(
    maps: Sequence[Triple], classes: Sequence[int], polygon: ExactPolygon
) -> list[tuple[int, ExactPolygon]]:
    """The part of a polygon where each of some classes is the largest of them."""
    found = []
    for own in classes:
        piece: ExactPolygon | None = polygon
        for rival in classes:
            lead = combined(maps[own], maps[rival])
            if rival == own or (own < rival and not any(lead)):
                continue
            piece = piece.where_positive(lead, -1 - rival) if piece is not None else None
        if piece is not None:
            found.append((own, piece))
    return found
