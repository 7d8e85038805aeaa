"""Live tensors: values at every vertex, each with a running bound of its distance from exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from splineviz.geometry.extend import extend_errors, extend_values
from splineviz.geometry.predicates import EPS
from splineviz.geometry.refine import Refinement
from splineviz.program.program import Affine, Gain

__all__ = ["Live", "after_affine", "extend"]


@dataclass(frozen=True, eq=False)
class Live:
    """A tensor of the network at all vertices.

    The exact tensor at the exact vertex ``v`` lies within ``error[v]`` (Euclidean norm over the flattened tensor), and its
    entry ``i`` within ``scale[i] * slack[v]`` where these are known, which is sharper.
    """

    values: Tensor
    """(V, *shape) float64"""
    error: np.ndarray
    """(V,)"""
    scale: np.ndarray | None = None
    """(n,)"""
    slack: np.ndarray | None = None
    """(V,)"""

    @property
    def flat(self) -> np.ndarray:
        """(V, n) view of the values."""
        return self.values.flatten(1).numpy()

    def entrywise(self) -> tuple[np.ndarray, np.ndarray]:
        """(scale, slack) that bound every entry."""
        if self.scale is None or self.slack is None:
            return np.ones(self.values[0].numel()), self.error
        return self.scale, self.slack


def _norms(values: Tensor) -> np.ndarray:
    """(V,) norm of each row with a 1 appended, which stands for the constant of an affine map."""
    return np.hypot(torch.linalg.vector_norm(values.flatten(1), dim=1).numpy(), 1.0)


def after_affine(node: Affine, inputs: Sequence[Live]) -> Live:
    """Run an affine node and bound its errors: those of the input passed on, and those of its own sums (Higham 2002, ch. 3)."""
    values = node.run(*(live.values for live in inputs))
    gain = node.gain
    if gain.kind == "layout":
        error = inputs[0].error if len(inputs) == 1 else np.sqrt(sum(live.error**2 for live in inputs))
        return Live(values, error)
    if gain.kind == "sum":
        rounding = EPS * _norms(values)
        return Live(values, sum((live.error for live in inputs), start=rounding))
    (live,) = inputs
    return _after_linear(gain, live, values)


def _after_linear(gain: Gain, live: Live, values: Tensor) -> Live:
    assert gain.rows is not None
    rounding = (gain.terms + 1) * EPS * _norms(live.values)
    error = gain.norm * live.error + rounding * float(np.linalg.norm(gain.rows))
    if gain.kind == "dense" or live.scale is None or live.slack is None:
        return Live(values, error, gain.rows, live.error + rounding)
    return Live(values, error, gain.rows * np.maximum(live.scale, 1.0), live.slack + rounding)


def extend(live: Live, refinement: Refinement) -> Live:
    """The same tensor at the vertices of a refinement; it must be affine on every face before it."""
    ends, t = refinement.ends, refinement.t
    shape = live.values.shape
    values = torch.empty((shape[0] + len(t), *shape[1:]), dtype=torch.float64)
    spread, size = extend_values(live.flat, ends, t, values.flatten(1).numpy())
    return Live(values, extend_errors(live.error, ends, refinement.bound, spread, size))
