"""Two networks as one program: they run side by side on one input, so that its cells are the common
refinement of theirs."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from splineviz.errors import InputError
from splineviz.program.lowering import with_frees
from splineviz.program.program import Affine, Gain, Maximum, Pointwise, Program, Stage
from splineviz.program.rows import as_rows
from splineviz.program.state_dicts import Weights

__all__ = ["SideBySide", "side_by_side"]

_Node = Affine | Pointwise | Maximum


@dataclass(frozen=True)
class SideBySide:
    """Two networks in one program; its output is theirs, flattened, one behind the other."""

    program: Program
    stages: tuple[tuple[int, ...], tuple[int, ...]]
    """Stages of the program that are each network's own, in its order; a stage of a common beginning is of
    both."""
    decisions: tuple[int, int] | None
    """Stage that chooses each network's largest output, or the sign of a single one; the last stages of the
    program."""


def side_by_side(first: Program, second: Program, *, decisions: bool) -> SideBySide:
    """Join two networks of one input.

    The nodes of the second follow those of the first. Nodes that both networks begin with, the same
    operations with the same coefficients, are there once, so that what networks share is not cut twice.

    Parameters
    ----------
    first, second
        Programs whose inputs have one size; that of the result has the shape of the first.
    decisions
        Add two stages at the end: the choice of the largest output of each (the lowest index where several
        are; of a single output, whether it is above 0).

    Raises
    ------
    InputError
        If the inputs have different sizes.

    Examples
    --------
    >>> import splineviz as sv
    >>> from torch import nn
    >>> one, other = (sv.load_program(nn.Sequential(nn.Linear(2, 3), nn.ReLU())) for _ in range(2))
    >>> both = side_by_side(one, other, decisions=True)
    >>> both.stages, both.decisions, both.program.output_shape
    (((0,), (1,)), (2, 3), (6,))
    >>> side_by_side(one, one, decisions=True).stages
    ((0,), (0,))
    """
    if math.prod(first.input_shape) != math.prod(second.input_shape):
        raise InputError(
            f"networks side by side take inputs of one size; {first.name} takes {first.input_shape} and "
            f"{second.name} takes "
            f"{second.input_shape}",
            hint="networks that take the same points; one that resizes them itself can stand for another",
        )
    same = _common_beginning(first, second)
    joint = _Joint(list(first.nodes), list(first.stages), first.n_slots)
    slots, stages = (
        {slot: slot for node in first.nodes[:same] for slot in (*node.inputs, node.output)} | {0: 0},
        [],
    )
    if first.input_shape != second.input_shape:
        slots[0] = joint.affine("input", (0,), lambda x: x.reshape(-1, *second.input_shape))
    for node in first.nodes[:same]:
        stages += [] if isinstance(node, Affine) else [node.stage]
    for node in second.nodes[same:]:
        slots[node.output] = joint.slot()
        inputs = tuple(slots[i] for i in node.inputs)
        if isinstance(node, Affine):
            joint.nodes.append(replace(node, inputs=inputs, output=slots[node.output]))
            continue
        stages.append(joint.stage(second.stages[node.stage]))
        joint.nodes.append(replace(node, inputs=inputs, output=slots[node.output], stage=stages[-1]))
    outputs, sizes = (
        (first.output, slots[second.output]),
        (math.prod(first.output_shape), math.prod(second.output_shape)),
    )
    chosen = None
    if decisions:
        one = joint.decide(outputs[0], first)
        chosen = (one, one if outputs[0] == outputs[1] else joint.decide(outputs[1], second))
    joint.affine("outputs", outputs, lambda *y: torch.cat([as_rows(part) for part in y], 1))
    output = joint.nodes[-1].output
    program = Program(
        nodes=with_frees(joint.nodes, output),
        stages=tuple(joint.stages),
        n_slots=joint.n_slots,
        output=output,
        input_shape=first.input_shape,
        output_shape=(sum(sizes),),
        name=f"{first.name} beside {second.name}",
        digest=hashlib.sha256(f"{first.digest} beside {second.digest}, {decisions}".encode()).hexdigest(),
        n_parameters=first.n_parameters + second.n_parameters,
        _rebind=_cannot_rebind,
    )
    return SideBySide(program, (tuple(range(len(first.stages))), tuple(stages)), chosen)


def _common_beginning(first: Program, second: Program) -> int:
    """Number of nodes that the networks begin with alike."""
    if first.input_shape != second.input_shape:
        return 0
    same = 0
    for one, other in zip(first.beginnings, second.beginnings, strict=False):
        if one != other:
            break
        same += 1
    return same


@dataclass
class _Joint:
    """Collects nodes and stages."""

    nodes: list[_Node]
    stages: list[Stage]
    n_slots: int

    def slot(self) -> int:
        """Number of a new slot."""
        self.n_slots += 1
        return self.n_slots - 1

    def stage(self, stage: Stage) -> int:
        """Append a stage; returns its index."""
        self.stages.append(replace(stage, index=len(self.stages)))
        return len(self.stages) - 1

    def affine(self, name: str, inputs: tuple[int, ...], run: object) -> int:
        """Append an affine node."""
        assert callable(run)
        slot = self.slot()
        self.nodes.append(Affine(name, "", "", inputs, slot, (), run, run, Gain("layout")))
        return slot

    def decide(self, output: int, program: Program) -> int:
        """The stage that chooses the largest entry of an output, or the sign of a single one: the larger of 0
        and it."""
        n = math.prod(program.output_shape)
        if n == 1:
            logits = self.affine(
                "level", (output,), lambda y: torch.cat([torch.zeros_like(as_rows(y)), as_rows(y)], 1)
            )
        else:
            logits = self.affine("logits", (output,), as_rows)
        n = max(2, n)
        stage = self.stage(Stage(0, "decisions", "argmax", (1,), 1, "", n))
        names = "decisions", "", ""
        slots = (logits,), self.slot(), ()
        self.nodes.append(
            Maximum(*names, *slots, stage, (n,), (1,), lambda y: y.amax(1, keepdim=True), np.arange(n)[None])
        )
        return stage


def _cannot_rebind(_weights: Weights, _key: str | None) -> Program:
    raise InputError(
        "two networks side by side take no new weights", hint="rebind each of them, and join them again"
    )
