"""Live tensors: values at every vertex, each with a running bound of its distance from exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from splineviz.geometry.extend import extend_values
from splineviz.geometry.predicates import EPS
from splineviz.program.program import Affine, Gain, Pointwise

__all__ = ["Live", "after_affine", "extend", "run_on"]


@dataclass(frozen=True, eq=False)
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

    @property
    def flat(self) -> np.ndarray:
        """(V, n) view of the values."""
        values: np.ndarray = self.values.flatten(1).numpy()
        return values

    def entrywise(self) -> tuple[np.ndarray, np.ndarray]:
        """(scale, slack): the estimate for every entry is their product."""
        if self.scale is None or self.slack is None:
            return np.ones(self.values[0].numel()), self.error
        return self.scale, self.slack


def _norms(values: Tensor) -> np.ndarray:
    """(V,) Euclidean norm of each row."""
    norms: np.ndarray = torch.linalg.vector_norm(values.flatten(1), dim=1).numpy()
    return norms


def run_on(device: torch.device, node: Affine | Pointwise, *values: Tensor) -> Tensor:
    """Run a node where the program's weights are; values at vertices live on the CPU, where they are cut."""
    if device.type == "cpu":
        return node.run(*values)
    return node.run(*(value.to(device) for value in values)).cpu()


def after_affine(device: torch.device, node: Affine, inputs: Sequence[Live]) -> Live:
    """Run an affine node; its error is that of its inputs, passed on, and that of its own sums."""
    values = run_on(device, node, *(live.values for live in inputs))
    gain = node.gain
    if gain.kind == "layout":
        error = inputs[0].error if len(inputs) == 1 else np.sqrt(sum(live.error**2 for live in inputs))
        return Live(values, error if gain.norm == 1 else gain.norm * error)
    if gain.kind == "sum":
        rounding = EPS * _norms(values)
        return Live(values, sum((live.error for live in inputs), start=rounding))
    (live,) = inputs
    return _after_linear(gain, live, values)


def _after_linear(gain: Gain, live: Live, values: Tensor) -> Live:
    """A sum of n products errs by at most n u (|row| |x| + |constant|) <= n u scale max(|x|, size) (Higham 2002, ch. 3).

    That worst case, multiplied through the layers, is larger than true errors by a factor that grows with every layer. Errors
    that point nowhere in particular add up as a random walk: sqrt(n) in place of n, and the root mean square of a matrix's
    singular values in place of the largest. Decisions keep a distance of `predicates.MARGIN` times this estimate.
    """
    spread = 1.0 / math.sqrt(gain.terms)
    rounding = math.sqrt(gain.terms) * EPS * np.maximum(_norms(live.values), gain.size)
    slack = spread * live.error + rounding
    error = np.minimum(gain.norm * live.error + rounding * gain.scale_norm, slack * gain.scale_norm)
    if gain.kind == "dense" or live.scale is None or live.slack is None:
        return Live(values, error, gain.scale, slack)
    return Live(values, error, gain.scale * np.maximum(live.scale, 1.0), live.slack + rounding)


def extend(live: Live, birth: np.ndarray, dead_below_zero: bool) -> Live:
    """The same tensor at the vertices of a refinement as well; it must be affine on every face before it."""
    shape = live.values.shape
    values = torch.empty((shape[0] + len(birth), *shape[1:]), dtype=torch.float64)
    scale, slack = live.entrywise()
    error = extend_values(live.flat, birth, values.flatten(1).numpy(), scale, slack, live.error, dead_below_zero)
    return Live(values, error)
