"""The graph in 3-D: facets that are the function, one picture by WebGL and by scanlines, and what lies under the cursor."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page

from splineviz.arrangement.result import Arrangement
from tests.browser.conftest import Opened
from tests.browser.networks import dense, square

SHOW = """([settings, turn, tilt, camera, webgl, share]) => {
  const app = splineviz, [view] = app.views, { orbit } = app;
  orbit.step = () => false;  // no motion while a test looks
  Object.assign(app.settings, { color: "random", edges: "stage", output: "0" }, settings);
  Object.assign(orbit, { turn, tilt, share });
  if (camera) app.lookAt(...camera); else [app.camera.x, app.camera.y, app.camera.zoom] = app.overview();
  if (app.webgl !== webgl) view.graph?.remove();
  app.webgl = webgl;
  app.draw();
}"""
PIXELS = "() => splineviz.views[0].layers()[0].toDataURL()"
HITS = """(count) => {
  const app = splineviz, [view] = app.views, [width, height] = view.size, { surface } = view, found = [];
  surface.sharp(app.lookOf(view));
  for (let k = 0; k < count; k++) {
    const [column, row] = [(k * 7919) % width, Math.floor((k * 104729) / width) % height];
    const facet = surface.renderer.facet[row * width + column];
    const place = surface.place(column + 0.5, row + 0.5);
    const spot = app.spot(view.panel, ...place);
    const back = view.pixel(...place);
    found.push([facet < 0 ? -1 : surface.facets.cell[facet], spot ? spot.cell : -1,
      spot ? Math.hypot(back[0] - column - 0.5, back[1] - row - 0.5) : 0]);
  }
  return found;
}"""
"""Cells of pixels, by the buffer of facets and by the ray; and how far off a place's own pixel is"""
FACETS = """() => {
  const { facets } = splineviz.views[0].surface, { cells } = splineviz.panel, found = [];
  for (let f = 0; f < facets.n; f++) {
    for (let k = facets.first[f]; k < facets.first[f + 1]; k++) {
      found.push([f, ...cells.uv(facets.x[k], facets.y[k]), facets.h[k]]);
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def arr() -> Arrangement:
    return square(dense(2, 16, 16, 3))


@pytest.fixture(scope="module")
def page(open_page: Opened, arr: Arrangement) -> Page:
    return open_page(arr, width=600, height=420)


def show(
    page: Page, settings: dict[str, str], *, webgl: str = "none", camera: object = None, **orbit: float
) -> None:
    turn, tilt, share = (
        orbit.get(name, usual) for name, usual in (("turn", -0.6), ("tilt", 1.0), ("share", 1.0))
    )
    page.evaluate(SHOW, [settings, turn, tilt, camera, webgl, share])


def pixels(page: Page) -> np.ndarray:
    image = base64.b64decode(page.evaluate(PIXELS).partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGBA")).astype(int)


def height(values: np.ndarray, output: str) -> np.ndarray:
    """(N, K) outputs to (N,) heights."""
    if output.isdigit():
        return np.array(values[:, int(output)])
    if output.startswith("margin-"):
        k = int(output.removeprefix("margin-"))
        return np.array(values[:, k] - np.delete(values, k, 1).max(1))
    order: np.ndarray = np.sort(values, 1)
    second = order[:, -2] if output == "margin" else np.zeros(len(order))
    return np.array(order[:, -1] - second)


@pytest.mark.parametrize("output", ["1", "margin", "margin-2", "largest"])
@pytest.mark.parametrize("color", ["random", "class"])
def test_facets_are_the_function(page: Page, output: str, color: str) -> None:
    show(page, {"output": output, "color": color})
    facet, u, v, h = np.array(page.evaluate(FACETS)).T
    # any mean of a facet's corners lies on its plane
    weight = np.random.default_rng(0).random(len(facet))
    total = np.bincount(facet.astype(int), weight)
    u, v, h = (np.bincount(facet.astype(int), weight * values) / total for values in (u, v, h))
    with torch.no_grad():
        values = dense(2, 16, 16, 3).double()(torch.tensor(np.stack([u, v], 1))).numpy()
    np.testing.assert_allclose(h, height(values, output), atol=1e-5 * np.ptp(values), rtol=0)


@pytest.mark.parametrize(
    ("settings", "camera"),
    [
        ({}, None),
        ({"output": "margin", "color": "class"}, None),
        ({"color": "value", "edges": "none"}, None),
        ({"color": "norm", "edges": "kink"}, [0.5, 0.5, 20]),
        ({"output": "largest", "color": "class"}, [0.5, 0.5, 1e9]),
    ],
)
def test_webgl_and_scanlines_give_one_picture(page: Page, settings: dict[str, str], camera: object) -> None:
    show(page, settings, camera=camera)
    one = pixels(page)
    show(page, settings, camera=camera, webgl="any")
    assert page.evaluate("() => !!splineviz.views[0].surface.renderer.gl"), "no WebGL here"
    away = np.abs(one - pixels(page)).max(2)
    assert away.mean() < 2
    assert (away > 60).mean() < 0.005
    assert one[..., 3].any()


@pytest.mark.parametrize("camera", [[0.5, 0.5, 2], [0.4, 0.3, 9]])
def test_from_above_and_without_heights_it_is_the_flat_picture(page: Page, camera: object) -> None:
    show(page, {"color": "class"}, camera=camera, share=0)
    flat = pixels(page)
    show(page, {"color": "class"}, camera=camera, share=1e-6)
    away = np.abs(flat - pixels(page)).max(2)
    assert (away > 40).mean() < 0.002
    show(page, {"color": "class"}, camera=camera)
    assert (np.abs(flat - pixels(page)).max(2) > 40).mean() > 0.05


@pytest.mark.parametrize("camera", [None, [0.5, 0.5, 40], [0.5, 0.5, 1e9]])
@pytest.mark.parametrize("output", ["0", "margin"])
def test_a_pixel_is_of_the_cell_under_the_cursor(page: Page, camera: object, output: str) -> None:
    show(page, {"output": output}, camera=camera, turn=2.0, tilt=0.7)
    seen, hit, off = np.array(page.evaluate(HITS, 1500)).T
    assert (seen >= 0).mean() > 0.1
    # a pixel's middle may lie on a side
    assert (seen == hit).mean() > 0.998
    assert off.max() < 1e-3


def test_mouse_and_keys_turn_and_zoom(open_page: Opened, arr: Arrangement) -> None:
    page = open_page(arr)
    page.emulate_media(reduced_motion="reduce")
    page.keyboard.press("3")
    page.wait_for_function("() => splineviz.orbit.share === 1")
    box = page.locator(".view").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.wait_for_function("() => splineviz.hovered")
    found = page.evaluate("() => splineviz.views[0].pixel(splineviz.hovered.x, splineviz.hovered.y)")
    np.testing.assert_allclose(found, [box["width"] / 2, box["height"] / 2], atol=1.5)
    page.mouse.down()
    page.mouse.move(x + 50, y + 10)
    page.mouse.up()
    turn, tilt = page.evaluate("() => [splineviz.orbit.turn, splineviz.orbit.tilt]")
    assert page.evaluate("() => splineviz.pinned") is None
    page.locator(".view").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    after = page.evaluate("() => [splineviz.orbit.turn, splineviz.orbit.tilt, splineviz.camera.zoom]")
    assert after[0] > turn and after[1] < tilt and after[2] == 1
    page.keyboard.press("+")
    assert page.evaluate("() => splineviz.camera.zoom") == 1.5
    page.keyboard.press("0")
    assert page.evaluate("() => [splineviz.camera.zoom, splineviz.orbit.turn]") == [1, -0.6]
    page.keyboard.press("3")
    page.wait_for_function("() => splineviz.orbit.share === 0 && !splineviz.views[0].base.hidden")


def test_one_motion_leads_from_flat_to_the_graph(open_page: Opened, arr: Arrangement) -> None:
    page = open_page(arr)
    shares = page.evaluate(
        """async () => {
          const app = splineviz, found = [];
          await app.set({ surface: true });
          while (found.at(-1) !== 1) await new Promise((done) => requestAnimationFrame(() => done(found.push(app.orbit.share))));
          return found;
        }"""
    )
    assert shares == sorted(shares)
    assert len(set(shares)) > 3


@pytest.mark.parametrize("output", ["0", "margin", "largest"])
def test_one_output_is_compared_with_the_level(open_page: Opened, output: str) -> None:
    page = open_page(square(dense(2, 8, 1)), width=500, height=400)
    show(page, {"output": output})
    *_, h = np.array(page.evaluate(FACETS)).T
    if output != "0":
        assert h.min() > -1e-12
    assert pixels(page)[..., 3].any()
