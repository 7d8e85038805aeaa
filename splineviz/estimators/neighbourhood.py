"""The vertices x ± r v_p of neighbourhoods, as what the first affine part of a network makes of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from splineviz.estimators.tape import Tape

__all__ = ["responses", "vertices"]


def responses(tape: Tape, axes: np.ndarray) -> dict[int, Tensor]:
    """Responses (P, points or 1, *shape) of each value of the first affine part to directions (points or 1,
    P, D) of input space."""
    n, p, _ = axes.shape
    v = (
        torch.from_numpy(axes)
        .transpose(0, 1)
        .reshape(p * n, *tape.origin.input_shape)
        .to(tape.device, tape.dtype)
    )
    moved, still = tape.enter(v), tape.enter(torch.zeros_like(v[:1]))
    return {i: (moved[i] - still[i]).reshape(p, n, *moved[i].shape[1:]) for i in tape.entrance}


def vertices(base: dict[int, Tensor], response: dict[int, Tensor], radius: float) -> dict[int, Tensor]:
    """(2 P n, *shape) for each value: all of base + r response, then all of base - r response, by direction
    and point."""
    return {i: _around(base[i], response[i], radius) for i in base}


def _around(base: Tensor, response: Tensor, radius: float) -> Tensor:
    p, form = response.shape[0], torch.contiguous_format
    if base.dim() == 4 and base.is_contiguous(memory_format=torch.channels_last):
        form = torch.channels_last
    made = torch.empty(
        2 * p * len(base), *base.shape[1:], dtype=base.dtype, device=base.device, memory_format=form
    )
    halves = made.view(2, p, *base.shape)
    torch.add(base, response, alpha=radius, out=halves[0])
    torch.sub(base, response, alpha=radius, out=halves[1])
    return made
