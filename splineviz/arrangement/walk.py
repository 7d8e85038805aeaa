"""The walk of a program over the vertices of a subdivision, refined at every stage; in batches of faces where it is large."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from torch import Tensor

from splineviz.arrangement.budget import Budget, SpentError, divided
from splineviz.arrangement.buffers import Buffers, run_in_blocks
from splineviz.arrangement.exact.ancestry import Steps
from splineviz.arrangement.exact.forward import Step, work
from splineviz.arrangement.exact.judge import Judge
from splineviz.arrangement.front import Finished, Front, Tally, joined
from splineviz.arrangement.live import Live
from splineviz.arrangement.maximal import after_maximum, among_maxima
from splineviz.arrangement.passing import after_affine, after_pointwise, extend
from splineviz.arrangement.threads import Crew, one_thread
from splineviz.geometry.excerpt import NO_BIRTH, Excerpt, excerpt
from splineviz.geometry.extend import pin
from splineviz.geometry.maxima import NO_LIMIT, Births, among_winners
from splineviz.geometry.refine import Proof, Refinement, refine
from splineviz.geometry.verdicts import Exact
from splineviz.program.program import Affine, Maximum, Pointwise, Program

__all__ = ["Certify", "Progress", "Walk"]

Progress = Callable[[float, int], None]

Certify = Literal["full", "fast", "off"]
"""What happens to decisions that bounds leave open: all are re-evaluated exactly, cheap ones are, or nothing is proven at all"""

_FEW, _SECOND, _SHARE = 1e8, 4e8, 2.0
"""What ``fast`` allows one set of questions: products of two digits for a batch and, before there are batches, for all, and times
those of two numbers that the vertices take anyway"""

Position = tuple[int, int]
"""Where a walk goes on: index of the node, and first word of its units, if some of them have cut already"""

START = (0, -1)


@dataclass(frozen=True, eq=False)
class _Divided:
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
    buffers: Buffers = field(default_factory=Buffers)

    def run(
        self,
        front: Front,
        position: Position = START,
        held: int = 0,
        allowed: int | None = None,
        share: tuple[float, float] = (0.0, 1.0),
    ) -> Finished | None:
        """Finish a front; None where the budget ended before any of it was finished.

        ``held`` bytes are taken by batches that wait; ``allowed`` is the number of cells that may still come; ``share`` of all
        that there is to do lies in this front.
        """
        try:
            reached = self._advance(front, position, held, allowed, share)
        except SpentError:
            return None
        if isinstance(reached, Finished):
            return reached
        parts: list[tuple[Excerpt, Finished]] = []
        complete = True
        for excerpted, finished in (
            self._spread(reached, allowed) if position == START and self._shares() else self._in_turn(reached, allowed, share)
        ):
            complete = finished is not None and finished.complete
            if finished is not None:
                parts.append((excerpted, finished))
            if not complete:
                break
        if not parts:
            return None
        n_units = [stage.n_units for stage in self.program.stages]
        return joined(reached.front, parts, n_units, reached.tally, complete=complete)

    def leaves(self, front: Front, position: Position = START, held: int = 0) -> Iterator[Finished]:
        """The batches of a front, each as soon as it is finished. What was counted before they parted is counted with the first.

        Raises
        ------
        SpentError
            If time is up.
        """
        reached = self._advance(front, position, held, None, (0.0, 0.0))
        if isinstance(reached, Finished):
            reached.batch = position != START
            yield reached
            return
        counted: Tally | None = reached.tally
        for _, part in self._parts(reached):
            for finished in self.leaves(part, reached.position, reached.held):
                if counted is not None:
                    finished.tally.merge(counted)
                    counted = None
                yield finished

    def _in_turn(
        self, reached: _Divided, allowed: int | None, share: tuple[float, float]
    ) -> Iterator[tuple[Excerpt, Finished | None]]:
        """Each batch with what became of it, one after the other."""
        done, n_faces = 0, len(reached.front.subdivision.faces)
        for excerpted, part in self._parts(reached):
            n = len(part.window_of)
            begin, width = share[0] + share[1] * done / n_faces, share[1] * n / n_faces
            finished = self.run(part, reached.position, reached.held, allowed, (begin, width))
            done += n
            if finished is not None and allowed is not None:
                allowed -= len(finished.stage_of)
            yield excerpted, finished

    def _shares(self) -> bool:
        """Whether there are workers to spread batches over; that of a cluster is one even if it is the only one."""
        return self.budget.workers > 1 or _cluster() is not None

    def _spread(self, reached: _Divided, allowed: int | None) -> Iterator[tuple[Excerpt, Finished | None]]:
        """The same, by all workers, in the same order."""
        import joblib

        position, held, excerpts = reached.position, reached.held, []
        crew = Crew(self.budget.workers) if _on_threads() else None
        if crew is None:
            worker, task = _sent_once(replace(self, progress=None), _cluster()), Walk.run
        else:
            worker, task = replace(self, progress=crew.check), partial(crew.run, Walk.run)

        def tasks() -> Iterator[Any]:
            for excerpted, part in self._parts(reached):
                excerpts.append(excerpted)
                yield joblib.delayed(task)(worker, part, position, held, allowed)

        with one_thread():
            results = joblib.Parallel(self.budget.workers, prefer="threads", return_as="generator")(tasks())
            try:
                for n, finished in enumerate(results):
                    if finished is not None and allowed is not None:
                        if len(finished.stage_of) > allowed:
                            # It did not know what the batches before it would leave: once more, as if they had gone first.
                            finished = self.run(self._part(reached, n)[1], position, held, allowed)
                        allowed -= 0 if finished is None else len(finished.stage_of)
                    if finished is not None and self.progress is not None:
                        self.progress((n + 1) / len(reached.runs), len(finished.stage_of))
                    yield excerpts[n], finished
            finally:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # of results that nobody wants, after a budget has ended
                    results.close()
                if crew is not None:
                    crew.call_off()

    def _advance(
        self, front: Front, position: Position, held: int, allowed: int | None, share: tuple[float, float]
    ) -> Finished | _Divided:
        """Go on node by node, to the end or to a stage after which the faces are too many for one batch."""
        tally, first = Tally(), len(front.patterns)
        # Batches share vertices, and a matrix product may round a row in another way where it has other rows beside it.
        run = partial(self._run, padded=position != START)
        start, word = position[0], max(position[1], 0)
        reached = None
        for i in range(start, len(self.program.nodes)):
            node = self.program.nodes[i]
            if isinstance(node, Affine):
                began = time.perf_counter()
                front.live[node.output] = after_affine(node, [front.live[k] for k in node.inputs], run)
                tally.seconds_affine += time.perf_counter() - began
                self._free(front.live, node)
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
        front.live = {}
        return Finished.of(front, tally, self.program, self._allowed(front, self.n_stages - 1))

    def _cut(
        self,
        front: Front,
        node: Pointwise,
        position: Position,
        held: int,
        allowed: int | None,
        marks: tuple[float, ...],
        tally: Tally,
    ) -> _Divided | None:
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
                return _Divided(front, (node, refinement), after, runs, tally, held + front.bytes_alive)
            front.live = self._carry(front.live, refinement, node)
            if refinement.next_word is None:
                self._apply(front.live, node)
                self._free(front.live, node)
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
    ) -> _Divided | None:
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
                return _Divided(front, None, (i, first), divided(front.subdivision), tally, held + front.bytes_alive)
            if found is None:
                last = first + (last - first) // 2
                continue
            refinement = among_winners(found[0], front.states, (first, last), n_words)
            steps = self._steps(node, (first, last), refinement.turns)
            runs = self._take_over(front, refinement, node.stage, steps, held, allowed, marks, tally)
            if not runs:
                return None
            for key in list(front.live):
                before = front.live.pop(key)
                if last < n_words or key not in node.frees:
                    again = key == node.output or (last < n_words and key == slot)
                    front.live[key] = extend(before, rows, refinement.birth, self.buffers, again=again, kept=refinement.kept)
                self._release(front.live, before)
            front.live[node.output] = among_maxima(node, (first, last), found[1], front.live.get(node.output))
            if len(runs) > 1:
                after = (i + 1, 0) if last == n_words else (i, last)
                return _Divided(front, None, after, runs, tally, held + front.bytes_alive)
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

    def _parts(self, reached: _Divided) -> Iterator[tuple[Excerpt, Front]]:
        return (self._part(reached, n) for n in range(len(reached.runs)))

    def _part(self, reached: _Divided, n: int) -> tuple[Excerpt, Front]:
        """One batch, beyond the units that cut it."""
        front, run = reached.front, reached.runs[n]
        if reached.cut is None:
            excerpted = excerpt(front.subdivision, NO_BIRTH, *run)
            live = {
                key: extend(before, excerpted.vertices, NO_BIRTH, self.buffers, again=before.scale is not None)
                for key, before in front.live.items()
            }
            return excerpted, front.part(excerpted, run[0], live)
        node, refinement = reached.cut
        excerpted = excerpt(front.subdivision, refinement.birth, *run)
        live = self._carry(front.live, refinement, node, excerpted)
        if refinement.next_word is None:
            self._apply(live, node)
            self._free(live, node)
        return excerpted, front.part(excerpted, run[0], live)

    def _run(self, node: Affine | Pointwise | Maximum, *values: Tensor, padded: bool = False) -> tuple[Tensor, Tensor | None]:
        storages: list[Tensor] = []

        def take(shape: Sequence[int]) -> Tensor:
            out, storage = self.buffers.take(shape)
            storages.append(storage)
            return out

        result = run_in_blocks(node.run, values, self.program.device, take, padded=padded)
        return result, storages[0] if storages else None

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

    def _allowed(self, front: Front, stage: int) -> float:
        """How much `effort` one set of questions may take; batches are what they are for any number of workers."""
        if self.certify != "fast":
            return math.inf
        own = _SHARE * len(front.subdivision.vertices) * work(self.program, stage)
        return own + (_FEW if front.batch else _SECOND)

    def _carry(
        self, live: dict[int, Live], refinement: Refinement, node: Pointwise, part: Excerpt | None = None
    ) -> dict[int, Live]:
        """What is still needed, at the vertices of a refinement or of one part of it.

        relu is applied on the way, its output replacing its input where nobody else needs it. Carried to all vertices, tensors are
        given up one by one; a part leaves them for the others.
        """
        (slot,) = node.inputs
        again, bent, result = refinement.next_word is not None, _bends(node, refinement), {}
        birth = refinement.birth if part is None else part.birth
        n_old = len(part.vertices if part else refinement.subdivision.vertices) - len(birth)
        rows = np.arange(n_old) if part is None else part.vertices[:n_old]
        for key in list(live):
            before, here = live[key] if part else live.pop(key), key == slot
            if bent and here:
                result[node.output] = extend(before, rows, birth, self.buffers, relu=True)
            if not (bent and here and slot in node.frees):
                result[key] = extend(before, rows, birth, self.buffers, again=again and here)
            if part is None:
                self._release(live, before)
        for zeros in refinement.vanishing:
            own = zeros if part is None else _within(zeros, part.vertices)
            for key in {slot, node.output} & set(result) if len(own) else ():
                pin(result[key].flat, own, node.kinks)
        return result

    def _apply(self, live: dict[int, Live], node: Pointwise) -> None:
        """Run a pointwise node; in place where nobody needs what entered it (each live tensor has its own storage by now)."""
        if node.output in live:
            return
        (slot,) = node.inputs
        z = live[slot]
        if slot in node.frees:
            values, storage = run_in_blocks(node.run, [z.values], self.program.device, lambda _: z.values), z.storage
        else:
            values, storage = self._run(node, z.values)
        live[node.output] = after_pointwise(node, z, values, storage)

    def _free(self, live: dict[int, Live], node: Affine | Pointwise | Maximum) -> None:
        for slot in node.frees:
            if slot in live:
                self._release(live, live.pop(slot))

    def _release(self, live: dict[int, Live], dead: Live) -> None:
        """Give the storage of a dead tensor back, unless a live one is a view of it."""
        if dead.storage is not None and all(other.storage is not dead.storage for other in live.values()):
            self.buffers.give(dead.storage)


def _bends(node: Pointwise, refinement: Refinement) -> bool:
    """Whether the node's output can be made while its input is carried to new vertices."""
    return refinement.next_word is None and node.is_relu


def _within(zeros: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """The rows with one of these vertices (ascending), by its place among them."""
    place = np.minimum(np.searchsorted(vertices, zeros["vertex"]), len(vertices) - 1)
    inside = vertices[place] == zeros["vertex"]
    own: np.ndarray = zeros[inside]
    own["vertex"] = place[inside]
    return own


def _cluster() -> Any:
    """The dask client that joblib sends its tasks to, if the caller has chosen that."""
    return getattr(_backend(), "client", None)


def _on_threads() -> bool:
    """Whether joblib's workers are threads of this process."""
    return bool(getattr(_backend(), "uses_threads", False))


def _backend() -> Any:
    import joblib

    return joblib.parallel.get_active_backend(prefer="threads")[0]


def _sent_once(walk: Walk, cluster: Any) -> Any:
    """The walk, for any number of tasks.

    On a cluster it is a result of its own, so that the weights travel once to each worker, and are there again if the worker that
    held them is lost: the scheduler knows how they came about, which it does not of data that are scattered.
    """
    return walk if cluster is None else cluster.submit(_same, replace(walk, program=walk.program.alone()), pure=False)


def _same(walk: Walk) -> Walk:
    return walk
