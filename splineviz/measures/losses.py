"""Losses of a network on data as functions of the place on a plane of weights, with two derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from splineviz.arrangement.slopes import BUDGET_BYTES, chunks, complete_program, derivatives
from splineviz.measures.quadratics import Quadratics
from splineviz.values.threads import each

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.measures.weight_plane import WeightPlane
    from splineviz.program.program import Program

__all__ = ["Loss", "losses", "taylor", "taylor_at"]

Loss = Literal["squared error", "cross-entropy"]
_POINTS = 512
"""Points of the plane of weights that the network is asked about at a time"""


def taylor(arr: Arrangement, plane: WeightPlane, targets: np.ndarray, loss: Loss) -> Quadratics:
    """Taylor polynomials of degree 2 of the loss at a point inside each cell."""
    program, n = complete_program(arr, arr.program), arr.n_cells
    found = Quadratics(arr.interior_points, np.empty(n), np.empty((n, 2)), np.empty((n, 2, 2)))

    def fill(cells: np.ndarray) -> None:
        part = taylor_at(arr, program, plane, cells, found.at[cells], targets, loss)
        found.value[cells], found.gradient[cells], found.hessian[cells] = part[1:]

    each(fill, chunks(n, 4 * max(program.values_alive), BUDGET_BYTES))
    return found


def taylor_at(
    arr: Arrangement,
    program: Program,
    plane: WeightPlane,
    cells: np.ndarray,
    at: np.ndarray,
    targets: np.ndarray,
    loss: Loss,
) -> Quadratics:
    """Taylor polynomials of degree 2 of the loss at points (n, 2) of cells (n,), by the patterns of these."""
    shape = (-1, len(plane.data), plane.n_outputs)
    with torch.no_grad():
        y = program.forward(torch.from_numpy(at)).reshape(shape)
        slopes = [
            program.interpret(direction.expand(len(cells), 2), derivatives(arr, cells)).reshape(shape)
            for direction in torch.eye(2, dtype=torch.float64)
        ]
        return Quadratics(at, *_derivatives(y, torch.stack(slopes), targets, loss))


def losses(plane: WeightPlane, uv: np.ndarray, targets: np.ndarray, loss: Loss) -> np.ndarray:
    """(n,) the loss at points of the plane, by the network."""
    found = [np.zeros(0)]
    for first in range(0, len(uv), _POINTS):
        with torch.no_grad():
            y = plane.program.forward(torch.from_numpy(uv[first : first + _POINTS]))
            y = y.reshape(len(y), -1, plane.n_outputs)
            found.append(_derivatives(y, torch.zeros(2, *y.shape, dtype=torch.float64), targets, loss)[0])
    return np.concatenate(found)


def _derivatives(
    y: torch.Tensor, slopes: torch.Tensor, targets: np.ndarray, loss: Loss
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The loss, its gradient and its Hessian in (s, t), from outputs (cells, n, C) and their slopes (2,
    cells, n, C)."""
    right = torch.from_numpy(targets)
    if loss == "squared error":
        off, count = y - right, y[0].numel()
        value = (off**2).sum((1, 2)) / count
        gradient = 2 * torch.einsum("dcno,cno->cd", slopes, off) / count
        hessian = 2 * torch.einsum("dcno,ecno->cde", slopes, slopes) / count
    else:
        n = y.shape[1]
        index = right.expand(len(y), n)[..., None]
        value = (y.logsumexp(2) - y.gather(2, index)[..., 0]).sum(1) / n
        share = y.softmax(2)
        mean = (share * slopes).sum(3)
        own = torch.stack([slope.gather(2, index)[..., 0] for slope in slopes])
        gradient = (mean - own).sum(2).T / n
        centred = slopes - mean[..., None]
        hessian = torch.einsum("cno,dcno,ecno->cde", share, centred, centred) / n
    return value.numpy(), gradient.numpy(), hessian.numpy()
