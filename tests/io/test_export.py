"""Polygons for shapely and GeoJSON, the dual graph for networkx."""

from __future__ import annotations

import dataclasses
import json

import networkx as nx
import numpy as np
import pytest
import shapely

from splineviz.errors import InputError
from splineviz.io import save_geojson
from splineviz.io.export import cell_class, to_networkx, to_shapely
from tests.render.samples import images_slice, two_windows


def test_shapely_polygons_are_the_cells():
    arr = images_slice()
    polygons = to_shapely(arr)
    assert shapely.is_valid(polygons).all()
    assert shapely.is_ccw(shapely.get_exterior_ring(polygons)).all()
    assert shapely.area(polygons) == pytest.approx(arr.areas)
    assert shapely.coverage_is_valid(polygons)
    assert np.array_equal(shapely.get_coordinates(polygons[7])[:-1], arr.vertices[arr.cells[7]])


def test_dual_graph_agrees_with_touching_polygons():
    arr = images_slice()
    graph = to_networkx(arr)
    polygons = to_shapely(arr)
    tree = shapely.STRtree(polygons)
    pairs = np.sort(tree.query(polygons, predicate="touches").T, axis=1)
    shared = shapely.length(shapely.intersection(polygons[pairs[:, 0]], polygons[pairs[:, 1]]))
    sides = {(int(a), int(b)): s for (a, b), s in zip(pairs, shared, strict=True) if s > 1e-9}
    assert {tuple(sorted(e)) for e in graph.edges} == set(sides)
    assert all(graph.edges[e]["length"] == pytest.approx(s, abs=1e-7) for e, s in sides.items())
    assert nx.is_connected(graph)


def test_dual_graph_carries_areas_stages_and_units():
    arr = images_slice()
    graph = to_networkx(arr)
    assert [graph.nodes[c]["area"] for c in range(arr.n_cells)] == arr.areas.tolist()
    assert [graph.nodes[c]["stage"] for c in range(arr.n_cells)] == arr.cell_stage.tolist()
    edge = int(np.flatnonzero(arr.edge_stage == 1)[0])
    found = graph.edges[tuple(arr.edge_cells[edge].tolist())]
    assert found["stage"] == 1
    assert found["units"] == tuple(map(tuple, arr.edge_units[edge].tolist()))
    for a, b, data in graph.edges(data=True):
        stage, unit = data["units"][0]
        assert arr.pattern(a)[stage][unit] != arr.pattern(b)[stage][unit]


def test_windows_are_components():
    arr = two_windows()
    assert nx.number_connected_components(to_networkx(arr)) == 2


def test_geojson_keeps_every_bit_and_says_what_it_is(tmp_path):
    arr = dataclasses.replace(images_slice())
    _ = arr.linear_regions
    save_geojson(arr, tmp_path / "a.geojson", extra={"seed": 3})
    data = json.loads((tmp_path / "a.geojson").read_text())
    assert "not WGS84" in data["properties"]["note"]
    assert data["properties"]["seed"] == 3
    assert data["properties"]["program"]["digest"] == arr.info.digest
    features = data["features"]
    assert [f["id"] for f in features] == list(range(arr.n_cells))
    ring = np.array(features[5]["geometry"]["coordinates"][0])
    assert np.array_equal(ring[:-1], arr.vertices[arr.cells[5]])
    assert np.array_equal(ring[0], ring[-1])
    assert [f["properties"]["area"] for f in features] == arr.areas.tolist()
    assert [f["properties"]["class"] for f in features] == cell_class(arr, slice(0, arr.n_cells)).tolist()
    assert [f["properties"]["linear_region"] for f in features] == arr.linear_regions.tolist()
    assert shapely.is_valid([shapely.geometry.shape(f["geometry"]) for f in features]).all()


def test_geojson_of_a_bare_arrangement_computes_no_affine_maps(tmp_path):
    arr = dataclasses.replace(images_slice())
    save_geojson(arr, tmp_path / "a.geojson")
    assert "affine" not in vars(arr)
    properties = json.loads((tmp_path / "a.geojson").read_text())["features"][0]["properties"]
    assert set(properties) == {"area", "window", "stage"}


def test_class_is_that_of_the_network_at_the_interior_point():
    for outputs in (4, 1):
        arr = images_slice(outputs)
        import torch

        x = torch.from_numpy(arr.planes[0].lift(arr.interior_points))
        y = arr.program.forward(x).numpy()
        expected = (y[:, 0] > 0).astype(int) if outputs == 1 else y.argmax(1)
        assert np.array_equal(cell_class(arr, slice(0, arr.n_cells)), expected)


def test_geojson_path_is_checked(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        save_geojson(images_slice(), tmp_path / "nowhere" / "a.geojson")
