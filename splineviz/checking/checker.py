"""An arrangement against its network, from scratch: nothing of the code that made it is used."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from splineviz.checking.certificate import (
    check_card,
    check_certificate,
    check_numbers,
    check_thin_areas,
    not_verified,
)
from splineviz.checking.claim import Claim, read_claim
from splineviz.checking.evidence import gather
from splineviz.checking.maps import (
    check_continuity,
    check_corners,
    check_kink_sizes,
    check_maps,
    check_regions,
)
from splineviz.checking.network import Network
from splineviz.checking.patterns import (
    check_distinct,
    check_edge_units,
    check_kinks,
    check_states,
    claimed_numbers,
)
from splineviz.checking.polygon_checks import check_areas, check_convex, check_frames
from splineviz.checking.report import Check, CheckReport, Verdict
from splineviz.checking.samples import check_points
from splineviz.checking.segment_walks import check_segments
from splineviz.checking.settling import check_exact, check_exact_areas, settle
from splineviz.checking.surface import (
    check_coverage,
    check_doubt,
    check_edges,
    check_euler,
    check_rim,
    check_stages,
    check_vertices,
    polygons_of,
)
from splineviz.errors import InputError
from splineviz.inputs import whole_number
from splineviz.program import Program
from splineviz.program.models import Model
from splineviz.program.one_input import Fixed, Output
from splineviz.program.select import select_outputs
from splineviz.program.sources import Reading, load_program, program_for
from splineviz.program.state_dicts import Weights

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["check"]

_MOST = 10**8
"""Of points, and of segments"""


def check(
    source: str | os.PathLike[str] | Arrangement,
    model: Model | Program,
    *,
    weights: Weights | None = None,
    weights_key: str | None = None,
    fix: Fixed | None = None,
    output: Output | None = None,
    outputs: Sequence[int] | None = None,
    exact_cells: int | Literal["all"] = 2000,
    points: int = 2000,
    segments: int = 32,
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
) -> CheckReport:
    """Verify an arrangement from scratch, by forward passes and automatic differentiation, and by exact
    arithmetic where they err.

    None of the code that arranges is used: see docs/checking.md for what each check proves, and what none of
    them can. The module :meth:`splineviz.Arrangement.check` only looks at an arrangement's own arrays; this
    looks at the network.

    Parameters
    ----------
    source
        An NPZ file that :func:`splineviz.save` wrote, or an arrangement.
    model
        Whatever :func:`splineviz.load_program` takes, or a program that it made. It has to be the network of
        the arrangement.
    weights, weights_key, fix, output
        As for :func:`splineviz.load_program`.
    outputs
        Flat indices of the outputs that were arranged, if these were not all.
    exact_cells
        At most how many of the cells that float64 leaves open are derived again in exact arithmetic; or
        ``"all"`` to derive every cell again, which takes some milliseconds a cell for a hundred units and
        then proves that no cell is missing, however small.
    points, segments
        How many random points are located, and how many random segments are walked from kink to kink.
    seed
        Of the random points and segments.
    progress
        Called with the share of the work that is done and what is done next.

    Returns
    -------
    CheckReport
        ``report.ok`` where nothing fails, ``report.checks`` for each check its verdict, counts, worst figure
        and offenders.

    Raises
    ------
    InputError
        If the file cannot be read, or the network is not the one that was arranged.
    NotPiecewiseAffineError
        If the network is not continuous piecewise affine.

    Examples
    --------
    >>> import splineviz as sv
    >>> arr = sv.slice("demo", sv.demo.load_points(), stage=0)
    >>> sv.check(arr, "demo").ok
    True
    """
    if not (isinstance(exact_cells, str) and exact_cells == "all"):
        exact_cells = whole_number(exact_cells, "exact_cells, if not 'all',", 0)
    points, segments = whole_number(points, "points", 1, _MOST), whole_number(segments, "segments", 1, _MOST)
    seed = whole_number(seed, "seed", 0)
    began, say = time.perf_counter(), progress or (lambda share, what: None)
    claim = read_claim(source)
    how: Reading = {"weights": weights, "weights_key": weights_key, "fix": fix, "output": output}
    program = _program(claim, model, how, outputs)
    numbers = check_numbers(claim)
    checks = [numbers, check_card(claim, program)]
    if numbers.verdict is Verdict.HOLDS:  # nothing else can be computed
        with np.errstate(over="ignore", invalid="ignore"):  # of maps beyond float64, which are left open
            checks += _compared(claim, program, exact_cells, points, segments, seed, say)
    checks.append(not_verified())
    counts = claim.n_cells, len(claim.vertices), len(claim.edges), len(claim.windows)
    return CheckReport(
        tuple(checks), program.name, program.digest, *counts, claim.status, time.perf_counter() - began
    )


def _compared(
    claim: Claim,
    program: Program,
    exact_cells: int | Literal["all"],
    points: int,
    segments: int,
    seed: int,
    say: Callable[[float, str], None],
) -> list[Check]:
    """All that is compared with the network or added up."""
    network, rng = Network(program, claim.n_stages), np.random.default_rng(seed)
    say(0.0, "polygons")
    polygons = polygons_of(claim)
    edges = check_edges(claim)
    checks = [
        edges,
        check_euler(claim, sound=edges.verdict is Verdict.HOLDS),
        check_rim(claim),
    ]
    checks += [check_convex(claim), check_areas(claim), check_frames(claim), check_stages(claim)]
    checks.append(check_doubt(claim))
    say(0.1, "forward passes inside all cells")
    evidence = gather(claim, network)
    say(0.5, "exact arithmetic")
    settled = settle(claim, network, evidence, None if exact_cells == "all" else exact_cells)
    checks += [
        check_vertices(claim, settled.cells),
        check_coverage(claim, polygons, settled.cells),
        check_exact(claim, settled),
        check_exact_areas(claim, settled),
        check_thin_areas(claim, settled),
        check_certificate(claim, settled),
    ]
    checks += [
        check_distinct(claim, evidence),
        check_states(claim, network.layout, evidence),
        check_edge_units(claim, network.layout, evidence),
        check_kinks(claim, evidence),
    ]
    say(0.7, "affine maps")
    checks += [
        check_maps(claim, evidence),
        check_continuity(claim, evidence),
        check_corners(claim, network, evidence),
    ]
    checks += [check_regions(claim, evidence), check_kink_sizes(claim, evidence)]
    say(0.8, "random points and segments")
    checks.append(check_points(claim, network, evidence, polygons, points, rng))
    checks.append(check_segments(claim, network, claimed_numbers(claim, network.layout), segments, rng))
    return checks


def _program(claim: Claim, model: Model | Program, how: Reading, outputs: Sequence[int] | None) -> Program:
    """The network, read as it was read for the arrangement; refused if it is another one."""
    if isinstance(model, Program):
        program = program_for(model, [], **how)
    else:
        how["logits"] = claim.cut_off
        asked: Reading = {**how, "input_shape": claim.input_shape}
        try:
            program = load_program(model, **asked)
        except (
            InputError
        ):  # another network, which may take inputs of another shape, is refused below for what it is
            program = load_program(model, **how)
    if outputs is not None:
        program = select_outputs(program, outputs)
    if program.digest != claim.card["digest"]:
        raise InputError(
            f"the network is not the one that was arranged: expected '{claim.card['name']}' with digest "
            f"{claim.card['digest'][:16]}, "
            f"got '{program.name}' with digest {program.digest[:16]}",
            hint="the model with the weights (and the outputs) of the arrangement",
        )
    dims = {plane.dim for plane in claim.planes}
    if dims != {int(np.prod(program.input_shape))} or claim.n_stages > len(program.stages):
        raise InputError(
            f"the network takes {program.input_shape} and has {len(program.stages)} stages, the "
            f"arrangement has planes of "
            f"{', '.join(map(str, sorted(dims)))} dimensions and {claim.n_stages} stages",
            hint="the file was changed after it was written",
        )
    return program
