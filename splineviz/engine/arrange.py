"""`arrange` and `stream`: from a request to arrangements."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, get_args

import numpy as np

from splineviz.arrangement.cells import Patterns
from splineviz.arrangement.consistency import marked
from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.verdict import Stats, Status
from splineviz.deadline import SpentError
from splineviz.engine.batches import finish, leaves
from splineviz.engine.budget import Budget
from splineviz.engine.cells_per_stage import Ancestors
from splineviz.engine.stage_state import FinishedFaces, Tally, start
from splineviz.engine.walk import Certify, Progress, Walk
from splineviz.errors import InputError
from splineviz.geometry.excerpt import only_used
from splineviz.inputs import whole_number
from splineviz.plane import Plane, Window
from splineviz.program.models import Model
from splineviz.program.program import Program
from splineviz.program.sources import program_for
from splineviz.values.propagation import Device, Propagator

__all__ = ["Request", "arrange", "arrange_with", "finished_arrangement", "program_on", "stream"]

Planes = Plane | Sequence[Plane]
Windows = Window | Sequence[Window]
One = TypeVar("One", Plane, Window)


def arrange(
    program: Model | Program,
    planes: Planes,
    windows: Windows,
    *,
    stage: int | None = None,
    max_memory: int | None = None,
    max_cells: int | None = None,
    seconds: float | None = None,
    jobs: int | None = None,
    device: Device = None,
    certify: Certify = "fast",
    progress: Progress | None = None,
) -> Arrangement:
    """The exact cells of a network on a window of a plane, or on many windows at once.

    Large arrangements are worked off in batches of faces of an earlier stage, by all workers. No line is
    drawn for that, and cells, patterns and their order are the same for any batches and any number of
    workers; the numbers of vertices and edges depend on the batches, and so do the last bits of coordinates.
    (Where so many units of a stage cut one face that their pairs do not fit into memory, they cut by groups,
    and the order of cells is another.)

    Parameters
    ----------
    program
        A program, or whatever :func:`splineviz.load_program` takes.
    planes, windows
        One plane and one window on it, or as many of each; the result holds all windows as one subdivision.
    stage
        Stop after this stage (counted from 0); by default the last. Its units still cut.
    max_memory
        Bytes for values at vertices and for geometry in work, for all workers together; by default half of
        what is free. On top come the result, and up to as much again while its parts are joined (not so in
        :func:`stream`), the network and its weights in pieces for exact arithmetic. A single face is not
        divided, however many units cut it.
    max_cells, seconds
        Budgets. When one ends, the first ``max_cells`` cells or the batches that are finished are the result,
        with the status ``INCOMPLETE``: whole cells of the network, which cover ``arr.covered`` of the
        windows.
    jobs
        Workers; by default as many as there are cores. They are threads, or whatever
        ``joblib.parallel_config`` says.
    device
        Where products with weights are taken, ``"cuda"`` for example; by default on the CPU, where all else
        stays. It pays for convolutions. Bounds hold there too: a layer that the device does not compute by
        plain sums of products stays on the CPU.
    certify
        ``"fast"`` proves decisions by error bounds, and re-evaluates in exact arithmetic what they leave
        open, unless that would take long: then this stage and later ones of a batch of faces rest on
        estimates, and ``stats`` counts them as undecided. ``"full"`` re-evaluates whatever is open, however
        long it takes. ``"off"`` proves nothing, and takes what lies within an estimate as a coincidence.
    progress
        Called as ``progress(share of the work that is done, cells of the faces in work)``.

    Returns
    -------
    Arrangement
        With its verdict in ``status`` and counts in ``stats``.

    Raises
    ------
    InputError
        If a plane does not fit the program's input, the numbers of planes and windows differ, a budget is not
        positive, the device cannot be used, or ``certify`` is none of the three.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> fold = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    >>> program = sv.load_program(fold)
    >>> sv.arrange(program, sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9)).n_cells
    2
    """
    budget, planes = Budget.of(max_memory, max_cells, seconds, jobs), _several(planes, Plane)
    return arrange_with(
        Propagator.on(device),
        budget,
        program_on(program, planes),
        planes,
        windows,
        stage=stage,
        certify=certify,
        progress=progress,
    )


def arrange_with(
    propagator: Propagator,
    budget: Budget,
    program: Program,
    planes: Planes,
    windows: Windows,
    *,
    stage: int | None = None,
    certify: Certify = "fast",
    progress: Progress | None = None,
) -> Arrangement:
    """Arrange within a given budget, with a propagator whose memory several calls may use in turn."""
    request = Request(program, planes, windows, stage, certify)
    return _arranged(Walk(program, request.n_stages, budget, certify, progress, propagator), request)


def finished_arrangement(walk: Walk, planes: Planes, windows: Windows) -> Arrangement:
    """The arrangement that a walk through all stages of its program makes of windows."""
    return _arranged(walk, Request(walk.program, planes, windows, None, walk.certify))


def _arranged(walk: Walk, request: Request) -> Arrangement:
    state = start(request.planes, request.windows, prove=request.certify != "off")
    finished = finish(walk, state, allowed=walk.budget.max_cells)
    return request.result(finished or FinishedFaces.nothing(state))


def stream(
    program: Model | Program,
    planes: Planes,
    windows: Windows,
    *,
    stage: int | None = None,
    max_memory: int | None = None,
    max_cells: int | None = None,
    seconds: float | None = None,
    device: Device = None,
    certify: Certify = "fast",
) -> Iterator[Arrangement]:
    """The cells of :func:`arrange` batch by batch, for results that are too large to hold: each batch as soon
    as it is finished.

    Together they hold every cell once, in the same order. Where batches meet, both hold the edges and
    vertices between them, and such an edge has a cell on one side only, but names the unit that drew it.
    Counts in ``stats`` add up: what was counted before batches parted is counted with the first of them.
    Where a budget ends, an empty arrangement with the status ``INCOMPLETE`` comes last.
    :class:`splineviz.io.Totals` adds up what there is to add.
    """
    planes, budget = _several(planes, Plane), Budget.of(max_memory, max_cells, seconds, 1)
    program = program_on(program, planes)
    request = Request(program, planes, windows, stage, certify)
    state = start(request.planes, request.windows, prove=certify != "off")
    walk = Walk(program, request.n_stages, budget, certify, propagator=Propagator.on(device))
    try:
        for finished in leaves(walk, state, allowed=max_cells):
            yield request.result(finished)
    except SpentError:
        yield request.result(FinishedFaces.nothing(state))


def program_on(program: Model | Program, planes: Planes) -> Program:
    """The program of whatever names one, to be asked about planes; these tell the input shape where nothing
    else does."""
    first = next(iter(_several(planes, Plane)), None)
    return program_for(program, [] if first is None else [first.input_shape])


def _several(given: One | Sequence[One], kind: type[One]) -> tuple[One, ...]:
    several = (given,) if isinstance(given, kind) else given
    found = tuple(several) if isinstance(several, Iterable) else ()
    if found and all(isinstance(one, kind) for one in found):
        return found
    make = "sv.Plane.through(a, b, c)" if kind is Plane else "sv.Window.around(plane)"
    raise InputError(f"expected one {kind.__name__} or several, got {type(given).__name__}", hint=make)


class Request:
    """A checked request for an arrangement."""

    def __init__(
        self,
        program: Program,
        planes: Planes,
        windows: Windows,
        stage: int | None,
        certify: str,
        *,
        chosen: bool = False,
    ) -> None:
        self.chosen = chosen
        self.began = time.perf_counter()
        self.ancestors = Ancestors()
        self.program = program
        self.certify = certify
        if certify not in get_args(Certify):
            raise InputError(f"certify must be one of {', '.join(get_args(Certify))}, got {certify!r}")
        self.planes, self.windows = _several(planes, Plane), _several(windows, Window)
        last = len(program.stages) - 1
        self.n_stages = last + 1 if stage is None else whole_number(stage, "stage", 0, last) + 1
        if len(self.planes) != len(self.windows) or not self.planes:
            raise InputError(
                f"expected as many planes as windows and at least one, got {len(self.planes)} and "
                f"{len(self.windows)}"
            )
        wanted = int(np.prod(program.input_shape))
        for i, plane in enumerate(self.planes):
            if plane.dim != wanted:
                raise InputError(
                    f"plane {i} lies in a space of dimension {plane.dim}, but {program.name} takes inputs "
                    f"of shape {program.input_shape}, dimension {wanted}",
                    hint=f"make it of points of shape {program.input_shape}",
                )
        self.planes = tuple(plane.for_inputs(program.input_shape) for plane in self.planes)

    def result(self, finished: FinishedFaces) -> Arrangement:
        """The arrangement of the faces that are finished, with marks on those that are in doubt."""
        status = Status.UNDECIDED if self._undecided(finished.tally) else Status.COMPLETE
        if not finished.complete:
            status = Status.INCOMPLETE
        elif finished.batch:
            status = Status.BATCH
        elif self.chosen:
            status = Status.CHOSEN
        sub = finished.subdivision if status.covers else only_used(finished.subdivision)
        patterns = finished.patterns or self._no_patterns()
        n_cells = (
            tuple(len(on) for on, _ in patterns)  # every cell of an earlier stage has parts
            if status.covers
            else self.ancestors.count(patterns, len(finished.stage_of))
        )
        arr = Arrangement(
            vertices=sub.vertices,
            cells=sub.faces,
            cell_edges=sub.side_edges,
            cell_window=finished.window_of,
            cell_stage=finished.stage_of,
            pattern_hash=finished.hash,
            edges=sub.edges,
            edge_cells=sub.edge_faces(),
            edge_units=sub.edge_units(),
            planes=self.planes,
            windows=self.windows,
            status=status,
            stats=self._stats(finished.tally, n_cells),
            program=self.program,
            patterns=patterns,
            thin_cells=finished.thin.cells,
            thin_areas=finished.thin.areas,
        )
        return marked(arr, np.concatenate([finished.unmatched, finished.thin.unmeasured]))

    def _undecided(self, tally: Tally) -> int:
        return tally.open if self.certify == "off" else tally.decisions.total() - tally.proven.total()

    def _stats(self, tally: Tally, n_cells: tuple[int, ...]) -> Stats:
        displacement = tally.largest_displacement
        return Stats(
            cells_per_stage=n_cells,
            decisions=tally.decisions.total(),
            re_evaluated=tally.re_evaluated,
            undecided=self._undecided(tally),
            zeros=tally.zeros,
            seconds=time.perf_counter() - self.began,
            seconds_affine=tally.seconds_affine,
            batches=tally.batches,
            certify=self.certify,
            proven=tally.proven.total(),
            decisions_per_stage=tuple(tally.decisions[stage] for stage in range(self.n_stages)),
            proven_per_stage=tuple(tally.proven[stage] for stage in range(self.n_stages)),
            largest_bound=tally.largest_bound,
            largest_displacement=displacement if math.isfinite(displacement) else None,
        )

    def _no_patterns(self) -> Patterns:
        """Patterns of no cells, one empty table for each stage."""
        return tuple(
            (np.zeros((0, stage.n_words), np.uint64), np.zeros(0, np.int64))
            for stage in self.program.stages[: self.n_stages]
        )
