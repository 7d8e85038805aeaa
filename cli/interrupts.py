"""Ctrl-C: the process ends at once, whatever is under way."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

__all__ = ["INTERRUPTED", "end_on_interrupt", "shield_workers"]

INTERRUPTED = "interrupted; no file was left half written"
_SHOW_CURSOR = "\x1b[?25h"


def end_on_interrupt() -> None:
    """Have a thread of its own wait for Ctrl-C, and end the process with exit code 130.

    A `KeyboardInterrupt` in the main thread would come late out of a long kernel, as another error out of a
    compiled one, and with a traceback out of each worker process. So the signal is blocked in all other
    threads, and in processes that are begun later, which this one ends.
    """
    if sys.platform == "win32" or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    threading.Thread(target=_end_when_interrupted, args=(told,), name="interrupts", daemon=True).start()


def shield_workers() -> None:
    """Keep Ctrl-C from worker processes that are begun from here on.

    With the first of them Python begins one that tracks resources, and then unblocks the signal for all that
    come later; so that one is begun now.
    """
    if sys.platform == "win32" or signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set()):
        return
    from multiprocessing import resource_tracker

    # joblib's own tracker cleans up behind a process that has ended so, and would complain of having to
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _end_when_interrupted(told: int) -> None:
    assert sys.platform != "win32"
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    while signal.SIGINT not in os.read(told, 1):
        pass  # another signal
    from splineviz.files import discard_unfinished

    discard_unfinished()
    said = f"{_SHOW_CURSOR if os.isatty(2) else ''}{INTERRUPTED}\n"
    os.write(2, said.encode())  # no stream: another thread may be at work in it
    for worker in _workers():  # last, or else the main thread would tell of its loss
        if worker.pid is not None:
            os.kill(worker.pid, signal.SIGKILL)
    os._exit(130)


def _workers() -> list[BaseProcess]:
    """Processes that Python's own machinery, or joblib's on top of it, has begun."""
    if "multiprocessing" not in sys.modules:
        return []
    from multiprocessing import active_children

    return active_children()
