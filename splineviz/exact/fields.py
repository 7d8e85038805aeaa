"""Numbers in several finite fields at once: one that is zero in all of them is zero.

Sums, products and quotients of float64 numbers have residues by each prime, whatever number of digits they
have. Zero has residue 0 everywhere; another number has it by all primes, which multiply to 2^120, with a
chance of 2^-100 or so (Schwartz, *Fast probabilistic algorithms for verification of polynomial identities*,
Journal of the ACM 27, 1980).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from splineviz.exact.digits import InexactError
from splineviz.geometry.compiled import kernel
from splineviz.program.nodes import Affine, Pointwise

__all__ = ["MODULUS", "PRIMES", "Residues", "affine", "combined", "in_fields", "pointwise_in_states"]
__all__ += ["reduced"]

PRIMES = (1048573, 1048571, 1048559, 1048549, 1048517, 1048507)
"""Below 2^20: sums of 2^12 products are exact in float64"""

MODULUS = math.prod(PRIMES)

_PARTS = tuple(MODULUS // p * pow(MODULUS // p, -1, p) for p in PRIMES)
"""Whole numbers that are 1 by one prime and 0 by the others"""

_DIVISORS = np.array(PRIMES, np.float64)
_RESIDUES: WeakIdKeyDictionary = WeakIdKeyDictionary()


@dataclass(frozen=True, eq=False)
class Residues:
    """A tensor in some rows."""

    values: Tensor
    """(fields, R, *shape) whole numbers below each prime"""
    one: Tensor
    """(R,) what stands for 1 in each row: 0 in rows of derivatives, in which there are no constants"""

    def only(self, rows: np.ndarray) -> Residues:
        """Some of the rows."""
        return Residues(self.values[:, rows], self.one[rows])

    def map(self, move: Callable[[Tensor], Tensor]) -> Residues:
        """Tensor whose entries have been moved; ``move`` takes (rows, *shape)."""
        moved = move(self.values.flatten(0, 1))
        return replace(self, values=moved.reshape(*self.values.shape[:2], *moved.shape[1:]))

    def plus_constants(self, constants: Tensor) -> Residues:
        """Plus float64 constants, broadcastable to one row."""
        trail = self.values.dim() - 2
        own = constants.shape[max(0, constants.dim() - trail) :]
        added = _known(constants).reshape(len(PRIMES), 1, *(1,) * (trail - len(own)), *own)
        one = self.one.reshape(-1, *(1,) * trail)
        return replace(self, values=reduced(self.values + one * added))


def in_fields(values: Tensor) -> Tensor:
    """(fields, *shape) residues of float64 numbers."""
    mantissa, power = np.frexp(values.detach().numpy())
    whole = (mantissa * 2.0**53).astype(np.int64)
    powers, which = np.unique(power, return_inverse=True)
    rows = []
    for prime in PRIMES:
        factors = np.array([pow(2, int(p) - 53, prime) for p in powers.tolist()], dtype=np.int64)
        rows.append(((whole % prime) * factors[which.reshape(power.shape)] % prime).astype(np.float64))
    return torch.from_numpy(np.stack(rows))


def _known(values: Tensor) -> Tensor:
    """(fields, *shape) residues of a tensor that stays."""
    if values not in _RESIDUES:
        _RESIDUES[values] = in_fields(values)
    result: Tensor = _RESIDUES[values]
    return result


def combined(residues: Sequence[float]) -> int:
    """Residue by all primes together, of one by each."""
    return sum(int(r) * part for r, part in zip(residues, _PARTS, strict=True)) % MODULUS


def reduced(x: Tensor) -> Tensor:
    """Residues of whole numbers below 2^53, field by field; x is of no use then."""
    result = x.contiguous()
    _reduce(result.view(len(PRIMES), -1).numpy(), _DIVISORS)
    return result


@kernel
def _reduce(x: Float64[np.ndarray, "field number"], primes: Float64[np.ndarray, "field"]) -> None:
    """Put residues in place of whole numbers below 2^53."""
    for k in range(len(x)):
        for i in range(x.shape[1]):
            rest = x[k, i] - np.floor(x[k, i] / primes[k]) * primes[k]
            rest += primes[k] if rest < 0.0 else 0.0
            x[k, i] = rest - (primes[k] if rest >= primes[k] else 0.0)


def affine(node: Affine, inputs: Sequence[Residues]) -> Residues:
    """Apply an affine node.

    Raises
    ------
    InexactError
        If it has no form in whole numbers of a few bits.
    """
    first = inputs[0]
    if node.gain.kind == "sum":
        one = torch.ones(1, dtype=torch.float64)
        factor = float(node.run(0 * one, one))
        return replace(first, values=reduced(first.values + factor * inputs[1].values))
    if node.gain.kind == "layout":
        moved = node.linear(*(x.values.flatten(0, 1) for x in inputs))
        values = moved.reshape(*first.values.shape[:2], *moved.shape[1:]).clone()
        result = replace(first, values=reduced(values))
        inserted = node.run(*(x.values[0, :1] * 0.0 for x in inputs))
        return result.plus_constants(inserted) if bool(inserted.any()) else result
    form = node.form
    if form is None or node.gain.terms > 1 << 12:
        raise InexactError(f"'{node.name}' has no form in whole numbers of a few bits")
    rows = [form.apply(x, w) for x, w in zip(first.values, _known(form.weights), strict=True)]
    values = reduced(torch.stack(rows))
    if form.divisors is not None:
        divisors = torch.broadcast_to(form.divisors, values[:1, 0].shape)[0]
        values = reduced(values * _inverse(divisors)[:, None])
    result = replace(first, values=values)
    return result if form.constants is None else result.plus_constants(form.constants)


def _inverse(divisors: Tensor) -> Tensor:
    """(fields, *shape) residues of one over float64 numbers."""
    inverse = in_fields(divisors)
    for i, prime in enumerate(PRIMES):
        values, which = np.unique(inverse[i].numpy(), return_inverse=True)
        if 0.0 in values:
            raise InexactError("a divisor that a prime divides")
        known = np.array([float(pow(int(value), -1, prime)) for value in values.tolist()])
        inverse[i] = torch.from_numpy(np.asarray(known[which.reshape(inverse[i].shape)]))
    return inverse


def pointwise_in_states(node: Pointwise, x: Residues, on: np.ndarray) -> Residues:
    """Apply a pointwise node with its units (R, K n) in given states."""
    states = torch.from_numpy(np.ascontiguousarray(on)).reshape(len(on), len(node.breakpoints), *node.shape)
    if node.is_relu:
        return replace(x, values=x.values.where(states[:, 0], 0.0))
    one, result = x.one.reshape(-1, *(1,) * len(node.shape)), x.values
    for k in range(len(node.slopes)):
        slope, intercept = in_fields(node.slopes[k]), in_fields(node.intercepts[k])
        piece = x.values * slope[:, None] + one * intercept[:, None]
        result = torch.where(states[:, k - 1], piece, result) if k else piece
    return replace(x, values=reduced(result))
