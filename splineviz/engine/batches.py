"""A walk in batches of faces: one after the other or spread over workers, joined or each as soon as it is
finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from splineviz.deadline import SpentError, until
from splineviz.engine.finished_parts import FinishedParts
from splineviz.engine.stage_state import FinishedFaces, StageState, Tally
from splineviz.engine.walk import START, Divided, Position, Walk
from splineviz.engine.workers import Crew, backend, on_threads, until_unwanted
from splineviz.geometry.excerpt import Excerpt
from splineviz.values.threads import one_thread

__all__ = ["finish", "leaves"]


def finish(
    walk: Walk,
    state: StageState,
    position: Position = START,
    held: int = 0,
    allowed: int | None = None,
    share: tuple[float, float] = (0.0, 1.0),
) -> FinishedFaces | None:
    """Finish a state; None where the budget ended before any of it was finished.

    ``held`` bytes are taken by batches that wait; ``allowed`` is the number of cells that may still come;
    ``share`` of all that there is to do lies in this state.
    """
    try:
        with until(walk.budget.deadline):
            reached = walk.advance(state, position, held, allowed, share)
    except SpentError:
        return None
    if isinstance(reached, FinishedFaces):
        return reached
    parts = FinishedParts(reached.state, [stage.n_units for stage in walk.program.stages], reached.tally)
    complete, spread = reached.whole, position == START and _shares(walk)
    in_turn = _alone if position == START else _in_turn
    for excerpted, finished in (
        _spread(walk, reached, allowed) if spread else in_turn(walk, reached, allowed, share)
    ):
        if finished is not None:
            parts.add(excerpted, finished)
        if finished is None or not finished.complete:
            complete = False
            break
    return parts.joined(complete=complete) if len(parts) else None


def leaves(
    walk: Walk,
    state: StageState,
    position: Position = START,
    held: int = 0,
    allowed: int | None = None,
) -> Iterator[FinishedFaces]:
    """The batches of a state, each as soon as it is finished. What was counted before they parted is counted
    with the first.

    Raises
    ------
    SpentError
        If time is up, or there are more cells than ``allowed``: then after the first ones.
    """
    with until(walk.budget.deadline):
        reached = walk.advance(state, position, held, allowed, (0.0, 0.0))
    if isinstance(reached, FinishedFaces):
        reached.batch = position != START
        yield reached
        return
    counted: Tally | None = reached.tally
    for n in range(len(reached.runs)):
        if allowed == 0:
            raise SpentError
        for finished in leaves(walk, walk.part(reached, n)[1], reached.position, reached.held, allowed):
            if allowed is not None:
                allowed -= len(finished.stage_of)
            if counted is not None:
                finished.tally.merge(counted)
                counted = None
            yield finished
    if not reached.whole:
        raise SpentError


def _in_turn(
    walk: Walk, reached: Divided, allowed: int | None, share: tuple[float, float]
) -> Iterator[tuple[Excerpt, FinishedFaces | None]]:
    """Each batch with what became of it, one after the other."""
    done, n_faces = 0, len(reached.state.subdivision.faces)
    for i in range(len(reached.runs)):
        excerpted, part = walk.part(reached, i)
        if allowed == 0:
            yield excerpted, None
            return
        n = len(part.window_of)
        begin, width = share[0] + share[1] * done / n_faces, share[1] * n / n_faces
        finished = finish(walk, part, reached.position, reached.held, allowed, (begin, width))
        done += n
        if finished is not None and allowed is not None:
            allowed -= len(finished.stage_of)
        yield excerpted, finished


def _alone(
    walk: Walk, reached: Divided, allowed: int | None, share: tuple[float, float]
) -> Iterator[tuple[Excerpt, FinishedFaces | None]]:
    """Each batch in turn, with products of one thread as several workers take them: last bits do not
    depend on how many."""
    with one_thread():
        yield from _in_turn(walk, reached, allowed, share)


def _shares(walk: Walk) -> bool:
    """Whether there are workers to spread batches over; that of a cluster is one even if it is the only
    one."""
    return walk.budget.workers > 1 or _cluster() is not None


def _spread(
    walk: Walk, reached: Divided, allowed: int | None
) -> Iterator[tuple[Excerpt, FinishedFaces | None]]:
    """The same, by all workers, in the same order. Threads cut out their batches themselves; to other workers
    they are sent."""
    import joblib

    position, held, excerpts = reached.position, reached.held, deque[Excerpt]()
    crew = Crew(walk.budget.workers) if on_threads() else None

    def sent() -> Iterator[Any]:
        worker = _sent_once(replace(walk, progress=None), _cluster())
        for n in range(len(reached.runs)):
            excerpted, part = walk.part(reached, n)
            excerpts.append(excerpted)
            yield joblib.delayed(finish)(worker, part, position, held, allowed)

    def shared(crew: Crew) -> Iterator[Any]:
        worker = replace(walk, progress=crew.check)

        def task(n: int) -> tuple[Excerpt, FinishedFaces | None]:
            excerpted, part = walk.part(reached, n)
            return excerpted, finish(worker, part, position, held, allowed)

        for n in range(len(reached.runs)):
            yield joblib.delayed(crew.run)(task, n)

    tasks = sent() if crew is None else shared(crew)
    with one_thread():
        results = joblib.Parallel(walk.budget.workers, prefer="threads", return_as="generator")(tasks)
        with until_unwanted(results, crew):
            for n, result in enumerate(results):
                excerpted, finished = (excerpts.popleft(), result) if crew is None else result
                if finished is not None and allowed is not None:
                    if len(finished.stage_of) > allowed:
                        # It did not know what the batches before it would leave: once more, as if they had
                        # gone first.
                        part = walk.part(reached, n)[1]
                        finished = finish(walk, part, position, held, allowed) if allowed else None
                    allowed -= 0 if finished is None else len(finished.stage_of)
                if finished is not None and walk.progress is not None:
                    walk.progress((n + 1) / len(reached.runs), len(finished.stage_of))
                yield excerpted, finished


def _cluster() -> Any:
    """The dask client that joblib sends its tasks to, if the caller has chosen that."""
    return getattr(backend(), "client", None)


def _sent_once(walk: Walk, cluster: Any) -> Any:
    """The walk, for any number of tasks.

    On a cluster it is a result of its own, so that the weights travel once to each worker, and are there
    again if the worker that held them is lost: the scheduler knows how they came about, which it does not of
    data that are scattered.
    """
    return (
        walk
        if cluster is None
        else cluster.submit(_same, replace(walk, program=walk.program.alone()), pure=False)
    )


def _same(walk: Walk) -> Walk:
    return walk
