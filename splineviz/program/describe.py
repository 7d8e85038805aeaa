"""A program in words and numbers, for ``splineviz inspect``."""

from __future__ import annotations

from dataclasses import dataclass

from splineviz.program.program import Affine, Fidelity, Program

__all__ = ["Description", "StageRow", "describe"]


@dataclass(frozen=True)
class StageRow:
    """One stage of a program."""

    index: int
    name: str
    kind: str
    shape: tuple[int, ...]
    breakpoints: int
    candidates: int
    """Number of candidates of each unit of a maximum; 0 for a pointwise node."""
    units: int
    source: str


@dataclass(frozen=True)
class Description:
    """Names, shapes, stages and fidelity of a program."""

    name: str
    digest: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    stages: tuple[StageRow, ...]
    n_units: int
    n_affine: int
    """Affine nodes; those that do nothing are no nodes."""
    n_parameters: int
    fidelity: Fidelity | None
    cut_off: str | None


def describe(program: Program) -> Description:
    """Stages, units, parameters and fidelity of a program.

    Examples
    --------
    >>> from torch import nn
    >>> from splineviz.program import load_program
    >>> card = describe(load_program(nn.Sequential(nn.Linear(2, 8), nn.ReLU6(), nn.Linear(8, 1))))
    >>> [(row.name, row.kind, row.shape, row.units) for row in card.stages]
    [('1', 'relu6', (8,), 16)]
    """
    stages = tuple(
        StageRow(s.index, s.name, s.kind, s.shape, s.breakpoints, s.candidates, s.n_units, s.source)
        for s in program.stages
    )
    return Description(
        name=program.name,
        digest=program.digest,
        input_shape=program.input_shape,
        output_shape=program.output_shape,
        stages=stages,
        n_units=program.n_units,
        n_affine=sum(isinstance(node, Affine) for node in program.nodes),
        n_parameters=program.n_parameters,
        fidelity=program.fidelity,
        cut_off=program.cut_off,
    )
