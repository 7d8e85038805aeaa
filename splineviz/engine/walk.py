"""The walk of a program over the vertices of a subdivision, refined at every stage."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch

from splineviz.choices import Certify
from splineviz.deadline import check_time
from splineviz.engine.budget import Budget, divided
from splineviz.engine.renewal import renew, worn
from splineviz.engine.stage_state import FinishedFaces, StageState, Tally
from splineviz.exact.ancestry import StageRounds
from splineviz.exact.equal_functions import kinds_of
from splineviz.exact.face_maps import FaceMaps
from splineviz.exact.forward import StageRound, work
from splineviz.exact.resolver import Resolver
from splineviz.geometry.answers import ExactAnswers
from splineviz.geometry.excerpt import NO_BIRTH, Excerpt, excerpt
from splineviz.geometry.refine import Kinds, Proof, Refinement, UncertainError, refine
from splineviz.geometry.refine_maxima import NO_LIMIT, Births, among_winners
from splineviz.program.program import Affine, Maximum, Pointwise, Program
from splineviz.values.propagation import Propagator
from splineviz.values.window_maxima import after_maximum

__all__ = ["START", "Certify", "Divided", "Keep", "Position", "Progress", "Walk"]

Progress = Callable[[float, int], None]

Keep = Callable[[StageState, int], np.ndarray]
"""``keep(state, i)`` tells which of the faces, (F,) bool, are to be cut any further, from their live tensors
before node i of the program; others are left out of the result"""

_FEW, _SECOND, _SHARE = 1e8, 4e8, 2.0
"""Effort that ``fast`` allows one set of questions: products of two digits for a batch and, before there are
batches, for all, and times those of two numbers that the vertices take anyway"""

_THIN = 50.0
"""Times the former for the areas of thin cells, which nothing else tells"""

_GROWTH = 10.0
"""Pairs of units that may cut a face, on average, before it is asked whether to go on with its parts: about
four units, that leave eight parts. With fewer at a time few parts are cut in vain, and all are asked about
often
"""

_SPARE, _FRACTION = {"fast": 2e7, "full": 1e9, "off": 0.0}, {"fast": 0.02, "full": 0.2, "off": 0.0}
"""Effort for coordinates, which are good enough nearly always: as much as nobody notices, or minds"""

Position = tuple[int, int]
"""Place where a walk goes on: index of the node, and first word of its units if some have cut already"""

START, _UNCUT = (0, -1), (0, 0)
"""All windows, and some of them"""


@dataclass(frozen=True, eq=False)
class Divided:
    """A state to go on with in batches."""

    state: StageState
    cut: tuple[Pointwise, Refinement] | None
    """The node that cut its faces last, if the live tensors still stand at the vertices before that"""
    position: Position
    """Place where its batches go on"""
    runs: list[tuple[int, int]]
    """Faces (first, last + 1) of each batch: all, or the first ones where no more are allowed"""
    tally: Tally
    held: int
    """Bytes that wait until all batches are done"""

    @property
    def whole(self) -> bool:
        """True where the batches hold all faces."""
        return self.runs[-1][1] == len(self.state.subdivision.faces)


@dataclass(frozen=True)
class Walk:
    """Walk from a state to its finished faces; keeps nothing between calls, so batches may be walked
    anywhere."""

    program: Program
    n_stages: int
    budget: Budget
    certify: Certify = "off"
    progress: Progress | None = None
    propagator: Propagator = field(default_factory=Propagator)
    keep: Keep | None = None
    """Chooses faces before each stage cuts, and between groups of its units; None goes on with all"""

    def advance(
        self,
        state: StageState,
        position: Position,
        held: int,
        allowed: int | None,
        share: tuple[float, float],
    ) -> FinishedFaces | Divided:
        """Go on node by node, to the end or to a stage after which the faces are too many for one batch.

        ``held``, ``allowed`` and ``share`` are those of `batches.finish`.

        Raises
        ------
        SpentError
            If the budget ends before.
        """
        tally, first = Tally(), len(state.patterns)
        start, word = position[0], max(position[1], 0)
        if position == START:
            runs = self._runs(state, 0, held, allowed)
            if runs != [(0, len(state.window_of))]:
                return Divided(state, None, _UNCUT, runs, tally, held)
        if position in (START, _UNCUT):
            self._begin(state)
        reached = None
        for i in range(start, len(self.program.nodes)):
            check_time()
            node = self.program.nodes[i]
            if isinstance(node, Affine):
                if not state.live.keys() & set(node.inputs):
                    continue  # a state may start behind the first nodes
                began = time.perf_counter()
                self._run(state, node)
                tally.seconds_affine += time.perf_counter() - began
                continue
            if node.stage >= self.n_stages or not self._choose(state, i, tally):
                break
            marks = tuple(
                share[0] + share[1] * (node.stage + k - first) / (self.n_stages - first) for k in (0, 1)
            )
            here = (i, word if i == start else 0)
            if isinstance(node, Maximum):
                reached = self._cut_by_maxima(state, node, here, held, allowed, marks, tally)
            else:
                reached = self._cut(state, node, here, held, allowed, marks, tally)
            if reached is not None or node.stage == self.n_stages - 1:
                break
        if reached is not None:
            return reached
        self.propagator.release(state.live)
        if not len(state.window_of):
            return FinishedFaces.none_left(state, tally, self.program.stages[: self.n_stages])
        last = self.n_stages - 1
        return FinishedFaces.of(
            state,
            tally,
            self.program,
            self._effort(state, last, _FRACTION[self.certify], _SPARE[self.certify]),
            self._allowed(state, last, _THIN),
            self.budget.bytes_for_maps,
        )

    def part(self, reached: Divided, n: int) -> tuple[Excerpt, StageState]:
        """One batch, beyond the units that cut it."""
        state, run = reached.state, reached.runs[n]
        if reached.cut is None:
            excerpted = excerpt(state.subdivision, NO_BIRTH, *run)
            if reached.position == _UNCUT:  # windows have no edge in common
                excerpted = replace(excerpted, border=excerpted.border[:0])
            return excerpted, state.part(
                excerpted, run[0], self.propagator.to_part(state.live, excerpted.vertices)
            )
        node, refinement = reached.cut
        excerpted = excerpt(state.subdivision, refinement.birth, *run)
        live = self.propagator.to_vertices(state.live, refinement, node, excerpted)
        if refinement.next_word is None:
            self.propagator.pointwise(live, node)
        return excerpted, state.part(excerpted, run[0], live)

    def _begin(self, state: StageState) -> None:
        """Make what is alive at the corners of windows that nothing has cut yet."""
        state.begin(self.program)

    def _run(self, state: StageState, node: Affine) -> None:
        """Run an affine node on what is alive."""
        self.propagator.affine(state.live, node, state.born, state.shared_vertices())

    def _cut(
        self,
        state: StageState,
        node: Pointwise,
        position: Position,
        held: int,
        allowed: int | None,
        marks: tuple[float, ...],
        tally: Tally,
    ) -> Divided | None:
        """Cut along the units of one stage and run its node; stop where the faces are too many for one batch.

        ``marks`` are the shares of all work that are done before and after this stage.
        """
        i, word = position
        while True:
            refinement = self._refine(state, node, word)
            state.live[node.inputs[0]].amend(refinement.moved)
            steps = [(StageRound(node.stage), len(refinement.birth))]
            runs = self._take_over(state, refinement, node.stage, steps, held, allowed, marks, tally)
            if not runs:
                return None
            if runs != [(0, len(state.subdivision.faces))]:
                after = (i + 1, 0) if refinement.next_word is None else (i, refinement.next_word)
                return Divided(state, (node, refinement), after, runs, tally, held + state.bytes_alive)
            state.live = self.propagator.to_vertices(state.live, refinement, node)
            if refinement.next_word is None:
                self.propagator.pointwise(state.live, node)
                return None
            word = refinement.next_word
            if not self._choose(state, i, tally):
                return None

    def _cut_by_maxima(
        self,
        state: StageState,
        node: Maximum,
        position: Position,
        held: int,
        allowed: int | None,
        marks: tuple[float, ...],
        tally: Tally,
    ) -> Divided | None:
        """Cut where the two largest candidates of a window tie; the maxima come with the new vertices.

        What comes up within a stage cannot be divided: edges between its faces may yet go. So where it does
        not fit, the faces before it are divided, and of a single face the windows.
        """
        (i, first), n_words = position, -(-len(node.windows) // 64)
        last, (slot,) = n_words, node.inputs
        values = self.program.values_alive[node.stage] + 2 * math.prod(node.shape) + 5 * len(node.windows)
        # Maxima that are found already are of no tensor that faces' maps know.
        most, renewable = self.budget.growth(values, held), first == 0
        while True:
            rows, alone = np.arange(len(state.subdivision.vertices)), len(state.subdivision.faces) == 1
            limits = (NO_LIMIT, NO_LIMIT) if alone and last - first == 1 else (self.budget.room, most)
            resolvers = self._resolvers(state, node, (first, last))
            try:
                found = after_maximum(
                    node,
                    state.live[slot],
                    state.subdivision,
                    (first, last),
                    *limits,
                    resolvers,
                    renewable=renewable,
                    equal=partial(state.equal_entries, self.program, node.stage),
                )
            except UncertainError as uncertain:
                self._renew(state, self._resolver(state, node), uncertain)
                renewable = False
                continue
            if found is None and not alone:
                return Divided(
                    state, None, (i, first), divided(state.subdivision), tally, held + state.bytes_alive
                )
            if found is None:
                last = first + (last - first) // 2
                continue
            refinement = among_winners(found[0], state.states, (first, last), n_words)
            steps = self._steps(node, (first, last), refinement.turns)
            runs = self._take_over(state, refinement, node.stage, steps, held, allowed, marks, tally)
            if not runs:
                return None
            self.propagator.past_maxima(state.live, refinement, node, (first, last), found[1], rows)
            if runs != [(0, len(state.subdivision.faces))]:
                after = (i + 1, 0) if last == n_words else (i, last)
                return Divided(state, None, after, runs, tally, held + state.bytes_alive)
            if last == n_words:
                return None
            first, last, renewable = last, n_words, False

    def _choose(self, state: StageState, i: int, tally: Tally) -> bool:
        """Leave out the faces that are not to be cut any further, before node i; whether any is left."""
        if self.keep is None or not len(state.window_of):
            return self.keep is None
        kept = self.keep(state, i)
        tally.left_out[len(state.patterns)] += int((~kept).sum())
        if not kept.all():
            before = dict(state.live)
            state.choose(np.flatnonzero(kept), self.propagator.to_part)
            self.propagator.release(before)
        return bool(kept.any())

    def _room(self, state: StageState, n_units: int) -> int:
        """Bytes to set aside for the parts of faces; where it is asked which to go on with, only so many are
        made at a time."""
        if self.keep is None:
            return self.budget.room
        pair = 8 * -(-n_units // 64) + 256  # as `cutting.choose_words` reckons
        return min(self.budget.room, int(_GROWTH * pair * len(state.window_of)))

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
        """Make the faces that a stage has left those of the state; the batches to go on in, none after the
        last stage unless that left more than are allowed."""
        done = refinement.next_word is None
        tally.add(refinement, stage, proven=state.ancestry is not None)
        state.advance(refinement, stage, steps)
        if state.ancestry is not None and refinement.open:
            state.prove_no_more()
        if self.progress is not None:
            self.progress(marks[done], len(refinement.parent))
        last = done and stage == self.n_stages - 1
        check_time()
        if last:
            return self.budget.within([], len(refinement.parent), allowed)
        return self._runs(state, stage + done, held, allowed)

    def _runs(self, state: StageState, stage: int, held: int, allowed: int | None) -> list[tuple[int, int]]:
        """The batches to go on in, on the way to a stage."""
        runs = self.budget.batches(state.subdivision, self.program.values_alive[stage], held)
        return self.budget.within(runs, len(state.window_of), allowed)

    def _refine(self, state: StageState, node: Pointwise, word: int) -> Refinement:
        """Cut along the units of a stage, from that word of them on."""
        live, proof = state.live[node.inputs[0]], None
        if not live.values.is_contiguous() or any(live.shares_memory(other) for other in state.live.values()):
            # Signs that are decided change values where they are: not in a copy that is gone afterwards, nor
            # those of another tensor, whose errors do not count it.
            live.values, live.storage = live.values.clone(memory_format=torch.contiguous_format), None
        kinds = Kinds(partial(self._kinds, state, node))
        renewable, resolver = True, self._resolver(state, node)
        room = self._room(state, len(node.kinks) * math.prod(node.shape))
        while True:
            scale, slack = live.entrywise()
            if len(node.kinks) > 1:
                scale = np.tile(scale, len(node.kinks))
            if resolver is not None:
                sure = bool(live.zeros) and node.breaks_at_zero
                proof = Proof(live.proven()[0], sure, resolver, renewable)
            z = node.switching(live.flat)
            try:
                return refine(
                    state.subdivision,
                    z,
                    scale,
                    slack,
                    node.stage,
                    word,
                    room,
                    proof,
                    kinds,
                    onward=node.stage < self.n_stages - 1,
                )
            except UncertainError as uncertain:
                self._renew(state, resolver, uncertain)
                renewable = False

    def _kinds(self, state: StageState, node: Pointwise) -> np.ndarray:
        """(units,) a number for each, one for units that are one function; none where that is not known."""
        equal = state.equal_entries(self.program, node.stage)
        return np.empty(0, np.int64) if equal is None else kinds_of(node, equal)

    def _resolver(self, state: StageState, node: Pointwise | Maximum) -> Resolver | None:
        """Answers about the units of a stage, before any of its vertices are born; None where nothing is
        proven."""
        if state.ancestry is None:
            return None
        step, allowed = StageRound(node.stage), self._allowed(state, node.stage)
        maps = FaceMaps.of(self.program, state.face_states(), step, self.budget.bytes_for_maps)
        return Resolver(self.program, state.ancestry, step, allowed, maps)

    def _renew(self, state: StageState, resolver: Resolver | None, uncertain: UncertainError) -> None:
        """Take values at vertices anew, as far as that is allowed, and with them those that will be known as
        badly before the end."""
        if resolver is None or resolver.maps is None:
            return
        done = resolver.step.stage + 1
        too_bad = worn(state, (self.n_stages - done) / done)
        for vertices in (np.union1d(uncertain.vertices, too_bad), uncertain.vertices):
            if resolver.affordable(vertices):
                renew(state, resolver.maps, vertices)
                break

    def _resolvers(
        self, state: StageState, node: Maximum, words: tuple[int, int]
    ) -> Callable[[Births], ExactAnswers] | None:
        """Makers of exact answers for each round of some maxima; None where nothing is proven."""
        before, n_before = state.ancestry, len(state.subdivision.vertices)
        if before is None:
            return None
        allowed = self._allowed(state, node.stage)
        step, memory = StageRound(node.stage), self.budget.bytes_for_maps
        maps = FaceMaps.of(self.program, state.face_states(), step, memory)

        def resolver(births: Births) -> ExactAnswers:
            check_time()
            ancestry = before.after(
                births.born, self._steps(node, words, births.counts), n_before, births.kept
            )
            step = StageRound(node.stage, len(births.counts), words)
            states = state.face_states(births, words, -(-len(node.windows) // 64))
            return Resolver(self.program, ancestry, step, allowed, maps.during(states, step))

        return resolver

    @staticmethod
    def _steps(node: Maximum, words: tuple[int, int], counts: Sequence[int]) -> StageRounds:
        """The rounds of some maxima, with how many vertices each made."""
        return [(StageRound(node.stage, turn, words), count) for turn, count in enumerate(counts)]

    def _allowed(self, state: StageState, stage: int, times: float = 1.0) -> float:
        """Limit of the `effort` for one set of questions; batches are what they are for any number of
        workers."""
        if self.certify != "fast":
            return math.inf
        return self._effort(state, stage, _SHARE, times * (_FEW if state.batch else _SECOND))

    def _effort(self, state: StageState, stage: int, share: float, least: float) -> float:
        """A share of the products that all vertices take up to a stage, and at least so many."""
        return share * len(state.subdivision.vertices) * work(self.program, stage) + least
