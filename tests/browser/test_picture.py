"""Pixels are of the cells that lie there, whatever was drawn before; and every control does what it says."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from splineviz.arrangement.result import Arrangement
from tests.browser.conftest import DRAWN, Opened
from tests.browser.networks import dense, square

SEEN = """([count, seed]) => {
  const view = splineviz.views[0], { raster } = view.picture, [width, height] = view.size;
  const found = [];
  for (let k = 0; k < count; k++) {
    const pixel = (k * 7919 + seed) % (width * height);
    const place = splineviz.camera.place((pixel % width) + 0.5, Math.floor(pixel / width) + 0.5, width, height);
    found.push([...view.panel.cells.uv(...place), raster.cell[pixel]]);
  }
  return found;
}"""
"""uv of the middles of pixels, and the cells that they are of"""
IMAGE = """() => {
  const { words } = splineviz.views[0].picture.raster;
  let sum = 0;
  for (let k = 0; k < words.length; k++) sum = (Math.imul(sum, 31) + words[k]) | 0;
  return sum;
}"""
"""A number for all pixels"""
SETTLE = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def arr() -> Arrangement:
    return square(dense(2, 24, 24, 3))


@pytest.fixture
def page(open_page: Opened, arr: Arrangement) -> Page:
    shown = open_page(arr, color="class", class_names=["cat", "dog", "owl"])
    shown.evaluate("() => splineviz.home()")
    return shown


def image(page: Page) -> int:
    page.evaluate(SETTLE)
    return int(page.evaluate(IMAGE))


def agrees(page: Page, arr: Arrangement, count: int = 3000) -> None:
    """Pixels are of the cells that the arrangement finds at their middles."""
    page.evaluate(SETTLE)
    u, v, cell = np.array(page.evaluate(SEEN, [count, 11])).T
    assert (arr.locate(np.stack([u, v], 1)) == cell).all()


def test_pixels_are_of_their_cells(page: Page, arr: Arrangement) -> None:
    agrees(page, arr)


@pytest.mark.parametrize("zoom", [40.0, 1e6, 1e9])
def test_also_deep_down(page: Page, arr: Arrangement, zoom: float) -> None:
    inner = np.flatnonzero(np.abs(arr.vertices).max(1) < 0.9)[7]
    u, v = arr.vertices[inner]
    page.evaluate("([u, v, zoom]) => splineviz.lookAt((u + 1) / 2, (v + 1) / 2, zoom)", [u, v, zoom])
    page.evaluate(SETTLE)
    u, v, cell = np.array(page.evaluate(SEEN, [3000, 5])).T
    # the page's vertices are rounded to 2^-50 of the window, the arrangement's to doubles: some 1e-15
    inside = np.abs(arr.distance(np.stack([u, v], 1))[0]) > 1e-14
    assert inside.mean() > 0.99
    assert (arr.locate(np.stack([u, v], 1))[inside] == cell[inside]).all()
    assert len(np.unique(cell)) >= 3


def test_what_is_moved_into_view_is_drawn_as_all_else(page: Page, arr: Arrangement) -> None:
    size = page.evaluate("() => splineviz.views[0].size")
    for dx, dy in ((13, 0), (0, -29), (-57, 31), (400, 3), (-7, -350)):
        page.evaluate(
            "([dx, dy, size]) => { splineviz.camera.pan(dx, dy, ...size); splineviz.draw(); }", [dx, dy, size]
        )
    agrees(page, arr)
    others, shade = page.evaluate(
        """() => {
          const view = splineviz.views[0], { raster } = view.picture;
          const [cells, bytes] = [raster.cell.slice(), raster.bytes.slice()];
          view.picture.findWidth = () => {};  // lines keep the width that they have while a picture moves
          view.picture.look = "";
          view.sharp(splineviz.lookOf(view));
          const shade = bytes.reduce((most, byte, k) => Math.max(most, Math.abs(byte - raster.bytes[k])), 0);
          return [cells.filter((cell, k) => cell !== raster.cell[k]).length, shade];
        }"""
    )
    # where lines cross, the order in which they are blended is another one
    assert others == 0
    assert shade <= 3


def test_every_look_is_another_picture(page: Page) -> None:
    modes = (
        page.locator("select").nth(0).locator("option").evaluate_all("(all) => all.map((one) => one.value)")
    )
    assert set(modes) == {"random", "norm", "class", "area", "kink", "stage", "volume", "value", "none"}
    colors = []
    for mode in modes:
        page.get_by_label("Colour").select_option(mode)
        colors.append(image(page))
    assert len(set(colors)) == len(modes)
    edges = []
    for style in ("stage", "kink", "plain", "none"):
        page.get_by_label("Edges").select_option(style)
        edges.append(image(page))
    assert len(set(edges)) == 4
    page.get_by_label("decision boundary").uncheck()
    assert image(page) != edges[-1]
    page.get_by_label("decision boundary").check()
    assert image(page) == edges[-1]


def test_stages_build_the_picture(page: Page, arr: Arrangement) -> None:
    slider, images = page.locator(".slider input"), []
    for stage, count in enumerate(arr.stats.cells_per_stage):
        slider.fill(str(stage))
        assert f"{count:,} cells" in page.locator(".slider small").inner_text()
        labels = page.evaluate("(stage) => new Set(splineviz.panel.stages.labelsAt(stage)).size", stage)
        assert labels == count
        images.append(image(page))
    assert len(set(images)) == len(images) > 1


def test_keys_do_what_the_help_says(page: Page) -> None:
    settings = "() => ({ ...splineviz.settings, zoom: splineviz.camera.zoom, x: splineviz.camera.x })"
    view = page.locator(".view").first
    view.focus()
    before = page.evaluate(settings)
    for key, changed in (
        ("c", "color"),
        ("e", "edges"),
        ("b", "boundary"),
        ("[", "stage"),
        ("+", "zoom"),
        ("ArrowLeft", "x"),
    ):
        page.keyboard.press(key)
        now = page.evaluate(settings)
        assert now[changed] != before[changed], key
        before = now
    page.keyboard.press("0")
    assert page.evaluate("() => splineviz.camera.zoom") == 1
    page.keyboard.press("Enter")
    assert page.evaluate("() => splineviz.pinned.cell >= 0")
    page.keyboard.press("Escape")
    assert page.evaluate("() => splineviz.pinned === null")
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.get_by_role("button", name="Close").click()


def test_wheel_and_drag(page: Page, arr: Arrangement) -> None:
    box = page.locator(".view").first.bounding_box()
    assert box is not None
    x, y = round(box["x"] + box["width"] / 3), round(box["y"] + box["height"] / 2)
    under = "([x, y]) => splineviz.views[0].place({ clientX: x, clientY: y })"
    before = page.evaluate(under, [x, y])
    page.mouse.move(x, y)
    page.mouse.wheel(0, -600)
    assert page.evaluate(under, [x, y]) == pytest.approx(before, abs=1e-9)
    assert page.evaluate("() => splineviz.camera.zoom") > 2
    page.mouse.down()
    page.mouse.move(x + 40, y + 25, steps=4)
    page.mouse.up()
    assert page.evaluate(under, [x + 40, y + 25]) == pytest.approx(before, abs=2e-3)
    assert page.evaluate("() => splineviz.pinned === null")
    agrees(page, arr)


def test_a_link_leads_back(page: Page, browser: Browser) -> None:
    page.evaluate(
        "() => { splineviz.lookAt(0.3, 0.7, 12.5); return splineviz.set({ color: 'area', stage: 0, edges: 'plain' }); }"
    )
    page.wait_for_url(re.compile("area"))
    there = page.url
    other = browser.new_page()
    other.goto(there)
    other.wait_for_selector(DRAWN)
    state = "() => [splineviz.camera.x, splineviz.camera.y, splineviz.camera.zoom, splineviz.settings.color, splineviz.settings.stage, splineviz.settings.edges]"
    found = other.evaluate(state)
    other.close()
    assert found[:3] == pytest.approx([0.3, 0.7, 12.5], rel=1e-12)
    assert found[3:] == ["area", 0, "plain"]


def test_a_wrong_link_changes_nothing(page: Page) -> None:
    before = page.evaluate("() => JSON.stringify([splineviz.settings, splineviz.camera])")
    page.evaluate("() => { location.hash = '#x,%E0%A4%A,-1,nocolor,99,zigzag,7,none'; }")
    page.evaluate(SETTLE)
    assert page.evaluate("() => JSON.stringify([splineviz.settings, splineviz.camera])") == before


def test_files_of_the_view(page: Page, arr: Arrangement) -> None:
    page.evaluate("() => splineviz.home()")
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG").click()
    text = download.value.path().read_text(encoding="utf-8")
    shapes = ET.fromstring(text)
    filled = [one for one in shapes.iter() if one.get("fill", "none") != "none" and one.tag.endswith("path")]
    assert len(filled) >= arr.n_cells
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    data = download.value.path().read_bytes()
    assert data.startswith(b"\x89PNG")
    assert list(np.frombuffer(data[16:24], ">u4")) == page.evaluate("() => splineviz.views[0].size")


def test_an_image_that_stays_the_same(page: Page) -> None:
    """Cells, classes, lines and boundary of a small view, pixel by pixel: 1 % of them may be a shade off."""
    shown = page.evaluate(
        """() => {
          const { picture } = splineviz.views[0];
          picture.draw(splineviz.camera.copy(), { ...splineviz.lookOf(splineviz.views[0]), pixelRatio: 1 }, 120, 120);
          return [...picture.raster.bytes];
        }"""
    )
    from tests.browser.golden import compare

    compare(np.array(shown, dtype=np.uint8).reshape(120, 120, 4), "classes.png")


def test_nothing_is_fetched(open_page: Opened, arr: Arrangement) -> None:
    page = open_page(arr)
    assert (
        page.evaluate(
            "() => performance.getEntriesByType('resource').filter(({ name }) => /^(http|file)/.test(name)).length"
        )
        == 0
    )


def test_a_narrow_page_is_not_scrolled_sideways(open_page: Opened, arr: Arrangement) -> None:
    for width in (390, 1280):
        page = open_page(arr, width=width)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert (
            json.loads(page.evaluate("() => document.getElementById('card').textContent"))["cells"]
            == arr.n_cells
        )
