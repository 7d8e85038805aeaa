"""Memory for values at vertices, used again from stage to stage."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from splineviz.deadline import check_time

__all__ = ["Buffers", "rows_in_block", "run_in_blocks"]

_SMALL = 1 << 19  # values; below, the allocator has warm memory of its own
_ROOMY = 1 << 24  # values; memory that is never touched costs nothing, and the next stages have more vertices
_BLOCK = (
    1 << 17
)  # values; 1 MiB, so that what a node makes of a block is still in the cache when it is copied
_LARGER = 4  # blocks at once where nothing is copied, which suits a matrix product


class Buffers:
    """Flat float64 storages, for all threads.

    A fresh large array costs a page fault every 4 KiB, which is a third of the time of a layer.
    """

    def __init__(self) -> None:
        self._free: list[Tensor] = []
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Buffers], tuple[()]]:
        return Buffers, ()  # what is free here is no use elsewhere

    def take(self, shape: Sequence[int]) -> tuple[Tensor, Tensor]:
        """(values, storage): uninitialised values of that shape, and the storage that `give` takes back."""
        n = math.prod(shape)
        with self._lock:
            fitting = [i for i, storage in enumerate(self._free) if storage.numel() >= n]
            best = min(fitting, key=lambda i: self._free[i].numel(), default=None)
            storage = None if best is None else self._free.pop(best)
        if storage is None:
            storage = torch.from_numpy(np.empty(n if n < _SMALL else max(4 * n, _ROOMY)))
        return storage[:n].view(*shape), storage

    def give(self, storage: Tensor) -> None:
        """Take back a storage in which nothing lives any more."""
        with self._lock:
            self._free.append(storage)


def rows_in_block(*values: Tensor) -> int:
    """Number of rows of (V, *shape) tensors in one block."""
    n_rows = len(values[0])
    return max(1, _BLOCK * n_rows // max(1, *(value.numel() for value in values)))


def run_in_blocks(
    run: Callable[..., Tensor],
    values: Sequence[Tensor],
    take: Callable[[Sequence[int]], Tensor],
    *,
    into: Callable[..., object] | None = None,
) -> Tensor:
    """Run a node on (V, *shape) tensors, a block of vertices at a time.

    ``take`` gives the memory for a result of several blocks, and ``into`` may write there itself. The last
    bits of a row may depend on its place, and on how many there are: see `Propagator.affine`. Between blocks
    is a place to end (`check_time`).
    """
    n_rows = len(values[0])
    rows = rows_in_block(*values)
    if rows >= n_rows:
        return run(*values)
    first = run(*(value[:rows] for value in values))
    out = take((n_rows, *first.shape[1:]))
    out[:rows] = first
    step = rows if into is None else _LARGER * rows
    for start in range(rows, n_rows, step):
        check_time()
        parts = [value[start : start + step] for value in values]
        if into is None:
            out[start : start + step] = run(*parts)
        else:
            into(*parts, out[start : start + step])
    return out
