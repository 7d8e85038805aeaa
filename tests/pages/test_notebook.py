"""Pages in notebooks: in a frame that can do no harm, computing nothing, and pictures where they are too large."""

from __future__ import annotations

import dataclasses
import html
import re

import pytest

import splineviz as sv
from splineviz.pages import notebook

from .decoder import scene_of_page
from .samples import SQUARE, cells, net


def framed(shown: str) -> str:
    assert shown.isascii(), (
        "whatever encoding is taken for the notebook's, the script is the one that may run"
    )
    (page,) = re.findall(r'<iframe srcdoc="([^"]*)" sandbox="allow-scripts allow-downloads"', shown)
    return html.unescape(page)


def test_an_arrangement_is_a_page_and_nothing_is_computed() -> None:
    arr = dataclasses.replace(cells())
    before = set(vars(arr))
    shown = arr._repr_html_()
    assert set(vars(arr)) == before
    page = framed(shown)
    scene = scene_of_page(page)
    assert "were not computed yet" in scene["warnings"][0] and not scene["networks"][0]["outputs"]
    assert "<svg" in page.split("<noscript>")[1]
    assert shown.count("<tr>") == 6 and f"{arr.n_cells:,}" in shown.split("</iframe>")[1]


def test_what_was_computed_is_on_it() -> None:
    arr = dataclasses.replace(cells())
    _ = arr.affine
    scene = scene_of_page(framed(arr._repr_html_()))
    assert not scene["warnings"] and len(scene["networks"][0]["outputs"]) == 3
    many = dataclasses.replace(cells(60, 12))
    _ = many.affine
    assert "arr.n_decision_regions" in scene_of_page(framed(many._repr_html_()))["warnings"][0]


def test_networks_of_a_comparison() -> None:
    both = sv.compare([net(), net(seed=1)], sv.Plane.identity(), SQUARE, names=["one", "two"])
    shown = both._repr_html_()
    assert [panel["name"] for panel in scene_of_page(framed(shown))["panels"]] == ["one", "two"]
    assert "adjusted Rand index" in shown.split("</iframe>")[1]


@pytest.mark.parametrize(("limit", "value"), [("_MOST_CELLS", 9), ("_MOST_BYTES", 1000)])
def test_large_ones_are_a_picture_and_a_sentence(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook, limit, value)
    shown = dataclasses.replace(cells())._repr_html_()
    assert "<iframe" not in shown and "<svg" in shown and "sv.page(arr, 'slice.html')" in shown
    assert shown.count("<tr>") == 6
