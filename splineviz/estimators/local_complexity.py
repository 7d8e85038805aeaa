"""The proxy of local complexity: units whose state is not the same at all vertices of a small
cross-polytope."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from splineviz.choices import Frame
from splineviz.errors import InputError
from splineviz.estimators.estimate_result import Estimate
from splineviz.estimators.frames import frames, shared_frame
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
from splineviz.estimators.separation import Separation, nested_max
from splineviz.estimators.switches import Level
from splineviz.estimators.tape import Tape
from splineviz.inputs import whole_number
from splineviz.program import Program

__all__ = ["local_complexity"]


def local_complexity(
    model: Model,
    points: Points,
    *,
    radius: float | Iterable[float] = 0.005,
    directions: int | Iterable[int] | None = None,
    frame: Frame = "shared",
    seed: int = 0,
    device: str | torch.device | None = None,
    dtype: torch.dtype | str = torch.float64,
    batch: int | None = None,
    first: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Estimate:
    """The local complexity proxy n_sep of each point, at each stage.

    The neighbourhood of x is conv{x ± r v_1, ..., x ± r v_P}, v_1 .. v_P orthonormal: P directions make 2P
    vertices, through which the network is run. A unit counts if it is on (above its breakpoint) at one of
    them and not at another. Units are the entries of the tensor that enters each nonlinearity: per channel
    and pixel of a convolution, after a residual add. Of GELU, SiLU, tanh and their like it is the sign that
    counts, of a max-pool the winner, where ties that all vertices share decide nothing. The output is no
    unit.

    Several radii and numbers of directions are worked off together: the frames are nested, and the part of
    the network before the first nonlinearity is run once for each point and each direction, not for each
    vertex.

    Parameters
    ----------
    model
        A program, or whatever :func:`splineviz.load_program` takes; it need not be piecewise affine.
    points
        (n, *input_shape) floating-point numbers, in the network's own scale.
    radius, directions
        One or several r > 0; one or several P, at most the dimension of the input, by default 25, or as many
        as the input has dimensions, with a warning, where these are fewer.
    frame
        One seeded frame for all points, or a fresh one for each.
    device, dtype
        Where and in what to run; by default where the points are, in float64. Half precision counts what half
        precision sees: :func:`splineviz.estimators.precision.sign_disagreements` says how much that differs.
    batch
        Points at a time; by default as many as fit some tens of megabytes.
    first
        Number of the first point, on which fresh frames depend: for points that are worked off in several
        calls.
    progress
        Called with the number of points that are done, and of all.

    Returns
    -------
    Estimate

    Raises
    ------
    InputError
        If a radius is not positive, there are more directions than dimensions, points are not finite, are
        integers or have another shape, or the network has no unit, or units that cannot be counted.

    References
    ----------
    "Deep network partition density exhibits double descent", section 3, whose text describes the
    neighbourhood in three ways; the proxy here is that of its code, without the signs of the output layer,
    which it counts, too.

    Examples
    --------
    >>> import splineviz as sv
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(3, 8), nn.GELU(), nn.Linear(8, 1))
    >>> est = sv.local_complexity(net, [[0.0, 0.0, 0.0]], radius=[0.1, 100.0], directions=[1, 3])
    >>> est.counts.shape, bool((est.counts[1] >= est.counts[0]).all())
    ((2, 2, 1, 1), True)
    """
    radii = numbers(radius, "the radius")
    origin = origin_of(model, points)
    x = checked_points(points, origin.input_shape)
    wanted = directions_of(directions, x[0].numel())
    if frame not in ("shared", "per-point"):
        raise InputError(f"frame must be 'shared' or 'per-point', got {frame!r}")
    seed, first = whole_number(seed, "seed", 0), whole_number(first, "first", 0)
    run = _Run(
        Tape(origin, dtype_of(dtype), device_of(device, points)),
        radii,
        tuple(sorted(set(wanted))),
        frame,
        seed,
    )
    size = batch_for(batch, len(x), run.bytes_per_point, run.tape.device)
    began = time.perf_counter()
    counts, zeros = run.all_points(x, size, first, progress)
    places = [run.directions.index(p) for p in wanted]
    return Estimate(
        counts[:, places],
        zeros[:, places],
        run.tape.stages,
        radii,
        wanted,
        frame,
        seed,
        str(run.tape.dtype).removeprefix("torch."),
        str(run.tape.device),
        size,
        time.perf_counter() - began,
        origin.name,
        (model if isinstance(model, Program) else origin).digest,
    )


@dataclass(frozen=True)
class _Run:
    tape: Tape
    radii: tuple[float, ...]
    directions: tuple[int, ...]
    """Ascending."""
    frame: str
    seed: int

    @property
    def bytes_per_point(self) -> int:
        """Bytes of the values alive at once for one point with all of its vertices."""
        return 2 * self.directions[-1] * self.tape.values_alive * self.tape.dtype.itemsize

    def all_points(
        self, x: Tensor, size: int, first: int, progress: Callable[[int, int], None] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Counts and ties of the points ``x``, ``size`` at a time; ``first`` numbers the seeds of their
        frames."""
        tape, found = self.tape, []
        with torch.inference_mode():
            shared = None
            if self.frame == "shared":
                shared = responses(tape, shared_frame(x[0].numel(), self.directions[-1], self.seed)[None])
            for start in range(0, len(x), size):
                part = x[start : start + size]
                found.append(self._batch(part, first + start, shared))
                if progress is not None:
                    progress(start + len(part), len(x))
            # what stays on the device until here is what keeps it busy
            counts, zeros = (torch.cat([f[i] for f in found], 2).cpu().numpy() for i in (0, 1))
        assert counts.shape == (len(self.radii), len(self.directions), len(x), len(tape.switches))
        return counts, zeros

    def _batch(self, x: Tensor, start: int, shared: dict[int, Tensor] | None) -> tuple[Tensor, Tensor]:
        """(radius, directions, point, stage) counts and zeros of some points."""
        tape = self.tape
        response = shared
        if response is None:
            response = responses(tape, frames(x[0].numel(), self.directions[-1], self.seed, start, len(x)))
        base = tape.enter(x.to(tape.device, tape.dtype))
        decided = [s for s in tape.switches if isinstance(s.rule, Level) and s.sources[0] in base]
        reach = {i: nested_max(response[i].abs(), self.directions) for i in {s.sources[0] for s in decided}}
        counts, zeros = [], []
        for radius in self.radii:
            separation = Separation(tape, self.directions, len(x))
            for switch in decided:
                # an affine function takes its extremes at the vertices, so that no vertex is needed to find
                # them
                here, most = base[switch.sources[0]], reach[switch.sources[0]]
                low, high = ([step(here, m, alpha=radius) for m in most] for step in (torch.sub, torch.add))
                separation.decide(switch, low, high)
            tape.proceed(vertices(base, response, radius), 2 * self.directions[-1] * len(x), separation)
            counts.append(separation.counts())
            zeros.append(separation.zeros())
        return torch.stack(counts), torch.stack(zeros)
