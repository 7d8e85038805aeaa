"""Lines of units: closed forms, and shapely."""

from __future__ import annotations

import numpy as np
import shapely
import torch
from torch import nn

import splineviz as sv
from splineviz.measures.unit_lines import first_units, unit_lines

UNIT = sv.Window.box(-1, 1, -1, 1)


def hand_made(rows: list[list[float]], offsets: list[float]) -> nn.Module:
    net = nn.Sequential(nn.Linear(2, len(rows)), nn.ReLU()).double()
    net[0].weight.data, net[0].bias.data = torch.tensor(rows).double(), torch.tensor(offsets).double()
    return net


def test_two_lines_that_cross_and_one_outside() -> None:
    net = hand_made([[1.0, 0.0], [1.0, -1.0], [0.0, 1.0]], [-0.5, 0.0, 7.0])
    lines = unit_lines(sv.arrange(net, sv.Plane.identity(), UNIT))
    np.testing.assert_allclose(lines.lengths, [2.0, 2.0 * np.sqrt(2.0), 0.0], atol=1e-15)
    assert lines.edges.tolist() == [2, 2, 0]
    assert lines.pieces.tolist() == [1, 1, 0]


def test_a_folded_line_of_two_pieces() -> None:
    """relu(x) + relu(-x) - 1/2 vanishes on two lines, that of one unit."""
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1), nn.ReLU()).double()
    net[0].weight.data = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).double()
    net[2].weight.data, net[2].bias.data = torch.ones(1, 2).double(), torch.tensor([-0.5]).double()
    arr = sv.arrange(net, sv.Plane.identity(), UNIT)
    lines = unit_lines(arr)
    assert lines.lengths.tolist() == [2.0, 2.0, 4.0]
    assert lines.pieces.tolist() == [1, 1, 2]
    assert first_units(arr.info.stages).tolist() == [0, 2, 3]  # type: ignore[union-attr]


def test_against_shapely() -> None:
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(2, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 2)).double()
    with torch.no_grad():
        net[2].weight *= 3
    arr = sv.arrange(net, sv.Plane.identity(), sv.Window.box(-3, 3, -3, 3))
    lines = unit_lines(arr)
    start = first_units(arr.info.stages)  # type: ignore[union-attr]
    seen = 0
    for stage, unit in {*map(tuple, arr.edge_units.values.tolist())}:
        rows = [edge for edge in range(arr.n_edges) if [stage, unit] in arr.edge_units[edge].tolist()]
        line = shapely.union_all(shapely.linestrings(arr.vertices[arr.edges[rows]]))
        merged = shapely.line_merge(line)
        place = start[stage] + unit
        assert lines.edges[place] == len(rows)
        assert abs(line.length - lines.lengths[place]) < 1e-12
        pieces = merged.geoms if hasattr(merged, "geoms") else [merged]
        touching = shapely.union_all([shapely.buffer(piece, 1e-9) for piece in pieces])
        assert lines.pieces[place] == shapely.get_num_geometries(touching)
        seen += 1
    assert seen > 15 and lines.pieces.max() > 1
