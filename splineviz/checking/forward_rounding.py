"""Distance of a value of a float64 forward pass from the exact one: a running bound, proven in
docs/checking.md.

A sum of n products errs by at most gamma_n (|row| |x| + |constant|), gamma_n = n u / (1 - n u) (Higham,
*Accuracy and Stability of Numerical Algorithms*, 2002, sections 3.1 and 3.5), and passes on the errors of
what it sums. Two bounds are carried and the smaller one counts: one for each entry, multiplied by |matrix|,
and one for the Euclidean norm of the whole, by the norm of the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from splineviz.checking.coefficients import Coefficients
from splineviz.program.program import Affine, Maximum, Pointwise

__all__ = ["Bounded", "after_affine", "after_bend"]

_U = 2.0**-53
_UP = 1 + 2.0**-20  # the bounds are sums of positive float64 numbers, whose own rounding this exceeds by far


@dataclass(frozen=True)
class Bounded:
    """Bounds for the errors of one tensor at N points."""

    entry: Tensor
    """(N, n)"""
    norm: Tensor
    """(N,) for the Euclidean norm of the error of all entries."""

    @classmethod
    def of(cls, entry: Tensor, norm: Tensor | None = None) -> Bounded:
        """Make a value with the smaller of the two norms, which then bounds each entry, too."""
        own = entry.norm(dim=1) * _UP
        norm = own if norm is None else torch.minimum(own, norm * _UP)
        return cls(torch.minimum(entry * _UP, norm[:, None]), norm)


def after_affine(
    node: Affine, coefficients: Coefficients | None, inputs: Sequence[Tensor], known: Sequence[Bounded]
) -> Bounded:
    """Bounds for what an affine node makes of inputs with these bounds."""
    gain, n = node.gain, len(inputs[0])
    if gain.kind == "layout":  # moves entries, without rounding
        moved = node.linear(*(k.entry.reshape(x.shape) for k, x in zip(known, inputs, strict=True)))
        return Bounded.of(moved.abs().reshape(n, -1))
    gamma = (gain.terms + 1) * _U / (1 - (gain.terms + 1) * _U)
    sizes = [
        gamma * x.abs().reshape(n, -1) + (1 + gamma) * k.entry for x, k in zip(inputs, known, strict=True)
    ]
    constant = gamma * node.run(*(torch.zeros_like(x[:1]) for x in inputs)).abs().reshape(1, -1)
    # |matrix| has at most the Frobenius norm of the matrix; where each entry is scaled on its own, the
    # matrix's own norm.
    widest = gain.row_norm if gain.kind == "dense" else gain.norm
    own = (
        gamma * widest * torch.stack([x.reshape(n, -1).norm(dim=1) for x in inputs]).norm(dim=0)
        + constant.norm()
    )
    passed = (1 + gamma) * gain.norm * torch.stack([k.norm for k in known]).norm(dim=0)
    return Bounded.of(_magnitude(node, coefficients, sizes, inputs) + constant, own + passed)


def _magnitude(
    node: Affine, coefficients: Coefficients | None, sizes: Sequence[Tensor], like: Sequence[Tensor]
) -> Tensor:
    """(N, n_out) at least |matrix| @ size, summed over the inputs."""
    if coefficients is not None:
        return coefficients.magnitudes(sizes)
    if node.gain.kind == "dense":
        assert node.gain.rows is not None
        together = torch.stack([s.norm(dim=1) for s in sizes]).norm(dim=0)
        rows: Tensor = torch.from_numpy(node.gain.rows)
        spread: Tensor = together[:, None] * rows
        return spread
    # Each entry is one of each input times a constant, so that magnitudes show in what the node makes of each
    # input alone.
    total = torch.zeros(())
    for k in range(len(like)):
        alone = [
            s.reshape(x.shape) if i == k else torch.zeros_like(x)
            for i, (s, x) in enumerate(zip(sizes, like, strict=True))
        ]
        total = total + node.linear(*alone).abs().reshape(len(sizes[0]), -1)
    return total


def after_bend(node: Pointwise | Maximum, value: Tensor, known: Bounded, result: Tensor) -> Bounded:
    """Bounds for what a piecewise-affine node makes of a value with these bounds."""
    flat, out = value.reshape(len(value), -1), result.reshape(len(value), -1)
    if isinstance(node, Maximum):
        # The largest of some numbers moves by no more than the one that moves most.
        entry = torch.cat([known.entry, torch.zeros(len(flat), 1)], dim=1)
        return Bounded.of(entry[:, torch.from_numpy(node.windows)].amax(2), known.norm * node.copies**0.5)
    kinks = torch.from_numpy(node.kinks)
    slopes = node.slopes.abs().expand(-1, *node.shape).reshape(len(kinks) + 1, -1)
    steepest = torch.zeros_like(flat)
    for piece in range(len(slopes)):  # those that the exact value can be on
        reached = torch.ones_like(flat, dtype=torch.bool)
        if piece > 0:
            reached &= flat + known.entry >= kinks[piece - 1]
        if piece < len(kinks):
            reached &= flat - known.entry <= kinks[piece]
        steepest = torch.where(reached, torch.maximum(steepest, slopes[piece]), steepest)
    # A product and a sum; where the function is flat there is neither.
    own = 4 * _U * (steepest * flat.abs() + torch.where(steepest > 0, out.abs(), 0.0))
    return Bounded.of(own + steepest * known.entry, own.norm(dim=1) + steepest.amax(1) * known.norm)
