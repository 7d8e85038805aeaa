"""Ctrl-C, SIGTERM and SIGHUP: the process ends at once, whatever is under way, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Collection
from contextlib import suppress
from typing import NoReturn

__all__ = ["INTERRUPTED", "end", "end_on_signals", "shield_workers"]

INTERRUPTED = "interrupted; no file was left half written"
_SHOW_CURSOR = "\x1b[?25h"

_ending = threading.Lock()
"""Taken, and never given back, by the thread that ends the process"""


def end(code: int) -> NoReturn:
    """End the process as it is, unless a signal is ending it already."""
    _ending.acquire()
    os._exit(code)


def end_on_signals() -> None:
    """Have a thread of its own wait for Ctrl-C, SIGTERM and SIGHUP, and end the process with exit code 130,
    143 or 129. Those that are ignored, as by nohup, stay so.

    A `KeyboardInterrupt` in the main thread would come late out of a long kernel, as another error out of a
    compiled one, and with a traceback out of each worker process. So Ctrl-C is blocked in all other threads,
    and in processes that are begun later, which this one ends. The other signals are not: they are how
    programs end processes that they have begun.
    """
    if sys.platform == "win32":
        return
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    heeded = [one for one in signals if signal.getsignal(one) is not signal.SIG_IGN]
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    for one in heeded:
        signal.signal(one, lambda *_: None)
    if signal.SIGINT in heeded:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.register_at_fork(after_in_child=_heed_no_more)
    threading.Thread(target=_end_when_told, args=(told, heeded), name="interrupts", daemon=True).start()


def shield_workers() -> None:
    """Keep Ctrl-C, and modules of the current folder, from worker processes that are begun from here on.

    With the first of them Python begins one that tracks resources, and then unblocks the signal for all that
    come later; so that one is begun now.
    """
    os.environ["PYTHONSAFEPATH"] = "1"  # they are begun with -c and -m, which look into that folder first
    if sys.platform == "win32" or signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set()):
        return
    from multiprocessing import resource_tracker

    # joblib's own tracker cleans up behind a process that has ended so, and would complain of having to
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _heed_no_more() -> None:
    """Let a forked process be ended as any other: it would write into the pipe of this one."""
    assert sys.platform != "win32"
    signal.set_wakeup_fd(-1)
    for one in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, signal.SIG_DFL)


def _end_when_told(told: int, heeded: Collection[int]) -> None:
    assert sys.platform != "win32"
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    number = 0
    while number not in heeded:
        (number,) = os.read(told, 1)
    _ending.acquire()
    try:
        from splineviz.files import discard_unfinished

        discard_unfinished()
        said = INTERRUPTED if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
        text = f"{_SHOW_CURSOR if os.isatty(2) else ''}{said}\n"
        with suppress(OSError):  # a terminal that has hung up
            os.write(2, text.encode())  # no stream: another thread may be at work in it
        _fall_silent()  # or else the main thread would tell of what it loses now
        _kill_children()
        discard_unfinished()  # what a child has begun since
    finally:
        os._exit(128 + number)


def _fall_silent() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(null, stream)


def _kill_children() -> None:
    """End all processes that this one has begun, but those that clean up behind it."""
    import psutil

    killed = list[psutil.Process]()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "resource_tracker" not in " ".join(child.cmdline()):
                child.kill()
                killed.append(child)
    psutil.wait_procs(killed, timeout=0.5)
