"""Dense sampling: what an arrangement says of random points, against the module's own float64 forward pass
there.

The pass is rounded, so a unit is only compared where the pass is sure of it: where its input, or the lead of
a maximum over the candidate that the cell names, is more than `CLOSE` of the largest number in its tensor.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

import splineviz as sv

__all__ = ["CLOSE", "Sampled", "assert_sampled", "sample"]

CLOSE = 1e-9
_BENDS = {"relu", "leaky_relu", "_prelu_kernel", "prelu"}
_POOL = "max_pool2d_with_indices"
_BATCH = 256
Wrong = Callable[[np.ndarray], np.ndarray]
"""From what a cell says of each unit, (n, units), whether the pass contradicts it."""


@dataclass(frozen=True)
class Sampled:
    """How much was compared, and how much differs."""

    points: int
    cells: int
    """Cells that a point fell into."""
    stages: int
    """Stages with a unit that is not the same in all those cells."""
    outside: int
    """Points of the window that lie in no cell."""
    wrong_patterns: int
    """Points at which a unit of the cell contradicts the pass."""
    wrong_outputs: int
    """Points at which an output is further than `CLOSE` of the largest from that of the cell's affine map."""

    @property
    def agrees(self) -> bool:
        return not (self.outside or self.wrong_patterns or self.wrong_outputs)


def sample(arr: sv.Arrangement, module: nn.Module, *, count: int = 1000, seed: int = 0) -> Sampled:
    """Compare an arrangement of one window with the module at random points of the window.

    Points nearer than `CLOSE` to an edge are left out. Stages must be relu, leaky relu, PReLU or max-pools of
    maps, and the module must call them in the order of the program's stages.
    """
    assert arr.program is not None
    module, shape = copy.deepcopy(module).double().eval(), arr.program.input_shape
    (window,), (plane,) = arr.windows, arr.planes
    low, high = window.vertices.min(0), window.vertices.max(0)
    uv = np.random.default_rng(seed).uniform(low, high, (count, 2))
    uv = uv[_inside(window, uv)]
    uv = uv[arr.distance(uv)[0] > CLOSE]
    cell = arr.locate(uv)
    outside = int((cell < 0).sum())
    uv, cell = uv[cell >= 0], cell[cell >= 0]
    n_wrong = n_off = 0
    switched: np.ndarray = np.zeros(len(arr.program.stages), dtype=bool)
    for i in range(0, len(uv), _BATCH):
        some = slice(i, i + _BATCH)
        with torch.no_grad(), _Calls() as calls:
            output = module(torch.from_numpy(plane.lift(uv[some])).reshape(-1, *shape)).flatten(1).numpy()
        wrong, changes = _contradicted(arr, cell[some], calls.seen)
        n_wrong += int(wrong.sum())
        switched |= changes
        ones = np.column_stack([uv[some], np.ones(len(output))])
        off = np.abs(np.einsum("pck,pk->pc", arr.affine[cell[some]], ones) - output)
        n_off += int((off > CLOSE * np.abs(output).max()).any(axis=1).sum())
    return Sampled(len(uv), len(np.unique(cell)), int(switched.sum()), outside, n_wrong, n_off)


def assert_sampled(arr: sv.Arrangement, module: nn.Module, *, count: int = 1000, seed: int = 0) -> Sampled:
    """`sample`, where everything has to agree."""
    found = sample(arr, module, count=count, seed=seed)
    assert found.agrees, found
    return found


def _inside(window: sv.Window, uv: np.ndarray) -> np.ndarray:
    """(n,) whether points lie to the left of all sides of a window."""
    corner = window.vertices
    side = np.roll(corner, -1, axis=0) - corner
    off = uv[:, None] - corner
    inside: np.ndarray = (side[:, 0] * off[..., 1] - side[:, 1] * off[..., 0] > 0).all(axis=1)
    return inside


def _contradicted(
    arr: sv.Arrangement, cell: np.ndarray, calls: Sequence[Wrong]
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) whether a unit of the cell is contradicted at each point; (stages,) whether units change from
    cell to cell."""
    assert arr.program is not None
    stages = arr.program.stages
    assert len(stages) == len(calls), f"{len(stages)} stages, but {len(calls)} calls that bend or choose"
    wrong, changes = np.zeros(len(cell), dtype=bool), []
    for stage, contradicts in zip(stages, calls, strict=True):
        said = (arr.winners if stage.candidates else arr.pattern_bits)(stage.index, cell)
        wrong |= contradicts(said).any(axis=1)
        changes.append(bool((said != said[0]).any()))
    return wrong, np.array(changes)


class _Calls(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps, for each activation and each max-pool in the order of the calls, what contradicts a pattern."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[Wrong] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        if name.removesuffix("_") in _BENDS or name in _BENDS:
            self.seen.append(_bend(args[0]))
        elif name == _POOL:
            self.seen.append(_pool(*args))
        return func(*args, **(kwargs or {}))


def _bend(z: Tensor) -> Wrong:
    flat = z.flatten(1).numpy().copy()  # the call may write over it
    near = CLOSE * np.abs(flat).max(axis=1, keepdims=True)
    return lambda on: (on != (flat > 0)) & (np.abs(flat) > near)


def _pool(
    x: Tensor,
    size: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    ceil: bool = False,
) -> Wrong:
    """Places of a window count row by row, those of the padding too, which is smaller than any number."""
    n, channels = x.shape[:2]
    best = functional.max_pool2d(
        x, list(size), list(stride or size), list(padding), list(dilation), ceil_mode=ceil
    )
    rows, columns = best.shape[2:]
    (step_y, step_x), beyond = (
        stride or size,
        [(k - 1) * d + s for k, d, s in zip(size, dilation, stride or size, strict=True)],
    )
    padded = functional.pad(
        x, (padding[1], padding[1] + beyond[1], padding[0], padding[0] + beyond[0]), value=-torch.inf
    )
    taps = [
        padded[:, :, i * dilation[0] :: step_y, j * dilation[1] :: step_x][:, :, :rows, :columns]
        for i in range(size[0])
        for j in range(size[1])
    ]
    values = torch.stack(taps, dim=-1).reshape(n, channels * rows * columns, -1).numpy()
    largest = best.reshape(n, -1).numpy()
    near = CLOSE * np.abs(x.flatten(1).numpy()).max(axis=1, keepdims=True)
    return lambda place: largest - np.take_along_axis(values, place[..., None], axis=2)[..., 0] > near
