"""What the page tells about a spot is what the arrangement tells."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from torch import nn

import splineviz as sv
from splineviz.arrangement.jumps import joined_cells
from splineviz.arrangement.result import Arrangement
from splineviz.render.cellcolor import in_slice_norm
from tests.browser.conftest import Opened
from tests.browser.networks import dense

TELL = """(pixels) => pixels.map(([clientX, clientY]) => {
  const view = document.querySelector(".view");
  view.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, pointerId: 1, bubbles: true }));
  const { panel, cell, x, y } = splineviz.hovered;
  const texts = (rows, text) => [...document.querySelectorAll(rows)].map((row) => row.querySelector(text).textContent);
  const values = [...document.querySelectorAll(".facts dd")];
  return {
    cell,
    uv: panel.cells.uv(x, y),
    outputs: panel.maps.take(cell).all(x, y),
    norm: panel.maps.normAndVolume()[0],
    facts: Object.fromEntries(values.map((value) => [value.className.slice(5), value.textContent])),
    on: texts(".units-on tbody tr", "td"),
    bars: texts(".output-bars tr", ".number"),
    largest: [...document.querySelectorAll(".output-bars tr")].findIndex((row) => row.className === "largest-output"),
  };
})"""
"""Moves the cursor to pixels, and reads what the page says at each"""
SIX = 5.1e-6
"""Relative, of a number in six digits"""
PLACE = 4e-15
"""Of the window: what places are rounded to, and what a few sums lose"""


@dataclass(frozen=True)
class Opening:
    arr: Arrangement
    page: Page
    extent: float


@pytest.fixture(scope="module")
def points(open_page: Opened) -> Opening:
    """Of three outputs on the square, with two numbers as input."""
    program = sv.load_program(dense(2, 24, 24, 3), input_shape=(2,))
    arr = sv.arrange(program, sv.Plane.identity(), sv.Window.box(-1, 2, -1.5, 1))
    return Opening(arr, open_page(arr, class_names=["ant", "bee", "cat"]), 3.0)


def _place(opening: Opening, k: int) -> tuple[float, float]:
    u, v = opening.arr.vertices[k]
    return (u + 1) / 3, (v + 1.5) / 3


def _hover(page: Page, pixels: np.ndarray) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(TELL, pixels.tolist())
    return found


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def _close(text: str, value: float, near: float = 0.0) -> None:
    assert _number(text) == pytest.approx(value, rel=SIX, abs=near)


def _as_in_the_arrangement(opening: Opening, told: dict[str, Any]) -> None:
    arr, facts = opening.arr, told["facts"]
    cell, uv = told["cell"], np.array(told["uv"])
    assert cell == arr.locate(uv)
    assert facts["cell"] == f"{cell} of {arr.n_cells:,}"
    _close(facts["area"], arr.areas[cell])
    stage = int(arr.cell_stage[cell])
    assert facts["stage"] == ("none" if stage < 0 else f"{stage} ({arr.program.stages[stage].name})")
    assert facts["hash"] == f"{int(arr.pattern_hash[cell, 0]) >> 32:08x}"
    assert facts["doubt"] == ("yes" if cell in arr.in_doubt else "no")
    count = int((arr.linear_regions == arr.linear_regions[cell]).sum())
    assert facts["region"].startswith("this cell alone" if count == 1 else f"{count} cells")
    outputs = arr.affine[cell] @ np.append(uv, 1.0)
    np.testing.assert_allclose(told["outputs"], outputs, rtol=1e-6)
    for text, output in zip(told["bars"], outputs, strict=True):
        _close(text, output)
    assert told["largest"] == outputs.argmax()
    assert facts["class"].split(",")[0] == ("ant", "bee", "cat")[outputs.argmax()]
    norm = in_slice_norm(arr.affine)[cell]
    assert told["norm"] == pytest.approx(norm, rel=1e-6)
    _close(facts["norm"], norm)
    assert [int(text) for text in told["on"]] == [int(bits.sum()) for bits in arr.pattern(cell)]
    _nearest_edge(opening, facts, uv)


def _nearest_edge(opening: Opening, facts: dict[str, str], uv: np.ndarray) -> None:
    arr, near = opening.arr, PLACE * opening.extent
    to_edge = float(arr.distance(uv)[0])
    _close(facts["edge"], to_edge, near)
    nearest = _nearest(arr, uv, near)
    names = {
        f"stage {s}, {arr.program.stages[s].name}[{unit}]" for e in nearest for s, unit in arr.edge_units[e]
    }
    assert facts["unit"] in names
    jumps = [
        jump for jump in arr.edge_jump[nearest] if _number(facts["kink"]) == pytest.approx(jump, rel=1e-5)
    ]
    assert jumps


def _nearest(arr: Arrangement, uv: np.ndarray, near: float = 0.0) -> np.ndarray:
    """The edges nearest to a point, but for those on the rim."""
    inner = np.flatnonzero((arr.edge_cells >= 0).all(1))
    a, b = arr.vertices[arr.edges[inner]].transpose(1, 0, 2)
    t = np.clip(((uv - a) * (b - a)).sum(1) / ((b - a) ** 2).sum(1), 0, 1)
    away = np.linalg.norm(uv - a - t[:, None] * (b - a), axis=1)
    return inner[away <= away.min() + near]


def _pixels(page: Page, n: int, reach: float, seed: int) -> np.ndarray:
    """Pixels in the middle of the view."""
    box = page.locator(".view").bounding_box()
    assert box
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    return middle + reach * min(box["width"], box["height"]) * np.random.default_rng(seed).uniform(
        -0.5, 0.5, (n, 2)
    )


def test_hover_tells_the_numbers_of_the_arrangement(points: Opening) -> None:
    points.page.evaluate("splineviz.home()")
    all_told = _hover(points.page, _pixels(points.page, 100, 0.78, seed=0))
    for told in all_told:
        _as_in_the_arrangement(points, told)
    assert len({told["cell"] for told in all_told}) > 50


def test_hover_tells_them_at_a_zoom_of_a_billion(points: Opening) -> None:
    degrees = np.bincount(points.arr.edges.ravel())
    for k in np.flatnonzero(degrees >= 4)[::40][:10].tolist():
        points.page.evaluate("([x, y]) => splineviz.lookAt(x, y, 1e9)", _place(points, k))
        all_told = _hover(points.page, _pixels(points.page, 10, 0.9, seed=k))
        for told in all_told:
            assert np.abs(np.array(told["uv"]) - points.arr.vertices[k]).max() < 1e-9 * points.extent
            _as_in_the_arrangement(points, told)
        assert len({told["cell"] for told in all_told}) > 1, "the cells round a vertex"


def test_the_distance_to_the_boundary_comes_when_the_cursor_rests(points: Opening) -> None:
    page = points.page
    page.evaluate("splineviz.home()")
    x, y = _pixels(page, 1, 0.5, seed=5)[0]
    page.mouse.move(x, y)
    expect(page.locator(".fact-boundary")).to_have_text(re.compile(r"^\d"))
    for told in _hover(page, _pixels(page, 200, 0.78, seed=1)):
        _close(told["facts"]["boundary"], float(points.arr.distance(told["uv"])[1]), 1e-14)


def test_the_input_at_the_cursor_is_drawn(points: Opening, open_page: Opened) -> None:
    [told] = _hover(points.page, _pixels(points.page, 1, 0.5, seed=2))
    shown = points.page.locator(".input-view td").all_text_contents()
    for text, coordinate in zip(shown, told["uv"], strict=True):
        _close(text, coordinate)
    colored = open_page(_of_images(), images=True)
    [told] = _hover(colored, _pixels(colored, 1, 0.5, seed=2))
    pixels = colored.evaluate(
        """() => {
      const canvas = document.querySelector(".input-view canvas");
      const { width, height } = canvas;
      return [width, height, ...canvas.getContext("2d").getImageData(0, 0, width, height).data];
    }"""
    )
    arr = _of_images()
    scene = json.loads(colored.locator("#scene").text_content() or "")["input"]
    image = arr.planes[0].lift(told["uv"]).transpose(1, 2, 0)
    expected = np.clip(255 * (image - scene["low"]) / (scene["high"] - scene["low"]), 0, 255)
    assert pixels[:2] == [7, 6]
    np.testing.assert_allclose(np.reshape(pixels[2:], (6, 7, 4))[..., :3], expected, atol=0.51)


def _of_images() -> Arrangement:
    """Of one output on the plane through three random images of six rows, seven columns and three colours."""
    network = nn.Sequential(nn.Flatten(), dense(126, 12, 1))
    images = torch.as_tensor(np.random.default_rng(4).uniform(-1, 1, (3, 3, 6, 7)), dtype=torch.float32)
    return sv.slice(network, images)


def test_a_click_pins_a_cell_whose_numbers_can_be_copied(points: Opening) -> None:
    arr, page = points.arr, points.page
    page.evaluate("splineviz.home()")
    x, y = _pixels(page, 1, 0.4, seed=7)[0]
    page.mouse.click(x, y)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not here')); }")
    page.get_by_role("button", name="Copy as JSON").click()
    copied = json.loads(page.get_by_role("textbox", name="The cell as JSON").input_value())
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => (window.written = text); }")
    page.get_by_role("button", name="Copy as JSON").click()
    assert page.evaluate("written").startswith("{")
    cell = copied["cell"]
    assert cell == arr.locate(copied["uv"])
    assert page.locator(".pinned h2").text_content() == f"Pinned cell {cell}"
    np.testing.assert_allclose(copied["corners"], arr.vertices[arr.cells[cell]], atol=PLACE * 3)
    assert copied["area"] == pytest.approx(arr.areas[cell])
    affine = [output["affine"] for output in copied["outputs"]]
    np.testing.assert_allclose(affine, arr.affine[cell], rtol=1e-8, atol=1e-10)
    sides = arr.cell_edges[arr.cells.offsets[cell] : arr.cells.offsets[cell + 1]]
    for side, edge in zip(copied["sides"], sides, strict=True):
        assert sorted([unit["stage"], unit["unit"]] for unit in side["units"]) == sorted(
            arr.edge_units[edge].tolist()
        )
        assert side["kink"] == pytest.approx(arr.edge_jump[edge], rel=1e-8, abs=1e-10)
    page.keyboard.press("Escape")
    page.mouse.move(0, 0)


def test_what_is_pinned_can_be_highlighted_and_let_go(points: Opening) -> None:
    arr, page = points.arr, points.page
    page.evaluate("splineviz.home()")
    x, y = _pixels(page, 1, 0.4, seed=8)[0]
    page.mouse.click(x, y)
    cell = page.evaluate("splineviz.pinned.cell")
    chosen = "(() => { const { cells, edges } = splineviz.panel.chosen(splineviz.choice); return [cells && [...cells], edges.length]; })()"
    for text in ("Linear region", "Class", "Cell after stage"):
        toggle = page.locator(".pinned").get_by_role("button", name=text)
        toggle.click()
        assert toggle.get_attribute("aria-pressed") == "true"
        assert page.locator(".pinned [aria-pressed=true]").count() == 1
        assert page.evaluate(chosen)[0][cell] == 1
    parts = joined_cells(arr, arr.edge_stage > 0)
    part = parts == parts[cell]
    assert sum(page.evaluate(chosen)[0]) == part.sum()
    page.locator(".pinned summary", has_text="From the window").click()
    table = page.locator(".pinned table", has=page.get_by_role("columnheader", name="after stage"))
    chain = [row.split("\t") for row in table.locator("tbody").inner_text().splitlines()]
    assert chain[0][:2] == ["window", f"{arr.n_cells:,}"]
    assert chain[1][1] == str(part.sum())
    assert chain[-1][1] == "1"
    _close(chain[-1][2], arr.areas[cell])
    _close(chain[1][2], arr.areas[part].sum())
    toggle = page.locator(".pinned").get_by_role("button", name="Edges of").first
    toggle.click()
    uv = page.evaluate("splineviz.panel.cells.uv(splineviz.pinned.x, splineviz.pinned.y)")
    stage, unit = arr.edge_units[_nearest(arr, np.array(uv))[0]][0].tolist()
    rows = arr.edge_units.values
    assert page.evaluate(chosen)[1] == ((rows[:, 0] == stage) & (rows[:, 1] == unit)).sum()
    assert page.locator(".pinned [aria-pressed=true]").count() >= 1
    toggle.click()
    assert page.evaluate("splineviz.choice.kind") == "none"
    page.locator(".view").focus()
    page.keyboard.press("Escape")
    assert not page.locator(".pinned").is_visible()
    page.mouse.move(0, 0)


def test_search_goes_to_units_cells_and_points(points: Opening) -> None:
    arr, page = points.arr, points.page
    field, said = page.locator(".search input"), page.locator(".search .said")

    def seek(text: str) -> str:
        field.fill(text)
        field.press("Enter")
        return said.text_content() or ""

    seek("cell 17")
    assert page.evaluate("splineviz.pinned.cell") == 17
    size = float(np.ptp(arr.vertices[arr.cells[17]], axis=0).max()) / points.extent
    assert page.evaluate("splineviz.camera.zoom") * 0.96 * size == pytest.approx(1 / 3)
    name = arr.program.stages[1].name
    for text in (f"{name}[5]", "stage 1 unit 5", f"{name}[5"):
        page.evaluate("splineviz.unpin()")
        seek(text)
        assert page.evaluate("splineviz.choice") == {"kind": "unit", "number": 24 + 5, "panel": 0}
    u, v = arr.interior_points[23]
    seek(f"{u}, {v}".replace("-", "−"))
    assert page.evaluate("splineviz.pinned.cell") == 23
    for text, answer in {
        "cell 99999": f"There is no cell 99999: the last one is {arr.n_cells - 1}.",
        "9, 9": "9, 9 lies outside the window.",
        "conv9[3]": "Nothing here is called conv9[3].",
        f"{name}[24]": f"{name} has no unit [24]: they are {name}[0] to {name}[23].",
        name: f"{name} has 24 units: say which" if not name.isdigit() else "",
        "stage 7 unit 1": "There is no stage 7: they are 0 to 1.",
        "stage 1 unit 24": f"Stage 1, {name}, has units 0 to 23, not 24.",
        "<b>x</b>": "Nothing here is called <b>x</b>.",
    }.items():
        assert seek(text).startswith(answer)
        if answer:
            assert field.get_attribute("aria-invalid") == "true"
    page.evaluate("splineviz.unpin()")


def test_the_largest_cells_are_listed_and_one_goes_there(points: Opening) -> None:
    arr, page = points.arr, points.page
    page.locator(".largest summary").click()
    rows = [row.split("\t") for row in page.locator(".largest tbody").inner_text().splitlines()]
    order = np.argsort(-arr.areas)[:20]
    assert [int(row[0]) for row in rows] == order.tolist()
    for row, area in zip(rows, arr.areas[order], strict=True):
        _close(row[1], area)
        _close(row[2], 100 * area / arr.areas.sum())
    page.locator(".largest").get_by_role("button", name=str(order[3]), exact=True).click()
    assert page.evaluate("splineviz.pinned.cell") == order[3]
    page.evaluate("splineviz.unpin()")


def test_keys_are_told_in_a_sentence(points: Opening) -> None:
    page = points.page
    page.evaluate("splineviz.home()")
    page.locator(".view").focus()
    page.keyboard.press("ArrowLeft")
    cell = page.evaluate("splineviz.hovered.cell")
    expect(page.locator(".spoken")).to_have_text(re.compile(rf"^Cell {cell}, area "))
    assert page.locator(".spoken").get_attribute("aria-live") == "polite"


def test_numbers_of_one_network_highlight_nothing_of_another(open_page: Opened) -> None:
    networks = [sv.load_program(dense(2, *widths, 3), input_shape=(2,)) for widths in ((8,), (8, 8))]
    compared = sv.compare(networks, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    page = open_page(compared)
    page.evaluate("() => splineviz.pin(splineviz.views[1], 0.41, 0.42)")
    counts = "splineviz.views.map(({ panel }) => { const { cells, edges } = panel.chosen(splineviz.choice); return [!!cells, edges.length > 0]; })"
    buttons = page.locator(".pinned").get_by_role("button")
    buttons.filter(has_text="Edges of").first.click()
    assert page.evaluate(counts) == [[False, False], [False, True]]
    buttons.filter(has_text="Linear region").click()
    assert page.evaluate(counts) == [[False, False], [True, False]]
    buttons.filter(has_text="Class").click()
    assert page.evaluate(counts) == [[True, False], [True, False]]
