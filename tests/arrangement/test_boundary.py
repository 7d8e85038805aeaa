from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
import torch
from torch import nn

import splineviz as sv
from splineviz.arrangement.decisions.boundary import DecisionRegions, decision_boundary, decision_regions
from splineviz.arrangement.result import Arrangement
from tests.arrangement.hand_made import linear, program_of, random_mlp

BOX = sv.Window.box(-1, 1, -1, 1)


def _arrange(*layers: nn.Module, window: sv.Window = BOX) -> Arrangement:
    return sv.arrange(program_of(*layers), sv.Plane.identity(), window)


def _lengths(segments: np.ndarray) -> np.ndarray:
    return np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)


def _outputs(arr: Arrangement, uv: np.ndarray) -> np.ndarray:
    assert arr.program is not None
    with torch.no_grad():
        return arr.program.forward(torch.from_numpy(arr.planes[0].lift(uv))).numpy()


def _polygons(pieces: DecisionRegions) -> list[shapely.Polygon]:
    return [shapely.Polygon(pieces.vertices[row]) for row in pieces.pieces]


def _random_classifier(seed: int, n_classes: int) -> Arrangement:
    """A network with its outputs centred, so that many classes win somewhere."""
    program = random_mlp(2, 16, 16, n_classes, seed=seed)
    last = program.nodes[-1]
    torch.manual_seed(seed)
    x = torch.rand(500, 2, dtype=torch.float64) * 6 - 3
    shift = program.forward(x).mean(0)
    spread = program.forward(x).std(0)
    shifted = type(last)(
        **{
            **vars(last),
            "run": lambda h: (last.run(h) - shift) / spread,
            "linear": lambda h: last.linear(h) / spread,
        }
    )
    program = type(program)(**{**vars(program), "nodes": (*program.nodes[:-1], shifted)})
    return sv.arrange(program, sv.Plane.identity(), sv.Window.box(-3, 3, -3, 3))


@pytest.mark.parametrize("k", [3, 4, 5, 8])
def test_k_unit_gradients_on_a_polygon_meet_in_k_rays(k: int) -> None:
    """Ties below the top are k (k - 1) / 2 lines; only k rays are boundary."""
    angle = 2 * np.pi * np.arange(k) / k + 0.1
    arr = _arrange(linear(np.column_stack([np.cos(angle), np.sin(angle)]).tolist()))
    segments = decision_boundary(arr, arr.affine)
    assert arr.n_cells == 1
    assert len(segments) == k
    assert (np.abs(segments).sum(2).min(1) < 1e-15).all()
    pieces = decision_regions(arr, arr.affine)
    assert sorted(pieces.classes.tolist()) == list(range(k))
    np.testing.assert_allclose(pieces.areas.sum(), 4.0, rtol=1e-14)


def test_a_class_that_wins_inside_a_cell_and_at_no_vertex() -> None:
    weight = [[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    arr = _arrange(linear(weight, [0.0, -0.5, -0.5, -0.5, -0.5]))
    pieces = decision_regions(arr, arr.affine)
    np.testing.assert_allclose(pieces.areas[pieces.classes == 0], [1.0], rtol=1e-14)
    segments = decision_boundary(arr, arr.affine)
    assert len(segments) == 8
    np.testing.assert_allclose(sorted(_lengths(segments)), [np.sqrt(0.5)] * 4 + [1.0] * 4, rtol=1e-14)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0)])
def test_three_logits_on_one_line_are_one_boundary(order: tuple[int, ...]) -> None:
    """x, 0 and -x tie on one line, on which the middle one never wins, whatever its index."""
    rows = [[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]]
    arr = _arrange(linear([rows[i] for i in order]))
    segments = decision_boundary(arr, arr.affine)
    assert len(segments) == 1
    np.testing.assert_allclose(_lengths(segments), [2.0])
    assert len(decision_regions(arr, arr.affine).pieces) == 2


