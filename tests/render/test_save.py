"""Figures as files: formats, identical bytes, what is embedded, no seams, nothing half-written."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

import splineviz as sv
from splineviz.arrangement.verdict import Status
from splineviz.errors import InputError
from splineviz.io.provenance import decode_array
from splineviz.render import draw, save, save_figure

from .samples import images_slice, program, two_windows

SVG = "{http://www.w3.org/2000/svg}"


def embedded(path: Path) -> dict:
    if path.suffix == ".png":
        with Image.open(path) as picture:
            return json.loads(picture.text["splineviz"])
    if path.suffix == ".svg":
        tag = "{http://purl.org/dc/elements/1.1/}description"
        return json.loads(next(ET.parse(path).getroot().iter(tag)).text)
    keywords = re.search(rb"/Keywords \((.*?)(?<!\\)\)", path.read_bytes(), re.DOTALL)
    return json.loads(re.sub(rb"\\(.)", rb"\1", keywords[1]))


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_identical_input_gives_identical_bytes_that_say_what_they_show(tmp_path, suffix):
    arr = images_slice()
    for name in ("one", "two"):
        save_figure(arr, tmp_path / f"{name}{suffix}", dpi=60, extra={"seed": 7})
    first = tmp_path / f"one{suffix}"
    assert first.read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
    card = embedded(first)
    assert card["program"]["digest"] == arr.info.digest
    assert (card["seed"], card["status"], card["cells"], card["window"]) == (7, "COMPLETE", arr.n_cells, 0)
    plane = arr.planes[0]
    assert np.array_equal(decode_array(card["planes"][0]["origin"]), plane.origin)
    assert np.array_equal(decode_array(card["planes"][0]["basis"]), plane.basis)
    assert np.array_equal(decode_array(card["windows"][0]), arr.windows[0].vertices)


def test_png_size_follows_width_and_dpi(tmp_path):
    save_figure(images_slice(), tmp_path / "x.png", width=4, dpi=50)
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.width == 200


def test_vector_files_hold_shapes_for_few_cells_and_an_image_for_many(tmp_path, monkeypatch):
    arr = images_slice()
    assert save_figure(arr, tmp_path / "few.svg", images=False) == "vector"
    monkeypatch.setattr(save, "VECTOR_FILL_CELLS", 10)
    assert save_figure(arr, tmp_path / "many.svg", images=False, dpi=60) == "raster"
    assert save_figure(arr, tmp_path / "forced.svg", images=False, fill="vector") == "vector"
    few, many = (tmp_path / "few.svg").read_text(), (tmp_path / "many.svg").read_text()
    assert "<image" not in few
    assert many.count("<image") == 1
    assert few.count("<path") - many.count("<path") >= arr.n_cells


def test_only_the_plane_of_the_drawn_window_is_embedded(tmp_path):
    arr = two_windows()
    save_figure(arr, tmp_path / "second.png", window=1, dpi=40)
    card = embedded(tmp_path / "second.png")
    assert card["window"] == 1
    assert np.array_equal(decode_array(card["planes"][0]["origin"]), arr.planes[1].origin)
    assert card["cells"] == (arr.cell_window == 1).sum()


def test_an_unfinished_arrangement_is_marked():
    arr = dataclasses.replace(images_slice(), status=Status.INCOMPLETE)
    texts = {text.get_text() for text in draw(arr, boundary=False).texts}
    assert texts - {text.get_text() for text in draw(images_slice(), boundary=False).texts} == {
        Status.INCOMPLETE.value
    }


def test_decisions_within_rounding_are_told_on_the_picture():
    arr = images_slice()
    stats = dataclasses.replace(arr.stats, certify="off", undecided=3)
    figure = draw(dataclasses.replace(arr, status=Status.UNDECIDED, stats=stats), boundary=False).get_figure()
    warning = next(text for text in figure.axes[0].texts if "rounding" in text.get_text())
    assert (
        warning.get_text()
        == "no decision is proven; 3 lay within rounding error and were taken as coincidences"
    )


@pytest.mark.parametrize(
    "box", [(-2, 2, -2, 2), (-0.3, 0.3, -2, 2), (-2, 2, -0.2, 0.2)], ids=["square", "tall", "wide"]
)
@pytest.mark.parametrize("legend", [True, False])
def test_nothing_below_the_frame_overlaps_or_leaves_the_figure(box, legend):
    arr = sv.arrange(program(), images_slice().planes[0], sv.Window.box(*box))
    arr = dataclasses.replace(
        arr, status=Status.UNDECIDED, stats=dataclasses.replace(arr.stats, undecided=12345)
    )
    ax = draw(arr, boundary=False, anchors=False, legend=legend)
    figure = ax.get_figure()
    figure.canvas.draw()
    boxes = [
        text.get_window_extent()
        for text in ax.texts
        if text.get_window_extent().y1 < ax.get_window_extent().y0
    ]
    assert len(boxes) >= 3
    for k, box in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[:k])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("x.jpg", {}, r"unknown suffix '\.jpg' of x\.jpg, expected one of \.png, \.svg, \.pdf"),
        ("x.png", {"fill": "oil"}, "unknown fill 'oil'"),
        ("x.png", {"color": "pink"}, "unknown color"),
        ("nowhere/x.png", {}, "does not exist"),
    ],
)
def test_bad_requests_write_nothing(tmp_path, name, options, message):
    with pytest.raises(InputError, match=message):
        save_figure(images_slice(), tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_no_seam_shows_between_cells(tmp_path):
    """One colour for all cells, and no lines: every pixel inside the window has exactly that colour."""
    options = {
        "color": "none",
        "edges": "none",
        "boundary": False,
        "anchors": False,
        "legend": False,
        "scale_bar": False,
    }
    save_figure(images_slice(), tmp_path / "flat.png", dpi=150, **options)
    with Image.open(tmp_path / "flat.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    inside = pixels[20:-50, 20:-20].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) == 1
    assert inside[0].min() > 200
    assert not np.array_equal(inside[0], [255, 255, 255])


def test_letters_in_an_svg_are_text_on_request(tmp_path):
    arr = images_slice()
    for name, text in (("shapes", False), ("text", True)):
        save_figure(arr, tmp_path / f"{name}.svg", title="a < b & c", text=text)
    found = [element.text for element in ET.parse(tmp_path / "text.svg").getroot().iter(f"{SVG}text")]
    assert "a < b & c" in found and f"{arr.n_cells:,} cells" in found
    assert not list(ET.parse(tmp_path / "shapes.svg").getroot().iter(f"{SVG}text"))
