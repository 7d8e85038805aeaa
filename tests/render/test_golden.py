"""A few whole pictures, compared with committed ones in `baseline`; `--mpl-generate-path` makes them anew."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from splineviz.render import draw

from .samples import images_slice, two_windows

golden = pytest.mark.mpl_image_compare(
    baseline_dir="baseline", style="default", tolerance=3, savefig_kwargs={"dpi": 90}
)


@golden
def test_patterns_and_stages() -> Figure:
    return draw(images_slice(), labels=["digit 3", "digit 5", "digit 8"]).get_figure()


@golden
def test_classes_and_kinks() -> Figure:
    return draw(
        images_slice(), color="class", edges="kink", class_names=["cat", "dog", "eel", "fox"], title="Kinks"
    ).get_figure()


@golden
def test_norm_with_valid_range_and_data() -> Figure:
    points = images_slice().planes[0].lift(np.random.default_rng(1).uniform(-2, 3, (40, 2)))
    points += np.random.default_rng(2).normal(0, 0.2, points.shape)
    return draw(
        images_slice(), color="norm", edges="plain", valid_range=(0, 1), points=points, width=6
    ).get_figure()


@golden
def test_second_window_is_a_diamond() -> Figure:
    return draw(two_windows(), window=1, color="area", ticks=True).get_figure()