@pytest.mark.parametrize("flip", [False, True])
def test_a_boundary_along_an_edge_is_reported_once(flip: bool) -> None:
    rows = [[1.0, -1.0], [0.0, 0.0]]  # x against 0, as relu(x) - relu(-x)
    arr = _arrange(linear([[1.0, 0.5], [-1.0, -0.5]]), nn.ReLU(), linear(rows[::-1] if flip else rows))
    assert arr.n_cells == 2
    segments = decision_boundary(arr, arr.affine)
    assert len(segments) == 1
    np.testing.assert_allclose(_lengths(segments), [np.hypot(2.0, 1.0)], rtol=1e-14)
    assert len(decision_regions(arr, arr.affine).pieces) == 2


@pytest.mark.parametrize("flip", [False, True])
def test_the_outline_of_an_area_of_ties_is_the_boundary(flip: bool) -> None:
    """relu(x) against 0: they tie for all x <= 0."""
    rows = [[1.0], [0.0]]
    arr = _arrange(linear([[1.0, 0.0]]), nn.ReLU(), linear(rows[::-1] if flip else rows))
    segments = decision_boundary(arr, arr.affine)
    np.testing.assert_array_equal(np.sort(segments[:, :, 1]), [[-1.0, 1.0]])
    np.testing.assert_array_equal(segments[:, :, 0], 0.0)
    pieces = decision_regions(arr, arr.affine)
    left = int(arr.locate([[-0.5, 0.0]])[0])
    assert pieces.classes[pieces.cells == left].tolist() == [0]


def test_a_boundary_that_only_touches() -> None:
    arr = _arrange(linear([[1.0, 0.0], [-1.0, 0.0]]), nn.ReLU(), linear([[1.0, 1.0]]))
    np.testing.assert_array_equal(decision_boundary(arr, arr.affine)[:, :, 0], [[0.0, 0.0]])
    assert set(decision_regions(arr, arr.affine).classes.tolist()) == {1}


def test_logits_equal_everywhere_have_no_boundary() -> None:
    arr = _arrange(
        linear([[1.0, 0.3], [0.2, -1.0]]),
        nn.ReLU(),
        linear([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]], [1.0, 1.0, -9.0]),
    )
    assert len(decision_boundary(arr, arr.affine)) == 0
    assert set(decision_regions(arr, arr.affine).classes.tolist()) == {0}


def test_a_boundary_through_vertices_of_the_arrangement() -> None:
    """The diagonal x = y of four quadrant cells, through their common vertex and two corners of the
    window."""
    arr = _arrange(
        linear([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]),
        nn.ReLU(),
        linear([[1.0, -1.0, 0, 0], [0, 0, 1.0, -1.0]]),
    )
    segments = decision_boundary(arr, arr.affine)
    assert arr.n_cells == 4 and len(segments) == 2
    np.testing.assert_allclose(_lengths(segments), [np.sqrt(2.0)] * 2)
    assert len(decision_regions(arr, arr.affine).pieces) == 6


