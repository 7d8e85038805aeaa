"""Distance of points of input space to the boundary of their linear region, stage by stage.

On the activation region of a point x all that enters units is affine, so that the region is the polytope
{y : z_k(x) + grad z_k (y - x) - b_k has the sign that it has at x, for all units k}, and the distance from x
to its boundary is the least distance of x to one of these hyperplanes,

    min over k of |z_k(x) - b_k| / |grad z_k(x)|,

whether or not each of them is a side of the region: one that is none is farther (Croce, Andriushchenko and
Hein 2019, arXiv:1810.07481; Hanin and Rolnick 2019, arXiv:1901.09021)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64

from splineviz.estimators.baselines import gaps_of
from splineviz.estimators.derivatives import Sampling, draws, gradient_norms
from splineviz.estimators.request import Model, Points, checked_points, device_of, origin_of

__all__ = ["region_distance"]


def region_distance(
    model: Model, points: Points, *, device: str | torch.device | None = None, batch: int | None = None
) -> Float64[np.ndarray, "point stage"]:
    """Distance of each point to the nearest hyperplane of the units of each stage, on its activation region.

    The least over the stages is the distance to the boundary of the activation region, exactly up to
    rounding; the least over the first stages that of the region that those make. Of a later stage alone it is
    exact where it is less than that of the stages before: beyond, the network is another affine map. Infinite
    where no unit depends on the input. Gradients are held a part of their columns at a time.

    Examples
    --------
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False), torch.nn.ReLU())
    >>> net[0].weight.data = torch.tensor([[3.0, 4.0]])
    >>> region_distance(net, [[1.0, 1.0], [0.0, 0.0]]).tolist()
    [[1.4], [0.0]]
    """
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    found = []
    for draw in draws(origin, x, Sampling(device_of(device, points), batch)):
        rows = [
            _least(gaps_of(switch, z).abs().amin(1), norm)
            for switch, z, norm in zip(
                draw.tape.switches, draw.values, gradient_norms(draw, x, None), strict=True
            )
        ]
        found.append(torch.stack(rows, 1))
    distances: np.ndarray = torch.cat(found).cpu().numpy()
    return distances


def _least(gaps: torch.Tensor, norms: torch.Tensor) -> torch.Tensor:
    """(point,) least quotient of (point, unit); a unit that is constant has no hyperplane."""
    there = norms > 0
    quotients = torch.where(there, gaps / torch.where(there, norms, 1.0), torch.inf)
    return quotients.amin(1)
