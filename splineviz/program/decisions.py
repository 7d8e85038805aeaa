"""A program whose last stage is the choice of the largest output, so that every cell has one class."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace

import numpy as np
from torch import Tensor

from splineviz.errors import InputError
from splineviz.program.models import Model
from splineviz.program.program import Maximum, Program, Stage
from splineviz.program.sources import program_for
from splineviz.program.state_dicts import Weights

__all__ = ["with_decisions"]


def with_decisions(program: Model | Program) -> Program:
    """Add a stage to a network: which of its outputs is the largest, the lowest index where several are.

    Cells are then cut by the decision boundary: a decision region is the union of the cells of one class,
    ``arr.winners(stage)`` of the last stage. Outputs and linear regions stay what they were. Of outputs (C,
    ...), as of a network that labels pixels, the first axis holds the classes, and each place decides for
    itself.

    Raises
    ------
    InputError
        If there are no two outputs to choose from.

    Examples
    --------
    >>> import splineviz as sv, torch
    >>> program = with_decisions(sv.load_program(torch.nn.Linear(2, 3)))
    >>> arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9))
    >>> arr.n_linear_regions, arr.n_cells == len(set(arr.winners(0)[:, 0].tolist()))
    (1, True)
    """
    program = program_for(program, [])
    shape = program.output_shape
    if not shape or shape[0] < 2:
        raise InputError(
            f"a decision needs two outputs or more to choose from, the outputs have the shape {shape}",
            hint="a single output decides by its sign: see decision_boundary(level=...)",
            command_hint="a single output decides by its sign, and its level 0 is drawn without --decisions",
        )
    windows = np.arange(math.prod(shape)).reshape(shape[0], -1).T
    chosen = (1, *shape[1:])
    stage = Stage(len(program.stages), "decisions", "argmax", chosen, 1, "", shape[0])

    def run(logits: Tensor) -> Tensor:
        return logits.amax(1, keepdim=True)

    slot = program.n_slots
    node = Maximum(
        "decisions", "", "", (program.output,), slot, (slot,), stage.index, shape, chosen, run, windows
    )

    def rebind(weights: Weights, key: str | None) -> Program:
        return with_decisions(program.rebind(weights, key))

    return replace(
        program,
        nodes=(*program.nodes, node),
        stages=(*program.stages, stage),
        n_slots=slot + 1,
        digest=hashlib.sha256(f"{program.digest} decisions".encode()).hexdigest(),
        _rebind=rebind,
    )
