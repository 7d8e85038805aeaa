"""Errors of products with entries that are zero at all vertices: a map has no norm on those."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from splineviz.program import load_program
from splineviz.program.program import Affine
from splineviz.values.transfer import after_affine
from splineviz.values.vertex_values import VertexValues, Zeros

WIDTH, VERTICES = 64, 400


def layer() -> Affine:
    torch.manual_seed(0)
    node = load_program(nn.Sequential(nn.Linear(WIDTH, 48), nn.ReLU()), input_shape=(WIDTH,)).nodes[0]
    assert isinstance(node, Affine)
    return node


def multiplied(x: torch.Tensor, error: float, zeros: Zeros) -> VertexValues:
    live = VertexValues(x, np.full(len(x), error), proof=np.full(len(x), error), zeros=zeros)
    return after_affine(layer(), [live], lambda node, x: (node.run(x), None))


def some(dead: int) -> torch.Tensor:
    x = torch.rand(VERTICES, WIDTH, dtype=torch.float64)
    x[:, :dead] = 0.0
    return x


@pytest.mark.parametrize("dead", [0, 1, 32, 63, 64])
def test_no_error_of_what_is_alive_is_larger_than_its_bounds(dead: int) -> None:
    """In the worst direction for the whole, and for each entry."""
    node, x, error = layer(), some(dead), 1e-3
    assert node.matrix is not None
    after = multiplied(x, error, Zeros.LASTING)
    read = node.matrix.clone()
    read[:, :dead] = 0.0
    assert after.proof is not None
    slack, proof = after.proven()
    assert (proof >= error * float(torch.linalg.matrix_norm(read, 2))).all()
    scale, _ = after.entrywise()
    own = error * torch.linalg.vector_norm(read, dim=1).numpy()
    assert (scale[None] * slack[:, None] >= own).all()


def test_what_is_dead_makes_bounds_smaller_only_where_zeros_are_sure() -> None:
    x = some(32)
    sure, unsure = (multiplied(x, 1e-3, zeros) for zeros in (Zeros.LASTING, Zeros.UNSURE))
    assert sure.proof is not None and unsure.proof is not None
    assert (sure.proof < 0.9 * unsure.proof).all()
    assert (sure.proven()[0] < unsure.proven()[0]).all()
    assert np.array_equal(sure.error, unsure.error) and torch.equal(sure.values, unsure.values)
