from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.smallest_area import open_smallest
from splineviz.io.provenance import certificate
from tests.arrangement.hand_made import random_mlp

BOX = sv.Window.box(-1, 1, -1, 1)


def _thin(slant: float) -> tuple[Arrangement, Fraction]:
    """A triangle between three lines, of about ``slant`` in size round (1/3, 1/3), and its exact area.

    With the lines in the rows of M, that is det(M)^2 / (2 |C_1 C_2 C_3|), C_k the cofactors of the constants.
    """
    lines = [[1.0, slant], [slant, 1.0], [1.0, 1.0]]
    constants = [-(1 + slant) / 3] * 2 + [-2 / 3 - slant]
    layers = nn.Linear(2, 3, dtype=torch.float64), nn.Linear(3, 1, dtype=torch.float64)
    with torch.no_grad():
        layers[0].weight.copy_(torch.tensor(lines, dtype=torch.float64))
        layers[0].bias.copy_(torch.tensor(constants, dtype=torch.float64))
    rows = [[*map(Fraction, line), Fraction(c)] for line, c in zip(lines, constants, strict=True)]
    pairs = [(rows[i], rows[j]) for i, j in ((1, 2), (2, 0), (0, 1))]
    cofactors = [p[0] * q[1] - p[1] * q[0] for p, q in pairs]
    det = sum(row[2] * cofactor for row, cofactor in zip(rows, cofactors, strict=True))
    area = det**2 / (2 * abs(cofactors[0] * cofactors[1] * cofactors[2]))
    program = sv.load_program(nn.Sequential(layers[0], nn.ReLU(), layers[1]))
    arr = sv.arrange(program, sv.Plane.identity(), BOX)
    _ = arr.affine
    return arr, area


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_least_of_all_areas(seed: int) -> None:
    arr = sv.arrange(random_mlp(2, 24, 24, 24, 3, seed=seed), sv.Plane.identity(), BOX)
    assert arr.smallest_area == dataclasses.replace(arr).areas.min()


@pytest.mark.parametrize("slant", [1e-3, 1e-7, 1e-10, 1e-13])
def test_a_triangle_too_thin_for_its_corners_is_measured_exactly(slant: float) -> None:
    arr, area = _thin(slant)
    assert arr.smallest_area == dataclasses.replace(arr).areas.min()
    assert arr.smallest_area == pytest.approx(float(area), rel=1e-7, abs=0.0)
    assert arr.exact["areas"] == 0


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_wrong_smallest_area_leaves_a_question_open(factor: float) -> None:
    arr, _ = _thin(1e-7)
    assert arr._proof is not None and arr.smallest_area is not None
    assert open_smallest(arr, arr._proof, arr._rounded_areas, arr.smallest_area) == 0
    assert open_smallest(arr, arr._proof, arr._rounded_areas, factor * arr.smallest_area) == 1
    assert open_smallest(arr, arr._proof, arr._rounded_areas, math.inf) == arr.n_cells


def test_a_certificate_measures_no_other_cell() -> None:
    arr = sv.arrange(random_mlp(2, 16, 3), sv.Plane.identity(), BOX)
    _ = arr.affine
    card = certificate(arr)
    assert "areas" not in vars(arr)
    assert (card["areas"], card["smallest_cell"]) == (0, arr.areas.min())
    assert card == certificate(arr)


def test_without_proofs_none_is_proven() -> None:
    arr = sv.arrange(random_mlp(2, 16, 3), sv.Plane.identity(), BOX, certify="off")
    _ = arr.affine
    assert arr.smallest_area == arr.areas.min() and arr.exact["areas"] == arr.n_cells
    assert np.isfinite(arr.smallest_area)
