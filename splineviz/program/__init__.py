"""Networks as programs of affine maps and continuous piecewise-affine functions, traced once."""

from splineviz.program.decisions import with_decisions
from splineviz.program.describe import Description, StageRow, describe
from splineviz.program.origin import Origin
from splineviz.program.program import Affine, Fidelity, Gain, Maximum, Node, Pointwise, Program, Stage
from splineviz.program.refusal import Offender
from splineviz.program.sources import blockers, load_program, network_for
from splineviz.program.state_dicts import load_weights

__all__ = [
    "Affine",
    "Description",
    "Fidelity",
    "Gain",
    "Maximum",
    "Node",
    "Offender",
    "Origin",
    "Pointwise",
    "Program",
    "Stage",
    "StageRow",
    "blockers",
    "describe",
    "load_program",
    "load_weights",
    "network_for",
    "with_decisions",
]
