"""The file: one document that fetches nothing, in which words from outside stay words, and what its scene says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.pages.writing import page

from .decoder import Decoded, parts_of, scene_of_page
from .samples import SQUARE, cells, net, written

EVIL = "</script><!--<script>alert(1)\u2028\u2029<b onclick='x'>\u202e{{ 1 }}"


class Tags(HTMLParser):
    """Tags of a document, and their attributes; there are no comments."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes = list[str](), list[tuple[str, str | None]]()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def test_one_file_that_fetches_nothing(tmp_path: Path) -> None:
    found = Tags(written(tmp_path, cells()))
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(found.tags)
    for name, value in found.attributes:
        assert not name.startswith("on")
        if name in ("src", "href", "srcset", "action"):
            assert value is not None and value.startswith("data:image/webp;base64,")
    style = re.search("<style>(.*?)</style>", written(tmp_path, cells()), re.DOTALL)
    assert style and not re.search(r"url\(|@import", style[1])


def test_only_its_own_script_may_run(tmp_path: Path) -> None:
    text = written(tmp_path, cells())
    (script,) = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Policy" content="([^"]*)"', text)
    assert policy and f"script-src &#39;sha256-{digest}&#39;" in policy[1]
    assert "default-src &#39;none&#39;" in policy[1]


def test_words_from_outside_stay_words(tmp_path: Path) -> None:
    model = nn.Sequential()
    for name, layer in net().named_children():
        model.add_module(EVIL.replace(".", "") if name == "1" else f"n{name}", layer)
    arr = sv.arrange(sv.load_program(model), sv.Plane.identity(), SQUARE)
    plain = written(tmp_path, cells(), points=np.zeros((1, 2)))
    how: dict[str, Any] = {"title": EVIL, "note": EVIL, "class_names": [EVIL] * 3, "extra": {"model": EVIL}}
    text = written(tmp_path, arr, points=np.zeros((1, 2)), **how)
    assert Tags(text).tags == Tags(plain).tags
    assert "\u2028" not in text and "\u202e" not in text and "{{ 1 }}" in text
    scene, card = scene_of_page(text), json.loads(parts_of(text)["card"])
    assert scene["title"] == scene["networks"][0]["outputs"][2]["name"]
    assert scene["title"].startswith("</script><!--<script>alert(1)\\u2028") and card["model"] == EVIL
    assert scene["networks"][0]["stages"][0]["name"].startswith("</script>")


def test_identical_bytes_and_provenance(tmp_path: Path) -> None:
    arr = cells()
    text = written(tmp_path, arr, extra={"seed": 7})
    assert text == written(tmp_path, arr, extra={"seed": 7})
    card = json.loads(parts_of(text)["card"])
    assert card["seed"] == 7 and card["version"] == sv.__version__
    assert card["program"]["digest"] == arr.info.digest and card["status"] == "COMPLETE"


def test_the_scene_of_a_slice(tmp_path: Path) -> None:
    arr = cells()
    text = written(
        tmp_path, arr, color="class", class_names=["a", "b"], points=np.zeros((2, 2)), point_classes=[0, 2]
    )
    scene = scene_of_page(text)
    assert (scene["kind"], scene["warnings"], scene["level"]) == ("slice", [], 0)
    assert scene["view"] == {
        "color": "class",
        "edges": "stage",
        "boundary": True,
        "anchors": True,
        "data": True,
    }
    (network,), (panel,) = scene["networks"], scene["panels"]
    assert network["outputs"] == [{"index": i, "name": name} for i, name in enumerate(["a", "b", "2"])]
    assert [stage["units"] for stage in network["stages"]] == [8, 8] and network["n_outputs"] == 3
    assert (
        panel["cells_per_stage"] == list(arr.stats.cells_per_stage) and panel["card"]["cells"] == arr.n_cells
    )
    assert panel["status"].startswith("complete") and panel["proven"].startswith("all ")
    assert scene["data"] == {"u": [0, 0], "v": [0, 0], "off": [0, 0], "class": [0, 2]}
    assert len(base64.b64decode(scene["palette"]["scale"])) == 3 * 256
    sizes = {name: len(scene["palette"][name]) for name in ("fills", "lines", "classes")}
    assert sizes == {"fills": 3, "lines": 2, "classes": 3}
    read = Decoded(panel["card"], parts_of(text)["cells-0"])
    np.testing.assert_allclose(read.polygon(5), arr.vertices[arr.cells[5]], atol=1e-14)


def singles(text: str, shape: list[int]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").reshape(shape)


def test_the_input_in_the_scale_of_the_data(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).random((3, 3, 4, 5))
    mean, std = np.array([0.2, 0.3, 0.4]).reshape(3, 1, 1), np.array([0.5, 0.4, 0.3]).reshape(3, 1, 1)
    model = nn.Sequential(nn.Flatten(), net(60, 3, 3))
    arr = sv.slice(sv.load_program(model, input_shape=(3, 4, 5)), (pictures - mean) / std)
    scene = scene_of_page(written(tmp_path, arr, data_scale=(-mean / std, (1 - mean) / std)))
    shown = scene["input"]
    assert (
        shown["kind"] == "image" and shown["shape"] == [4, 5, 3] and (shown["low"], shown["high"]) == (0, 1)
    )
    origin, u, v = (singles(shown[name], [4, 5, 3]) for name in ("origin", "u", "v"))
    for anchor, picture in zip(scene["anchors"], pictures, strict=True):
        there = origin + anchor["u"] * u + anchor["v"] * v
        np.testing.assert_allclose(there, np.moveaxis(picture, 0, -1), atol=1e-6)


@pytest.mark.parametrize(
    ("inputs", "how", "kind", "shape"),
    [
        (2, {}, "table", [2]),
        (30, {}, "curve", [30]),
        (30, {"images": [np.zeros((5, 6))] * 3}, "image", [5, 6]),
        (30, {"images": False}, "curve", [30]),
    ],
)
def test_inputs_that_are_no_images_by_themselves(
    inputs: int, how: dict[str, Any], kind: str, shape: list[int], tmp_path: Path
) -> None:
    anchors = np.random.default_rng(1).normal(size=(3, inputs))
    arr = sv.slice(sv.load_program(net(inputs, 2, 3)), anchors)
    shown = scene_of_page(written(tmp_path, arr, **how))["input"]
    assert (shown["kind"], shown["shape"]) == (kind, shape)
    assert shown["low"] == pytest.approx(anchors.min()) and shown["high"] == pytest.approx(anchors.max())


def test_of_many_outputs_all_that_win(tmp_path: Path) -> None:
    arr = cells(60, 12)
    winners = set(np.unique(arr.decision_regions().classes).tolist())
    text = written(tmp_path, arr)
    scene = scene_of_page(text)
    shown = [output["index"] for output in scene["networks"][0]["outputs"]]
    assert winners <= set(shown) and len(shown) == max(16, len(winners)) < 60 and shown == sorted(shown)
    assert scene["networks"][0]["n_outputs"] == 60 and "of 60 outputs are here" in scene["warnings"][0]
    read = Decoded(scene["panels"][0]["card"], parts_of(text)["cells-0"])
    gradient = arr.affine[:, :, :2]
    np.testing.assert_allclose(read.singles("norm"), np.linalg.norm(gradient, 2, axis=(1, 2)), rtol=1e-6)
    assert {"volume", "jump"} <= read.parts.keys() and f"value {len(shown) - 1}" in read.parts


def test_a_comparison_has_a_panel_for_each_network(tmp_path: Path) -> None:
    both = sv.compare([net(), net(outputs=5, seed=1)], sv.Plane.identity(), SQUARE, names=["one", "two"])
    text = written(tmp_path, both, color="norm")
    scene, parts = scene_of_page(text), parts_of(text)
    assert scene["kind"] == "comparison" and [panel["name"] for panel in scene["panels"]] == ["one", "two"]
    assert [len(network["outputs"]) for network in scene["networks"]] == [3, 5]
    assert len(scene["palette"]["classes"]) == 5 and text.count("<figure>") == 2
    for k, arr in enumerate(both.arrangements):
        read = Decoded(scene["panels"][k]["card"], parts[f"cells-{k}"])
        assert read.card["cells"] == arr.n_cells and scene["panels"][k]["network"] == k
    assert [model["name"] for model in json.loads(parts["card"])["models"]] == ["one", "two"]


def test_a_page_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a page is a file .html, got x.png"):
        page(cells(), tmp_path / "x.png")
    with pytest.raises(
        InputError, match="a page shows an arrangement, a comparison or an animation, got int"
    ):
        page(3, tmp_path / "x.html")  # type: ignore[arg-type]