@pytest.mark.parametrize("level", [None, 0.3, -0.2])
def test_level_set_of_a_scalar_output(level: float | None) -> None:
    arr = _arrange(
        linear([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), nn.ReLU(), linear([[1.0] * 4], [-0.5])
    )
    radius = 0.5 + (level or 0.0)  # the diamond |x| + |y| = 1/2 + level
    segments = decision_boundary(arr, arr.affine, level=level)
    assert len(segments) == 4
    np.testing.assert_allclose(np.abs(segments).sum(2), radius, rtol=1e-14)
    pieces = decision_regions(arr, arr.affine, level=level)
    np.testing.assert_allclose(pieces.areas[pieces.classes == 0].sum(), 2 * radius**2, rtol=1e-14)


def test_a_level_needs_one_output() -> None:
    with pytest.raises(sv.InputError, match="one output, and this one has 2"):
        _arrange(linear([[1.0, 0.0], [0.0, 1.0]])).decision_boundary(level=0.5)


@pytest.mark.parametrize(("seed", "n_classes"), [(0, 2), (1, 3), (2, 6), (3, 10), (4, 1)])
def test_pieces_and_segments_agree_with_the_network(seed: int, n_classes: int) -> None:
    arr = _random_classifier(seed, n_classes)
    pieces, segments = decision_regions(arr, arr.affine), decision_boundary(arr, arr.affine)
    assert len(segments) > 5 and len(pieces.pieces) > arr.n_cells
    per_cell = np.bincount(pieces.cells, weights=pieces.areas, minlength=arr.n_cells)
    np.testing.assert_allclose(per_cell, arr.areas, rtol=1e-9, atol=1e-13)
    assert (pieces.areas > 0).all() and (np.diff(pieces.cells) >= 0).all()

    centres = np.array([pieces.vertices[row].mean(0) for row in pieces.pieces])
    y = _outputs(arr, centres)
    expected = (y[:, 0] > 0).astype(int) if n_classes == 1 else y.argmax(1)
    thick = pieces.areas > 1e-9
    np.testing.assert_array_equal(pieces.classes[thick], expected[thick])

    middle = np.sort(_outputs(arr, segments.mean(1)), axis=1)
    np.testing.assert_allclose(middle[:, -1], 0.0 if n_classes == 1 else middle[:, -2], atol=1e-12)


@pytest.mark.parametrize(("seed", "n_classes"), [(0, 2), (1, 3), (2, 6)])
def test_segments_are_the_outlines_of_the_merged_classes(seed: int, n_classes: int) -> None:
    arr = _random_classifier(seed, n_classes)
    pieces = decision_regions(arr, arr.affine)
    polygons = np.array(_polygons(pieces))
    merged = [
        shapely.unary_union(shapely.set_precision(polygons[pieces.classes == c], 1e-9))
        for c in np.unique(pieces.classes)
    ]
    inner_length = (sum(m.length for m in merged) - 24.0) / 2
    np.testing.assert_allclose(_lengths(decision_boundary(arr, arr.affine)).sum(), inner_length, rtol=1e-6)


def test_segments_join_exactly_across_edges() -> None:
    """Ends inside the window are shared by two segments, bit for bit, in a network with two classes."""
    arr = _random_classifier(0, 2)
    ends = decision_boundary(arr, arr.affine).reshape(-1, 2)
    inside = (np.abs(ends) < 3 - 1e-9).all(1)
    _, count = np.unique(ends[inside], axis=0, return_counts=True)
    assert (count == 2).all()


def test_window_selects_segments() -> None:
    program = program_of(linear([[1.0, 0.0], [0.0, 1.0]]))
    windows = [BOX, sv.Window.box(1, 2, -2, 0), sv.Window.diamond(0.5)]
    arr = sv.arrange(program, [sv.Plane.identity()] * 3, windows)
    assert [len(decision_boundary(arr, arr.affine, window=w)) for w in range(3)] == [1, 0, 1]
    assert len(decision_boundary(arr, arr.affine)) == 2
    np.testing.assert_allclose(_lengths(decision_boundary(arr, arr.affine, window=2)), [np.sqrt(0.5)])


@pytest.mark.parametrize("seed", range(12))
def test_integer_networks_full_of_ties(seed: int) -> None:
    """Small integers make boundaries through vertices, along edges and areas of ties: class and tie hold
    everywhere."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(-2, 3, (5, 2)), rng.integers(-1, 2, (4, 5))
    bias = [rng.integers(-2, 3, n).astype(float).tolist() for n in (5, 4)]
    layers = [
        linear(first.astype(float).tolist(), bias[0]),
        nn.ReLU(),
        linear(second.astype(float).tolist(), bias[1]),
    ]
    arr = _arrange(*layers, window=sv.Window.box(-3, 3, -3, 3))
    pieces, segments = decision_regions(arr, arr.affine), decision_boundary(arr, arr.affine)
    np.testing.assert_allclose(np.bincount(pieces.cells, weights=pieces.areas), arr.areas, rtol=1e-12)
    centres = np.array([pieces.vertices[row].mean(0) for row in pieces.pieces])
    y = np.round(_outputs(arr, centres), 9)
    np.testing.assert_array_equal(pieces.classes, y.argmax(1))
    assert (_lengths(segments) > 1e-9).all()
    ordered = np.sort(_outputs(arr, segments.mean(1)), axis=1)
    np.testing.assert_allclose(ordered[:, -1], ordered[:, -2], atol=1e-12)
    assert len(np.unique(np.round(segments.mean(1), 9), axis=0)) == len(segments), (
        "a segment is reported twice"
    )
    _assert_complete(arr, segments)


def _assert_complete(arr: Arrangement, segments: np.ndarray) -> None:
    """Between two sample points whose class differs, without a tie at either, there is a boundary."""
    grid = np.linspace(-2.97, 2.96, 61)
    uv = np.stack(np.meshgrid(grid, grid), axis=-1)
    y = np.round(_outputs(arr, uv.reshape(-1, 2)), 9)
    top = np.sort(y, axis=1)
    classes = np.where(top[:, -1] > top[:, -2], y.argmax(1), -1).reshape(61, 61)
    found = shapely.STRtree(shapely.linestrings(segments)) if len(segments) else None
    for one, other in (
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ):
        change = (classes[one] != classes[other]) & (classes[one] >= 0) & (classes[other] >= 0)
        steps = shapely.linestrings(np.stack([uv[one][change], uv[other][change]], axis=1))
        if len(steps):
            assert found is not None
            hit = np.unique(found.query(steps, predicate="intersects")[0])
            assert len(hit) == len(steps)


def test_decision_regions_that_touch_in_a_point_are_two() -> None:
    """|x + y| - |x - y| has the sign of x y: four quadrants of two classes."""

    class Saddle(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return ((x[:, 0] + x[:, 1]).abs() - (x[:, 0] - x[:, 1]).abs())[:, None]

    program = sv.load_program(Saddle(), input_shape=(2,))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    assert (arr.n_cells, arr.n_linear_regions, arr.n_decision_regions) == (4, 4, 4)
    assert arr.decision_regions().areas.sum() == pytest.approx(4)


@pytest.mark.parametrize("seed", range(4))
def test_decision_regions_are_the_connected_parts_of_the_merged_classes(seed: int) -> None:
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 12),
        torch.nn.ReLU(),
        torch.nn.Linear(12, 12),
        torch.nn.ReLU(),
        torch.nn.Linear(12, 3),
    )
    arr = sv.arrange(sv.load_program(net), sv.Plane.identity(), sv.Window.box(-9, 9, -9, 9))
    regions = arr.decision_regions()
    polygons = shapely.polygons(
        shapely.linearrings(regions.vertices[regions.pieces.values], indices=regions.pieces.row_of)
    )
    parts = 0
    for label in np.unique(regions.classes):
        merged = shapely.union_all(shapely.buffer(polygons[regions.classes == label], 1e-9))
        parts += shapely.get_num_geometries(merged)
    assert arr.n_decision_regions == parts


def test_regions_are_joined_by_edges_not_by_bits() -> None:
    """Two cells compute where the boundary crosses the edge between them each by itself."""
    torch.manual_seed(28)
    width = [2, 48, 48, 48, 4]
    layers: list[nn.Module] = []
    for a, b in pairwise(width):
        layer = nn.Linear(a, b)
        nn.init.kaiming_normal_(layer.weight)
        nn.init.normal_(layer.bias, 0, 0.3)
        layers += [layer, nn.ReLU()]
    program = sv.load_program(nn.Sequential(*layers[:-1]))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2))
    pieces = arr.decision_regions()
    bits = np.round(pieces.vertices, 9)
    polygons = [shapely.Polygon(bits[row]) for row in pieces.pieces]
    parts = 0
    for c in np.unique(pieces.classes):
        mine = [polygons[i].buffer(1e-7, join_style="mitre") for i in np.flatnonzero(pieces.classes == c)]
        merged = shapely.union_all(mine).buffer(-2e-7)
        parts += len([g for g in shapely.get_parts(merged) if g.area > 1e-9])
    assert arr.n_decision_regions == parts
    assert arr.certified and arr.exact["decision_regions"] == 0


def test_a_boundary_is_decided_once_and_not_changed_by_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    arr = sv.slice("demo", sv.demo.load_points())
    first = arr.decision_boundary()
    kept = first.copy()
    first[:] = 0.0
    monkeypatch.setattr("splineviz.arrangement.decisions.boundary.tied_segments", None)
    np.testing.assert_array_equal(arr.decision_boundary(), kept)
    assert arr.measure("boundary")["segments"] == len(kept)
