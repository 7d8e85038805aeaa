"""State of a walk between two stages: faces, their inheritance, and the live tensors at their vertices."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from splineviz.arrangement.cells import Patterns
from splineviz.engine.displacement import settled
from splineviz.engine.thin_cells import NO_THIN, Thin, measured
from splineviz.exact.ancestry import Ancestry, StageRounds, root
from splineviz.exact.equal_functions import equal_entries
from splineviz.exact.face_maps import FaceMaps
from splineviz.exact.face_states import FaceStates
from splineviz.exact.forward import StageRound
from splineviz.exact.resolver import located
from splineviz.geometry.csr import Csr
from splineviz.geometry.excerpt import NO_BIRTH, Excerpt, some_of
from splineviz.geometry.lineage import inherit
from splineviz.geometry.refine import Refinement
from splineviz.geometry.refine_maxima import Births
from splineviz.geometry.subdivision import RIM, Subdivision
from splineviz.plane import Plane, Window, measured_once
from splineviz.program.program import Program, Stage
from splineviz.values.initial_values import first_live
from splineviz.values.row_products import with_ends
from splineviz.values.vertex_values import VertexValues

__all__ = ["FinishedFaces", "StageState", "Tally", "start"]


@dataclass(slots=True)
class Tally:
    """Counts of decisions, proofs and batches, added up on the way."""

    decisions: Counter[int] = field(default_factory=Counter)
    """By stage, and so the next"""
    proven: Counter[int] = field(default_factory=Counter)
    re_evaluated: int = 0
    largest_bound: float = 0.0
    largest_displacement: float = 0.0
    """Infinite where nothing is proven of coordinates"""
    open: int = 0
    zeros: int = 0
    batches: int = 0
    seconds_affine: float = 0.0
    left_out: Counter[int] = field(default_factory=Counter)
    """Faces that were chosen not to be cut any further, by the stage that was next"""

    def add(self, refinement: Refinement, stage: int, *, proven: bool) -> None:
        self.decisions[stage] += refinement.decisions
        self.proven[stage] += refinement.decisions - refinement.open if proven else 0
        self.largest_bound = max(self.largest_bound, refinement.largest_bound)
        self.re_evaluated += refinement.re_evaluated
        self.open += refinement.open
        self.zeros += refinement.zeros

    def merge(self, other: Tally) -> None:
        self.decisions.update(other.decisions)
        self.left_out.update(other.left_out)
        self.proven.update(other.proven)
        self.largest_bound = max(self.largest_bound, other.largest_bound)
        self.largest_displacement = max(self.largest_displacement, other.largest_displacement)
        self.re_evaluated += other.re_evaluated
        self.open += other.open
        self.zeros += other.zeros
        self.batches += other.batches
        self.seconds_affine += other.seconds_affine


@dataclass(slots=True, eq=False)
class StageState:
    """Faces of one stage, all or some consecutive ones, on the way to the next."""

    subdivision: Subdivision
    window_of: np.ndarray
    stage_of: np.ndarray
    hash: np.ndarray
    live: dict[int, VertexValues]
    reach: np.ndarray
    """(windows,) |origin| + |u| + |v| of each, at most"""
    frames: Mapping[int, tuple[Plane, Window]]
    """Plane and window by number"""
    border: np.ndarray
    """(B + 1,) its first edges are the parts of its B border edges of the start: those of the i-th from
    border[i] on"""
    patterns: Patterns = ()
    origin: np.ndarray | None = None
    """(F,) the face among those of the last stage in ``patterns`` that each was cut from; None if they are
    these"""
    ancestry: Ancestry | None = None
    """Origin of its vertices; None if decisions are not proven, or not any more"""
    batch: bool = False
    """Whether these are some of the faces only"""
    states: np.ndarray | None = None
    """(F, words) of the units that have cut already, in the middle of a stage"""
    born: np.ndarray = field(default_factory=lambda: NO_BIRTH)
    """`records.BIRTH` of its last vertices, as far as it is known which between which"""
    begun: np.ndarray | None = None
    """(k,) the vertices of its start that its first ones are; None for all of them"""
    n_begun: int = 0
    """Number of vertices at its start"""

    @property
    def bytes_alive(self) -> int:
        """Bytes of its live tensors."""
        return sum(live.values.nbytes for live in self.live.values())

    def begin(self, program: Program, *, fold: bool = True) -> None:
        """Make what is alive at the corners of windows that nothing has cut yet; see `first_live`."""
        planes = [self.frames[number][0] for number in self.window_of.tolist()]
        uv, lengths = self.subdivision.vertices, self.subdivision.faces.lengths
        self.live = first_live(
            program,
            np.stack([plane.origin for plane in planes]),
            [plane.basis for plane in planes],
            uv,
            np.repeat(np.arange(len(planes)), lengths),
            _reaches(planes, self.subdivision),
            prove=self.ancestry is not None,
            fold=fold,
        )

    def advance(self, refinement: Refinement, stage: int, steps: StageRounds) -> None:
        """Take over the faces of a refinement, made in some steps; the live tensors are carried along by the
        walk."""
        parent, on = refinement.parent, refinement.on
        before = self.hash
        self.window_of, self.stage_of, self.hash = inherit(
            parent, on, self.window_of, self.stage_of, before, stage
        )
        origin = parent if self.origin is None else self.origin[parent]
        if refinement.next_word is None:
            self.patterns, self.origin, self.states = (*self.patterns, (on, origin)), None, None
        else:
            self.hash, self.origin, self.states = before[parent], origin, on
        self.border = refinement.first_part[self.border]
        if self.ancestry is not None:
            self.ancestry = self.ancestry.after(
                refinement.birth, steps, len(self.subdivision.vertices), refinement.kept
            )
        self.subdivision = refinement.subdivision
        self.born = refinement.birth if refinement.kept is None else NO_BIRTH

    def choose(self, faces: np.ndarray, to_part: Callable[..., dict[int, VertexValues]]) -> None:
        """Leave out all other faces; ``to_part`` takes live tensors to some of the vertices."""
        known = np.arange(self.n_begun) if self.begun is None else self.begun
        excerpted = some_of(self.subdivision, faces, self.border[-1])
        first = excerpted.vertices[excerpted.vertices < len(known)]
        self.begun = known[first]
        self.border = np.searchsorted(excerpted.border, self.border)
        self.origin = faces if self.origin is None else self.origin[faces]
        self.states = None if self.states is None else self.states[faces]
        self.window_of, self.stage_of, self.hash = (
            x[faces] for x in (self.window_of, self.stage_of, self.hash)
        )
        self.live = to_part(self.live, excerpted.vertices) if len(faces) else {}
        if self.ancestry is not None:
            self.ancestry = self.ancestry.chosen(excerpted.vertices)
        self.subdivision, self.born = excerpted.subdivision, NO_BIRTH

    def prove_no_more(self) -> None:
        """Give up all proofs: from here on decisions rest on estimates."""
        self.ancestry = None
        for live in self.live.values():
            live.proof = None

    def shared_vertices(self) -> np.ndarray | None:
        """The vertices that other batches have as well, ascending, and all that their values come from; None
        if it is no batch."""
        if not self.batch:
            return None
        marked = np.zeros(len(self.subdivision.vertices), dtype=bool)
        marked[self.subdivision.edges[: self.border[-1]]] = True
        with_ends(marked, self.born)
        return np.flatnonzero(marked)

    def equal_entries(self, program: Program, stage: int) -> np.ndarray | None:
        """(n,) of the tensor that enters a stage: entries with one number are one function; None where that
        is not known."""
        known = equal_entries(program, (plane for plane, _ in self.frames.values()))
        return None if known is None else known[stage]

    def face_states(
        self, births: Births | None = None, words: tuple[int, int] = (0, 0), n_words: int = 0
    ) -> FaceStates:
        """Its faces, or those in the middle of some maxima of a stage, with the states of all units on
        them."""
        row = np.arange(len(self.window_of)) if self.origin is None else self.origin
        if births is None:
            return FaceStates(
                self.subdivision, row, self.patterns, self.frames, self.window_of, self.states, 0
            )
        parent, (first, last) = births.parent, words
        own = births.winners.reshape(len(parent), -1, last - first)
        winners = np.zeros((len(parent), own.shape[1], n_words), np.uint64)
        if self.states is not None:
            winners[:] = self.states[parent].reshape(winners.shape)
        winners[:, :, first:last] = own
        return FaceStates(
            births.subdivision,
            row[parent],
            self.patterns,
            self.frames,
            self.window_of[parent],
            winners.reshape(len(parent), -1),
            64 * first,
            parent,
        )

    def part(self, excerpt: Excerpt, first: int, live: dict[int, VertexValues]) -> StageState:
        """The state of some of its faces, from ``first`` on, with the live tensors at their vertices."""
        rows = slice(first, first + len(excerpt.subdivision.faces))
        border = np.arange(len(excerpt.border) + 1)
        inherited = self.window_of[rows], self.stage_of[rows], self.hash[rows]
        origin = np.arange(rows.start, rows.stop) if self.origin is None else self.origin[rows]
        states = None if self.states is None else self.states[rows]
        ancestry = None if self.ancestry is None else self.ancestry.part(excerpt.vertices)
        return StageState(
            excerpt.subdivision,
            *inherited,
            live,
            self.reach,
            {i: self.frames[i] for i in np.unique(self.window_of[rows]).tolist()},
            border,
            self.patterns,
            origin,
            ancestry,
            True,
            states,
            excerpt.birth,
            n_begun=len(excerpt.vertices),
        )


@dataclass(slots=True, eq=False)
class FinishedFaces:
    """Faces that the walk is done with."""

    subdivision: Subdivision
    window_of: np.ndarray
    stage_of: np.ndarray
    hash: np.ndarray
    patterns: Patterns
    border: Csr
    """The edges that each border edge of the start has become, in order"""
    tally: Tally
    complete: bool = True
    """Whether all faces are there, or only those that a budget allowed"""
    batch: bool = False
    """Whether it is one part of a larger arrangement"""
    thin: Thin = NO_THIN
    unmatched: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    """(k,) faces at border edges that two batches cut differently"""
    begun: np.ndarray | None = None
    """(k,) the vertices of the batch's start that its first ones are; None for all of them"""

    @classmethod
    def of(
        cls,
        state: StageState,
        tally: Tally,
        program: Program,
        spare: float,
        limit: float,
        memory: Callable[[], int],
    ) -> FinishedFaces:
        """A state at its end: doubtful coordinates are made good as far as ``spare`` goes, thin cells
        measured within ``limit``; maps of faces take ``memory``."""
        border = Csr(state.border, np.arange(state.border[-1]))
        tally.batches += 1
        s = subdivision = state.subdivision
        tally.largest_displacement, thin = math.inf, NO_THIN
        if state.ancestry is not None:
            known, reach = (program, state.ancestry), state.reach[state.window_of]
            last = len(state.patterns) - 1
            if last >= 0:
                maps = FaceMaps.of(program, state.face_states(), StageRound(last), memory)
                # Whole numbers are the exception: they take far longer than they are reckoned to.
                exactly = partial(located, *known, limit=spare / 10.0)
                frames = maps.states.frames
                widths = np.zeros(1 + max(frames, default=0))
                for number, (_, window) in frames.items():
                    widths[number] = float(np.linalg.norm(np.ptp(window.vertices, axis=0)))
                points, off = settled(maps, exactly, s, reach, widths[state.window_of], spare, limit)
            else:
                points, off = s.vertices, np.full(len(s.vertices), s.rounding)
            points, tally.largest_displacement, thin = measured(*known, points, off, s.faces, reach, limit)
            subdivision = replace(s, vertices=points)
        inherited = state.window_of, state.stage_of, state.hash
        return cls(subdivision, *inherited, state.patterns, border, tally, thin=thin, begun=state.begun)

    @classmethod
    def none_left(cls, state: StageState, tally: Tally, stages: Sequence[Stage]) -> FinishedFaces:
        """A state none of whose faces was to be cut any further."""
        tally.batches += 1
        later = stages[len(state.patterns) :]
        patterns = (
            *state.patterns,
            *((np.zeros((0, stage.n_words), np.uint64), np.zeros(0, np.int64)) for stage in later),
        )
        inherited, border = (state.window_of, state.stage_of, state.hash), Csr(state.border, np.arange(0))
        return cls(state.subdivision, *inherited, patterns, border, tally, begun=state.begun)

    @classmethod
    def nothing(cls, state: StageState) -> FinishedFaces:
        """No face of a state at all."""
        rows = state.window_of[:0], state.stage_of[:0], state.hash[:0]
        s = state.subdivision
        empty = replace(s, faces=Csr(s.faces.offsets[:1], s.faces.values[:0]), side_edges=s.side_edges[:0])
        return cls(empty, *rows, (), Csr(state.border, np.arange(0)), Tally(), complete=False)


def start(planes: Sequence[Plane], windows: Sequence[Window], *, prove: bool) -> StageState:
    """The windows as faces; nothing is alive at their corners yet."""
    n, subdivision = len(windows), Subdivision.from_polygons([window.vertices for window in windows])
    reaches = _reaches(planes, subdivision)
    return StageState(
        subdivision,
        window_of=np.arange(n),
        stage_of=np.full(n, RIM),
        hash=np.zeros((n, 2), np.uint64),
        live={},
        reach=np.maximum.reduceat(reaches, subdivision.faces.offsets[:-1]),
        frames=dict(enumerate(zip(planes, windows, strict=True))),
        border=np.zeros(1, np.int64),
        ancestry=root(planes, windows, NO_BIRTH) if prove else None,
    )


def _reaches(planes: Sequence[Plane], windows: Subdivision) -> np.ndarray:
    """(V,) |origin| + |u| + |v| of the corners of windows."""
    norms = measured_once(planes, lambda plane: math.sqrt(plane.origin @ plane.origin))
    result: np.ndarray = np.repeat(norms, windows.faces.lengths) + np.abs(windows.vertices).sum(1)
    return result
