"""Number of signs that a lower precision sees differently than float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from splineviz.estimators.frames import shared_frame
from splineviz.estimators.neighbourhood import responses, vertices
from splineviz.estimators.request import (
    Model,
    Points,
    batch_for,
    checked_points,
    device_of,
    directions_of,
    dtype_of,
    numbers,
    origin_of,
)
from splineviz.estimators.switches import Between, Level, StageReader, Winner
from splineviz.estimators.tape import Tape
from splineviz.stage import Stage

__all__ = ["Disagreement", "sign_disagreements"]


@dataclass(frozen=True, eq=False)
class Disagreement:
    """Signs at the vertices of the neighbourhoods that two precisions see differently.

    Attributes
    ----------
    differing
        (point, stage) pairs of a vertex and a unit whose state differs.
    compared
        (stage,) pairs that were compared at each point; 0 for maxima, which have no sign.
    """

    differing: Int64[np.ndarray, "point stage"]
    compared: Int64[np.ndarray, "stage"]
    stages: tuple[Stage, ...]
    dtype: str

    @property
    def share(self) -> float:
        """Share of all signs that differ."""
        return float(self.differing.sum() / max(1, len(self.differing) * self.compared.sum()))


def sign_disagreements(
    model: Model,
    points: Points,
    *,
    dtype: torch.dtype | str,
    radius: float = 0.005,
    directions: int | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    batch: int | None = None,
) -> Disagreement:
    """Compare the signs that a lower precision and float64 see at the vertices x ± r v_p, with the frame
    shared by all points.

    The parameters are those of :func:`splineviz.local_complexity`.

    Raises
    ------
    InputError
        As :func:`splineviz.local_complexity` does.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> found = sign_disagreements(net, torch.randn(5, 3), dtype=torch.float64, directions=2)
    >>> found.compared.tolist(), found.share
    ([32], 0.0)
    """
    (radius,) = numbers(radius, "the radius")
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    (directions,) = directions_of(directions, x[0].numel())
    place = device_of(device, points)
    tapes = [Tape(origin, precision, place) for precision in (dtype_of(dtype), torch.float64)]
    axes, count = shared_frame(x[0].numel(), directions, seed)[None], 2 * directions
    size = batch_for(batch, len(x), 2 * 8 * count * tapes[1].values_alive, place)
    found = []
    with torch.inference_mode():
        answers = [responses(tape, axes) for tape in tapes]
        for part in torch.split(x.to(place), size):
            seen = []
            for tape, answer in zip(tapes, answers, strict=True):
                states = _States(tape, count * len(part))
                tape.proceed(
                    vertices(tape.enter(part.to(tape.dtype)), answer, radius), count * len(part), states
                )
                seen.append(states.found)
            none = torch.zeros(len(part), dtype=torch.int64, device=place)
            rows = [
                (seen[0][call] != seen[1][call]).reshape(count, len(part), -1).sum((0, 2))
                if call in seen[0]
                else none
                for call in (switch.call for switch in tapes[0].switches)
            ]
            found.append(torch.stack(rows, 1))
    counted = [count * s.stage.n_units * (not isinstance(s.rule, Winner)) for s in tapes[0].switches]
    name = str(tapes[0].dtype).removeprefix("torch.")
    return Disagreement(torch.cat(found).cpu().numpy(), np.array(counted), tapes[0].stages, name)


class _States:
    """Keeps the state of each unit."""

    def __init__(self, tape: Tape, count: int) -> None:
        self.found: dict[int, Tensor] = {}
        self._tape, self._count = tape, count

    def enter(self, switch: StageReader, values: tuple[Tensor, ...]) -> None:
        if isinstance(switch.rule, Level):
            z = self._tape.batch_first(switch.sources[0], values[0], self._count)
            self.found[switch.call] = z.unsqueeze(1) > switch.rule.breakpoints
        elif isinstance(switch.rule, Between):
            parts = [
                self._tape.batch_first(source, z, self._count)
                for source, z in zip(switch.sources, values, strict=True)
            ]
            self.found[switch.call] = parts[0] > parts[1]

    def leave(self, switch: StageReader, result: Tensor) -> None:
        """Nothing."""
