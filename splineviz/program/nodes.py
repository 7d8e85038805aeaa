"""The nodes of a program: affine maps, pointwise piecewise-affine functions, and maxima over windows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from splineviz.program.rows import as_rows

__all__ = ["Affine", "Form", "Gain", "Maximum", "Node", "Pointwise"]


@dataclass(frozen=True)
class Gain:
    """Bounds for the way an affine node passes rounding errors on.

    All norms are Euclidean, over the flattened tensor of one input.

    ``layout`` moves or copies entries (and may insert constants); ``sum`` adds or subtracts activations entry
    by entry; ``diagonal`` scales and shifts each entry by constants; ``dense`` is any other affine map.
    """

    kind: Literal["layout", "sum", "diagonal", "dense"]
    norm: float = 1.0
    """Upper bound of the operator norm."""
    rows: np.ndarray | None = None
    """(n_out,) norm of the coefficients of each output entry, its constant left out, for ``diagonal`` and
    ``dense``."""
    constants: np.ndarray | None = None
    """(n_out,) magnitude of the constant of each output entry; ``None`` where there is none."""
    terms: int = 1
    """Largest number of products summed into one output entry, the constant included."""
    magnitude: float = math.inf
    """Upper bound of the norm of the map with the magnitudes of all coefficients, where it is known to be
    less than `row_norm`."""
    scaled_norm: Callable[[Tensor], float] | None = None
    """Upper bound of the operator norm of the map with its outputs times factors (1, *out); infinite where
    that is not known"""
    joint_norm: float = math.inf
    """Upper bound of the operator norm of this map and the one before it together, of a ``diagonal`` one
    behind one that knows its `scaled_norm`: a batch-norm shrinks what its convolution makes largest"""

    @cached_property
    def size(self) -> float:
        """Norm of an input at which coefficients and constants contribute alike; 0 without constants."""
        if self.rows is None or self.constants is None or not self.constants.any():
            return 0.0
        return float(self.constants.sum() / self.rows.sum()) if self.rows.any() else 1.0

    @cached_property
    def scale(self) -> np.ndarray:
        """(n_out,) with |row| |x| + |constant| <= scale * max(|x|, size)."""
        assert self.rows is not None
        if self.size == 0 or self.constants is None:
            return self.rows
        scale: np.ndarray = self.rows + self.constants / self.size
        return scale

    @cached_property
    def row_norm(self) -> float:
        assert self.rows is not None
        return float(np.linalg.norm(self.rows))

    @cached_property
    def scale_norm(self) -> float:
        return float(np.linalg.norm(self.scale))

    @cached_property
    def constants_norm(self) -> float:
        return 0.0 if self.constants is None else float(np.linalg.norm(self.constants))


@dataclass(frozen=True)
class Form:
    """An affine node in exact arithmetic: ``apply(x, weights) / divisors + constants``.

    ``apply`` is linear in either argument, and adds up products of one entry of each, so that on small whole
    numbers it is exact in float64. It takes (batch, *shape) tensors.
    """

    apply: Callable[[Tensor, Tensor], Tensor]
    weights: Tensor
    constants: Tensor | None = None
    """Broadcastable to (1, *shape of the output); None for none"""
    divisors: Tensor | None = None
    """Broadcastable to (1, *shape of the output), not zero; None for none"""


@dataclass(frozen=True)
class Node:
    """One step of a program. ``inputs`` and ``output`` are slots; slot 0 holds the network's input."""

    name: str
    module: str
    source: str
    inputs: tuple[int, ...]
    output: int
    frees: tuple[int, ...]
    """Slots (inputs of this node or never used outputs) that no later node reads."""


@dataclass(frozen=True)
class Affine(Node):
    """An affine node: ``run`` is the map, ``linear`` the same without its constant part.

    Both take one (batch, *shape) float64 tensor per input and return (batch, *shape).
    """

    run: Callable[..., Tensor]
    linear: Callable[..., Tensor]
    gain: Gain
    form: Form | None = None
    """None for layouts and sums, which ``linear`` does exactly, and for what has no known form"""
    matrix: Tensor | None = None
    """(n_out, n_in) where it multiplies the last axis of its input by that and adds the constants of its
    form; else None"""
    by_products: Callable[..., Tensor] | None = None
    """``by_products(x, multiply)`` is ``run(x)`` by products of rows with matrices, taken by ``multiply``
    (`operations.unfolding.Multiply`); None where it is not known as such"""

    @property
    def into(self) -> Callable[[Tensor, Tensor], object] | None:
        """``into(x, out)`` is ``run`` with its result in memory that is there already.

        None where that would only copy it.
        """
        if self.matrix is None or self.form is None:
            return None
        run, matrix, constants = torch.ops.aten.linear.out, self.matrix, self.form.constants
        return lambda x, out: run(x, matrix, constants, out=out)

    def __getstate__(self) -> dict[str, Any]:
        """Without a second copy of the matrix."""
        return {
            name: value for name, value in self.__dict__.items() if name not in ("columns", "row_constants")
        }

    @cached_property
    def columns(self) -> np.ndarray:
        """(n_in, n_out) the columns of the matrix, each in one piece of memory."""
        assert self.matrix is not None
        columns: np.ndarray = self.matrix.T.contiguous().numpy()
        return columns

    @cached_property
    def row_constants(self) -> np.ndarray:
        """(n_out,) what is added to the products with the rows of the matrix."""
        assert self.matrix is not None
        assert self.form is not None
        constants = self.form.constants
        return np.zeros(len(self.matrix)) if constants is None else np.ascontiguousarray(constants.numpy())


