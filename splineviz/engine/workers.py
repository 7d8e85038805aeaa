"""Workers that batches of faces are spread over: threads of this process, or what the caller has chosen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from splineviz.deadline import SpentError

__all__ = ["Crew", "backend", "on_threads"]


def backend() -> Any:
    """The joblib backend that tasks go to: threads of this process, or the caller's choice."""
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
