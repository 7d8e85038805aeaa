"""Families of small networks and windows, each with the coincidences, exact or near, that one kind of network
brings."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from splineviz.plane import Plane, Window
from tests.fuzz.deep import DEEP
from tests.fuzz.hostile import HOSTILE
from tests.fuzz.images import IMAGES
from tests.fuzz.lines import by_share, by_ulps, concurrent, corners, parallel, tangent, tiny
from tests.fuzz.structures import convolutional, dead, image, maxout_of_many, normalised, thirds
from tests.fuzz.trained import FORMATS, digits, flat
from tests.oracles.harness import Case
from tests.oracles.network import Linear, Network, Pointwise, linear, relu, sequential
from tests.properties.strategies import networks, windows, windows_on_kinks

__all__ = ["FAMILIES", "NEAR"]

_PLAIN = ("dyadic", "integer", "pruned", "ternary")


@st.composite
def _cases(draw: st.DrawFn, **how: Any) -> Case:
    """A network of `networks`, on a window of the list and on one that has to do with its kinks."""
    network = draw(networks(**how))
    return Case(network, (draw(windows()), draw(windows_on_kinks(network))))


def _gaussian(
    seed: int, widths: list[int], scales: list[float], kind: Callable[[float], float] = float
) -> Network:
    rng = random.Random(seed)
    ops: list[Linear | Pointwise] = []
    for inputs, outputs, scale in zip(widths, widths[1:], scales, strict=False):
        table = [[kind(scale * rng.gauss(0, 1)) for _ in range(inputs + 1)] for _ in range(outputs)]
        ops += [linear([row[:-1] for row in table], [row[-1] for row in table]), relu()]
    return sequential(widths[0], ops[:-1])


@st.composite
def _general(draw: st.DrawFn, *, scales: list[float]) -> Case:
    """Normal weights; layers on quite different scales where ``scales`` has several."""
    widths = [2, *draw(st.lists(st.sampled_from([3, 6]), min_size=1, max_size=3)), 2]
    chosen = [draw(st.sampled_from(scales)) for _ in widths[1:]]
    return Case(
        _gaussian(draw(st.integers(0, 2**20)), widths, chosen),
        (draw(windows()), Window.diamond(draw(st.sampled_from([1e-3, 2.0])))),
    )


@st.composite
def _planes(draw: st.DrawFn) -> Case:
    """Five inputs, on a plane through three points."""
    seed = draw(st.integers(0, 2**20))
    plane = Plane.through(*np.random.default_rng(seed).standard_normal((3, 5)))
    network = _gaussian(seed, [5, *draw(st.lists(st.integers(2, 6), min_size=1, max_size=2)), 3], [1.0] * 3)
    return Case(network, (Window.around(plane), Window.polygon(plane.anchors)), plane)


FAMILIES: dict[str, st.SearchStrategy[Case]] = {
    "integer": _cases(kinds=("integer",)),
    "dyadic": _cases(kinds=("dyadic",)),
    "ternary": _cases(kinds=("ternary",)),
    "zero bias": _cases(kinds=_PLAIN, zero_bias=True),
    "pruned": _cases(kinds=("pruned",)),
    "repeated, opposite and rescaled units": _cases(kinds=_PLAIN, repeat=True),
    "leaky slopes 0, 1, -1, > 1, prelu": _cases(kinds=_PLAIN, activations="leaky"),
    "abs": _cases(kinds=_PLAIN, activations="abs"),
    "hardtanh, relu6": _cases(kinds=_PLAIN, activations="clamp"),
    "residual": _cases(kinds=_PLAIN, shapes=("residual",)),
    "concatenation": _cases(kinds=_PLAIN, shapes=("concat",)),
    "reused modules": _cases(kinds=_PLAIN, shapes=("reused",)),
    "one wide layer": _cases(kinds=_PLAIN, max_depth=1, max_width=10),
    "max-pool, maximum, amax": _cases(kinds=_PLAIN, maxima=True),
    "maxima of many": maxout_of_many(),
    "convolutions and pools": convolutional(),
    "pictures": image(),
    "batch-norm": normalised(),
    "averages over nine": thirds(),
    "dead layers, constant units": dead(),
    "concurrent lines": concurrent(exact=True),
    "lines through corners and along the rim": corners(exact=True),
    "tangency": tangent(),
    "normal weights": _general(scales=[1.0]),
    "weights x 1e-6 and 1e6": _general(scales=[1e-6, 1.0, 1e6]),
    "planes through three points": _planes(),
    **{f"trained, {form}": flat(form) for form in FORMATS},
    **{f"trained on digits, {form}": digits(form) for form in FORMATS},
    **IMAGES,
    **DEEP,
    "concurrent but for rounding": concurrent(exact=False),
    "lines through corners but for rounding": corners(exact=False),
    "parallel at 1e-9": parallel(by=by_share),
    "parallel at one unit in the last place": parallel(by=by_ulps),
    "tiny cells": tiny(),
    **HOSTILE,
}

NEAR = (
    "concurrent but for rounding",
    "lines through corners but for rounding",
    "parallel at 1e-9",
    "parallel at one unit in the last place",
    "tiny cells",
    *HOSTILE,
)
"""Families whose coincidences are missed by rounding, so that only exact decisions get them right."""