@dataclass(frozen=True)
class Pointwise(Node):
    """A continuous piecewise-affine function applied entry by entry; one stage of the program.

    The function has K breakpoints b_1 <= ... <= b_K and K + 1 pieces ``slope * z + intercept``; piece k holds
    where exactly k breakpoints lie strictly below z. Each array broadcasts against ``shape`` behind its first
    axis.
    """

    stage: int
    shape: tuple[int, ...]
    """Shape of the tensor, without batch."""
    run: Callable[[Tensor], Tensor]
    breakpoints: Tensor
    """(K, *broadcastable)"""
    slopes: Tensor
    """(K + 1, *broadcastable)"""
    intercepts: Tensor
    """(K + 1, *broadcastable)"""

    @cached_property
    def kinks(self) -> np.ndarray:
        """(K, n) breakpoints of every entry of the flattened tensor."""
        return (
            self.breakpoints.detach()
            .expand(-1, *self.shape)
            .reshape(len(self.breakpoints), -1)
            .contiguous()
            .numpy()
        )

    @cached_property
    def pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """(K + 1, n) slopes and intercepts of every entry of the flattened tensor."""
        slopes, intercepts = (
            x.detach().expand(-1, *self.shape).reshape(len(x), -1).contiguous().numpy()
            for x in (self.slopes, self.intercepts)
        )
        return slopes, intercepts

    @cached_property
    def breaks_at_zero(self) -> bool:
        """True where there is one breakpoint, 0 for all entries, so that the tensor itself switches."""
        return len(self.kinks) == 1 and not self.kinks.any()

    @cached_property
    def is_relu(self) -> bool:
        """True where the function is max(z, 0) for all entries."""
        return self.breaks_at_zero and not bool(self.slopes[0].any()) and bool((self.slopes[1] == 1).all())

    @cached_property
    def steepest(self) -> float:
        """Largest slope, at least 1."""
        return max(1.0, float(self.slopes.abs().max()))

    @cached_property
    def offset_norm(self) -> float:
        """Norm of the largest intercepts of all entries."""
        return float(self.intercepts.abs().amax(0).expand(self.shape).norm())

    def switching(self, z: np.ndarray) -> np.ndarray:
        """(V, K n) distance of every entry of (V, n) above each of its breakpoints; ``z`` itself where it
        breaks at zero."""
        return (
            np.ascontiguousarray(z)
            if self.breaks_at_zero
            else np.concatenate([z - kink for kink in self.kinks], axis=1)
        )


@dataclass(frozen=True)
class Maximum(Node):
    """The largest entry of each of many windows of one tensor; one stage of the program, one unit per window.

    The state of a unit is the place in its window of the entry that is the largest, the lowest place where
    several are.
    """

    stage: int
    shape: tuple[int, ...]
    """Shape of the tensor that enters, without batch."""
    output_shape: tuple[int, ...]
    """Shape of the result."""
    run: Callable[[Tensor], Tensor]
    windows: np.ndarray
    """(W, k) int64, entries of the flattened tensor for each entry of the result; -1 for none. At least one
    is no -1."""

    @cached_property
    def rounds(self) -> np.ndarray:
        """(R, W) the place of the candidate that enters each window in each of R rounds, -1 for none.

        Every entry has one round, in all its windows, and no two entries of a window have the same.
        """
        present = self.windows >= 0
        entries, counts = np.unique(self.windows[present], return_counts=True)
        if counts.max() == 1:
            return np.ascontiguousarray(
                np.where(present, np.arange(self.windows.shape[1]), -1).T[present.any(0)]
            )
        order = np.argsort(self.windows[present], kind="stable")
        owners = np.split(np.nonzero(present)[0][order], np.cumsum(counts)[:-1])
        taken, round_of = [0] * len(self.windows), np.zeros(int(entries[-1]) + 1, dtype=np.int64)
        for entry, owner in zip(entries.tolist(), owners, strict=True):
            used = 0
            for window in owner.tolist():
                used |= taken[window]
            free = ~used & (used + 1)  # the lowest bit that is not set
            round_of[entry] = free.bit_length() - 1
            for window in owner.tolist():
                taken[window] |= free
        table = np.full((int(round_of[entries].max()) + 1, len(self.windows)), -1)
        window, place = np.nonzero(present)
        table[round_of[self.windows[present]], window] = place
        return table

    @cached_property
    def copies(self) -> int:
        """In how many windows one entry is, at most."""
        return int(np.unique(self.windows[self.windows >= 0], return_counts=True)[1].max())

    def group(self, words: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray]:
        """(windows, rounds) of some of the windows alone, from ``64 words[0]`` to before ``64 words[1]``;
        None for all."""
        if words is None or words == (0, -(-len(self.windows) // 64)):
            return self.windows, self.rounds
        some = slice(64 * words[0], 64 * words[1])
        rounds = self.rounds[:, some]
        return self.windows[some], rounds[(rounds >= 0).any(1)]

    def pick(self, value: Tensor, winners: np.ndarray) -> Tensor:
        """(rows, *result) the winning entries of (rows, *shape), ``winners`` (rows, W)."""
        index = torch.from_numpy(self.windows[np.arange(len(self.windows)), winners])
        return as_rows(value).gather(1, index).reshape(len(value), *self.output_shape)
