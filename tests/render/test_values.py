"""Fills by the output: every pixel has the colour of the network's own value there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.colors import Normalize
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.render import draw
from splineviz.render.values import pixel_values

from .samples import images_slice


def image_network(outputs: int) -> nn.Module:
    torch.manual_seed(4)
    return nn.Sequential(
        nn.Linear(2, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, outputs)
    ).double()


def image_slice(outputs: int) -> tuple[nn.Module, sv.Arrangement]:
    model = image_network(outputs)
    return model, sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-1, 2, -1, 1))


def at_pixels(model: nn.Module, shape: tuple[int, int]) -> np.ndarray:
    rows, columns = shape
    u = -1 + (np.arange(columns) + 0.5) * 3 / columns
    v = 1 - (np.arange(rows) + 0.5) * 2 / rows
    points = np.stack(np.broadcast_arrays(u, v[:, None]), -1)
    with torch.no_grad():
        values: np.ndarray = model(torch.tensor(points)).numpy()
    return values


@pytest.mark.parametrize("outputs", [1, 3])
def test_pixels_hold_the_outputs_of_the_network(outputs: int) -> None:
    model, arr = image_slice(outputs)
    values = pixel_values(arr, 0)
    assert values.shape == (800, 1200, outputs)
    wanted = at_pixels(model, values.shape[:2])
    # where a pixel has the map of the cell beside its own, it lies within a pixel of their common edge
    assert np.abs(values - wanted).max() < 0.01 * np.ptp(wanted)
    assert (np.abs(values - wanted) < 1e-12).mean() > 0.98


def test_one_output_is_on_a_scale() -> None:
    model, arr = image_slice(1)
    ax = draw(arr, color="value", limits=(-0.5, 0.5), cmap="gray", edges="none", boundary=False)
    (shown,) = ax.get_images()
    assert list(shown.get_extent()) == [-1, 2, -1, 1]
    pixels = np.asarray(shown.get_array())
    gray = Normalize(-0.5, 0.5, clip=True)(at_pixels(model, pixels.shape[:2])[..., 0])
    assert np.abs(pixels[..., :3] - gray[..., None]).max() < 0.02 and (pixels[..., 3] == 1).all()
    assert "output" in [text.get_text() for text in ax.texts]


def test_three_outputs_are_a_picture() -> None:
    model, arr = image_slice(3)
    ax = draw(arr, color="value", limits=(0.0, 1.0), edges="none", boundary=False)
    pixels = np.asarray(ax.get_images()[0].get_array())
    assert np.abs(pixels[..., :3] - at_pixels(model, pixels.shape[:2]).clip(0, 1)).max() < 0.02
    with pytest.raises(InputError, match="a colour map has no use"):
        draw(arr, color="value", cmap="gray")


def test_outside_of_a_window_nothing_is_shown() -> None:
    program = sv.load_program(image_network(1))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.polygon([[0, 0], [1, 0], [0, 1]]))
    values = pixel_values(arr, 0)
    assert np.isnan(values[0, -1]).all() and np.isfinite(values[-1, 0]).all()
    assert np.isfinite(values).mean() == pytest.approx(0.5, abs=0.01)


def test_other_numbers_of_outputs_are_refused() -> None:
    with pytest.raises(InputError, match=r"this network has 4(.|\n)*returns one of them") as caught:
        draw(images_slice(), color="value")
    assert "--output-index" in caught.value.for_command()
