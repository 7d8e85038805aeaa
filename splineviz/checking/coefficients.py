"""The coefficients of an affine node, read off from what it does to unit vectors: nothing is taken from how
it was built."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array
from torch import Tensor

from splineviz.program.program import Affine

__all__ = ["READABLE", "Coefficients", "read_coefficients"]

READABLE = 2**26
"""Largest number of coefficients, zeros included, that are read off from one node."""

_SPARSE = 0.1
_ROWS = 256


@dataclass(frozen=True, eq=False)
class Coefficients:
    """output = sum of matrix @ input over the inputs, + constant; all flattened."""

    matrices: tuple[csr_array, ...]
    """(n_out, n_in) for each input of the node."""
    constant: np.ndarray
    """(n_out,)"""

    @cached_property
    def _magnitudes(self) -> tuple[Tensor | csr_array, ...]:
        sizes = [abs(matrix) for matrix in self.matrices]
        # A plain matrix product is faster unless most are zero.
        return tuple(
            m if m.nnz < _SPARSE * math.prod(m.shape) else torch.from_numpy(m.toarray().T.copy())
            for m in sizes
        )

    def magnitudes(self, inputs: Sequence[Tensor]) -> Tensor:
        """(N, n_out) sum of |matrix| @ input over the inputs, (N, n_in) each."""
        total = torch.zeros(())
        for matrix, x in zip(self._magnitudes, inputs, strict=True):
            total = total + (
                x @ matrix if isinstance(matrix, Tensor) else torch.from_numpy((matrix @ x.numpy().T).T)
            )
        return total


def read_coefficients(node: Affine, shapes: tuple[tuple[int, ...], ...]) -> Coefficients | None:
    """The coefficients of a node whose inputs have these shapes, without batch; None where there are too
    many."""
    zeros = [torch.zeros(1, *shape, dtype=torch.float64) for shape in shapes]
    with torch.no_grad():
        constant = node.run(*zeros).reshape(-1).numpy()
        if len(constant) * max(zero.numel() for zero in zeros) > READABLE:
            return None
        matrices = tuple(_matrix(node, zeros, k, len(constant)) for k in range(len(zeros)))
    return Coefficients(matrices, constant)


def _matrix(node: Affine, zeros: list[torch.Tensor], which: int, n_out: int) -> csr_array:
    n_in, shape = zeros[which].numel(), zeros[which].shape[1:]
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for start in range(0, n_in, _ROWS):
        unit = _some_units(start, n_in)
        inputs = [zero.expand(len(unit), *zero.shape[1:]) for zero in zeros]
        inputs[which] = unit.reshape(len(unit), *shape)
        images = node.linear(*inputs).reshape(len(unit), n_out).numpy()
        column, row = np.nonzero(images)
        parts.append((images[column, row], row, column + start))
    values, rows, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    return coo_array((values, (rows, columns)), shape=(n_out, n_in)).tocsr()


def _some_units(start: int, n: int) -> torch.Tensor:
    """Unit vectors, from one number on."""
    count = min(_ROWS, n - start)
    units = torch.zeros(count, n, dtype=torch.float64)
    units[torch.arange(count), torch.arange(start, start + count)] = 1.0
    return units
