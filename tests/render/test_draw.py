"""What stands on the Axes: artists, their numbers, colours, limits and places."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib import colormaps, rcParams
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.render import draw
from splineviz.render.cellcolor import largest_kink
from splineviz.render.edgelayer import _stage_label
from splineviz.render.palette import pattern_colors
from splineviz.render.style import BOUNDARY
from splineviz.stage import Stage

from .artists import fill_colors, filled_polygons, fills_of, layers_of, segments_in
from .samples import IMAGES, images_slice, permuted, two_windows


def colors_by_polygon(ax: Axes) -> dict[tuple[float, ...], tuple[float, ...]]:
    """Colour of each polygon, keyed by its corners whatever their order."""
    found = {}
    for polygon in filled_polygons(ax):
        corners = sorted({tuple(v) for v in polygon.corners.round(9).tolist()})
        found[tuple(x for v in corners for x in v)] = polygon.rgb
    return found


def legend_texts(ax: Axes) -> list[str]:
    return [
        text.get_text()
        for child in ax.get_children()
        if isinstance(child, Legend)
        for text in child.get_texts()
    ]


def test_every_cell_is_filled_once_in_the_color_of_its_pattern():
    arr = images_slice()
    ax = draw(arr)
    drawn, expected = colors_by_polygon(ax), pattern_colors(arr.pattern_hash)
    assert len(drawn) == len(filled_polygons(ax)) == arr.n_cells
    assert np.allclose(fill_colors(ax), expected, atol=0.501 / 255)


def test_vector_shapes_are_the_cells_in_the_same_colors():
    arr = images_slice()
    shapes = [c for c in draw(arr, fill="vector").collections if isinstance(c, PolyCollection)]
    assert sum(len(c.get_paths()) for c in shapes) == arr.n_cells and not fills_of(draw(arr, fill="vector"))
    drawn = np.concatenate([c.get_facecolors()[:, :3] for c in shapes])
    assert np.allclose(np.sort(drawn, axis=0), np.sort(pattern_colors(arr.pattern_hash), axis=0))


def test_colors_do_not_depend_on_the_numbering_of_cells():
    arr = images_slice()
    other = permuted(arr, np.random.default_rng(0).permutation(arr.n_cells))
    assert colors_by_polygon(draw(arr, boundary=False)) == colors_by_polygon(draw(other, boundary=False))


def test_neighbours_are_told_apart():
    arr = images_slice()
    rgb = pattern_colors(arr.pattern_hash)
    pairs = arr.edge_cells[(arr.edge_cells >= 0).all(1)]
    apart = np.linalg.norm(rgb[pairs[:, 0]] - rgb[pairs[:, 1]], axis=1)
    assert (apart > 0.05).mean() > 0.95
    assert rgb.min() > 0.4  # soft: black lines stay readable


def test_each_inner_edge_is_drawn_once_by_stage():
    arr = images_slice()
    ax = draw(arr, boundary=False)
    drawn = segments_in(*layers_of(ax)).reshape(-1, 4)
    inner = arr.vertices[arr.edges[arr.edge_stage >= 0]].reshape(-1, 4)
    assert np.array_equal(np.unique(drawn, axis=0), np.unique(inner, axis=0))
    assert len(drawn) == len(inner)
    counts = [len(segments_in(layer)) for layer in layers_of(ax)]
    assert sorted(counts) == sorted(np.bincount(arr.edge_stage[arr.edge_stage >= 0]).tolist())
    assert legend_texts(ax) == ["stage 0: relu 2, 20 units", "stage 1: relu 4, 12 units"]


def test_later_stages_are_thinner_and_lie_below():
    second, first = sorted(
        layers_of(draw(images_slice(), boundary=False)), key=lambda layer: layer.get_zorder()
    )
    assert first.width > second.width
    assert sum(to_rgb(first.color)) < sum(to_rgb(second.color))


def test_kinks_widen_with_the_jump():
    arr = images_slice()
    layers = layers_of(draw(arr, edges="kink", boundary=False))
    assert len(segments_in(*layers)) == (arr.edge_stage >= 0).sum()
    widths = [layer.width for layer in layers]
    jumps = []
    for layer in layers:
        middles = segments_in(layer).mean(1)
        all_middles = arr.vertices[arr.edges].mean(1)
        rows = [int(np.argmin(np.abs(all_middles - m).sum(1))) for m in middles]
        jumps.append(arr.edge_jump[rows].mean())
    assert np.array_equal(np.argsort(widths), np.argsort(jumps))


@pytest.mark.parametrize(("edges", "expected"), [("plain", 1), ("none", 0)])
def test_plain_and_no_edges(edges, expected):
    assert len(layers_of(draw(images_slice(), edges=edges, boundary=False))) == expected


def test_decision_boundary_is_red_on_white_and_on_top():
    arr = images_slice()
    plain, full = layers_of(draw(arr, boundary=False)), layers_of(draw(arr))
    casing, line = sorted(full, key=lambda layer: layer.get_zorder())[-2:]
    assert len(full) == len(plain) + 2
    assert np.array_equal(segments_in(line), segments_in(casing))
    assert np.array_equal(segments_in(line), arr.decision_boundary()) and len(arr.decision_boundary())
    assert np.allclose(to_rgb(line.color), to_rgb(BOUNDARY))
    assert np.allclose(to_rgb(casing.color), 1)
    assert casing.width > line.width


def test_class_fill_splits_cells_at_the_decision_boundary():
    arr = images_slice()
    ax = draw(arr, color="class", class_names=["cat", "dog", "eel", "fox"])
    regions = arr.decision_regions()
    assert len(filled_polygons(ax)) == len(regions.pieces) > arr.n_cells
    colors = np.unique(fill_colors(ax), axis=0)
    assert len(colors) == len(np.unique(regions.classes)) > 1
    names = {["cat", "dog", "eel", "fox"][c] for c in np.unique(regions.classes)}
    assert names <= set(legend_texts(ax))


@pytest.mark.parametrize("color", ["norm", "jacobian", "area", "kink", "volume", "stage"])
def test_quantities_come_with_a_labelled_bar(color):
    arr = images_slice()
    ax = draw(arr, color=color)
    bar = next(child for child in ax.child_axes if child.get_label() == "colour bar")
    ticks = [text.get_text() for text in bar.get_xticklabels()]
    assert len([t for t in ticks if t]) >= 2
    words = {
        "norm": "gradient",
        "jacobian": "Jacobian",
        "area": "area",
        "kink": "kink",
        "volume": "volume",
        "stage": "stage",
    }
    assert any(words[color] in text.get_text() for text in ax.texts)


def test_norm_colors_follow_the_norm():
    arr = images_slice()
    drawn = colors_by_polygon(draw(arr, color="norm"))
    norms = np.linalg.norm(arr.affine[:, :, :2], ord=2, axis=(1, 2))
    low, high = int(norms.argmin()), int(norms.argmax())

    def luminance(cell: int) -> float:
        corners = sorted({tuple(v) for v in arr.vertices[arr.cells[cell]].round(9).tolist()})
        return float(np.dot(drawn[tuple(x for v in corners for x in v)][:3], [0.2, 0.7, 0.1]))

    assert luminance(high) > luminance(low) + 0.3


def test_the_bar_of_stages_counts_from_zero():
    ax = draw(images_slice(), color="stage")
    bar = next(child for child in ax.child_axes if child.get_label() == "colour bar")
    assert [text.get_text() for text in bar.get_xticklabels()] == ["0", "1"]


def test_the_kink_of_a_cell_is_the_largest_on_its_sides():
    arr = images_slice()
    expected = np.zeros(arr.n_cells)
    for edge, cells in enumerate(arr.edge_cells):
        for cell in cells[cells >= 0]:
            expected[cell] = max(expected[cell], arr.edge_jump[edge])
    assert np.array_equal(largest_kink(arr), expected)
    assert len(np.unique(expected)) > 10


def test_volume_of_one_output_is_refused():
    with pytest.raises(InputError, match="at least two outputs"):
        draw(images_slice(1), color="volume")


def test_scalar_output_draws_its_level_set():
    arr = images_slice(1)
    ax = draw(arr, color="class")
    line = max(layers_of(ax), key=lambda layer: layer.get_zorder())
    assert len(segments_in(line)) == len(arr.decision_boundary()) > 0
    assert legend_texts(ax)[:2] == ["output ≤ 0", "output > 0"]
    assert "output = 0" in legend_texts(ax) and "decision boundary" not in legend_texts(ax)


def test_anchors_get_letters_thumbnails_and_captions():
    arr = images_slice()
    ax = draw(arr, labels=["first", "second", "third"])
    thumbnails = [child for child in ax.child_axes if child.get_label().startswith("thumbnail")]
    assert [child.get_label()[-1] for child in thumbnails] == ["A", "B", "C"]
    assert np.allclose([child.images[0].get_array() for child in thumbnails], IMAGES[:, 0])
    texts = [text.get_text() for text in ax.texts]
    assert texts.count("A") == 2
    assert {"first", "second", "third"} <= set(texts)
    marks = next(line for line in ax.lines if line.get_label() == "anchors")
    assert np.array_equal(marks.get_xydata(), arr.planes[0].anchors)


def test_nothing_of_the_column_covers_the_data():
    ax = draw(images_slice(), color="norm")
    figure = ax.get_figure()
    figure.canvas.draw()
    frame = ax.get_window_extent()
    beside = [child.get_window_extent() for child in ax.child_axes]
    beside += [child.get_window_extent() for child in ax.get_children() if isinstance(child, Legend)]
    page = figure.bbox
    assert len(beside) == 5
    for box in beside:
        assert box.x0 > frame.x1
        assert box.x1 <= page.x1 and box.y0 >= page.y0 and box.y1 <= page.y1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"color": "pink"}, "unknown color 'pink', expected one of random, norm"),
        ({"edges": "curly"}, "unknown edges 'curly'"),
        ({"fill": "solid"}, "unknown fill"),
        ({"window": 1}, "window must be in 0 .. 0, got 1"),
        ({"labels": ["one"]}, "one label for each of the 3 anchors, got 1"),
        ({"images": [np.zeros((4, 4))]}, "one image for each of the 3 anchors, got 1"),
        ({"images": [np.zeros(4)] * 3}, "an image must have shape"),
        ({"valid_range": (1.0, 0.0)}, "low < high"),
        ({"width": 1.0}, "no room for the data"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        draw(images_slice(), **options)


def test_only_the_chosen_window_is_drawn():
    arr = two_windows()
    for window in (0, 1):
        ax = draw(arr, window=window)
        assert len(filled_polygons(ax)) == (arr.cell_window == window).sum()
        x0, x1, _, _ = arr.windows[window].bounds
        assert ax.get_xlim() == pytest.approx((x0, x1), abs=0.02)
        layers = sorted(layers_of(ax), key=lambda layer: layer.get_zorder())
        assert len(segments_in(layers[-1])) == len(arr.decision_boundary(window=window))
        inner = (arr.edge_stage >= 0) & (arr.cell_window[arr.edge_cells.max(1)] == window)
        assert len(segments_in(*layers[:-2])) == inner.sum() > 0


def test_given_axes_are_used_and_nothing_global_changes():
    before = dict(rcParams)
    figure = Figure()
    ax = figure.add_subplot(1, 2, 1)
    assert draw(images_slice(), ax, title="left", ticks=True) is ax
    assert ax.get_title(loc="left") == "left"
    assert ax.get_aspect() == 1.0
    assert dict(rcParams) == before


def test_data_points_shrink_with_their_distance_off_the_plane():
    arr = images_slice()
    plane = arr.planes[0]
    off = np.ones(36) - (np.ones(36) @ plane.basis.T) @ plane.basis
    step = (off / np.linalg.norm(off)).reshape(1, 6, 6)
    points = np.stack([plane.lift([0.3, 0.2]), plane.lift([0.5, 0.2]) + 2 * step, plane.lift([99.0, 0.0])])
    ax = draw(arr, points=points)
    data = next(c for c in ax.collections if c.get_label() == "data")
    assert np.allclose(data.get_offsets(), [[0.3, 0.2], [0.5, 0.2]])
    assert data.get_sizes()[0] > data.get_sizes()[1]
    assert data.get_facecolors()[0, 3] > data.get_facecolors()[1, 3]
    assert "data, 2 off the plane" in legend_texts(ax)


def test_classes_of_the_data_are_explained_unless_the_fills_do_it():
    arr = images_slice()
    points = arr.planes[0].lift([[0.3, 0.2], [0.5, 0.2], [99.0, 0.0]])
    names = ["cat", "dog", "eel", "fox", "gnu", "hen"]
    texts = legend_texts(draw(arr, points=points, point_classes=[1, 5, 3], class_names=names))
    assert [text for text in texts if text in names] == ["dog", "hen"]
    predicted = int(arr.decision_regions().classes[0])
    texts = legend_texts(
        draw(arr, points=points, point_classes=[predicted] * 3, class_names=names, color="class")
    )
    assert texts.count(names[predicted]) == 1


def test_fills_are_smoothed_where_no_line_covers_their_sides():
    for edges, smooth in (("stage", False), ("plain", False), ("kink", True), ("none", True)):
        assert [fills.smooth for fills in fills_of(draw(images_slice(), edges=edges))] == [smooth]


@pytest.mark.parametrize(
    ("name", "units", "label"),
    [
        ("LeakyRelu_13", 20, "stage 5: LeakyRelu_13, 20 units"),
        ("2", 1, "stage 5: relu 2, 1 unit"),
        ("layer3.2.relu#2", 4096, "stage 5: layer3.2.relu#2"),
        ("features.denseblock1.denselayer4.relu1", 4096, "stage 5: …ck1.denselayer4.relu1"),
    ],
)
def test_names_of_stages_fit_into_the_legend(name, units, label):
    assert _stage_label(Stage(5, name, "relu", (units,), 1, "")) == label
    assert len(label) <= 31


def test_two_inputs_have_ticks_unless_they_are_not_wanted():
    model = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))
    arr = sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    assert len(draw(arr).get_xticks()) > 2 and draw(arr).get_xlabel() == "$u$"
    assert len(draw(arr, ticks=False).get_xticks()) == 0
    assert len(draw(images_slice()).get_xticks()) == 0


@pytest.mark.parametrize("level", [None, 0.2])
def test_a_level_set_is_drawn_as_the_boundary(level):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1)).double()
    arr = sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2))
    ax = draw(arr, level=level, edges="none", color="class")
    ends = segments_in(layers_of(ax)[-1]).reshape(-1, 2)
    assert len(ends) > 0
    with torch.no_grad():
        assert np.allclose(model(torch.tensor(ends)).numpy(), level or 0, atol=1e-9)
    texts = legend_texts(ax)
    assert f"output = {level or 0:g}" in texts and f"output > {level or 0:g}" in texts
    with pytest.raises(InputError, match="a network with a single output"):
        draw(images_slice(), level=1.0)


def test_a_colour_map_belongs_to_a_quantity():
    ax, plain = draw(images_slice(), color="norm", cmap="magma"), draw(images_slice(), color="norm")
    assert colors_by_polygon(ax) != colors_by_polygon(plain)
    magma = np.rint(255 * colormaps["magma"](np.arange(256))[:, :3])
    assert {*map(tuple, np.rint(255 * fill_colors(ax)).tolist())} <= {*map(tuple, magma.tolist())}
    with pytest.raises(InputError, match=r"unknown colour map 'magna'(.|\n)*magma"):
        draw(images_slice(), color="norm", cmap="magna")
    with pytest.raises(InputError, match="color 'random' shows none"):
        draw(images_slice(), cmap="magma")


def test_names_are_words_and_no_formulas():
    evil = r"$\nonsense$ & <b> 5$ a_b"
    ax = draw(images_slice(), color="class", class_names=[evil] * 4, title=evil, labels=[evil] * 3, note=evil)
    ax.figure.canvas.draw()
    assert ax.get_title(loc="left") == evil and evil in legend_texts(ax)
    assert not any(text.get_parse_math() for text in ax.texts if evil in text.get_text())


def boxes(ax):
    """Places in inches of all that stands beside or below the data, and of the data."""
    figure = ax.figure
    figure.canvas.draw()
    legends = [child for child in ax.get_children() if isinstance(child, Legend)]
    found = [one.get_window_extent() for one in [*legends, *ax.child_axes]]
    return [box.transformed(figure.dpi_scale_trans.inverted()) for box in found], ax.get_window_extent()


def test_without_thumbnails_the_legend_is_below_and_the_data_take_the_width():
    model = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 3))
    arr = sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    for ax in (draw(arr, color="norm"), draw(images_slice(), color="norm", images=False)):
        found, data = boxes(ax)
        width, height = ax.figure.get_size_inches()
        assert data.width / ax.figure.dpi > 0.85 * width
        assert len(found) == 2 and all(box.y1 < data.y0 / ax.figure.dpi for box in found)
        assert all(0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height for box in found)
        assert found[0].x1 <= found[1].x0 or found[1].x1 <= found[0].x0, "they stand side by side"


def test_thumbnails_of_a_wide_window_stand_below():
    plane = images_slice().planes[0]
    arr = sv.arrange(images_slice().program, plane, sv.Window.box(-2, 3, -0.5, 0.5))
    found, data = boxes(draw(arr))
    assert len(found) == 4 and all(box.y1 < data.y0 / 100 for box in found)
    found, data = boxes(draw(images_slice()))
    assert all(box.x0 > data.x1 / 100 for box in found), "else beside the data"
