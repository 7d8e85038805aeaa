"""The graph of cells: closed forms, and networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

import splineviz as sv
from splineviz.measures.eccentricities import diameter
from splineviz.measures.graph import CellGraph, cell_graph
from splineviz.measures.spectral_cut import spectral_cut
from tests.measures.test_regions import arranged, bands


def network(seed: int, *widths: int, outputs: int = 3) -> torch.nn.Module:
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for before, after in zip((2, *widths), widths, strict=False):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], outputs)).double()
    with torch.no_grad():
        for layer in model[::2]:
            layer.weight *= 2
    return model


@pytest.fixture(scope="module")
def arr() -> sv.Arrangement:
    return arranged(network(1, 12, 12), -2, 2, -2, 2)


@pytest.fixture(scope="module")
def found(arr: sv.Arrangement) -> CellGraph:
    return cell_graph(arr)


def crossed(arr: sv.Arrangement) -> nx.Graph:
    graph = arr.to_networkx()
    for _, _, side in graph.edges(data=True):
        side["units"] = len(side["units"])
    return graph


def test_lines_in_general_position_make_a_grid_of_known_degrees() -> None:
    """Two lines each way, parallel to the axes: nine cells, the middle one with four neighbours."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]]))
        model[0].bias.copy_(torch.tensor([0.5, -0.5, 0.5, -0.5]))
    found = arranged(model, -1, 1, -1, 1).measure("graph")
    assert sorted(found.degrees.tolist()) == [2] * 4 + [3] * 4 + [4]
    assert (found["cells"], found["neighbours"], found["diameter"]) == (9, 12, 4)
    assert found["mean degree"] == pytest.approx(24 / 9, abs=1e-15)
    assert (found.units == 1).all()
    assert found.lengths.sum() == pytest.approx(8, abs=1e-12)


def test_distances_are_those_of_networkx(arr: sv.Arrangement, found: CellGraph) -> None:
    graph = crossed(arr)
    assert found["neighbours"] == graph.number_of_edges()
    assert dict(graph.degree()) == dict(enumerate(found.degrees.tolist()))
    lengths = dict(nx.all_pairs_dijkstra_path_length(graph, weight="units"))
    assert found["diameter"] == max(max(far.values()) for far in lengths.values())
    decisions = arr.decision_regions()
    classes = {cell: set(decisions.classes[decisions.cells == cell].tolist()) for cell in range(arr.n_cells)}
    for cell in range(0, arr.n_cells, 7):
        others = [
            far
            for other, far in lengths[cell].items()
            if any(classes[other] - {own} for own in classes[cell])
        ]
        assert found.depth[cell] == min(others, default=-1)


def test_the_diameter_of_random_graphs_is_that_of_networkx() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        graph = nx.gnm_random_graph(40, 60, seed=int(random.integers(1 << 30)))
        for _, _, side in graph.edges(data=True):
            side["weight"] = float(random.integers(1, 4))
        matrix = csr_array(nx.to_scipy_sparse_array(graph))
        longest = max(max(far.values()) for _, far in nx.all_pairs_dijkstra_path_length(graph))
        assert diameter(matrix, searches=40) == (longest, 0.0)
        few = diameter(matrix, searches=2)
        assert few.value <= longest <= few.value + few.error


def test_the_best_cut_of_a_dumbbell_is_its_bar() -> None:
    """Two squares of many cells that one short side joins."""
    square = nx.grid_2d_graph(8, 8)
    both = nx.disjoint_union(square, square)
    nx.set_edge_attributes(both, 1.0, "weight")
    both.add_edge(0, 64, weight=0.1)
    cut = spectral_cut(csr_array(nx.to_scipy_sparse_array(both)), np.ones(128))
    assert len(set(cut.side[:64].tolist())) == len(set(cut.side[64:].tolist())) == 1
    assert cut.side[0] != cut.side[127]


def test_the_fiedler_vector_solves_its_equation(arr: sv.Arrangement, found: CellGraph) -> None:
    laplacian = nx.laplacian_matrix(crossed(arr), nodelist=range(arr.n_cells), weight="length").toarray()
    root = 1 / np.sqrt(arr.areas)
    values = np.linalg.eigvalsh(root[:, None] * laplacian * root)
    assert found["Fiedler value"] == pytest.approx(values[1], rel=1e-8)
    crossing = found.side[found.pairs[:, 0]] != found.side[found.pairs[:, 1]]
    assert found["Fiedler cut"] == pytest.approx(found.lengths[crossing].sum(), rel=1e-12)


def test_a_cut_that_is_the_boundary_explains_the_classes() -> None:
    """Cells of two classes on either side of a strip that is nearly no cell at all."""
    areas = np.array([[3.0, 0.0], [0.0, 5.0]])
    from splineviz.measures.graph import _explained

    assert _explained(areas) == pytest.approx(1.0, abs=1e-15)
    assert _explained(np.array([[1.0, 1.0], [2.0, 2.0]])) == pytest.approx(0.0, abs=1e-15)
    assert _explained(np.array([[1.0, 2.0]])) is None


def test_depths_without_a_second_class_are_not_told() -> None:
    found = arranged(bands(), -0.25, 0.25, -1, 1).measure("graph")
    assert (found.depth == -1).all()
    assert not [q for q in found.quantities if "depth" in q.name]


def test_cells_of_anchors_and_points_are_told() -> None:
    arr = sv.slice("demo", sv.demo.load_points())
    plain = arr.measure("graph")
    graph = crossed(arr)
    cells = arr.locate(arr.planes[0].anchors)
    assert plain["mean degree", "cells of anchors"] == np.mean([graph.degree(c) for c in cells.tolist()])
    for (i, j), of in {(0, 1): "A and B", (0, 2): "A and C", (1, 2): "B and C"}.items():
        least = nx.dijkstra_path_length(graph, int(cells[i]), int(cells[j]), weight="units")
        assert plain["distance", f"anchors {of}"] == least
    with_points = arr.measure("graph", points=sv.demo.load_points()[:2])
    assert with_points["mean degree", "cells of points"] == np.mean(
        [graph.degree(c) for c in cells[:2].tolist()]
    )


def test_an_earlier_stage_has_a_graph_without_classes() -> None:
    program = sv.load_program(network(1, 12, 12), input_shape=(2,))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2), stage=0)
    found = arr.measure("graph")
    assert found["components"] == 1
    assert (found.depth == -1).all()
