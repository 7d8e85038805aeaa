"""What a notebook shows: small, quick, and computing nothing."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
from xml.etree import ElementTree as ET

import numpy as np
import torch
from PIL import Image
from torch import nn

import splineviz as sv
from splineviz.render.notebook import facts, figures

from .samples import images_slice


def test_few_cells_are_drawn_as_svg_and_nothing_is_computed():
    arr = dataclasses.replace(images_slice())
    before = set(vars(arr))
    text = figures([arr], [""]) + facts(arr)
    assert set(vars(arr)) == before
    assert len(text) <= 50_000
    picture = ET.fromstring(re.search(r"<svg.*</svg>", text)[0])
    assert len(picture) == arr.n_cells
    assert text.count("<tr>") == 6
    assert f"{arr.n_cells:,}" in text
    assert "linear regions" not in text
    assert f"all {arr.stats.decisions:,} decisions are proven" in text


def test_linear_regions_are_told_once_they_are_known():
    arr = dataclasses.replace(images_slice())
    _ = arr.linear_regions
    assert f"{arr.n_linear_regions:,} linear regions" in facts(arr)


def test_a_drawing_on_its_own_figure_is_shown_as_its_picture():
    ax = images_slice().draw(width=4)
    with Image.open(io.BytesIO(ax._repr_png_())) as picture:
        assert picture.width == 4 * 144
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 100


def test_many_cells_are_drawn_as_a_small_png():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 100), nn.ReLU(), nn.Linear(100, 1))
    arr = sv.arrange(sv.load_program(model), sv.Plane.identity(), sv.Window.box(-2, 2, -2, 2))
    assert arr.n_cells > 2000
    text = figures([arr], ["net"])
    assert len(text) <= 50_000
    data = base64.b64decode(re.search(r'base64,([^"]+)', text)[1])
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (240, 240)
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 10
