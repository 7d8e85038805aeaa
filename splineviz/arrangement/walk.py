"""`arrange`: walk the program over the vertices of one subdivision, refining it at every stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from splineviz.arrangement.live import Live, after_affine, extend
from splineviz.arrangement.result import Arrangement, Stats, Status
from splineviz.errors import InputError
from splineviz.geometry.csr import Csr
from splineviz.geometry.hashing import extend_hash
from splineviz.geometry.predicates import EPS
from splineviz.geometry.refine import Refinement, refine
from splineviz.geometry.subdivision import RIM, Subdivision
from splineviz.plane import Plane, Window
from splineviz.program.program import Pointwise, Program

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
        if self.n_stages:
            for node in self.program.nodes:
                if isinstance(node, Pointwise):
                    self._refine(node)
                    if node.stage == self.n_stages - 1:
                        break
                    z = self.live[node.inputs[0]]
                    steepest = max(1.0, float(node.slopes.abs().max()))
                    self.live[node.output] = Live(node.run(z.values), steepest * z.error)
                else:
                    start = time.perf_counter()
                    self.live[node.output] = after_affine(node, [self.live[i] for i in node.inputs])
                    self.seconds_affine += time.perf_counter() - start
                for slot in node.frees:
                    self.live.pop(slot, None)
        return self._result()

    def _refine(self, node: Pointwise) -> None:
        """Cut along the units of a stage, and carry what is still needed to the new vertices."""
        slot = node.inputs[0]
        scale, slack = self.live[slot].entrywise()
        kinks = _kinks(node, self.live[slot].values)
        z = _switching(self.live[slot].flat, kinks)
        refinement = refine(self.subdivision, z, np.tile(scale, len(kinks)), slack, node.stage)
        self._record(refinement, node.stage)
        if node.stage < self.n_stages - 1:
            dies = slot in node.frees and len(kinks) == 1 and not kinks.any() and not node.slopes[0].any()
            self.live = {key: extend(live, refinement, dead_below_zero=dies and key == slot) for key, live in self.live.items()}
            vertex, unit = refinement.vanishing
            self.live[slot].flat[vertex, unit % kinks.shape[1]] = kinks.ravel()[unit]
        if self.progress is not None:
            self.progress(node.stage + 1, self.n_stages, len(self.subdivision.faces))

    def _record(self, refinement: Refinement, stage: int) -> None:
        parent = refinement.parent
        divided = np.bincount(parent, minlength=len(self.stage_of)) > 1
        self.stage_of = np.where(divided[parent], stage, self.stage_of[parent])
        self.window_of = self.window_of[parent]
        self.hash = extend_hash(self.hash, parent, refinement.on)
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
            edge_units=_edge_units(sub),
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


def _kinks(node: Pointwise, values: torch.Tensor) -> np.ndarray:
    """(K, n) breakpoints of every entry of the tensor that enters a pointwise node."""
    return node.breakpoints.expand(-1, *values.shape[1:]).flatten(1).numpy()


def _switching(z: np.ndarray, kinks: np.ndarray) -> np.ndarray:
    """(V, K n) distance of every entry above each of its breakpoints; a view where there is one breakpoint, at 0."""
    if len(kinks) == 1 and not kinks.any():
        return np.ascontiguousarray(z)
    return np.concatenate([z - kink for kink in kinks], axis=1)


def _edge_units(sub: Subdivision) -> Csr:
    """The units of every edge: the one that drew it, unless it is on the rim, then those that share it."""
    drawn = np.flatnonzero(sub.edge_source[:, 0] != RIM)
    if len(sub.shared) == 0:
        offsets = np.zeros(len(sub.edges) + 1, np.int64)
        np.cumsum(sub.edge_source[:, 0] != RIM, out=offsets[1:])
        return Csr(offsets, sub.edge_source[drawn])
    edge = np.concatenate([drawn, sub.shared[:, 0]])
    rows = np.concatenate([sub.edge_source[drawn], sub.shared[:, 1:].astype(np.int32)])
    order = np.lexsort((rows[:, 1], rows[:, 0], edge))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(edge, minlength=len(sub.edges)))])
    return Csr(offsets, rows[order])
