"""Live tensors: values at every vertex, each with a running bound of its distance from exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.buffers import Buffers
from splineviz.geometry.extend import extend_slack, extend_values
from splineviz.geometry.maxima import refine_by_maxima
from splineviz.geometry.predicates import EPS
from splineviz.geometry.refine import Refinement
from splineviz.geometry.rounding import through_linear
from splineviz.geometry.subdivision import Subdivision
from splineviz.program.program import Affine, Maximum

__all__ = ["Live", "after_affine", "after_maximum", "among_maxima", "extend"]

_UNEVEN = 4.0
"""How many times its root mean square the error of an entry may be, where only the error of the whole tensor is known."""


@dataclass(slots=True, eq=False)
class Live:
    """A tensor of the network at all vertices, with estimates of its distance from exact arithmetic at the exact vertex.

    ``error[v]`` is for the norm of the whole tensor; ``scale[i] * slack[v]``, where known, for entry ``i``, and is sharper.
    """

    values: Tensor
    """(V, *shape) float64"""
    error: np.ndarray
    """(V,)"""
    scale: np.ndarray | None = None
    """(n,)"""
    slack: np.ndarray | None = None
    """(V,)"""
    storage: Tensor | None = None
    """The buffer that the values live in, if they came from one"""
    norm: np.ndarray | None = None
    """(V,) Euclidean norm of each row, where known already"""

    @property
    def flat(self) -> np.ndarray:
        """(V, n) view of the values."""
        values: np.ndarray = self.values.reshape(len(self.values), -1).numpy()
        return values

    def norms(self) -> np.ndarray:
        """(V,) Euclidean norm of each row."""
        if self.norm is not None:
            return self.norm
        norms: np.ndarray = torch.linalg.vector_norm(self.values.reshape(len(self.values), -1), dim=1).numpy()
        return norms

    def entrywise(self) -> tuple[np.ndarray, np.ndarray]:
        """(scale, slack): the estimate for every entry is their product."""
        if self.scale is None or self.slack is None:
            n = self.values[0].numel()
            return np.ones(n), self.error * min(1.0, _UNEVEN / np.sqrt(max(1, n)))
        return self.scale, self.slack


def after_affine(node: Affine, inputs: Sequence[Live], run: Callable[..., tuple[Tensor, Tensor | None]]) -> Live:
    """Apply an affine node with ``run``; its error is that of its inputs, passed on, and that of its own sums."""
    gain = node.gain
    if gain.kind == "layout":
        # A layout node may return a view, which lives in the storage of its input.
        error = inputs[0].error if len(inputs) == 1 else np.sqrt(sum(live.error**2 for live in inputs))
        values = node.run(*(live.values for live in inputs))
        return Live(values, error if gain.norm == 1 else gain.norm * error, storage=inputs[0].storage)
    values, storage = run(node, *(live.values for live in inputs))
    if gain.kind == "sum":
        result = Live(values, sum((live.error for live in inputs), start=np.zeros(len(values))), storage=storage)
        return replace(result, error=result.error + EPS * result.norms())
    (live,) = inputs
    norms, n_inputs = (gain.norm, gain.row_norm, gain.scale_norm), float(live.values[0].numel())
    error, slack, rounding = through_linear(live.norms(), live.error, *norms, gain.size, float(gain.terms), n_inputs)
    if gain.kind == "dense":
        return Live(values, error, gain.scale, slack, storage)
    scale, slack = live.entrywise()
    return Live(values, error, gain.scale * np.maximum(scale, 1.0), slack + rounding, storage)


def after_maximum(
    node: Maximum, live: Live, subdivision: Subdivision, words: tuple[int, int], room: int, most: int
) -> tuple[Refinement, Live] | None:
    """Refine by some maxima of a node; None where ``room`` and ``most`` of `refine_by_maxima` do not suffice.

    ``words`` are the first and the last + 1 of the maxima, counted by 64. The result are these maxima at the new vertices, (V, n);
    each errs by no more than its worst candidate.
    """
    group = slice(64 * words[0], 64 * words[1])
    windows, rounds, x, (scale, slack) = node.windows[group], node.rounds[:, group], live.flat, live.entrywise()
    if len(windows) < len(node.windows):
        entries, place = np.unique(np.append(windows, -1), return_inverse=True)  # -1 for none comes first
        windows, rounds = place[:-1].reshape(windows.shape) - 1, rounds[(rounds >= 0).any(1)]
        x, scale = x[:, entries[1:]], scale[entries[1:]]
    result = refine_by_maxima(subdivision, x, scale, slack, live.error, windows, rounds, node.stage, group.start, room, most)
    if result is None:
        return None
    own = np.where(windows >= 0, scale[windows], 0.0).max(1)
    error = np.minimum(np.sqrt(node.copies) * result.error, np.linalg.norm(own) * result.slack)
    return result.refinement, Live(torch.from_numpy(result.values), error, own, result.slack)


def among_maxima(node: Maximum, words: tuple[int, int], group: Live, others: Live | None) -> Live:
    """The maxima of a node, those in ``words`` from ``group`` and those before from ``others``; 0 beyond."""
    shape = (len(group.values), *node.output_shape)
    if words == (0, -(-len(node.windows) // 64)):
        return replace(group, values=group.values.reshape(shape))
    if others is None:
        nothing = np.zeros(len(group.values))
        others = Live(torch.zeros(shape, dtype=torch.float64), nothing, np.zeros(len(node.windows)), nothing)
    values, columns = others.values.flatten(1), slice(64 * words[0], 64 * words[1])
    (own, slack), (scale, before) = group.entrywise(), others.entrywise()
    values[:, columns], scale = group.values, np.concatenate([scale[: columns.start], own, scale[columns.stop :]])
    return Live(values.view(shape), np.hypot(group.error, others.error), scale, np.maximum(slack, before))


def extend(
    live: Live,
    rows: np.ndarray,
    birth: np.ndarray,
    buffers: Buffers,
    *,
    relu: bool = False,
    again: bool = False,
    kept: np.ndarray | None = None,
) -> Live:
    """The same tensor, or relu of it, at some vertices and new ones between them; it must be affine on every face.

    Where more units of it are to cut (``again``), its error stays known entry by entry. Of all these vertices those in ``kept``
    remain, if given.
    """
    values, storage = buffers.take((len(rows) + len(birth), *live.values.shape[1:]))
    scale, slack = live.entrywise()
    error, norm = extend_values(live.flat, rows, birth, values.view(len(values), -1).numpy(), scale, slack, live.error, relu)
    after = Live(values, error, storage=storage, norm=norm)
    if again:
        after.scale, after.slack = scale, extend_slack(values.view(len(values), -1).numpy(), birth, scale, slack[rows])
    if kept is not None:
        few = Live(values[torch.from_numpy(kept)], error[kept], norm=norm[kept])
        if after.slack is not None:
            few.scale, few.slack = scale, after.slack[kept]
        buffers.give(storage)  # only now: another thread may take it at once
        return few
    return after
