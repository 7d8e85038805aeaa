"""Values of several inputs as the rows of a matrix."""

from __future__ import annotations

from torch import Tensor

__all__ = ["as_rows"]


def as_rows(values: Tensor) -> Tensor:
    """(n, entries) of values (n, ...), which may be one number each, (n,).

    Examples
    --------
    >>> import torch
    >>> [tuple(as_rows(torch.zeros(shape)).shape) for shape in ((3,), (3, 2), (3, 2, 4), (0, 2))]
    [(3, 1), (3, 2), (3, 8), (0, 2)]
    """
    return values.unsqueeze(-1).flatten(1)
