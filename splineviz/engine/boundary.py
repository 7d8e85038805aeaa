"""`decision_boundary`: the decision boundary alone, without the cells that it does not touch."""

from __future__ import annotations

import math

from splineviz.arrangement.decisions.boundary import tied_segments
from splineviz.arrangement.decisions.boundary_result import DecisionBoundary
from splineviz.arrangement.decisions.top_logits import check_level
from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.verdict import Status
from splineviz.engine.arrange import Request, program_on
from splineviz.engine.batches import finish
from splineviz.engine.budget import Budget
from splineviz.engine.margins import MarginTest
from splineviz.engine.stage_state import FinishedFaces, start
from splineviz.engine.walk import Certify, Progress, Walk
from splineviz.errors import InputError
from splineviz.plane import Plane, Window
from splineviz.program.models import Model
from splineviz.program.program import Program
from splineviz.values.propagation import Device, Propagator

__all__ = ["decision_boundary"]


def decision_boundary(
    program: Model | Program,
    plane: Plane,
    window: Window,
    *,
    level: float | None = None,
    max_memory: int | None = None,
    max_cells: int | None = None,
    seconds: float | None = None,
    jobs: int | None = None,
    device: Device = None,
    certify: Certify = "fast",
    progress: Progress | None = None,
) -> DecisionBoundary:
    """The exact decision boundary of a network on a window of a plane, or the level set of a single output,
    without arranging all cells.

    The segments are those of ``sv.arrange(...).decision_boundary()``. Before each stage cuts, and between
    groups of its units, the margin between the largest outputs is bounded over each face: where one output
    stays ahead of all others, by more than the proven error of the bound, the face is cut no further. So
    the work grows with the length of the boundary, not with the area of the window.

    Parameters
    ----------
    program
        A program, or whatever :func:`splineviz.load_program` takes.
    plane, window
        A plane and a window on it.
    level
        Of a single output; by default 0.
    max_memory, jobs, device, certify, progress
        As for :func:`splineviz.arrange`.
    max_cells, seconds
        Budgets: of faces that the boundary may still touch, after any stage, and of time. When one ends, the
        segments on the cells that are finished are the result, with the status ``INCOMPLETE``.

    Returns
    -------
    DecisionBoundary
        Segments in uv, the two classes at each, and the verdict.

    Raises
    ------
    InputError
        If a level is given and there are several outputs, or it is not finite; else as for
        :func:`splineviz.arrange`.

    References
    ----------
    Bounds over faces: H. Zhang et al., arXiv:1811.00866; G. Singh et al., doi:10.1145/3290354.

    Examples
    --------
    >>> import torch, splineviz as sv
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> plane, window = sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    >>> found = sv.decision_boundary(model, plane, window, level=0.1)
    >>> found.segments.shape[1:], found.certified
    ((2, 2), True)
    """
    for name, given, kind in (("plane", plane, Plane), ("window", window, Window)):
        if not isinstance(given, kind):
            raise InputError(
                f"{name} must be one {kind.__name__}, got {type(given).__name__}",
                hint="sv.arrange takes several, and its result has decision_boundary()",
            )
    budget = Budget.of(max_memory, max_cells, seconds, jobs)
    program = program_on(program, plane)
    check_level(level, math.prod(program.output_shape))
    level = None if level is None else float(level)
    request = Request(program, plane, window, None, certify, chosen=True)
    state = start(request.planes, request.windows, prove=certify != "off")
    walk = Walk(
        program,
        request.n_stages,
        budget,
        certify,
        progress,
        Propagator.on(device),
        MarginTest(program, level),
    )
    finished = finish(walk, state, allowed=max_cells) or FinishedFaces.nothing(state)
    left_out = tuple(finished.tally.left_out[stage] for stage in range(request.n_stages))
    return _boundary(request.result(finished), program, level, left_out, complete=finished.complete)


def _boundary(
    arr: Arrangement, program: Program, level: float | None, left_out: tuple[int, ...], *, complete: bool
) -> DecisionBoundary:
    """The segments on the cells that are left."""
    found = tied_segments(arr, arr.affine, level=level, proof=arr._proof)
    status = Status.COMPLETE
    if not complete:
        status = Status.INCOMPLETE
    elif len(arr.in_doubt):
        status = Status.IN_DOUBT
    elif arr.stats.undecided:
        status = Status.UNDECIDED
    return DecisionBoundary(
        segments=found.ends,
        classes=found.classes,
        plane=arr.planes[0],
        window=arr.windows[0],
        level=level,
        status=status,
        stats=arr.stats,
        open=arr.n_cells if arr._proof is None else found.open,
        n_cells=arr.n_cells,
        left_out=left_out,
        info=program.info,
    )
