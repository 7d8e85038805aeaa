"""Exact local complexity: the cells of hundreds of small neighbourhoods in one walk over the network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

import numpy as np
from jaxtyping import Float64, Int64

from splineviz.choices import Frame
from splineviz.engine.budget import Effort
from splineviz.errors import InputError
from splineviz.estimators.estimate_result import Estimate
from splineviz.estimators.request import Points, checked_points, numbers, program_at
from splineviz.inputs import MOST_FRAMES, whole_number
from splineviz.neighbourhoods.diamonds import arranged, plane_frames, planes_through, whole
from splineviz.plane import Window
from splineviz.program.models import Model
from splineviz.program.program import Program
from splineviz.sizes import ensure_fits
from splineviz.stage import Stage

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["UNCOUNTED", "LocalCounts", "exact_local_complexity", "local_counts"]

Count = Literal["cells", "cuts"]

UNCOUNTED = -1
"""Stands in the counts of diamonds that were not finished in time."""


@dataclass(frozen=True, eq=False)
class LocalCounts:
    """Counts in the diamonds conv{x ± r u, x ± r v}, for several radii, planes (u, v) through each
    point, and points.

    Units are put in one after the other, in the order of stages; s_i is the number of cells that the i-th
    divides. Then R - 1 = sum s_i, and ``new_cells`` holds this sum for each stage.

    Attributes
    ----------
    cells
        (radius, plane, point, stage) cells after each stage; the last are R.
    cut
        Units of each stage that are not in one state in the whole diamond, n_cut. One that only touches its
        breakpoint is none.
    first
        Those of them that divided a cell when their turn came, s_i >= 1: fewer where several units have one
        zero set.
    regions
        (radius, plane, point) linear regions, or None where they were not asked for.
    decisions, undecided
        (radius,) decisions that were taken, and those of them that are not proven.
    in_doubt
        (radius,) diamonds some of whose cells contradict each other; they are counted all the same.
    seconds, seconds_regions
        (radius,) wall time, that of counting linear regions apart.
    """

    cells: Int64[np.ndarray, "radius plane point stage"]
    cut: Int64[np.ndarray, "radius plane point stage"]
    first: Int64[np.ndarray, "radius plane point stage"]
    regions: Int64[np.ndarray, "radius plane point"] | None
    decisions: Int64[np.ndarray, "radius"]
    undecided: Int64[np.ndarray, "radius"]
    in_doubt: Int64[np.ndarray, "radius"]
    seconds: Float64[np.ndarray, "radius"]
    seconds_regions: Float64[np.ndarray, "radius"]
    radii: tuple[float, ...]
    stages: tuple[Stage, ...]

    @property
    def new_cells(self) -> Int64[np.ndarray, "radius plane point stage"]:
        """Cells that each stage adds; their sum is R - 1."""
        return np.diff(self.cells, prepend=1, axis=-1)


def local_counts(
    program: Model | Program,
    points: Points,
    *,
    radius: float | Iterable[float],
    axes: Float64[np.ndarray, "plane 2 dim"] | Float64[np.ndarray, "plane point 2 dim"],
    regions: bool = False,
    seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    **effort: Unpack[Effort],
) -> LocalCounts:
    """Cells, units that cut and linear regions of the diamonds round each point, on given planes through it.

    Parameters
    ----------
    points
        (n, *input_shape) floating-point numbers, in the network's own scale.
    radius
        One or several r > 0.
    axes
        Orthonormal pairs (u, v): for all points alike, (plane, 2, D), or for each of them, (plane, point, 2,
        D).
    regions
        Whether to count linear regions, too, which takes longer.
    seconds
        Time for each radius. Diamonds that are not finished then hold :data:`UNCOUNTED` throughout.
    **effort
        ``certify``, ``jobs``, ``max_memory``, as for :func:`splineviz.arrange`.
    progress
        Called with the number of diamonds that are done, and of all.

    Returns
    -------
    LocalCounts

    Raises
    ------
    InputError
        If points or axes do not fit the program, or a radius is not positive.
    """
    radii, program = numbers(radius, "the radius"), program_at(program, points)
    planes, n_planes = planes_through(program, points, axes)
    n_stages = len(program.stages)
    cells, cut, first = (np.full((len(radii), len(planes), n_stages), UNCOUNTED, np.int64) for _ in range(3))
    joined = np.full((len(radii), len(planes)), UNCOUNTED, np.int64) if regions else None
    decisions, undecided, in_doubt = (np.zeros(len(radii), np.int64) for _ in range(3))
    spent, joining = np.zeros(len(radii)), np.zeros(len(radii))
    for i, r in enumerate(radii):
        began = time.perf_counter()
        walks = arranged(program, planes, Window.diamond(r), seconds, **effort)
        for start, arr in walks:
            finished = whole(arr)
            rows = start + np.flatnonzero(finished)
            for table, counts in zip((cells, cut, first), _counted(arr, program.stages), strict=True):
                table[i, rows] = counts[finished]
            if joined is not None:
                start_of_joining = time.perf_counter()
                joined[i, rows] = _regions(arr)[finished]
                joining[i] += time.perf_counter() - start_of_joining
            decisions[i] += arr.stats.decisions
            undecided[i] += arr.stats.undecided
            in_doubt[i] += len(np.unique(arr.cell_window[arr.in_doubt]))
            if progress is not None:
                progress(i * len(planes) + start + len(arr.windows), len(radii) * len(planes))
        spent[i] = time.perf_counter() - began - joining[i]
    shape = (len(radii), n_planes, len(planes) // n_planes)
    return LocalCounts(
        cells=cells.reshape(*shape, n_stages),
        cut=cut.reshape(*shape, n_stages),
        first=first.reshape(*shape, n_stages),
        regions=None if joined is None else joined.reshape(shape),
        decisions=decisions,
        undecided=undecided,
        in_doubt=in_doubt,
        seconds=spent,
        seconds_regions=joining,
        radii=radii,
        stages=program.stages,
    )


def exact_local_complexity(
    program: Model | Program,
    points: Any,
    *,
    radius: float | Iterable[float] = 0.005,
    planes: int = 1,
    count: Count = "cells",
    frame: Frame = "shared",
    seed: int = 0,
    first: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **effort: Unpack[Effort],
) -> Estimate:
    """The exact local complexity of each point: what random planes through it really cut.

    On each plane the neighbourhood is the diamond conv{x ± r u, x ± r v}, the hull that the proxy samples
    with two directions; all its cells are found, and the mean over the planes is given. Plane number j has
    the first two directions of the proxy's frame of seed ``seed + j``, so that with ``planes=1`` both speak
    of the same set.

    Parameters
    ----------
    program
        A program, or whatever :func:`splineviz.load_program` takes.
    points
        (n, *input_shape) floating-point numbers, in the network's own scale.
    radius
        One or several r > 0.
    planes
        Random planes through each point, k.
    count
        ``"cells"``: cells less one, R - 1, by the stage that adds them. ``"cuts"``: units that are not in one
        state in the whole diamond, n_cut. On any one plane the proxy with two directions is at most n_cut,
        and that at most R - 1 in general position.
    frame
        The same planes for all points, or fresh ones for each.
    **effort
        ``certify``, ``jobs``, ``max_memory``, as for :func:`splineviz.arrange`.
    first
        Number of the first point, on which fresh planes depend.
    progress
        Called with the number of diamonds that are done, and of all.

    Returns
    -------
    Estimate
        ``counts`` and ``totals`` are means over the planes, ``standard_error`` that of the totals;
        ``directions`` is ``(2,)``.

    Raises
    ------
    InputError
        If an argument is out of its range, points do not fit the program, or its input has one dimension
        only.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> tent = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> program = sv.load_program(tent)
    >>> proxy = sv.local_complexity(program, [[0.0, 0.0]], radius=0.5, directions=2)
    >>> exact = sv.exact_local_complexity(program, [[0.0, 0.0]], radius=0.5, count="cuts")
    >>> bool((proxy.totals <= exact.totals).all())
    True
    """
    if count not in get_args(Count):
        raise InputError(f"count must be one of {', '.join(get_args(Count))}, got {count!r}")
    planes, program = whole_number(planes, "planes", 1, MOST_FRAMES), program_at(program, points)
    x = checked_points(points, program.input_shape)
    seed, first = whole_number(seed, "seed", 0), whole_number(first, "first", 0)
    ensure_fits(
        (planes, 1 if frame == "shared" else len(x), 2, x[0].numel()), 8, "the planes", hint="fewer planes"
    )
    axes = plane_frames(x[0].numel(), len(x), planes, frame, seed, first)
    found = local_counts(
        program,
        x,
        radius=radius,
        axes=axes,
        progress=progress,
        **effort,
    )
    table = (found.new_cells if count == "cells" else found.cut).astype(np.float64)
    totals = table.sum(-1)
    return Estimate(
        counts=table.mean(1)[:, None],
        zeros=None,
        stages=found.stages,
        radii=found.radii,
        directions=(2,),
        frame=frame,
        seed=seed,
        dtype="float64",
        device="cpu",
        batch=len(x),
        seconds=float(found.seconds.sum()),
        model=program.name,
        digest=program.digest,
        metric=count,
        planes=planes,
        standard_error=None if planes == 1 else totals.std(1, ddof=1)[:, None] / np.sqrt(planes),
        undecided=int(found.undecided.sum()),
        in_doubt=int(found.in_doubt.sum()),
    )


def _counted(arr: Arrangement, stages: tuple[Stage, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(window, stage) cells after each stage, units that cut, and those that were the first to."""
    n, n_stages = len(arr.windows), len(stages)
    cells = np.empty((n, n_stages), np.int64)
    window_of = arr.cell_window
    for stage in range(n_stages - 1, -1, -1):
        cells[:, stage] = np.bincount(window_of, minlength=n)
        parent = arr.patterns[stage][1]
        before = np.empty(parent.max(initial=-1) + 1, np.int64)
        before[parent] = window_of
        window_of = before
    units, lengths = arr.edge_units.values, arr.edge_units.lengths
    number = np.cumsum([0, *(stage.n_units for stage in stages)])
    edge_window = arr.cell_window[arr.edge_cells.max(1)]
    keys = np.repeat(edge_window, lengths) * number[-1] + number[units[:, 0]] + units[:, 1]
    lowest = np.minimum.reduceat(keys, arr.edge_units.offsets[:-1][lengths > 0]) if len(keys) else keys
    return cells, _distinct(keys, n, number), _distinct(lowest, n, number)


def _distinct(keys: np.ndarray, n: int, number: np.ndarray) -> np.ndarray:
    """(window, stage) numbers of distinct units."""
    window, unit = np.divmod(np.unique(keys), max(1, number[-1]))
    stage = np.searchsorted(number, unit, side="right") - 1
    counts: np.ndarray = np.bincount(window * (len(number) - 1) + stage, minlength=n * (len(number) - 1))
    return counts.reshape(n, len(number) - 1)


def _regions(arr: Arrangement) -> np.ndarray:
    """(window,) linear regions; none lies in two windows."""
    _, one_cell = np.unique(arr.linear_regions, return_index=True)
    counts: np.ndarray = np.bincount(arr.cell_window[one_cell], minlength=len(arr.windows))
    return counts
