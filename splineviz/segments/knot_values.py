"""Tensors at the knots of a segment, with an estimate of the rounding that the walk along it makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.program.program import Affine, Pointwise
from splineviz.program.rows import as_rows
from splineviz.segments.cuts import Insertion

__all__ = ["Traced", "extend", "gaps", "run_affine", "run_pointwise", "trace_input"]

# One perturbation stands for all roundings, so its size is trusted to this factor only.
_SAFETY = 2.0


@dataclass(frozen=True)
class Traced:
    """A tensor at every knot, and how wrong it may be.

    Norms of layers bound the growth of errors, and beyond a dozen layers by so much that every sign would be
    in doubt. So one perturbation is carried along instead: the worst rounding of each node, with irregular
    signs, mapped by the nodes that follow.
    """

    at: Tensor
    """(knots, *shape)"""
    noise: Tensor
    """(knots, *shape) the perturbation; 0 for a zero that no rounding has reached, as behind a relu that is
    off"""
    entry: Tensor
    """(*shape) estimated bound of each entry's error, at all knots"""

    def rounded_to(self, values: Tensor) -> Tensor:
        """(n, *shape) bool: whether entries are one of these values (n, *shape) at all knots, but not for
        certain, as rounding has reached them."""
        return (self.at[:, None] == values).all(0) & (self.noise != 0).any(0)


def trace_input(ends: Tensor) -> Traced:
    """The input at both ends of the segment."""
    own = 2 * UNIT_ROUNDOFF * ends.abs().amax(0)
    return Traced(ends, (own * _irregular(own)).expand_as(ends), own)


def run_affine(node: Affine, inputs: list[Traced]) -> Traced:
    """Run an affine node."""
    at = node.run(*(x.at for x in inputs))
    noise = node.linear(*(x.noise for x in inputs))
    zeros = [torch.zeros_like(x.entry)[None] for x in inputs]
    if node.gain.kind == "dense":
        passed = _rows(node, at) * (_SAFETY * _largest_norm([x.noise for x in inputs]))
    else:  # an entry of the output reads one entry of each input: bounds pass through entry by entry
        passed = torch.stack(
            [node.linear(*_only(zeros, i, x.entry[None])).abs() for i, x in enumerate(inputs)]
        ).sum(0)[0]
    if node.gain.kind == "layout":
        return Traced(at, noise, passed)
    constant = node.run(*zeros).abs()[0]
    if node.gain.kind == "dense":
        size = _largest_norm([x.at for x in inputs]) * _rows(node, at) + constant
    else:
        pushed = [node.linear(*_only(zeros, i, x.at.abs().amax(0)[None])).abs() for i, x in enumerate(inputs)]
        size = torch.stack(pushed).sum(0)[0] + constant
    own = node.gain.terms * UNIT_ROUNDOFF / (1.0 - node.gain.terms * UNIT_ROUNDOFF) * size
    return Traced(at, _perturbed(at, noise, own), passed + own)


def run_pointwise(node: Pointwise, z: Traced, signs: np.ndarray) -> Traced:
    """Run a pointwise node, with units that vanish at a knot put exactly on their breakpoint there."""
    shape = z.at.shape[1:]
    sign = torch.from_numpy(signs).reshape(len(signs), len(node.breakpoints), *shape)
    at, slope = z.at, node.slopes[0].expand_as(z.at)
    for k in range(len(node.breakpoints)):
        at = torch.where(sign[:, k] == 0, node.breakpoints[k], at)
        steeper = node.slopes[k + 1].abs() > slope.abs()
        slope = torch.where((sign[:, k] > 0) | ((sign[:, k] == 0) & steeper), node.slopes[k + 1], slope)
    y = node.run(at)
    own = 2 * UNIT_ROUNDOFF * (y.abs().amax(0) + node.intercepts.abs().amax(0))
    return Traced(y, _perturbed(y, slope * z.noise, own), node.slopes.abs().amax(0) * z.entry + own)


def gaps(node: Pointwise, z: Traced) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance of each unit above its breakpoint at each knot, (knots, units); the bound of its error,
    (units,); and whether it is zero at all knots for certain, (units,)."""
    gap = as_rows(z.at[:, None] - node.breakpoints[None])
    bound = z.entry[None] + 2 * UNIT_ROUNDOFF * (node.breakpoints.abs() + z.entry)
    zero = ~gap.any(0) & ~z.rounded_to(node.breakpoints).flatten()
    return gap.numpy(), bound.flatten().numpy(), zero.numpy()


def extend(traced: Traced, inserted: Insertion) -> Traced:
    """Tensor at the knots after the insertion: affine in between, so interpolated."""
    if not len(inserted.interval):
        return traced
    interval = torch.from_numpy(inserted.interval)
    order = torch.from_numpy(inserted.order)
    share = torch.from_numpy(inserted.share).to(traced.at).reshape(-1, *[1] * (traced.at.ndim - 1))

    def insert(values: Tensor) -> Tensor:
        low, high = values[interval], values[interval + 1]
        return torch.cat([values, low + share * (high - low)])[order]

    own = 4 * UNIT_ROUNDOFF * traced.at.abs().amax(0)
    at = insert(traced.at)
    return Traced(at, _perturbed(at, insert(traced.noise), own), traced.entry + own)


def _perturbed(at: Tensor, noise: Tensor, own: Tensor) -> Tensor:
    """The perturbation with the rounding of a node added, but for zeros that were made of nothing else."""
    return torch.where((at == 0) & (noise == 0), 0.0, noise + own * _irregular(own))


def _largest_norm(tensors: list[Tensor]) -> float:
    """The largest norm over the knots of all tensors together."""
    return float(np.linalg.norm([float(as_rows(x).norm(dim=1).max()) for x in tensors]))


def _irregular(like: Tensor) -> Tensor:
    """Numbers of size 1 to 5/4 and of either sign, the same every time; sums of few of them are not 0."""
    number = torch.arange(like.numel()) * 0x9E3779B1
    size = 1.0 + (number & 0xFFFF) / 2.0**18
    return (size * (1.0 - 2.0 * ((number >> 16) & 1))).reshape(like.shape).to(like)


def _rows(node: Affine, at: Tensor) -> Tensor:
    """Norm of the coefficients of each output entry, (*shape)."""
    if node.gain.rows is None:
        return torch.full_like(at[0], node.gain.norm)
    return torch.from_numpy(node.gain.rows).to(at).reshape(at.shape[1:])


def _only(zeros: list[Tensor], index: int, value: Tensor) -> list[Tensor]:
    return [value if i == index else zero for i, zero in enumerate(zeros)]
