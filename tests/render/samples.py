"""Small arrangements to draw and to save, each computed once per session."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.geometry.csr import Csr
from splineviz.plane import Plane, Window

torch.set_num_threads(1)

IMAGES = np.random.default_rng(5).random((3, 1, 6, 6))


def model(outputs: int = 4) -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(36, 20), nn.ReLU(), nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, outputs)
    ).eval()


@functools.cache
def program(outputs: int = 4) -> sv.Program:
    return sv.load_program(model(outputs), input_shape=(1, 6, 6))


@functools.cache
def images_slice(outputs: int = 4) -> Arrangement:
    """A plane through three pictures; all lazy members are computed by the tests that need them, on a copy of
    their own."""
    plane = Plane.through(*IMAGES)
    return sv.arrange(program(outputs), plane, Window.around(plane, 1.5))


@functools.cache
def two_windows() -> Arrangement:
    """A rectangle and a diamond on two planes; their uv coordinates overlap."""
    first, second = Plane.through(*IMAGES), Plane.at(IMAGES[1], seed=3)
    return sv.arrange(program(), [first, second], [Window.box(-2, 3, -1, 2), Window.diamond(1.5)])


def permuted(arr: Arrangement, order: np.ndarray) -> Arrangement:
    """The same arrangement with its cells numbered otherwise: new cell i is old cell ``order[i]``."""
    new_of = np.append(np.argsort(order), -1)
    rows = [arr.cells[i] for i in order]
    edges = [arr.cell_edges[arr.cells.offsets[i] : arr.cells.offsets[i + 1]] for i in order]
    cells = Csr(np.concatenate([[0], np.cumsum([len(row) for row in rows])]), np.concatenate(rows))
    return Arrangement(
        vertices=arr.vertices,
        cells=cells,
        cell_edges=np.concatenate(edges),
        cell_window=arr.cell_window[order],
        cell_stage=arr.cell_stage[order],
        pattern_hash=arr.pattern_hash[order],
        edges=arr.edges,
        edge_cells=new_of[arr.edge_cells],
        edge_units=arr.edge_units,
        planes=arr.planes,
        windows=arr.windows,
        status=arr.status,
        stats=arr.stats,
        program=arr.program,
        patterns=(),
        info=arr.info,
    )
