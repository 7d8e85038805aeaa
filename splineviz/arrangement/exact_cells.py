"""Cells in exact arithmetic: the affine maps of their outputs, and their polygons.

The pattern of a cell makes the network one affine map. In homogeneous coordinates that map is known from its
values at (0, 0, 1), (1, 0, 0) and (0, 1, 0): the origin of the plane, and its two axes, for which constants
do not count. Its sides lie where the units of their edges vanish, or on the rim of the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from splineviz.arrangement.affine_maps import BoundedMaps
from splineviz.arrangement.cells import Cells
from splineviz.arrangement.exact_polygon import ExactPolygon, Triple, combined, primitive, ratio, value
from splineviz.arrangement.rim import rim_line, rim_sides
from splineviz.deadline import SpentError, check_time
from splineviz.exact.digits import ExactTensor, InexactError
from splineviz.exact.forward import affine, distances, in_states, picked, work
from splineviz.exact.pieces import split
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Affine, Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.program.rows import as_rows

__all__ = ["ExactCell", "affordable", "exact_cells", "exact_gradients", "exact_maps", "with_overflows"]

_LIMIT = 4e8
"""Products of two numbers for one set of cells: a few seconds"""
_CALL = 1e4
"""Products of two numbers in the time that a node takes, however few cells there are"""
_BATCH = 3e6
"""Products of two numbers in one batch"""


@dataclass(frozen=True)
class ExactCell:
    """One cell, exactly."""

    maps: tuple[Triple, ...]
    """Coefficients of u, of v, and the constant of each output, over `scale`"""
    scale: Fraction
    """Factor of all coefficients"""
    polygon: ExactPolygon | None
    """Its sides are named by their places round the cell. None where they are not known."""


class _Side(NamedTuple):
    """Sides whose lines are asked for: the row of the cell from which, the unit of the edge, the cell
    beyond."""

    row: np.ndarray
    stage: np.ndarray
    unit: np.ndarray
    beyond: np.ndarray


class _Spread(NamedTuple):
    """A tensor at the three points, for each plane, or for each cell."""

    x: ExactTensor
    by_cell: bool


def affordable(program: Program, limited: bool) -> int:
    """Number of cells that may be looked at exactly; without a limit as many as there are."""
    if not limited:
        return np.iinfo(np.int64).max
    return int(_LIMIT / (3.0 * work(program) + _CALL * len(program.nodes) / 64))


def exact_maps(arr: Cells, program: Program, cells: np.ndarray) -> list[tuple[list[Triple], Fraction]] | None:
    """The affine map of each of some cells: whole numbers, and what they are to be multiplied with. The
    first ones only where time is up before all are known; None if a node of the network has no exact form."""
    none = np.zeros(0, np.int64)
    found: list[tuple[list[Triple], Fraction]] = []
    try:
        for part in _batches(program, cells):
            maps, _, scale = _evaluated(arr, program, part, _Side(none, none, none, none))
            found += [(forms, scale) for forms in maps]
    except InexactError:
        return None
    except SpentError:
        pass
    return found


def exact_gradients(
    arr: Cells, program: Program, cells: np.ndarray
) -> list[tuple[tuple[Fraction, Fraction], ...]] | None:
    """The coefficients of u and v of each output on each of some cells, as many as `exact_maps` gives."""
    found = exact_maps(arr, program, cells)
    if found is None:
        return None
    return [tuple((a * scale, b * scale) for a, b, _ in forms) for forms, scale in found]


def exact_cells(arr: Cells, program: Program, cells: np.ndarray) -> list[ExactCell] | None:
    """Some cells in exact arithmetic, the first ones only where time is up before all are known.

    None if a node of the network has no exact form.
    """
    found: list[ExactCell] = []
    try:
        rim = rim_sides(arr, partial(_at_point, arr, program))
        for part in _batches(program, cells):
            found += _batch(arr, program, part, rim)
    except InexactError:
        return None
    except SpentError:
        pass
    return found


def with_overflows(arr: Cells, program: Program | None, found: BoundedMaps) -> BoundedMaps:
    """Maps in which every coefficient is a number: where float64 has overflowed on the way they are rounded
    from exact ones, so that infinite ones are beyond the largest float64. Their bounds stay infinite."""
    cells = np.flatnonzero(~np.isfinite(found.maps).all((1, 2)))
    if program is None or not len(cells):
        return found
    maps = found.maps.copy()
    cells = cells[: affordable(program, arr.stats.certify != "full")]
    for cell, (forms, scale) in zip(cells.tolist(), exact_maps(arr, program, cells) or [], strict=False):
        scaled = ([c * scale for c in form] for form in forms)
        maps[cell] = [[ratio(c.numerator, c.denominator) for c in form] for form in scaled]
    errors = found.errors.copy()
    errors[cells] = np.inf
    return replace(found, maps=maps, errors=errors)


def _batches(program: Program, cells: np.ndarray) -> Iterator[np.ndarray]:
    """Runs of cells; between them is a place to end."""
    size = max(1, int(_BATCH / (3.0 * work(program) + 1.0)))
    for start in range(0, len(cells), size):
        check_time()
        yield cells[start : start + size]


def _batch(arr: Cells, program: Program, cells: np.ndarray, rim: np.ndarray) -> list[ExactCell]:
    sides = arr.cells.places(cells)
    edges, row = arr.cell_edges[sides.values], sides.row_of
    own = arr.edge_cells[edges] == cells[row, None]
    beyond = np.where(own[:, 0], arr.edge_cells[edges, 1], arr.edge_cells[edges, 0])
    inner = np.flatnonzero(arr.edge_units.lengths[edges] > 0)
    stage, unit = arr.edge_units.values[arr.edge_units.offsets[edges[inner]]].T.astype(np.int64)
    # Of a maximum two winners make a line, and the cell beyond may have been left out.
    bends = np.array([not stage.candidates for stage in program.stages], dtype=bool)
    known = (beyond[inner] >= 0) | bends[stage]
    inner, stage, unit = inner[known], stage[known], unit[known]
    asked = _Side(row[inner], stage, unit, beyond[inner])
    maps, given, scale = _evaluated(arr, program, cells, asked)
    lines = dict(zip(inner.tolist(), given, strict=True))
    lost = inner[[not any(line) for line in given]]
    lines |= zip(lost.tolist(), _edge_lines(arr, program, edges[lost]), strict=True)
    at_rim = np.flatnonzero(rim[edges] >= 0)
    windows = arr.cell_window[cells[row[at_rim]]]
    for i, window, side in zip(at_rim.tolist(), windows.tolist(), rim[edges[at_rim]].tolist(), strict=True):
        lines[i] = rim_line(arr, window, side)
    result = []
    for cell, (start, end) in enumerate(zip(sides.offsets, sides.offsets[1:], strict=False)):
        known = [lines[i] for i in range(start, end) if i in lines and any(lines[i][:2])]
        polygon = ExactPolygon.between(known, range(end - start)) if len(known) == end - start else None
        result.append(ExactCell(tuple(maps[cell]), scale, polygon))
    return result


def _edge_lines(arr: Cells, program: Program, edges: np.ndarray) -> list[Triple]:
    """Lines of inner edges.

    On a cell where a unit vanishes everywhere, its line is seen from the other side alone.
    """
    lines: list[Triple] = [(0, 0, 0)] * len(edges)
    for side in (0, 1):
        lost = np.flatnonzero([not any(line) for line in lines])
        cells, row = np.unique(arr.edge_cells[edges[lost], side], return_inverse=True)
        stage, unit = arr.edge_units.values[arr.edge_units.offsets[edges[lost]]].T.astype(np.int64)
        asked = _Side(row, stage, unit, arr.edge_cells[edges[lost], 1 - side])
        if len(lost):
            _store(lines, lost, _evaluated(arr, program, cells, asked)[1])
    return lines


def _at_point(arr: Cells, program: Program, vertices: Sequence[int], point: Triple) -> int | None:
    """Of vertices at each of which an inner edge ends the one at an exact point; None if it cannot be
    told."""
    inner = np.flatnonzero((arr.edge_cells >= 0).all(1))
    ends = [inner[(arr.edges[inner] == vertex).any(1)][:1] for vertex in vertices]
    if not all(len(edge) for edge in ends):
        return None
    lines = _edge_lines(arr, program, np.concatenate(ends)) if ends else []
    found = [vertex for vertex, line in zip(vertices, lines, strict=True) if value(line, point) == 0]
    return found[0] if len(found) == 1 else None


def _evaluated(
    arr: Cells, program: Program, cells: np.ndarray, sides: _Side
) -> tuple[list[list[Triple]], list[Triple], Fraction]:
    """(maps, lines, scale): maps of cells, (cells, outputs), and lines of sides, each up to a factor."""
    n, lines = len(cells), [(0, 0, 0)] * len(sides.row)
    planes, plane = np.unique([id(arr.planes[w]) for w in arr.cell_window[cells]], return_inverse=True)
    of_cell = torch.from_numpy(np.concatenate([k * len(planes) + plane for k in range(3)]))

    def by_cell(value: _Spread) -> ExactTensor:
        if value.by_cell:
            return value.x
        x = value.x
        return ExactTensor(x.digits[:, of_cell], x.exponent, x.divisor, x.one[:, of_cell])

    def through(node: Affine, values: Sequence[_Spread]) -> _Spread:
        spread = any(value.by_cell for value in values)
        return _Spread(affine(node, [by_cell(v) if spread else v.x for v in values]), spread)

    def pointwise(node: Pointwise, value: _Spread) -> _Spread:
        x = by_cell(value)
        mine = np.flatnonzero(sides.stage == node.stage)
        if len(mine):
            z = distances(node, x)
            _store(lines, mine, _triples(z, n, sides.row[mine], sides.unit[mine]))
        return _Spread(in_states(node, x, np.tile(arr.pattern_bits(node.stage, cells), (3, 1))), True)

    def maximum(node: Maximum, value: _Spread) -> _Spread:
        x = by_cell(value)
        winners = arr.winners(node.stage, cells)
        mine = np.flatnonzero(sides.stage == node.stage)
        if len(mine):
            z, row, unit = x.map(as_rows), sides.row[mine], sides.unit[mine]
            beyond = arr.winners(node.stage, sides.beyond[mine])[np.arange(len(mine)), unit]
            one, other = (
                _triples(z, n, row, node.windows[unit, place]) for place in (winners[row, unit], beyond)
            )
            _store(lines, mine, [combined(a, b) for a, b in zip(one, other, strict=True)])
        return _Spread(picked(node, x, winners), True)

    start = _Spread(_three_points(arr, cells, plane, program.input_shape), False)
    result = by_cell(program.interpret(start, Interpreter(through, pointwise, maximum)))
    flat = result.map(as_rows)
    n_outputs = flat.digits.shape[2]
    entries = np.tile(np.arange(n_outputs), n)
    rows = _triples(flat, n, np.repeat(np.arange(n), n_outputs), entries)
    maps = [rows[i * n_outputs : (i + 1) * n_outputs] for i in range(n)]
    return maps, lines, Fraction(1, flat.divisor) / Fraction(2) ** flat.exponent


def _three_points(arr: Cells, cells: np.ndarray, plane: np.ndarray, shape: tuple[int, ...]) -> ExactTensor:
    """The origins of all planes, then their first axes, then their second ones."""
    _, first = np.unique(plane, return_index=True)
    used = [arr.planes[w] for w in arr.cell_window[cells[first]]]
    rows = [p.origin for p in used] + [p.basis[0] for p in used] + [p.basis[1] for p in used]
    digits, exponent = split(torch.from_numpy(np.stack(rows)).reshape(-1, *shape))
    one = torch.zeros(1, len(rows), dtype=torch.float64)
    one[:, : len(used)] = 1.0
    return ExactTensor(digits, exponent, 1, one)


def _triples(x: ExactTensor, n: int, row: np.ndarray, entry: np.ndarray) -> list[Triple]:
    """Forms (coefficient of u, of v, constant) of entries of cells."""
    if not len(row):
        return []
    origin, u, v = (x.integers(row + k * n, entry) for k in range(3))
    return list(zip(u, v, origin, strict=True))


def _store(lines: list[Triple], places: np.ndarray, found: list[Triple]) -> None:
    for place, line in zip(places.tolist(), found, strict=True):
        lines[place] = primitive(line)
