"""A segment against forward passes."""

from __future__ import annotations

import numpy as np
import torch

from splineviz.program.program import Program
from splineviz.segments.segment import Segment
from tests.oracles.invariants import forward_states

__all__ = ["assert_like_forward", "states_of"]


def states_of(walk: Segment) -> np.ndarray:
    """(n_cells, units) the states of all units, stage after stage."""
    stages = walk.program.stages
    return np.concatenate(
        [walk.winners(s.index) if s.candidates else walk.pattern_bits(s.index) for s in stages], axis=1
    )


def assert_like_forward(walk: Segment, program: Program) -> None:
    """States are those in the middle of each cell, and the output is affine on it."""
    middle = torch.from_numpy(0.5 * (walk.points[1:] + walk.points[:-1]))
    wide = np.diff(walk.knots) > 1e-9
    states, share = forward_states(program, middle)
    wrong = (states != states_of(walk)) & (share > 1e-11) & wide[:, None]
    assert not wrong.any()
    y = program.forward(middle).reshape(len(middle), -1).numpy()
    np.testing.assert_allclose(
        y, 0.5 * (walk.values[1:] + walk.values[:-1]), atol=1e-11 * max(1.0, np.abs(y).max())
    )
