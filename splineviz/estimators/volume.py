"""Stretch of volume by a network at its inputs: the density that MaGNET and polarity sampling weigh cells
by."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from splineviz.errors import InputError
from splineviz.estimators.frames import shared_frame
from splineviz.estimators.request import (
    Model,
    Points,
    batch_for,
    checked_points,
    device_of,
    origin_of,
    whole_numbers,
)
from splineviz.estimators.switches import StageReader
from splineviz.estimators.tape import Tape
from splineviz.program.rows import as_rows

__all__ = ["volume"]


def volume(
    model: Model,
    points: Points,
    *,
    directions: int = 2,
    seed: int = 0,
    device: str | torch.device | None = None,
    batch: int | None = None,
) -> Float64[np.ndarray, "point"]:
    """sqrt(det A'A) at each point, A the network's derivative along the first axes of the frame shared by all
    points.

    Two directions give the factor of area on the slice through the point, where
    :func:`splineviz.arrangement.volume_factors.volume_factor` gives that of every cell; as many as the input
    has dimensions give that of the whole input space. It is 0 where the network is not one to one.

    Parameters
    ----------
    directions
        At most the dimension of the input, and at most the number of outputs, beyond which every volume is 0.

    References
    ----------
    "On the geometry of deep learning"; MaGNET (arXiv 2110.08009); polarity sampling (arXiv 2203.01993).

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.LeakyReLU(0.5))
    >>> _ = net.load_state_dict({"0.weight": torch.tensor([[3.0, 0.0], [0.0, 4.0]])})
    >>> volume(net, [[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0]]).round(9).tolist()
    [12.0, 6.0, 3.0]
    """
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    (directions,) = whole_numbers(directions, "directions", x[0].numel())
    tape = Tape(origin, torch.float64, device_of(device, points), for_gradients=True)
    axes = (
        torch.from_numpy(shared_frame(x[0].numel(), directions, seed))
        .to(tape.device)
        .reshape(-1, 1, *origin.input_shape)
    )
    size = batch_for(batch, len(x), 8 * 2 * (directions + 1) * tape.values_alive, tape.device)
    found = []
    with torch.no_grad():
        for part in torch.split(x.to(tape.device), size):
            derivatives = torch.stack([_along(tape, part, axis) for axis in axes], -1)
            if derivatives.shape[1] < directions:
                raise InputError(
                    f"{directions} directions are flattened by a network of {derivatives.shape[1]} outputs: "
                    f"every volume is 0",
                    hint=f"choose at most {derivatives.shape[1]}",
                )
            found.append(torch.linalg.svdvals(derivatives).prod(1))
    factors: np.ndarray = torch.cat(found).cpu().numpy()
    return factors


class _Nobody:
    """Looks at nothing."""

    def enter(self, switch: StageReader, values: tuple[Tensor, ...]) -> None:
        """Nothing."""

    def leave(self, switch: StageReader, result: Tensor) -> None:
        """Nothing."""


def _along(tape: Tape, x: Tensor, axis: Tensor) -> Tensor:
    """(point, output) derivatives along one direction, (1, *input_shape)."""

    def output(inputs: Tensor) -> Tensor:
        return as_rows(tape.finish(tape.enter(inputs), len(inputs), _Nobody()))

    derivative: Tensor = torch.func.jvp(output, (x,), (axis.expand_as(x),))[1]
    return derivative
