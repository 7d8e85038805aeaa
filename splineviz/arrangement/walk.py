"""`arrange`: walk the program over the vertices of one subdivision, refining it at every stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.buffers import Buffers, run_in_blocks
from splineviz.arrangement.live import Live, after_affine, after_maximum, extend
from splineviz.arrangement.propagate import device_of
from splineviz.arrangement.result import Arrangement, Stats, Status
from splineviz.errors import InputError
from splineviz.geometry.extend import pin
from splineviz.geometry.lineage import inherit
from splineviz.geometry.predicates import EPS
from splineviz.geometry.refine import Refinement, refine
from splineviz.geometry.subdivision import RIM, Subdivision
from splineviz.plane import Plane, Window
from splineviz.program.program import Affine, Maximum, Pointwise, Program

__all__ = ["arrange"]

Progress = Callable[[int, int, int], None]


def arrange(
    program: Program,
    planes: Plane | Sequence[Plane],
    windows: Window | Sequence[Window],
    *,
    stage: int | None = None,
    progress: Progress | None = None,
) -> Arrangement:
    """The exact cells of a network on a window of a plane, or on many windows at once.

    Parameters
    ----------
    program
        From :func:`splineviz.load_program`.
    planes, windows
        One plane and one window on it, or as many of each; the result holds all windows as one subdivision.
    stage
        Stop after this stage (counted from 0); by default the last. Its units still cut.
    progress
        Called as ``progress(stages done, stages in all, cells so far)``.

    Returns
    -------
    Arrangement
        With its verdict in ``status`` and counts in ``stats``.

    Raises
    ------
    InputError
        If a plane does not fit the program's input, or the numbers of planes and windows differ.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> fold = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    >>> program = sv.load_program(fold)
    >>> sv.arrange(program, sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9)).n_cells
    2
    """
    planes = (planes,) if isinstance(planes, Plane) else tuple(planes)
    windows = (windows,) if isinstance(windows, Window) else tuple(windows)
    _check_request(program, planes, windows, stage)
    return _Walk(program, planes, windows, stage, progress).run()


def _check_request(program: Program, planes: Sequence[Plane], windows: Sequence[Window], stage: int | None) -> None:
    if len(planes) != len(windows) or not planes:
        raise InputError(f"expected as many planes as windows and at least one, got {len(planes)} and {len(windows)}")
    wanted = int(np.prod(program.input_shape))
    for i, plane in enumerate(planes):
        if plane.dim != wanted:
            raise InputError(
                f"plane {i} lies in a space of dimension {plane.dim}, but {program.name} takes inputs of shape "
                f"{program.input_shape}, dimension {wanted}"
            )
    if stage is not None and not 0 <= stage < len(program.stages):
        raise InputError(f"stage must be in 0 .. {len(program.stages) - 1}, got {stage}")


class _Walk:
    """The state of one walk: a subdivision, the live tensors at its vertices, and what accumulates on the way."""

    def __init__(
        self,
        program: Program,
        planes: Sequence[Plane],
        windows: Sequence[Window],
        stage: int | None,
        progress: Progress | None,
    ) -> None:
        self.began = time.perf_counter()
        self.program, self.planes, self.windows = program, tuple(planes), tuple(windows)
        self.n_stages = len(program.stages) if stage is None else stage + 1
        self.progress = progress
        self.device = device_of(program)
        self.buffers = Buffers()
        self.subdivision = Subdivision.from_polygons([w.vertices for w in windows])
        n = len(windows)
        self.hash = np.zeros((n, 2), np.uint64)
        self.window_of = np.arange(n, dtype=np.int64)
        self.stage_of = np.full(n, RIM, dtype=np.int64)
        self.patterns: list[tuple[np.ndarray, np.ndarray]] = []
        self.cells_per_stage: list[int] = []
        self.decisions = self.open = self.zeros = 0
        self.seconds_affine = 0.0
        self.live: dict[int, Live] = {0: self._inputs()}

    def _inputs(self) -> Live:
        points, errors = [], []
        for plane, window in zip(self.planes, self.windows, strict=True):
            x = plane.lift(window.vertices)
            points.append(x.reshape(len(x), *self.program.input_shape))
            reach = np.linalg.norm(plane.origin) + np.abs(window.vertices).sum(1)
            errors.append(3.0 * EPS * reach)
        return Live(torch.from_numpy(np.concatenate(points)), np.concatenate(errors))

    def run(self) -> Arrangement:
        for node in self.program.nodes:
            if not isinstance(node, Affine):
                if node.stage >= self.n_stages:
                    break
                if isinstance(node, Maximum):
                    self._refine_by_maxima(node)
                else:
                    self._refine(node)
                if node.stage == self.n_stages - 1:
                    break
                if isinstance(node, Pointwise) and node.output not in self.live:
                    self._apply(node)
            else:
                start = time.perf_counter()
                self.live[node.output] = after_affine(node, [self.live[i] for i in node.inputs], self._run)
                self.seconds_affine += time.perf_counter() - start
            for slot in node.frees:
                if slot in self.live:
                    self._release(self.live.pop(slot))
        return self._result()

    def _run(self, node: Affine | Pointwise | Maximum, *values: Tensor) -> tuple[Tensor, Tensor | None]:
        storages: list[Tensor] = []

        def take(shape: Sequence[int]) -> Tensor:
            out, storage = self.buffers.take(shape)
            storages.append(storage)
            return out

        return run_in_blocks(node.run, values, self.device, take), storages[0] if storages else None

    def _release(self, live: Live) -> None:
        """Give the storage of a dead tensor back, unless a live one is a view of it."""
        if live.storage is not None and all(other.storage is not live.storage for other in self.live.values()):
            self.buffers.give(live.storage)

    def _refine(self, node: Pointwise) -> None:
        """Cut along the units of a stage, and carry what is still needed to the new vertices (relu is applied on the way)."""
        slot = node.inputs[0]
        scale, slack = self.live[slot].entrywise()
        if len(node.kinks) > 1:
            scale = np.tile(scale, len(node.kinks))
        refinement = refine(self.subdivision, node.switching(self.live[slot].flat), scale, slack, node.stage)
        self._record(refinement, node.stage)
        if node.stage < self.n_stages - 1:
            applied = node.is_relu and slot in node.frees
            for key in list(self.live):
                live = self.live.pop(key)
                extended = extend(live, refinement, self.buffers, relu=applied and key == slot)
                self._release(live)
                self.live[node.output if applied and key == slot else key] = extended
            for rows in refinement.vanishing:
                pin(self.live[node.output if applied else slot].flat, rows, node.kinks)
        if self.progress is not None:
            self.progress(node.stage + 1, self.n_stages, len(self.subdivision.faces))

    def _refine_by_maxima(self, node: Maximum) -> None:
        """Cut where the two largest candidates of a unit tie; the maxima come with the new vertices."""
        (slot,) = node.inputs
        refinement, maxima = after_maximum(node, self.live[slot], self.subdivision)
        self._record(refinement, node.stage)
        if node.stage < self.n_stages - 1:
            for key in list(self.live):
                live = self.live.pop(key)
                if not (key == slot and slot in node.frees):
                    self.live[key] = extend(live, refinement, self.buffers)
                self._release(live)
            self.live[node.output] = maxima
        if self.progress is not None:
            self.progress(node.stage + 1, self.n_stages, len(self.subdivision.faces))

    def _apply(self, node: Pointwise) -> None:
        """Run a pointwise node; in place where nobody needs what entered it (each live tensor has its own storage by now)."""
        (slot,) = node.inputs
        z = self.live[slot]
        if slot in node.frees:
            values, storage = run_in_blocks(node.run, [z.values], self.device, lambda _: z.values), z.storage
        else:
            values, storage = self._run(node, z.values)
        self.live[node.output] = Live(values, node.steepest * z.error, storage=storage)

    def _record(self, refinement: Refinement, stage: int) -> None:
        parent = refinement.parent
        self.window_of, self.stage_of, self.hash = inherit(parent, refinement.on, self.window_of, self.stage_of, self.hash, stage)
        self.patterns.append((refinement.on, parent))
        self.cells_per_stage.append(len(parent))
        self.decisions += refinement.decisions
        self.open += refinement.open
        self.zeros += refinement.zeros
        self.subdivision = refinement.subdivision

    def _result(self) -> Arrangement:
        sub = self.subdivision
        return Arrangement(
            vertices=sub.vertices,
            cells=sub.faces,
            cell_edges=sub.side_edges,
            cell_window=self.window_of,
            cell_stage=self.stage_of,
            pattern_hash=self.hash,
            edges=sub.edges,
            edge_cells=sub.edge_faces(),
            edge_units=sub.edge_units(),
            planes=self.planes,
            windows=self.windows,
            status=Status.UNDECIDED if self.open else Status.COMPLETE,
            stats=Stats(
                cells_per_stage=tuple(self.cells_per_stage),
                decisions=self.decisions,
                re_evaluated=0,
                undecided=self.open,
                zeros=self.zeros,
                seconds=time.perf_counter() - self.began,
                seconds_affine=self.seconds_affine,
            ),
            program=self.program,
            patterns=tuple(self.patterns),
        )
