"""Modules that treat each of their inputs apart from the others, wherever they keep the batch axis."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from splineviz.program.modes import evaluating

__all__ = ["MOVES", "treats_apart"]

MOVES = frozenset(
    "transpose permute movedim moveaxis swapaxes swapdims t numpy_T matrix_H adjoint".split()
    + "reshape view _unsafe_view view_as reshape_as flatten unflatten squeeze unsqueeze stack einsum".split()
)
"""Operations that move the batch axis elsewhere, or fold it into another, as networks that have sequences
first, (length, batch, features), or all positions in one axis do; none of them computes"""

_OTHERS = (0.0, 1.0, -1e3, 1e6)
_ROUNDING = 1e-5


def treats_apart(module: nn.Module, example: Tensor) -> bool:
    """Tell whether the output for an input stays the same beside other inputs of whatever size, and alone.

    ``example`` holds two inputs.
    """
    batches = [torch.stack([example[0], size * example[1]]) for size in _OTHERS]
    try:
        with evaluating(module), torch.no_grad():
            alone = module(example[:1].clone())[0]
            beside = [module(torch.stack(order)) for x in batches for order in ((x[0], x[1]), (x[1], x[0]))]
    except Exception:  # torch's own, where two inputs are needed, or one is
        return False
    found = torch.stack([y[place % 2] for place, y in enumerate(beside)])
    return bool(((found - alone).abs().amax() <= _ROUNDING * alone.abs().amax()).item())
