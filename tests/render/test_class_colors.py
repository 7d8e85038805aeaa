"""Classes are told apart by their colours, whatever cones an eye lacks, and by their names in the picture."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from splineviz.render import draw
from splineviz.render.palette import CLASS_TINT, class_colors
from splineviz.render.style import BOUNDARY

from .artists import filled_polygons
from .samples import images_slice

# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based model for simulation of color
# vision deficiency", 2009, table 1, severity 1.0; on linear RGB.
EYES = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
]
WHITE = [0.95047, 1.0, 1.08883]


def lab_as_seen(rgb: np.ndarray, eye: str) -> np.ndarray:
    """CIELAB coordinates (n, 3) of colours (n, 3), sRGB, for an eye."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = (linear @ np.transpose(EYES[eye])).clip(0, 1)
    x, y, z = np.cbrt(np.maximum(seen @ np.transpose(TO_XYZ) / WHITE, (6 / 29) ** 3)).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("tint", [0.0, CLASS_TINT], ids=["dots", "fills"])
def test_ten_classes_stay_apart(tint: float, eye: str) -> None:
    """A difference of 2.3 in CIELAB is just noticeable side by side; the boundary's red is an eleventh."""
    colors = np.vstack(
        [class_colors(np.arange(10), tint=tint), [to_rgb(BOUNDARY)] if tint else np.empty((0, 3))]
    )
    lab = lab_as_seen(colors, eye)
    distance = np.linalg.norm(lab[:, None] - lab, axis=-1)
    assert distance[np.triu_indices(len(colors), 1)].min() > 13


def test_the_measure_knows_what_is_confused() -> None:
    red, green = np.array([[0.8, 0.2, 0.2]]), np.array([[0.45, 0.45, 0.15]])
    far, near = (
        np.linalg.norm(lab_as_seen(red, eye) - lab_as_seen(green, eye))
        for eye in ("all cones", "deuteranopia")
    )
    assert far > 50 > 25 > near


def test_each_region_bears_its_name() -> None:
    arr = images_slice()
    names = ["cat", "dog", "eel", "fox"]
    ax = draw(arr, color="class", class_names=names, images=False)
    regions = arr.decision_regions()
    bold = [text for text in ax.texts if text.get_text() in names]
    assert bold and filled_polygons(ax)
    for text in bold:
        cell = arr.locate(text.get_position())
        outputs = arr.affine[cell] @ [*text.get_position(), 1.0]
        assert names[int(outputs.argmax())] == text.get_text()
    largest = np.bincount(regions.regions, weights=regions.areas).argmax()
    assert names[regions.classes[regions.regions == largest][0]] in [text.get_text() for text in bold]


def test_no_name_is_written_where_it_does_not_fit_or_an_anchor_stands() -> None:
    arr = images_slice()
    long = ["a very long name of a class that fits into no region of a small picture"] * 4
    assert not [
        text for text in draw(arr, color="class", class_names=long).texts if text.get_text() == long[0]
    ]
    ax = draw(arr, color="class")
    numbers = [
        text for text in ax.texts if text.get_text() in ("0", "1", "2", "3") and text.get_path_effects()
    ]
    inverse = ax.transData.transform
    for text in numbers:
        for anchor in arr.planes[0].anchors:
            gap = np.linalg.norm(inverse(text.get_position()) - inverse(anchor)) * 72 / ax.figure.dpi
            assert gap > 7


def test_the_sides_of_a_single_output_are_named() -> None:
    ax = draw(images_slice(1), color="class", level=0.1)
    assert {"output ≤ 0.1", "output > 0.1"} & {
        text.get_text() for text in ax.texts if text.get_path_effects()
    }
