"""`compare`: from networks to a comparison."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Any, Unpack

import numpy as np

from splineviz.arrangement.result import Arrangement
from splineviz.comparison.change import map_change
from splineviz.comparison.common_refinement import Overlay, overlay
from splineviz.comparison.comparison_result import Comparison, Decisions, Pair
from splineviz.comparison.distances import line_distances
from splineviz.comparison.partitions import partition_distance
from splineviz.comparison.units import unit_moves
from splineviz.deadline import SpentError, check_time, until
from splineviz.engine.arrange import arrange
from splineviz.engine.budget import Budget, Limits
from splineviz.errors import InputError
from splineviz.plane import Plane, Window
from splineviz.program import Program
from splineviz.program.sources import program_for
from splineviz.stage import same_units

__all__ = ["compare"]

Progress = Callable[[float, str], None]


def compare(
    models: Iterable[Any],
    plane: Plane,
    window: Window,
    *,
    names: Iterable[str] | None = None,
    progress: Progress | None = None,
    **limits: Unpack[Limits],
) -> Comparison:
    """Compare networks on one window of a plane: the cells of each, the exact overlay of every pair, and what
    differs.

    What each number means is in docs/compare.md. The work grows with the number of pairs.

    Parameters
    ----------
    models
        At least two: programs, or whatever :func:`splineviz.load_program` takes. They may be checkpoints of
        one network, or networks of any architecture that take inputs of one size, in whatever shape.
    plane, window
        Where, for all of them.
    names
        One for each network; by default those of the programs, numbered where they are alike.
    **limits
        ``max_memory``, ``max_cells``, ``jobs``, ``device``, ``certify``, as for :func:`splineviz.arrange`,
        for each arrangement on its own, and ``seconds`` for all. What does not fit is an error: parts of a
        window cannot be compared.
    progress
        Called as ``progress(share of the work that is done, what is done next)``.

    Raises
    ------
    InputError
        If there are fewer than two networks, they do not fit the plane, a network has NaN weights, or a
        budget ends.
    NotPiecewiseAffineError
        If a network is not continuous piecewise affine.

    Examples
    --------
    >>> import splineviz as sv
    >>> from torch import nn
    >>> nets = [nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3)) for _ in range(2)]
    >>> both = sv.compare(nets, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    >>> pair = both.pair(0, 1)
    >>> pair.overlay.n_cells >= max(arr.n_cells for arr in both.arrangements)
    True
    >>> 0 <= pair.decisions.agreement <= 1
    True
    """
    began, deadline = time.perf_counter(), Budget.of(seconds=limits.get("seconds")).deadline
    programs = [_program(model, f"network {k}", plane) for k, model in enumerate(models, 1)]
    if len(programs) < 2:
        raise InputError(
            f"a comparison needs at least two networks, got {len(programs)}",
            hint="to draw one: sv.slice",
            command_hint="to draw one: splineviz slice",
        )
    called = _names(programs, names)
    if len({math.prod(program.input_shape) for program in programs}) > 1:
        shapes = ", ".join(
            f"{name} {program.input_shape}" for name, program in zip(called, programs, strict=True)
        )
        raise InputError(
            f"networks are compared on one plane, so they take inputs of one size; these take {shapes}",
            hint="networks that take the same points; one that resizes them itself can stand for another",
        )
    steps = len(programs) + len(programs) * (len(programs) - 1) // 2
    done = 0

    def arranged(program: Program, name: str) -> Arrangement:
        nonlocal done
        if progress is not None:
            progress(done / steps, name)
        done += 1
        if deadline is not None:
            limits["seconds"] = max(1e-9, deadline - time.monotonic())
        arr = arrange(program, plane, window, **limits)
        if not arr.status.covers:
            raise _too_much(
                f"all of {name} was arranged ({arr.n_cells:,} cells, {arr.covered:.1%} of the window), "
                "and parts of a window cannot be compared"
            )
        return arr

    arrangements = [arranged(program, name) for program, name in zip(programs, called, strict=True)]
    pairs = []
    for i, j in combinations(range(len(programs)), 2):
        name = f"{called[i]} and {called[j]}"
        try:
            with until(deadline):
                both = overlay(programs[i], programs[j], lambda program, name=name: arranged(program, name))  # type: ignore[misc]
                pairs.append(_pair((i, j), (arrangements[i], arrangements[j]), (called[i], called[j]), both))
                check_time()  # numbers from exact cells stop without a word
        except SpentError:
            raise _too_much(f"{name} were compared") from None
    return Comparison(tuple(called), tuple(arrangements), tuple(pairs), time.perf_counter() - began)


def _too_much(what: str) -> InputError:
    return InputError(
        f"the budget ended before {what}",
        hint="a larger max_cells or seconds, or a smaller window",
        command_hint="a larger --max-cells or --seconds, or a smaller window",
    )


def _program(model: Any, name: str, plane: Plane) -> Program:
    try:
        return program_for(model, [plane.input_shape])
    except InputError as error:
        raise error.about(name) from error


def _names(programs: list[Program], names: Iterable[str] | None) -> list[str]:
    if names is not None:
        given = [str(name) for name in names]
        if len(given) != len(programs):
            raise InputError(f"expected one name for each of the {len(programs)} networks, got {len(given)}")
        return given
    own = [program.name for program in programs]
    return [
        name if own.count(name) == 1 else f"{name} {own[: k + 1].count(name)}" for k, name in enumerate(own)
    ]


def _pair(
    places: tuple[int, int], arrs: tuple[Arrangement, Arrangement], names: tuple[str, str], both: Overlay
) -> Pair:
    notes, decisions, boundaries, change = [], None, None, None
    if both.classes is None:
        notes.append(
            f"{names[0]} has {both.n_outputs[0]} outputs and {names[1]} {both.n_outputs[1]}: decisions, "
            f"boundaries and outputs are "
            "not compared"
        )
    else:
        arr = both.arrangement
        decisions = _decisions(both, both.classes)
        change = map_change(arr.vertices, arr.cells, both.areas, both.change)
        segments = [arr.decision_boundary() for arr in arrs]
        lacking = [name for name, own in zip(names, segments, strict=True) if not len(own)]
        if lacking:
            notes.append(
                f"no decision boundary of {' and of '.join(lacking)} in the window, so no distance between "
                f"boundaries"
            )
        else:
            boundaries = line_distances(segments[0], segments[1])
    units = unit_moves(*arrs, both) if same_units(arrs[0].info, arrs[1].info) else None
    if units is None:
        notes.append(f"{names[0]} and {names[1]} have different units, so it is not told which of them moved")
    partitions = partition_distance(both.first, both.second, both.areas)
    return Pair(*places, both, partitions, decisions, boundaries, change, units, tuple(notes))


def _decisions(both: Overlay, classes: np.ndarray) -> Decisions:
    n = max(2, both.n_outputs[0])
    shares = (
        np.bincount(classes[:, 0] * n + classes[:, 1], weights=both.areas, minlength=n * n) / both.areas.sum()
    )
    return Decisions(
        float(both.areas[classes[:, 0] == classes[:, 1]].sum() / both.areas.sum()), shares.reshape(n, n)
    )
