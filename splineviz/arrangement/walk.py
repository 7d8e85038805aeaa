"""The walk of a program over the vertices of a subdivision, refined at every stage."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from splineviz.arrangement.budget import Budget, divided
from splineviz.arrangement.carrier import Carrier
from splineviz.arrangement.exact.ancestry import Steps
from splineviz.arrangement.exact.forward import Step, work
from splineviz.arrangement.exact.judge import Judge
from splineviz.arrangement.front import Finished, Front, Tally
from splineviz.arrangement.maximal import after_maximum
from splineviz.geometry.excerpt import NO_BIRTH, Excerpt, excerpt
from splineviz.geometry.maxima import NO_LIMIT, Births, among_winners
from splineviz.geometry.refine import Proof, Refinement, refine
from splineviz.geometry.verdicts import Exact
from splineviz.program.program import Affine, Maximum, Pointwise, Program

__all__ = ["START", "Certify", "Divided", "Position", "Progress", "Walk"]

Progress = Callable[[float, int], None]

Certify = Literal["full", "fast", "off"]
"""What happens to decisions that bounds leave open: all are re-evaluated exactly, cheap ones are, or nothing is proven at all"""

_FEW, _SECOND, _SHARE = 1e8, 4e8, 2.0
"""What ``fast`` allows one set of questions: products of two digits for a batch and, before there are batches, for all, and times
those of two numbers that the vertices take anyway"""

_SPARE, _FRACTION = 2e7, 0.02
"""The same for coordinates, which are good enough nearly always: as much as nobody notices"""

Position = tuple[int, int]
"""Where a walk goes on: index of the node, and first word of its units, if some of them have cut already"""

START = (0, -1)


@dataclass(frozen=True, eq=False)
class Divided:
    """A front to go on with in batches."""

    front: Front
    cut: tuple[Pointwise, Refinement] | None
    """The node that cut its faces last, if the live tensors still stand at the vertices before that"""
    position: Position
    """Where to go on"""
    runs: list[tuple[int, int]]
    """Faces (first, last + 1) of each batch"""
    tally: Tally
    held: int
    """Bytes that wait until all batches are done"""


@dataclass(frozen=True)
class Walk:
    """How to get from a front to its finished faces; keeps nothing between calls, so that batches may be walked anywhere."""

    program: Program
    n_stages: int
    budget: Budget
    certify: Certify = "off"
    progress: Progress | None = None
    carrier: Carrier = field(default_factory=Carrier)

    def advance(
        self, front: Front, position: Position, held: int, allowed: int | None, share: tuple[float, float]
    ) -> Finished | Divided:
        """Go on node by node, to the end or to a stage after which the faces are too many for one batch.

        ``held``, ``allowed`` and ``share`` are those of `batches.finish`.

        Raises
        ------
        SpentError
            If the budget ends before.
        """
        tally, first = Tally(), len(front.patterns)
        start, word = position[0], max(position[1], 0)
        reached = None
        for i in range(start, len(self.program.nodes)):
            node = self.program.nodes[i]
            if isinstance(node, Affine):
                if not front.live.keys() & set(node.inputs):
                    continue  # a front may start behind the first nodes
                began = time.perf_counter()
                self.carrier.affine(front.live, node, front.born, front.shared_vertices())
                tally.seconds_affine += time.perf_counter() - began
                continue
            if node.stage >= self.n_stages:
                break
            marks = tuple(share[0] + share[1] * (node.stage + k - first) / (self.n_stages - first) for k in (0, 1))
            here = (i, word if i == start else 0)
            if isinstance(node, Maximum):
                reached = self._cut_by_maxima(front, node, here, held, allowed, marks, tally)
            else:
                reached = self._cut(front, node, here, held, allowed, marks, tally)
            if reached is not None or node.stage == self.n_stages - 1:
                break
        if reached is not None:
            return reached
        self.carrier.release(front.live)
        last = self.n_stages - 1
        return Finished.of(front, tally, self.program, self._allowed(front, last, _FRACTION, _SPARE), self._allowed(front, last))

    def part(self, reached: Divided, n: int) -> tuple[Excerpt, Front]:
        """One batch, beyond the units that cut it."""
        front, run = reached.front, reached.runs[n]
        if reached.cut is None:
            excerpted = excerpt(front.subdivision, NO_BIRTH, *run)
            return excerpted, front.part(excerpted, run[0], self.carrier.to_part(front.live, excerpted.vertices))
        node, refinement = reached.cut
        excerpted = excerpt(front.subdivision, refinement.birth, *run)
        live = self.carrier.to_vertices(front.live, refinement, node, excerpted)
        if refinement.next_word is None:
            self.carrier.pointwise(live, node)
        return excerpted, front.part(excerpted, run[0], live)

    def _cut(
        self,
        front: Front,
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
            refinement = self._refine(front, node, word)
            steps = [(Step(node.stage), len(refinement.birth))]
            runs = self._take_over(front, refinement, node.stage, steps, held, allowed, marks, tally)
            if not runs:
                return None
            if len(runs) > 1:
                after = (i + 1, 0) if refinement.next_word is None else (i, refinement.next_word)
                return Divided(front, (node, refinement), after, runs, tally, held + front.bytes_alive)
            front.live = self.carrier.to_vertices(front.live, refinement, node)
            if refinement.next_word is None:
                self.carrier.pointwise(front.live, node)
                return None
            word = refinement.next_word

    def _cut_by_maxima(
        self,
        front: Front,
        node: Maximum,
        position: Position,
        held: int,
        allowed: int | None,
        marks: tuple[float, ...],
        tally: Tally,
    ) -> Divided | None:
        """Cut where the two largest candidates of a window tie; the maxima come with the new vertices.

        What comes up within a stage cannot be divided: edges between its faces may yet go. So where it does not fit, the faces
        before it are divided, and of a single face the windows.
        """
        (i, first), n_words = position, -(-len(node.windows) // 64)
        last, (slot,) = n_words, node.inputs
        values = self.program.values_alive[node.stage] + 2 * math.prod(node.shape) + 5 * len(node.windows)
        most = self.budget.growth(values, held)
        while True:
            rows, alone = np.arange(len(front.subdivision.vertices)), len(front.subdivision.faces) == 1
            limits = (NO_LIMIT, NO_LIMIT) if alone and last - first == 1 else (self.budget.room, most)
            judges = self._judges(front, node, (first, last))
            found = after_maximum(node, front.live[slot], front.subdivision, (first, last), *limits, judges)
            if found is None and not alone:
                return Divided(front, None, (i, first), divided(front.subdivision), tally, held + front.bytes_alive)
            if found is None:
                last = first + (last - first) // 2
                continue
            refinement = among_winners(found[0], front.states, (first, last), n_words)
            steps = self._steps(node, (first, last), refinement.turns)
            runs = self._take_over(front, refinement, node.stage, steps, held, allowed, marks, tally)
            if not runs:
                return None
            self.carrier.past_maxima(front.live, refinement, node, (first, last), found[1], rows)
            if len(runs) > 1:
                after = (i + 1, 0) if last == n_words else (i, last)
                return Divided(front, None, after, runs, tally, held + front.bytes_alive)
            if last == n_words:
                return None
            first, last = last, n_words

    def _take_over(
        self,
        front: Front,
        refinement: Refinement,
        stage: int,
        steps: Steps,
        held: int,
        allowed: int | None,
        marks: tuple[float, ...],
        tally: Tally,
    ) -> list[tuple[int, int]]:
        """Make the faces that a stage has left those of the front; the batches to go on in, none after the last stage."""
        done = refinement.next_word is None
        tally.add(refinement, stage, proven=front.ancestry is not None)
        front.advance(refinement, stage, steps)
        if front.ancestry is not None and refinement.open:
            front.prove_no_more()
        if self.progress is not None:
            self.progress(marks[done], len(refinement.parent))
        last = done and stage == self.n_stages - 1
        runs = [] if last else self.budget.batches(front.subdivision, self.program.values_alive[stage + done], held)
        self.budget.check(len(refinement.parent) if len(runs) <= 1 else 0, allowed)
        return runs

    def _refine(self, front: Front, node: Pointwise, word: int) -> Refinement:
        """Cut along the units of a stage, from that word of them on."""
        live, proof = front.live[node.inputs[0]], None
        if not live.values.is_contiguous():
            # Signs that are decided change values where they are: not in a copy that is gone afterwards.
            live.values, live.storage = live.values.contiguous(), None
        scale, slack = live.entrywise()
        if len(node.kinks) > 1:
            scale = np.tile(scale, len(node.kinks))
        if front.ancestry is not None:
            sure = bool(live.zeros) and node.breaks_at_zero
            judge = Judge(self.program, front.ancestry, Step(node.stage), self._allowed(front, node.stage))
            proof = Proof(live.proven()[0], sure, judge)
        return refine(front.subdivision, node.switching(live.flat), scale, slack, node.stage, word, self.budget.room, proof)

    def _judges(self, front: Front, node: Maximum, words: tuple[int, int]) -> Callable[[Births], Exact] | None:
        """Who tells, in each round of some maxima, what is not proven."""
        before, n_before = front.ancestry, len(front.subdivision.vertices)
        if before is None:
            return None
        allowed = self._allowed(front, node.stage)

        def judge(births: Births) -> Exact:
            ancestry = before.after(births.born, self._steps(node, words, births.counts), n_before, births.kept)
            return Judge(self.program, ancestry, Step(node.stage, len(births.counts), words), allowed)

        return judge

    @staticmethod
    def _steps(node: Maximum, words: tuple[int, int], counts: Sequence[int]) -> Steps:
        """The rounds of some maxima, with how many vertices each made."""
        return [(Step(node.stage, turn, words), count) for turn, count in enumerate(counts)]

    def _allowed(self, front: Front, stage: int, share: float = _SHARE, least: float | None = None) -> float:
        """How much `effort` one set of questions may take; batches are what they are for any number of workers."""
        if self.certify != "fast":
            return math.inf
        least = (_FEW if front.batch else _SECOND) if least is None else least
        return share * len(front.subdivision.vertices) * work(self.program, stage) + least
