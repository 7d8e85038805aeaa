"""Threads of our own in place of torch's, where there are many small products rather than a few large
ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

import torch

from splineviz.deadline import check_time

__all__ = ["each", "one_thread"]

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
    """Do the work on every piece, without gradients, on as many threads as torch would use for one
    product. Between pieces is a place to end (`check_time`)."""
    todo, workers = list(pieces), torch.get_num_threads()

    def alone(piece: Piece) -> None:
        check_time()
        with torch.no_grad():  # holds for one thread only
            work(piece)

    with one_thread():
        if len(todo) < 2 or workers < 2:
            for piece in todo:
                alone(piece)
            return
        with ThreadPoolExecutor(workers) as pool:
            contexts = [copy_context() for _ in todo]  # the moment to end at is that of this thread
            tasks = [
                pool.submit(context.run, alone, piece) for context, piece in zip(contexts, todo, strict=True)
            ]
        for task in tasks:
            task.result()  # raises what a thread has raised
