"""Maxima that order entries along an axis: sums of the largest, pairs in order, extremes so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import torch
from torch import Tensor

from splineviz.program.operations.base import Active, RefusedError, Step, operation
from splineviz.program.operations.dense import weighted
from splineviz.program.operations.elementwise import combined
from splineviz.program.operations.layout import axis, moved
from splineviz.program.operations.maxima import extreme_of_windows, values_only
from splineviz.program.operations.pointwise import bent

__all__ = ["sums"]


@operation("sums_of_largest", makes="stage dense")
def _sums_of_largest(step: Step) -> Active:
    """Maxima over all sums of so many entries."""
    x, dim, counts = step.active("self"), axis(step), list(step["counts"])
    _within_one_input(dim)
    n, lead = x.shape[dim - 1], (*x.shape[: dim - 1], *x.shape[dim:])
    matrix, lengths = sums(n, counts)
    last = moved(replace(step, shape=(*lead, n)), [x], lambda x: x.movedim(dim, -1))
    added = weighted(replace(step, shape=(*lead, len(matrix))), last, matrix, None)
    places = np.arange(max(lengths))
    windows = np.where(
        places < np.array(lengths)[:, None], places + np.cumsum([0, *lengths[:-1]])[:, None], -1
    )
    firsts = (np.arange(math.prod(lead)) * len(matrix))[:, None, None]
    every = np.where(windows < 0, -1, windows + firsts).reshape(-1, len(places))

    def largest(x: Tensor) -> Tensor:
        return torch.stack([part.amax(-1) for part in torch.split_with_sizes(x, lengths, -1)], -1)

    tops = step.maximum(added, largest, every, (*lead, len(counts)))
    return moved(step, [tops], lambda x: x.movedim(-1, dim))


@operation("exchanged", makes="stage sum layout")
def _exchanged(step: Step) -> Active:
    """Of a and b the larger is b + relu(a - b), and the smaller a - relu(a - b)."""
    x, dim, first, second = step.active("self"), axis(step), list(step["first"]), list(step["second"])
    _within_one_input(dim)
    at = replace(step, shape=(*x.shape[: dim - 1], len(first), *x.shape[dim:]))
    i, j = torch.tensor(first), torch.tensor(second)
    a, b = (moved(at, [x], lambda x, i=i: x.index_select(dim, i)) for i in (i, j))
    rise = bent(at, combined(at, a, 1.0, b, -1.0), step.call.op, torch.relu, 0.0, 1.0)
    larger, smaller = combined(at, b, 1.0, rise, 1.0), combined(at, a, 1.0, rise, -1.0)
    return moved(
        step,
        [x, larger, smaller],
        lambda x, larger, smaller: x.index_copy(dim, i, larger).index_copy(dim, j, smaller),
    )


@operation("cummax", "cummin", makes="stage diagonal")
def _extremes_so_far(step: Step) -> Active:
    values_only(step)
    x, dim = step.active("self"), axis(step)
    _within_one_input(dim)
    entries = np.moveaxis(np.arange(math.prod(x.shape)).reshape(x.shape), dim - 1, -1)
    so_far = np.where(np.tri(x.shape[dim - 1], dtype=bool), entries[..., None, :], -1)
    windows = np.moveaxis(so_far, -2, dim - 1).reshape(-1, x.shape[dim - 1])
    return extreme_of_windows(
        step, x, lambda x: torch.cummax(x, dim).values, windows, step.call.op == "cummin"
    )


def sums(n: int, counts: Sequence[int]) -> tuple[Tensor, list[int]]:
    """(sums, n) ones where an entry is added, all sums of so many entries for one count after the other; and
    how many sums each count has."""
    chosen = [list(combinations(range(n), count)) for count in counts]
    lengths = [len(entries) for entries in chosen]
    matrix = torch.zeros(sum(lengths), n, dtype=torch.float64)
    for row, entries in enumerate(chain.from_iterable(chosen)):
        matrix[row, list(entries)] = 1.0
    return matrix, lengths


def _within_one_input(dim: int) -> None:
    if dim == 0:
        raise RefusedError("mixes the inputs of the batch")
