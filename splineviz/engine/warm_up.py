"""An arrangement in which nothing cuts, and all that is told of it: they compile all kernels but that of
`refine`, while another process compiles that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import nn

from splineviz.arrangement.logit_bounds import logit_bounds
from splineviz.engine.arrange import Request
from splineviz.engine.batches import finish
from splineviz.engine.budget import Budget
from splineviz.engine.stage_state import FinishedFaces, StageState, start
from splineviz.engine.walk import Walk
from splineviz.exact.face_maps import FaceMaps
from splineviz.exact.forward import StageRound
from splineviz.geometry.records import BIRTH, CROSSING, VANISHING
from splineviz.geometry.refine import Refinement
from splineviz.geometry.soundness import broken_rules
from splineviz.plane import Plane, Window
from splineviz.program import load_program
from splineviz.program.program import Pointwise

__all__ = ["compile_others"]


def compile_others() -> None:
    """Walk through a network with layers that are wide enough for all that large ones need."""
    net = nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
    program, planes, windows = load_program(net), [Plane.identity()], [Window.box(-1, 1, -1, 1)]
    walk = _Uncut(program, len(program.stages), Budget.of(None, None, None, 1), "fast")
    state = start(planes, windows, prove=True)
    maps = FaceMaps.of(program, state.face_states(), StageRound(0), walk.budget.bytes_for_maps)
    maps.corners(np.arange(3))
    maps.exact.make([0])
    finished = finish(walk, state)
    if finished is not None:
        _check(finished)
        arr = Request(program, planes, windows, None, "fast").result(finished)
        _ = arr.n_linear_regions, arr.n_decision_regions
        # Where a tie crosses the cell, which there need not be.
        logit_bounds(
            np.zeros((1, 2, 3)), np.zeros((1, 3)), np.zeros(1, np.int64), np.zeros((1, 2)), np.zeros(1), 1
        )


def _check(finished: FinishedFaces) -> None:
    s, one = finished.subdivision, np.ones(1)
    arrays = s.vertices, s.faces.offsets, s.faces.values, s.side_edges, s.edges.reshape(-1)
    units, faces = s.edge_units().offsets, s.edge_faces().reshape(-1)
    thin = finished.thin
    broken_rules(
        *arrays, faces, units, finished.window_of, finished.hash, thin.cells, thin.areas, one, one, True
    )


class _Uncut(Walk):
    """Leaves all faces as they are, with a new vertex between the first two that none of them has."""

    def _refine(self, state: StageState, node: Pointwise, word: int) -> Refinement:
        before, n_faces, born = state.subdivision, len(state.subdivision.faces), np.zeros(1, BIRTH)
        born["b"], born["t"] = 1, 0.5
        between = before.vertices[:2].mean(0, keepdims=True)
        return Refinement(
            subdivision=replace(before, vertices=np.concatenate([before.vertices, between])),
            parent=np.arange(n_faces),
            on=np.zeros((n_faces, -(-node.kinks.size // 64)), np.uint64),
            birth=born,
            first_part=np.arange(len(before.edges) + 1),
            vanishing=(np.empty(0, CROSSING), np.empty(0, VANISHING)),
            decisions=0,
            re_evaluated=0,
            open=0,
            identical=0,
            zeros=0,
            moved=np.zeros((len(before.vertices), 2)),
            doubt=np.zeros(len(before.vertices)),
        )
