"""Maxima of live tensors: the subdivision is refined by them, and they come with the new vertices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from splineviz.geometry.answers import ExactAnswers
from splineviz.geometry.refine import Kinds, Refinement
from splineviz.geometry.refine_maxima import Births, Candidates, Proven, refine_by_maxima
from splineviz.geometry.rounding import FLOOR, SAFE
from splineviz.geometry.subdivision import Subdivision
from splineviz.program.program import Maximum
from splineviz.program.rows import as_rows
from splineviz.values.vertex_values import VertexValues, Zeros

__all__ = ["after_maximum", "among_maxima"]

_ABOUT = 1e-9
"""Share of the largest value that equal functions may differ by through rounding, and far more"""

Judges = Callable[[Births], ExactAnswers]
Words = tuple[int, int]
"""The first and the last + 1 of some maxima, counted by 64"""


def after_maximum(
    node: Maximum,
    live: VertexValues,
    subdivision: Subdivision,
    words: Words,
    room: int,
    most: int,
    judges: Judges | None,
    *,
    renewable: bool = False,
    equal: Callable[[], np.ndarray | None] = lambda: None,
) -> tuple[Refinement, VertexValues] | None:
    """Refine by some maxima of a node; None where ``room`` and ``most`` of `refine_by_maxima` do not suffice.

    The result are these maxima at the new vertices, (V, n); each errs by no more than its worst candidate.
    ``judges`` tell, for what was born in the rounds before, what is not proven; ``equal``, asked only where
    that may be of use, has a number (n,) for each entry, one for entries that are one function.
    """
    windows, rounds = node.group(words)
    numbers = equal() if _may_be_one_function(live.flat, windows).any() else None
    kinds = None
    if numbers is not None:
        names = np.where(windows >= 0, numbers[windows], -1)
        # Where all candidates of a window are one function the lowest wins; the others need not enter.
        again = _one_function(names)[:, None] & (
            np.arange(windows.shape[1]) > (names >= 0).argmax(1)[:, None]
        )
        rounds = np.where((rounds >= 0) & again[np.arange(len(windows)), rounds], -1, rounds)
        kinds = Kinds(partial(_alike, names, rounds))
    x, (scale, slack), proven = live.flat, live.entrywise(), None
    if judges is not None and live.proof is not None:
        # Candidates take the values of those that they tie with, so all entries must be as good as each
        # other.
        scale = np.where(scale > 0.0, scale.max(initial=0.0), 0.0)
        proven = Proven(*live.proven(), live.zeros is Zeros.LASTING, judges, renewable)
    if len(windows) < len(node.windows):
        entries, place = np.unique(np.append(windows, -1), return_inverse=True)  # -1 for none comes first
        windows = place[:-1].reshape(windows.shape) - 1
        x, scale = x[:, entries[1:]], scale[entries[1:]]
    candidates = Candidates(x, scale, slack, live.error, proven, kinds)
    result = refine_by_maxima(subdivision, candidates, windows, rounds, node.stage, 64 * words[0], room, most)
    if result is None:
        return None
    own = np.where(windows >= 0, scale[windows], 0.0).max(1)
    error = np.minimum(np.sqrt(node.copies) * result.error, np.linalg.norm(own) * result.slack)
    zeros = live.zeros if live.zeros is Zeros.LASTING else Zeros.UNSURE
    after = VertexValues(torch.from_numpy(result.values), error, own, result.slack, zeros=zeros)
    if proven is not None:
        after.proven_slack = result.proven_slack
        after.proof = SAFE * np.minimum(
            np.sqrt(node.copies) * result.proof, (np.linalg.norm(own) + FLOOR) * result.proven_slack
        )
    return result.refinement, after


def _may_be_one_function(x: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """(W,) bool: whether all candidates of a window are about equal at the first and the last vertex of x
    (V, n)."""
    ends = np.append(x[[0, -1]], [[0.0], [0.0]], axis=1)[:, windows]
    some = np.where(windows >= 0, ends, np.where(windows >= 0, ends, -np.inf).max(-1, keepdims=True))
    spread: np.ndarray = np.ptp(some, axis=-1)
    same: np.ndarray = (spread <= _ABOUT * np.abs(x[[0, -1]]).max(initial=0.0)).all(0)
    return same


def _alike(names: np.ndarray, rounds: np.ndarray) -> np.ndarray:
    """(W,) a number for each window, the same for those in which the same functions enter in the same
    rounds."""
    entering = np.where(rounds >= 0, names[np.arange(len(names)), rounds], -1)
    kinds: np.ndarray = np.unique(entering, axis=1, return_inverse=True)[1].reshape(-1)
    return kinds


def _one_function(names: np.ndarray) -> np.ndarray:
    """(W,) bool: whether all numbers of a row (W, k) that are not -1 are one."""
    largest = names.max(1, keepdims=True)
    same: np.ndarray = ((names == largest) | (names < 0)).all(1)
    return same


def among_maxima(
    node: Maximum, words: Words, group: VertexValues, others: VertexValues | None
) -> VertexValues:
    """The maxima of a node, those in ``words`` from ``group`` and those before from ``others``; 0 beyond."""
    shape = (len(group.values), *node.output_shape)
    if words == (0, -(-len(node.windows) // 64)):
        return replace(group, values=group.values.reshape(shape))
    if others is None:
        nothing, zeros = np.zeros(len(group.values)), torch.zeros(shape, dtype=torch.float64)
        others = VertexValues(
            zeros,
            nothing,
            np.zeros(len(node.windows)),
            nothing,
            proof=nothing,
            proven_slack=nothing,
            zeros=group.zeros,
        )
    values, columns = as_rows(others.values), slice(64 * words[0], 64 * words[1])
    (own, slack), (scale, before) = group.entrywise(), others.entrywise()
    values[:, columns], scale = (
        group.values,
        np.concatenate([scale[: columns.start], own, scale[columns.stop :]]),
    )
    after = VertexValues(
        values.view(shape), np.hypot(group.error, others.error), scale, np.maximum(slack, before)
    )
    if group.proof is not None and others.proof is not None:
        after.proof = SAFE * np.hypot(group.proof, others.proof)
        after.proven_slack = np.maximum(group.proven()[0], others.proven()[0])
        after.zeros = min(group.zeros, others.zeros)
    return after
