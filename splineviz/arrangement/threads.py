"""Threads of our own in place of torch's, where there are many small products rather than a few large ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from splineviz.arrangement.budget import SpentError

__all__ = ["Crew", "backend", "each", "on_threads", "one_thread"]

Piece = TypeVar("Piece")


@contextmanager
def one_thread() -> Iterator[None]:
    """Matrix products of one thread each, while all cores have work of their own."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def each(work: Callable[[Piece], None], pieces: Iterable[Piece]) -> None:
    """Do the work on every piece, without gradients, on as many threads as torch would use for one product."""
    todo, workers = list(pieces), torch.get_num_threads()

    def alone(piece: Piece) -> None:
        with torch.no_grad():  # holds for one thread only
            work(piece)

    with one_thread():
        if len(todo) < 2 or workers < 2:
            for piece in todo:
                alone(piece)
            return
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(alone, todo))  # raises what a thread has raised


def backend() -> Any:
    """Where joblib's tasks go: threads of this process, or what the caller has chosen."""
    import joblib

    return joblib.parallel.get_active_backend(prefer="threads")[0]


def on_threads() -> bool:
    """Whether joblib's workers are threads of this process."""
    return bool(getattr(backend(), "uses_threads", False))


class Crew:
    """Tasks on threads whose results nobody may want any more: then they end soon, and are waited for.

    A thread that is still within torch when the process ends would abort it.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._at_work = threading.Semaphore(workers)
        self._called_off = threading.Event()

    def run(self, task: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a task; None where it was called off before it began."""
        with self._at_work:
            return None if self._called_off.is_set() else task(*arguments)

    def check(self, share: float, cells: int) -> None:
        """The progress of a task; raises `SpentError` where it was called off."""
        if self._called_off.is_set():
            raise SpentError

    def call_off(self) -> None:
        """Return once no task is at work."""
        self._called_off.set()
        for _ in range(self.workers):
            self._at_work.acquire()
        self._at_work.release(self.workers)
