"""Names are text, pages work without scripts, in the dark, narrow, and by keyboard alone."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page
from torch import nn

import splineviz as sv
from splineviz.arrangement.result import Arrangement
from tests.browser.conftest import DRAWN, Opened
from tests.browser.networks import dense, square

HOSTILE = '</script><img src=x onerror="window.taken=1"><b>"\'&\u202e'


@pytest.fixture(scope="module")
def arr() -> Arrangement:
    return square(dense(2, 16, 16, 3))


def test_hostile_names_are_text(open_page: Opened) -> None:
    torch.manual_seed(0)
    layers = [
        ("first", nn.Linear(2, 8)),
        ("<img src=x onerror=taken=1>", nn.ReLU()),
        ("last", nn.Linear(8, 3)),
    ]
    arr = square(nn.Sequential(OrderedDict(layers)))
    page = open_page(arr, title=HOSTILE, note=HOSTILE, class_names=[HOSTILE, "b", "c"], color="class")
    page.evaluate("() => splineviz.pin(splineviz.views[0], 0.5, 0.5)")
    page.get_by_label("Edges").select_option("stage")
    assert page.evaluate("() => window.taken") is None
    assert page.locator("#app img, #app b:has(img), #app script").count() == 0
    assert "onerror" in page.locator("h1").inner_text()
    assert "onerror" in page.locator(".legend").inner_text()


def test_without_scripts_there_is_the_picture(browser: Browser, arr: Arrangement, tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    sv.page(arr, path, title="three classes")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    picture = page.locator("noscript img, noscript svg").first
    box = picture.bounding_box()
    assert box is not None and min(box["width"], box["height"]) > 200
    assert "three classes" in page.locator("body").inner_text()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser: Browser, arr: Arrangement, tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "x.html"
    sv.page(arr, path)
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(path.as_uri())
    page.wait_for_selector(DRAWN)
    brightness = "(name) => getComputedStyle(document.body)[name].match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0)"
    paper, ink = (page.evaluate(brightness, name) for name in ("backgroundColor", "color"))
    page.close()
    assert (paper > 600 and ink < 200) if scheme == "light" else (paper < 200 and ink > 600)


def test_all_can_be_reached_by_keys_and_has_a_name(open_page: Opened, arr: Arrangement) -> None:
    page = open_page(arr)
    assert _nameless(page) == []
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("() => document.activeElement.tagName + (document.activeElement.className || '')")
        )
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or page.evaluate("() => document.activeElement === document.body")
    assert {"FIGUREview", "BUTTON", "SELECT", "INPUT"} <= reached


def _nameless(page: Page) -> list[str]:
    """Controls without a name that a screen reader could say."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, [role=application]")].filter((one) => {
          const label = one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.[0]?.textContent;
          return !label;
        }).map((one) => one.outerHTML)"""
    )
    return found


def test_what_hover_shows_is_said(open_page: Opened, arr: Arrangement) -> None:
    page = open_page(arr)
    page.locator(".view").focus()
    page.keyboard.press("ArrowRight")
    cell = page.evaluate("() => splineviz.hovered.cell")
    live = page.locator("[aria-live=polite]").filter(has_text=f"{cell}")
    live.first.wait_for(state="attached", timeout=5000)


def test_panels_of_a_comparison_move_together(open_page: Opened) -> None:
    first, second = dense(2, 12, 12, 2), dense(2, 12, 12, 2, seed=4)
    both = sv.compare([first, second], sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), names=["one", "two"])
    page = open_page(both)
    assert page.locator(".view figcaption").all_inner_texts() == ["one", "two"]
    box = page.locator(".view").nth(1).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -500)
    seen = page.evaluate(
        "() => splineviz.views.map((view) => [view.picture.camera.x, view.picture.camera.zoom])"
    )
    page.wait_for_timeout(200)
    seen = page.evaluate(
        "() => splineviz.views.map((view) => [view.picture.camera.x, view.picture.camera.zoom])"
    )
    assert seen[0] == seen[1] and seen[0][1] > 1
    assert page.evaluate("() => splineviz.hovered.panel.index") == 1
    marked = "(k) => splineviz.views[k].marks.getContext('2d').getImageData(0, 0, 2000, 2000).data.some((byte) => byte)"
    assert page.evaluate(marked, 0)


def test_checkpoints_follow_each_other(open_page: Opened, tmp_path: Path) -> None:
    network = dense(2, 10, 10, 2)
    for step in (0, 10, 100):
        torch.save(network.state_dict(), tmp_path / f"step-{step}.pt")
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.02)
    runs = sv.Checkpoints(network, tmp_path)
    path = tmp_path / "run.html"
    sv.animate(runs, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), path, jobs=1)
    page = open_page(path)
    slider = page.get_by_label("Checkpoint")
    names = []
    for frame in range(3):
        slider.fill(str(frame))
        page.wait_for_timeout(50)
        names.append(page.locator(".scrub output").inner_text())
        assert page.evaluate("() => splineviz.panel.index") == frame
    assert len(set(names)) == 3
    # a pattern keeps its colour
    kept = page.evaluate(
        """() => {
          const seen = new Map();
          let kept = 0;
          for (const { cells } of splineviz.panels) {
            for (let k = 0; k < cells.n; k++) {
              const color = [0, 1, 2].map((part) => cells.rgb[part * cells.n + k]).join();
              if (seen.has(cells.hash[k])) kept += seen.get(cells.hash[k]) === color ? 1 : NaN;
              seen.set(cells.hash[k], color);
            }
          }
          return kept;
        }"""
    )
    assert kept > 50
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(900)
    assert page.evaluate("() => splineviz.settings.frame") != 2
    page.get_by_role("button", name="Pause").click()
