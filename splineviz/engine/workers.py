"""Workers that batches of faces are spread over: threads of this process, or what the caller has chosen."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from splineviz.deadline import SpentError

__all__ = ["Crew", "backend", "end_with", "on_threads", "until_unwanted"]


def backend() -> Any:
    """The joblib backend that tasks go to: threads of this process, or the caller's choice."""
    import joblib

    return joblib.parallel.get_active_backend(prefer="threads")[0]


def on_threads() -> bool:
    """Whether joblib's workers are threads of this process."""
    return bool(getattr(backend(), "uses_threads", False))


@cache
def end_with(parent: int) -> None:
    """Have a process that ``parent`` has begun end once that is gone; any other is left alone.

    Joblib's workers are ended by their parent, but not by one that was killed: they would wait for tasks, and
    hold its output open, for five minutes.
    """
    if os.getppid() != parent:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


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


@contextmanager
def until_unwanted(results: Generator[Any], crew: Crew | None) -> Iterator[Generator[Any]]:
    """Results of joblib's tasks; those that nobody has taken when the block ends are called off."""
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of results that nobody waits for
            results.close()
        if crew is not None:
            crew.call_off()
