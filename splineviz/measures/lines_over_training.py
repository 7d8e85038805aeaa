"""Lines of units over training: how long they are, how far they move, and how far the data are from them, on
one slice at all checkpoints of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from splineviz.arrangement.result import Arrangement
from splineviz.choices import Certify
from splineviz.engine.arrange import arrange
from splineviz.errors import InputError
from splineviz.estimators.request import Points, checked_points
from splineviz.inputs import whole_number
from splineviz.io.provenance import certificate_of, provenance
from splineviz.measures.lines_result import LinesOverTraining, quantities_of
from splineviz.measures.offset_fit import OffsetFit, offset_fit
from splineviz.measures.switched_areas import (
    StateRegions,
    require_rectangle,
    state_regions,
    switched_areas,
)
from splineviz.measures.training_tests import Places, SliceDistances, boundary_test, points_test
from splineviz.measures.unit_lines import UnitLines, first_units, unit_lines
from splineviz.plane import Plane, Window
from splineviz.program.checkpoints import Checkpoints
from splineviz.program.models import Model
from splineviz.program.program import Program
from splineviz.program.sources import program_for
from splineviz.stage import Stage, same_units

__all__ = ["lines_over_training"]

Advance = Callable[[int, int, str], None]

_MOST_RESAMPLES = 1_000_000

_OF_LINES = ("lengths", "edges", "pieces")


def lines_over_training(
    runs: Checkpoints | Iterable[Program | Model],
    plane: Plane,
    window: Window,
    points: Points | None = None,
    *,
    permutations: int = 999,
    shifts: int = 199,
    seed: int = 0,
    certify: Certify = "fast",
    max_memory: int | None = None,
    jobs: int | None = None,
    progress: Advance | None = None,
) -> LinesOverTraining:
    """Follow the line of every unit over the checkpoints of a network, on one window of one plane.

    The line of a unit is the union of its edges. Told are at each checkpoint its length, edges and pieces;
    from each checkpoint to the next the area on which the unit has another state, what lies between the two
    positions of its line, and that area over the mean length of both: how far it moved (s for a line that is
    shifted by s across the window). With ``points`` also the distance of every data point, projected onto the
    plane, to the nearest edge of each stage within the window, and a permutation test whether they are
    farther from the lines than points drawn uniformly from the window: whether lines avoid the data. For the
    decision boundary it is tested by shifts whether lines gather there.

    Parameters
    ----------
    runs
        The checkpoints; or programs, or whatever :func:`splineviz.load_program` takes, in the order of
        training, which then are steps 0, 1, ... At least two, with the same stages.
    plane, window
        Where, at all checkpoints. The window has to be a rectangle along u and v.
    points
        (n, *input_shape) data points. Those that project outside the window have no distances.
    permutations, shifts
        Number of permutations of the points, and of shifts of the decision boundary: p-values are at least
        1 / (permutations + 1) and 1 / (shifts + 1).
    seed
        Of permutations, shifts, and the points that are drawn.
    certify, max_memory, jobs
        As in :func:`splineviz.arrange`, for each checkpoint.
    progress
        Called as ``progress(checkpoints that are done, of how many, what is done next)``.

    Raises
    ------
    InputError
        If there are fewer than two checkpoints or their networks have different stages, the window is no
        rectangle, points do not fit the network or none of them projects into the window.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> nets = [torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU()) for _ in range(2)]
    >>> for net, offset in zip(nets, (0.0, -0.25)):
    ...     net[0].weight.data, net[0].bias.data = torch.tensor([[1.0, 0.0]]), torch.tensor([offset])
    >>> found = lines_over_training(nets, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    >>> found.lengths.tolist(), found.switched.tolist(), found.moved.tolist()
    ([[2.0], [2.0]], [[0.5]], [[0.25]])
    """
    bounds = require_rectangle(window)
    permutations, shifts = (
        whole_number(permutations, "permutations", 1, _MOST_RESAMPLES),
        whole_number(shifts, "shifts", 1, _MOST_RESAMPLES),
    )
    programs, steps = _checkpoints(runs, plane)
    first = programs[0]()
    plane = plane.for_inputs(first.input_shape)
    uv, off_plane = _projected(points, plane, first.input_shape)
    inside: np.ndarray = np.all((uv >= bounds[::2]) & (uv <= bounds[1::2]), axis=1)
    if points is not None and not inside.any():
        raise InputError(
            f"none of the {len(uv)} data points projects into the window",
            hint="a larger window",
            command_hint="a larger --margin or --box",
        )
    places = Places.of(uv[inside], bounds, shifts, whole_number(seed, "the seed", 0))
    how: dict[str, Any] = {"certify": certify, "max_memory": max_memory, "jobs": jobs}
    found, fits, before = list[_AtCheckpoint](), list[OffsetFit](), None
    for k, (read, step) in enumerate(zip(programs, steps, strict=True)):
        if progress is not None:
            progress(k, len(steps), f"step {step:,}")
        program = _like(first, read(), step)
        arr = arrange(program, plane, window, **how)
        regions = state_regions(arr)
        found.append(_AtCheckpoint.of(arr, step, before, regions, places))
        fits += [] if points is None else [offset_fit(program, points)]
        before = regions
    asked = {"permutations": permutations, "shifts": shifts, "seed": seed, "points": len(uv)}
    card = {**provenance(arr), "checkpoints": [one.card for one in found], "asked": asked}
    distances = [one.distances for one in found]
    joined = LinesOverTraining(
        measure="lines",
        quantities=(),
        provenance=card,
        steps=steps,
        **_of_units(first.stages, found),
        points=uv,
        inside=inside,
        off_plane=off_plane,
        distances=_everywhere(np.stack([one.points for one in distances]), inside),
        drawn_distances=np.stack([one.drawn for one in distances]),
        offset_fits=tuple(fits),
        points_test=points_test(distances, permutations, seed),
        boundary_test=boundary_test(distances),
    )
    return replace(joined, quantities=quantities_of(joined))


@dataclass(frozen=True, eq=False)
class _AtCheckpoint:
    """What is told of one checkpoint, and of how it differs from the one before."""

    card: dict[str, Any]
    """Step, digest of the program, number of cells and certificate"""
    displacement: float | None
    lines: UnitLines
    switched: tuple[np.ndarray, np.ndarray | None] | None
    distances: SliceDistances

    @classmethod
    def of(
        cls,
        arr: Arrangement,
        step: int,
        before: StateRegions | None,
        regions: StateRegions,
        places: Places,
    ) -> _AtCheckpoint:
        """Measure one checkpoint, and hold the regions of its units against those of the one before."""
        assert arr.info is not None
        exact = certificate_of(arr.stats)
        card = {"step": step, "digest": arr.info.digest, "cells": arr.n_cells, "exact": exact}
        lines = unit_lines(arr)
        switched = None if before is None else switched_areas(before, regions, len(lines.lengths))
        return cls(card, regions.displacement, lines, switched, SliceDistances.of(arr, places))


def _checkpoints(
    runs: Checkpoints | Iterable[Program | Model], plane: Plane
) -> tuple[list[Callable[[], Program]], tuple[int, ...]]:
    """The checkpoints, each read when it is asked for, and their steps."""
    if isinstance(runs, Checkpoints):
        programs: list[Callable[[], Program]] = [partial(runs.__getitem__, k) for k in range(len(runs))]
        steps = runs.steps
    else:
        programs = [partial(program_for, model, [plane.input_shape]) for model in runs]
        steps = tuple(range(len(programs)))
    if len(programs) < 2:
        raise InputError(
            f"lines are followed over at least two checkpoints, got {len(programs)}",
            hint="sv.Checkpoints(model, 'run/step-*.pt'); of one network: arr.edge_units, arr.distance",
            command_hint="a folder, or a pattern such as 'run/step-*.pt'",
        )
    return programs, steps


def _like(first: Program, program: Program, step: int) -> Program:
    """A checkpoint, refused where its stages are not those of the first."""
    if not same_units(first.info, program.info):
        raise InputError(
            f"checkpoints of one network have the same stages, and those of {program.name} (step {step}) are "
            f"not those of {first.name}",
            hint="sv.compare holds networks of any architecture against each other",
        )
    return program


def _projected(
    points: Points | None, plane: Plane, input_shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """uv (n, 2) of data points, and their distances (n,) from the plane; none without points."""
    if points is None:
        return np.zeros((0, 2)), np.zeros(0)
    return plane.project(checked_points(points, input_shape).cpu().numpy())


def _of_units(stages: tuple[Stage, ...], found: list[_AtCheckpoint]) -> dict[str, np.ndarray]:
    """Arrays of the result that are about units, by name."""
    start = first_units(stages)
    unit = np.arange(start[-1])
    stage = np.searchsorted(start, unit, side="right") - 1
    pairs = [one.switched for one in found if one.switched is not None]
    unknown = np.full(len(unit), np.inf)
    displacements = [np.inf if one.displacement is None else one.displacement for one in found]
    return {
        "stage": stage,
        "unit": unit - start[stage],
        **{name: np.stack([getattr(one.lines, name) for one in found]) for name in _OF_LINES},
        "switched": np.stack([areas for areas, _ in pairs]),
        "switched_errors": np.stack([unknown if errors is None else errors for _, errors in pairs]),
        "displacements": np.array(displacements),
    }


def _everywhere(distances: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Distances (T, S + 1, n) of all points, NaN for those outside, from those of the points inside."""
    everywhere: np.ndarray = np.full((*distances.shape[:-1], len(inside)), np.nan)
    everywhere[..., inside] = distances
    return everywhere
