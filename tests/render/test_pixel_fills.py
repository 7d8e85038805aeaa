"""Pictures of pixels: fills lie where cells are, whatever the size of pixels, in every format."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from splineviz.render import draw, pixel_fills, save_figure
from splineviz.render.palette import pattern_colors

from .artists import fills_of
from .samples import images_slice, two_windows

BARE = {
    "edges": "plain",
    "boundary": False,
    "anchors": False,
    "legend": False,
    "scale_bar": False,
    "ticks": False,
}


@pytest.mark.parametrize("dpi", [60, 117, 240])
def test_pixels_have_the_colour_of_their_cell(dpi: int, tmp_path: Path) -> None:
    arr = two_windows()
    ax = draw(arr, window=1, width=4, **BARE)
    for artist in ax.get_children():
        artist.set_visible(artist in fills_of(ax))
    ax.figure.savefig(tmp_path / "fills.png", dpi=dpi)
    with Image.open(tmp_path / "fills.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))[::-1]
    ax.figure.dpi = dpi
    rows, columns = pixels.shape[:2]
    places = np.stack(np.broadcast_arrays(np.arange(columns) + 0.5, np.arange(rows)[:, None] + 0.5), -1)
    uv = ax.transData.inverted().transform(places.reshape(-1, 2))
    cells = arr.locate(uv, window=1).reshape(rows, columns)
    expected = np.rint(255 * pattern_colors(arr.pattern_hash))
    assert (cells >= 0).sum() > 1000
    np.testing.assert_array_equal(pixels[cells >= 0], expected[cells[cells >= 0]])
    assert (pixels[cells < 0] == 255).all()


def test_a_vector_file_holds_the_same_pixels_as_an_image(tmp_path: Path) -> None:
    arr = images_slice()
    save_figure(arr, tmp_path / "x.svg", fill="raster", dpi=72, **BARE)
    text = (tmp_path / "x.svg").read_text(encoding="utf-8")
    (content,) = re.findall(r'"data:image/png;base64,\s*([^"]+)"', text)
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        inside = np.asarray(picture.convert("RGBA"))
    ax = draw(arr, **BARE)
    (fills,) = fills_of(ax)
    ax.figure.dpi = 72
    left, low, right, high = ax.bbox.extents
    corners = [(np.floor(left), np.floor(low)), (np.ceil(right), np.ceil(high))]
    (u0, v0), (u1, v1) = ax.transData.inverted().transform(corners)
    np.testing.assert_array_equal(inside, fills.image((u0, u1, v0, v1), inside.shape[:2])[::-1])


@pytest.mark.parametrize("edges", ["plain", "none"])
def test_bands_of_pixels_join(edges: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arr = images_slice()
    (fills,) = fills_of(draw(arr, **(BARE | {"edges": edges})))
    asked = arr.windows[0].bounds, (64, 48)
    whole = fills.image(*asked)
    assert (whole[..., 3] == 255).all() and len(np.unique(whole.reshape(-1, 4), axis=0)) > 50
    monkeypatch.setattr(pixel_fills, "_PIXELS", 48 * 16)
    apart = fills.image(*asked)
    assert np.abs(apart.astype(int) - whole).max() <= (edges == "none")
