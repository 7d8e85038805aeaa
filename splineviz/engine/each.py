"""`arrange_each`: one arrangement for each of many networks, as for the checkpoints of a run.

Of a small network most of the time goes into calls, not into cells. So small networks of one structure are
arranged side by side: their windows are faces of one subdivision, and nothing in geometry knows that these
have networks of their own. What is asked of exact arithmetic, which knows one network, is asked of each
network alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

import numpy as np

from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.verdict import Status
from splineviz.choices import Certify
from splineviz.engine.arrange import arrange, finished_arrangement
from splineviz.engine.budget import Budget
from splineviz.engine.stage_state import StageState, Tally
from splineviz.engine.walk import Walk
from splineviz.errors import InputError
from splineviz.exact.ancestry import StageRounds
from splineviz.geometry.csr import Csr
from splineviz.geometry.refine import Refinement
from splineviz.geometry.subdivision import Subdivision
from splineviz.plane import Plane, Window
from splineviz.program.checkpoints import Checkpoints
from splineviz.program.program import Affine, Program
from splineviz.program.several import OneByOneError, Several
from splineviz.values.threads import one_thread

__all__ = ["arrange_each"]

_VERTICES = 20_000
"""Vertices of networks side by side, more or less: with more, what is in work leaves the cache"""


def arrange_each(
    programs: Checkpoints | Iterable[Program],
    plane: Plane,
    window: Window,
    *,
    max_memory: int | None = None,
    certify: Certify = "fast",
) -> Iterator[Arrangement]:
    """The exact cells of each of many networks on one window, in their order, each as soon as it is known.

    Cells, patterns, their order and what is proven are those of :func:`splineviz.arrange` for each network
    alone; the last bits of coordinates may differ. Small networks of one structure, layers and relu one after
    the other, are arranged several at a time, which takes less time each.

    Parameters
    ----------
    programs
        The checkpoints of a network, or any programs.
    plane, window
        As for :func:`splineviz.arrange`, for all of them.
    max_memory, certify
        As for :func:`splineviz.arrange`.

    Yields
    ------
    Arrangement
        One for each program. Those that were arranged together share memory: what is kept of one of them
        keeps them all.

    Raises
    ------
    InputError
        As :func:`splineviz.arrange`; and if weights of a checkpoint do not fit, when its turn comes.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> fold = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    >>> programs = [sv.load_program(fold), sv.load_program(fold)]
    >>> window = sv.Window.box(-9, 9, -9, 9)
    >>> [arr.n_cells for arr in arrange_each(programs, sv.Plane.identity(), window)]
    [2, 2]
    """
    if isinstance(programs, Program | str) or not isinstance(programs, Iterable):
        raise InputError(
            f"expected several programs or checkpoints, got {type(programs).__name__}",
            hint="sv.arrange for one network",
        )
    left, n_together = iter(programs), 1
    while some := list(islice(left, n_together)):
        together = None
        if len(some) > 1 and certify != "off":
            together = _side_by_side(some, plane, window, max_memory, certify)
        found = together or (
            arrange(program, plane, window, max_memory=max_memory, certify=certify) for program in some
        )
        n_vertices = 1
        for arr in found:
            n_vertices = max(n_vertices, arr.n_vertices)
            yield arr
        n_together = max(1, _VERTICES // n_vertices)


def _side_by_side(
    programs: Sequence[Program], plane: Plane, window: Window, max_memory: int | None, certify: Certify
) -> list[Arrangement] | None:
    """The arrangements of several programs; None where they have to be arranged one by one."""
    several = Several.of(programs)
    if several is None:
        return None
    walk = _SideBySide(
        several.joint,
        len(several.joint.stages),
        Budget.of(max_memory, None, None, 1),
        certify,
        several=several,
    )
    n = len(programs)
    try:
        with one_thread():
            arr = finished_arrangement(walk, [plane] * n, [window] * n)
    except OneByOneError:
        return None
    if arr.status is not Status.COMPLETE or arr.stats.re_evaluated or len(arr.thin_cells):
        return None
    return _apart(arr, programs, walk.decisions)


@dataclass(frozen=True)
class _SideBySide(Walk):
    """A walk in which each window has a program of its own."""

    several: Several = field(kw_only=True)
    owner: list[np.ndarray] = field(default_factory=list)
    """(V,) the program of each vertex, now"""
    decisions: list[np.ndarray] = field(default_factory=list)
    """(programs,) by stage"""

    def _begin(self, state: StageState) -> None:
        if state.batch:  # even the windows are too many for one
            raise OneByOneError
        state.begin(self.program, fold=False)
        self.owner[:] = [_owners(state.subdivision, state.window_of)]

    def _run(self, state: StageState, node: Affine) -> None:
        (owner,) = self.owner
        self.propagator.affine_by(state.live, node, lambda x: self.several.apply(node, x, owner))

    def _take_over(
        self,
        state: StageState,
        refinement: Refinement,
        stage: int,
        steps: StageRounds,
        held: int,
        allowed: int | None,
        marks: tuple[float, ...],
        tally: Tally,
    ) -> list[tuple[int, int]]:
        runs = super()._take_over(state, refinement, stage, steps, held, allowed, marks, tally)
        if refinement.open or refinement.zeros or refinement.next_word is not None or len(runs) > 1:
            raise OneByOneError
        n, (before,) = len(self.several.programs), self.owner
        owner = _owners(state.subdivision, state.window_of)
        found = np.bincount(before, minlength=n) * self.program.stages[stage].n_units
        for zeros in refinement.vanishing:
            found += np.bincount(owner[zeros["vertex"]], minlength=n)
        self.decisions.append(found)
        self.owner[:] = [owner]
        return runs

    def _kinds(self, state: StageState, node: object) -> np.ndarray:
        raise OneByOneError


def _owners(subdivision: Subdivision, window_of: np.ndarray) -> np.ndarray:
    """(V,) the window of each vertex."""
    owner = np.zeros(len(subdivision.vertices), np.int64)
    owner[subdivision.faces.values] = np.repeat(window_of, subdivision.faces.lengths)
    return owner


def _apart(
    arr: Arrangement, programs: Sequence[Program], decisions: Sequence[np.ndarray]
) -> list[Arrangement]:
    """The windows of an arrangement as one arrangement each, with the program of each.

    Vertices and edges are in the order in which they were made, and so are those of one window among them.
    """
    n = len(programs)
    owner = np.zeros(arr.n_vertices, np.int64)
    owner[arr.cells.values] = np.repeat(arr.cell_window, arr.cells.lengths)
    faces, sides = _ends(arr.cell_window, n), arr.cells.offsets
    vertices, vertex_ends, vertex = _grouped(owner, n)
    edges, edge_ends, edge = _grouped(owner[arr.edges[:, 0]], n)
    points, ends = arr.vertices[vertices], vertex[arr.edges[edges]]
    values, cell_edges, edge_cells = vertex[arr.cells.values], edge[arr.cell_edges], arr.edge_cells[edges]
    units = arr.edge_units.take(edges)
    tables = list(_tables(arr, n))
    counts = np.stack([np.diff(row_ends) for *_, row_ends, _ in tables], axis=1)
    taken = np.stack(decisions, axis=1)
    result = []
    for k, program in enumerate(programs):
        f, v, e = slice(faces[k], faces[k + 1]), slice(*vertex_ends[k : k + 2]), slice(*edge_ends[k : k + 2])
        s, u = slice(sides[f.start], sides[f.stop]), units.offsets[e.start : e.stop + 1]
        own = tuple(taken[k].tolist())
        stats = replace(
            arr.stats,
            cells_per_stage=tuple(counts[k].tolist()),
            decisions=sum(own),
            proven=sum(own),
            decisions_per_stage=own,
            proven_per_stage=own,
            seconds=arr.stats.seconds / n,
            seconds_affine=arr.stats.seconds_affine / n,
        )
        result.append(
            Arrangement(
                vertices=points[v],
                cells=Csr(sides[f.start : f.stop + 1] - s.start, values[s] - v.start),
                cell_edges=cell_edges[s] - e.start,
                cell_window=np.zeros(f.stop - f.start, np.int64),
                cell_stage=arr.cell_stage[f],
                pattern_hash=arr.pattern_hash[f],
                edges=ends[e] - v.start,
                edge_cells=np.maximum(edge_cells[e] - f.start, -1),
                edge_units=Csr(u - u[0], units.values[u[0] : u[-1]]),
                planes=arr.planes[k : k + 1],
                windows=arr.windows[k : k + 1],
                status=arr.status,
                stats=stats,
                program=program,
                patterns=tuple(
                    (on[own_rows[k] : own_rows[k + 1]], origin[own_rows[k] : own_rows[k + 1]] - before[k])
                    for on, origin, own_rows, before in tables
                ),
            )
        )
    return result


def _ends(owner: np.ndarray, n: int) -> list[int]:
    """(n + 1) where the items of each of n owners begin, once they are together."""
    return [0, *np.cumsum(np.bincount(owner, minlength=n)).tolist()]


def _grouped(owner: np.ndarray, n: int) -> tuple[np.ndarray, list[int], np.ndarray]:
    """(order, ends, place): items by their owner, in their order; where those of each owner begin; and the
    place of each item then."""
    order = np.argsort(owner.astype(np.int16), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return order, _ends(owner, n), place


def _tables(arr: Arrangement, n: int) -> Iterator[tuple[np.ndarray, np.ndarray, list[int], Sequence[int]]]:
    """For each stage its table of `Cells.patterns`, and where the rows of each window begin there and in the
    one before."""
    owner, ends = arr.cell_window, []
    for _, origin in reversed(arr.patterns):
        ends.append(_ends(owner, n))
        before = np.zeros(int(origin.max()) + 1, np.int64)
        before[origin] = owner
        owner = before
    begins = chain([list(range(n))], reversed(ends))
    yield from (
        (on, origin, own, b)
        for (on, origin), own, b in zip(arr.patterns, reversed(ends), begins, strict=False)
    )
