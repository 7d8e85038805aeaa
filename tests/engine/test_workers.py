"""Threads of our own: all of the work is done, errors come through, and nothing is left at work."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pytest
import torch

import splineviz as sv
from splineviz.deadline import SpentError
from splineviz.engine.walk import Walk
from splineviz.engine.workers import Crew, end_with
from splineviz.values.threads import each
from tests.arrangement.hand_made import random_mlp


@pytest.mark.parametrize("threads", [1, 3])
def test_every_piece_is_worked_on_once(threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        done: list[int] = []
        each(lambda piece: done.append(piece * (not torch.is_grad_enabled())), range(1, 50))
        assert sorted(done) == list(range(1, 50))
        with pytest.raises(ZeroDivisionError):
            each(lambda piece: done.append(1 // piece), range(5))
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_what_is_called_off_ends_and_is_waited_for() -> None:
    crew, begun, seen = Crew(2), threading.Event(), []

    def task() -> None:
        begun.set()
        try:
            while True:
                crew.check(0.0, 1)
                time.sleep(0.01)
        except SpentError:
            time.sleep(0.1)
            seen.append("ended")

    worker = threading.Thread(target=crew.run, args=(task,))
    worker.start()
    begun.wait()
    crew.call_off()
    assert seen == ["ended"]
    assert crew.run(seen.append, "late") is None and seen == ["ended"]
    worker.join()


def test_nothing_is_at_work_after_a_budget_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[int] = []
    advance = Walk.advance

    def slowly(self: Walk, *arguments: Any) -> Any:
        at_work.append(1)
        try:
            time.sleep(0.02)
            return advance(self, *arguments)
        finally:
            at_work.pop()

    monkeypatch.setattr(Walk, "advance", slowly)
    arr = sv.arrange(
        random_mlp(2, 24, 16, 16, 3),
        sv.Plane.identity(),
        sv.Window.box(-2, 2, -2, 2),
        max_memory=200_000,
        max_cells=7,
        jobs=2,
    )
    assert arr.status is sv.Status.INCOMPLETE
    assert not at_work


def test_worker_processes_end_with_a_parent_that_was_killed() -> None:
    code = """
        import os, time
        import joblib
        from splineviz.engine.workers import end_with
        def task(parent):
            end_with(parent)
            time.sleep(0.5)  # so that both workers get one
        joblib.Parallel(2)(joblib.delayed(task)(os.getpid()) for _ in range(4))
        print("at work", flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert parent.stdout is not None and parent.stdout.readline() == "at work\n"
    parent.kill()
    parent.communicate(timeout=20)  # returns once nobody holds its output any more


def test_a_process_of_somebody_else_is_left_alone() -> None:
    threads = threading.active_count()
    end_with(os.getpid())
    assert threading.active_count() == threads
