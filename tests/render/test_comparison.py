"""Pictures of comparisons: shared scales, panels of pairs, every format, and what cannot be drawn."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.legend import Legend
from matplotlib.patches import PathPatch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from tests.comparison.nets import PLANE, SQUARE, random_net
from tests.render.artists import fill_colors, filled_polygons, layers_of, segments_in


@functools.cache
def comparison(n: int = 2) -> sv.Comparison:
    return sv.compare(
        [random_net(seed) for seed in range(n)], PLANE, SQUARE, names=[f"net {k}" for k in range(n)]
    )


def panels(figure: Any) -> list[Any]:
    """Axes in the order they were made, colour bars left out."""
    return [ax for ax in figure.axes if ax.get_title(loc="left")]


def test_two_networks_and_their_difference_stand_in_a_row() -> None:
    axes = panels(comparison().draw())
    assert [ax.get_title(loc="left") for ax in axes] == ["1  net 0", "2  net 1", "1 → 2"]
    assert len({round(ax.get_position().y0, 9) for ax in axes}) == 1
    sizes = [(round(ax.get_window_extent().width, 6), round(ax.get_window_extent().height, 6)) for ax in axes]
    assert len(set(sizes)) == 1 and sizes[0][0] == pytest.approx(sizes[0][1])


def test_of_more_networks_pairs_follow_in_a_second_row() -> None:
    axes = panels(comparison(4).draw(width=10))
    assert [ax.get_title(loc="left") for ax in axes[4:]] == ["1 → 2", "2 → 3", "3 → 4", "1 → 4"]
    assert {round(ax.get_position().y0, 9) for ax in axes[:4]}.isdisjoint(
        round(ax.get_position().y0, 9) for ax in axes[4:]
    )


def test_colours_of_all_networks_are_on_one_scale() -> None:
    """A network whose output is doubled has darker cells, not the same picture."""
    net = random_net(3)
    half = comparison_of_scaled(net)
    one, other = (fill_colors(ax) for ax in panels(half.draw(edges="none"))[:2])
    alone = fill_colors(half.arrangements[0].draw(color="norm", edges="none", legend=False))
    assert len(one) == len(other) == len(alone)
    assert not np.allclose(one, other) and not np.allclose(one, alone)


def comparison_of_scaled(net: sv.Program) -> sv.Comparison:
    state = {name: value.clone() for name, value in net.origin.weights.items()}  # type: ignore[union-attr]
    last = max(name for name in state if name.endswith("weight")).removesuffix("weight")
    for name in (f"{last}weight", f"{last}bias"):
        state[name] = 2 * state[name]
    return sv.compare([net, net.rebind(state)], PLANE, SQUARE)


def test_disagreement_is_filled_by_its_area() -> None:
    both = comparison()
    pair = both.pair(0, 1)
    ax = panels(both.draw(difference="decisions"))[2]
    colors = fill_colors(ax)
    shapes = [polygon.corners for polygon in filled_polygons(ax)]
    area = np.array(
        [
            0.5 * abs(np.dot(s[:, 0], np.roll(s[:, 1], -1)) - np.dot(s[:, 1], np.roll(s[:, 0], -1)))
            for s in shapes
        ]
    )
    light = np.isclose(colors[:, 2], 0.92, atol=0.5 / 255)
    assert pair.decisions is not None and area[light].sum() / area.sum() == pytest.approx(
        pair.decisions.agreement
    )


def test_edges_of_either_network_have_a_colour_of_their_own() -> None:
    both = comparison()
    ax = panels(both.draw(difference="edges"))[2]
    one, other = both.pair(0, 1).overlay.drawn
    assert len(segments_in(*layers_of(ax, "#0072b2"))) == (one & ~other).sum()
    assert len(segments_in(*layers_of(ax, "#d55e00"))) == (other & ~one).sum()


@pytest.mark.parametrize("color", ["norm", "class", "random", "area", "stage", "volume", "none"])
@pytest.mark.parametrize("difference", ["map", "decisions", "edges"])
def test_everything_is_drawn(color: Any, difference: Any) -> None:
    figure = comparison().draw(color=color, difference=difference, edges="plain")
    assert len(panels(figure)) == 3 and figure.get_size_inches()[0] == 7.2


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_files_carry_what_they_were_made_from_and_are_the_same_twice(suffix: str, tmp_path: Path) -> None:
    first, second = (tmp_path / f"{name}.{suffix}" for name in "ab")
    comparison().save_figure(first, extra={"seed": None})
    comparison().save_figure(second, extra={"seed": None})
    assert first.read_bytes() == second.read_bytes()
    if suffix == "png":
        from PIL import Image

        card = json.loads(Image.open(first).info["splineviz"])
        assert [model["name"] for model in card["models"]] == ["net 0", "net 1"]
        assert card["models"][0]["program"]["digest"] == random_net(0).digest and card["windows"]


def scalar_comparison(shapes: tuple[tuple[int, ...], ...] = ((2,), (2,))) -> sv.Comparison:
    nets = []
    for seed, shape in enumerate(shapes):
        torch.manual_seed(seed)
        flat = nn.Sequential(nn.Flatten(), nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)).double()
        flat[3].bias.data -= flat(torch.zeros(1, 2).double())[0]
        nets.append(sv.load_program(flat.eval(), input_shape=shape))
    return sv.compare(nets, PLANE, SQUARE)


def test_a_level_is_drawn_in_every_panel() -> None:
    both = scalar_comparison()
    axes = panels(both.draw(level=0.01))
    for arr, panel, color in zip(both.arrangements, axes, ("#0072b2", "#d7191c"), strict=False):
        wanted = arr.decision_boundary(level=0.01)
        assert len(wanted) and np.array_equal(segments_in(*layers_of(panel, "#d7191c")), wanted)
        assert np.array_equal(segments_in(*layers_of(axes[2], color)), wanted)
    with pytest.raises(InputError, match=r"decides by its sign, and a level of 0\.01 changes no decision"):
        both.draw(level=0.01, difference="decisions")
    with pytest.raises(InputError, match="a level is one of a network with a single output"):
        comparison().draw(level=0.01)
    texts = {text.get_text() for text in axes[2].texts}
    assert any(text.startswith("same sign on ") for text in texts)


def test_nothing_but_the_panels() -> None:
    figure = comparison().draw(legend=False, boundary=False, ticks=False)
    assert figure.axes == panels(figure) and not figure.findobj(Legend)
    assert not any(layers_of(ax, "#d7191c") for ax in figure.axes)
    wide, narrow = (panels(comparison().draw(legend=legend))[0] for legend in (False, True))
    assert wide.get_window_extent().width > narrow.get_window_extent().width + 30


def test_coordinates_stand_where_they_have_room() -> None:
    axes = panels(comparison(3).draw(width=9, ticks=True))
    shown = [any(tick.label1.get_visible() for tick in ax.yaxis.get_major_ticks()) for ax in axes]
    assert shown == [True, False, False, True, False, False]
    assert [bool(ax.get_xlabel()) for ax in axes] == [True] + 5 * [False]


def test_data_and_their_range_on_networks_of_several_input_shapes() -> None:
    both = scalar_comparison(((2,), (1, 2, 1)))
    points = np.array([[0.2, 0.3], [-0.4, 0.1], [0.3, -0.5]])
    how: dict[str, Any] = {"points": points, "point_classes": [0, 1, 1]}
    axes = panels(both.draw(valid_range=(np.array([-0.5, -0.25]), 0.5), **how))
    for ax in axes:
        (dots,) = [c for c in ax.collections if c.get_label() == "data"]
        assert np.allclose(dots.get_offsets(), points)
    for ax in axes[:2]:
        (outline,) = [p for p in ax.patches if isinstance(p, PathPatch) and p.get_linewidth() == 0.8]
        low, high = outline.get_path().vertices.min(0), outline.get_path().vertices.max(0)
        assert np.allclose([low, high], [[-0.5, -0.25], [0.5, 0.5]])


def test_one_colour_map_for_all_quantities() -> None:
    own, other = (comparison().draw(color="norm", cmap=cmap) for cmap in ("magma", None))
    for ax, plain in zip(panels(own), panels(other), strict=True):
        assert not np.allclose(fill_colors(ax), fill_colors(plain))


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="unknown difference 'colours'"):
        comparison().draw(difference="colours")
    with pytest.raises(InputError, match="unknown edges 'kink'"):
        comparison().draw(edges="kink")
    with pytest.raises(InputError, match="do not fit into a width of 4 inches"):
        comparison(4).draw(width=4)
    apart = sv.compare([random_net(0), random_net(1, (2, 8, 2))], PLANE, SQUARE)
    with pytest.raises(InputError, match="one number of outputs"):
        apart.draw(difference="map")
    assert panels(apart.draw())[2].get_title(loc="left") == "1 → 2"


def test_a_notebook_shows_it_small() -> None:
    shown = comparison(3)._repr_html_()
    assert shown.count("<iframe") == 1 and shown.count("&lt;figure") == 3 and "adjusted Rand index" in shown
    assert comparison().draw()._repr_png_().startswith(b"\x89PNG")


def test_the_legend_names_only_what_is_drawn() -> None:
    nets = []
    for seed in range(2):
        torch.manual_seed(seed)
        nets.append(nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1)).double())
        nets[-1][2].bias.data += 100.0
    figure = sv.compare(nets, PLANE, SQUARE).draw()
    texts = [text.get_text() for legend in figure.findobj(Legend) for text in legend.get_texts()]
    assert "edges of the first stage" in texts and "edges of the last stage" not in texts
    assert not {"output = 0", "decision boundary"} & set(texts)
    texts = [text.get_text() for legend in comparison().draw().findobj(Legend) for text in legend.get_texts()]
    assert {"edges of the first stage", "edges of the last stage"} <= set(texts)
