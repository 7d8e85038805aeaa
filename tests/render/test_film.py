"""Frames of an animation: one size, a strip with a cursor, and all of it as one file."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from splineviz.errors import InputError
from splineviz.plane import Window
from splineviz.render import movie
from splineviz.render.compose import compose_png, compose_svg
from splineviz.render.film import Sheet, save_picture
from splineviz.render.movie import save_movie
from splineviz.render.strip import Chart, Strip

from .samples import images_slice as trained

STEPS = (0, 1, 10, 100)


def strip(sheet: Sheet) -> Strip:
    cells = np.array([4.0, 9.0, np.nan, 2.0])
    return Strip(
        sheet,
        STEPS,
        [
            Chart("cells", (("cells", cells),)),
            Chart("accuracy", (("train", cells / 9), ("test", cells / 10)), 1.05),
        ],
    )


def test_the_cursor_moves_and_nothing_else() -> None:
    made = strip(Sheet((0, 1, 0, 1), 5.5, 110))
    images = [made.image(k) for k in range(4)]
    assert {image.shape for image in images} == {(126, 605, 3)}
    changed = [(images[0] != image).any(-1) for image in images[1:]]
    assert all(0 < change.sum() < 0.04 * change.size for change in changed)
    assert np.array_equal(made.image(0), images[0])


def test_a_series_that_tells_nothing_has_no_axis_of_its_own_size() -> None:
    made = Strip(Sheet((0, 1, 0, 1), 5.5, 50), [5], [Chart("cells", (("cells", np.array([np.nan])),))])
    assert made.image(0).shape[1] == 275


@pytest.mark.parametrize("bounds", [(0.0, 1.0, 0.0, 1.0), (0.0, 4.0, 0.0, 1.0), (0.0, 1.0, 0.0, 5.0)])
def test_a_sheet_is_as_large_with_cells_as_without(
    tmp_path: Path, bounds: tuple[float, float, float, float]
) -> None:
    sheet, window = Sheet(bounds, 5.5, 60), Window.box(*bounds)
    save_picture(
        tmp_path / "a.png", sheet, window, None, title="step 3", message="NaN or infinite weights: 0.bias"
    )
    save_picture(tmp_path / "b.png", sheet, window, trained(), title="step 4", labels=None)
    a, b = (Image.open(tmp_path / name) for name in ("a.png", "b.png"))
    assert a.size == b.size and a.size[0] == 330
    frame = compose_png(tmp_path / "a.png", strip(sheet).image(0))
    assert frame.size == (330, a.size[1] + round(1.15 * 60))


def test_vector_frames_are_one_document(tmp_path: Path) -> None:
    sheet = Sheet((0.0, 1.0, 0.0, 1.0), 5.5, 60)
    save_picture(tmp_path / "a.svg", sheet, trained().windows[0], trained(), title="step 4")
    whole = compose_svg((tmp_path / "a.svg").read_text(), strip(sheet).svg(1))
    root = ET.fromstring(whole)
    assert [child.tag.rpartition("}")[2] for child in root] == ["svg", "svg"]
    ids = [element.get("id") for element in root.iter()]
    used = {name for name in re.findall(r'(?:url\(|href=")#([^)"]+)', whole) if not name.startswith("DejaVu")}
    assert len(used) > 4 and all(ids.count(name) == 1 for name in used), (
        "no clip of one part is taken for one of the other"
    )
    below = root[1]
    assert float(below.get("y", "0")) == pytest.approx(72 * sheet.height, abs=0.1)


def test_one_palette_for_all_frames_of_a_gif(tmp_path: Path) -> None:
    half = np.zeros((40, 60, 3), np.uint8)
    half[:, :30] = (200, 60, 20)
    others = [np.random.default_rng(k).integers(0, 255, (40, 30, 3), dtype=np.uint8) for k in range(3)]
    frames = [Image.fromarray(np.hstack([half[:, :30], other])) for other in others]
    save_movie(tmp_path / "a.gif", frames, [0.5] * 3, {"steps": [0, 1, 2]})
    with Image.open(tmp_path / "a.gif") as image:
        shades = set()
        for k in range(3):
            image.seek(k)
            shades |= {tuple(pixel) for pixel in np.asarray(image.convert("RGB"))[:, :28].reshape(-1, 3)}
    assert len(shades) == 1


def test_a_video_shows_each_frame_as_long_as_it_is_to_be_shown(tmp_path: Path) -> None:
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    shades = (30, 120, 220)
    save_movie(
        tmp_path / "a.mp4",
        [Image.new("RGB", (41, 33), (s, s, s)) for s in shades],
        [0.5, 0.25, 1.0],
        {"steps": [0, 1, 2]},
    )
    reader = imageio_ffmpeg.read_frames(str(tmp_path / "a.mp4"))
    assert next(reader)["size"] == (42, 34), "the codec wants even sizes"
    levels = [np.frombuffer(frame, np.uint8).reshape(34, 42, 3)[5, 5, 0] for frame in reader]
    nearest = [min(shades, key=lambda shade: abs(int(level) - shade)) for level in levels]
    assert [nearest.count(shade) for shade in shades] == [10, 5, 20]


def test_a_video_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs the package imageio-ffmpeg\n.*splineviz\[video\]"):
        movie.check_movie(tmp_path / "a.mp4")


@pytest.mark.parametrize("legend", [False, True])
@pytest.mark.parametrize("ticks", [False, True])
def test_all_that_stands_round_a_slice_is_on_the_sheet(tmp_path: Path, legend: bool, ticks: bool) -> None:
    arr = trained()
    sheet = Sheet(arr.windows[0].bounds, 5.5, 60, legend=legend, ticks=ticks)
    save_picture(tmp_path / "a.png", sheet, arr.windows[0], arr, title="step 4")
    ink = np.asarray(Image.open(tmp_path / "a.png").convert("L")) < 200
    assert ink.shape[1] == 330 and not any(rim.any() for rim in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))
    before = np.flatnonzero(ink[ink.shape[0] // 3]).min()  # of a row that the slice is in
    assert (before > 20) == ticks
