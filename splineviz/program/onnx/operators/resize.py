"""Resizing along each axis, in every mode that is linear in the entries, from exact rational positions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from splineviz.program.onnx.node import Made, OnnxNode, RefusedNodeError, operator
from splineviz.program.onnx.operators.linear import along_axis

__all__: list[str] = []

Axis = tuple[int, int, Fraction]
"""Lengths before and after, and the scale between them."""


@operator("Upsample", "Resize")
def _resize(node: OnnxNode) -> Made:
    rank, mode = len(node.shape()), node.attribute("mode", "nearest")
    if mode not in ("nearest", "linear", "bilinear", "cubic"):
        raise RefusedNodeError(f"is not known in the mode '{mode}'")
    axes = {
        a: axis
        for a, axis in _axes(node).items()
        if axis[:2] != (axis[0], axis[0]) or axis[2] != 1 or _crops(node)
    }
    view, shift = node.along(list(axes))
    inside, value = _inside(node, axes), float(node.attribute("extrapolation_value", 0.0))
    if mode == "nearest":
        places = {
            a + shift: torch.tensor([_nearest(node, axis, p) for p in _positions(node, axis, a)])
            for a, axis in axes.items()
        }
        change = functools.partial(_selected, places=places)
    else:
        matrices = {a + shift: _matrix(node, axis, a, cubic=mode == "cubic") for a, axis in axes.items()}
        change = functools.partial(_mixed, matrices=matrices)

    def run(x: Tensor) -> Tensor:
        x = change(view(x))
        return x if inside is None else torch.where(inside, x, value)

    return Made(run, (rank,))


def _selected(x: Tensor, places: dict[int, Tensor]) -> Tensor:
    for axis, index in places.items():
        x = x.index_select(axis, index)
    return x


def _mixed(x: Tensor, matrices: dict[int, Tensor]) -> Tensor:
    for axis, matrix in matrices.items():
        x = along_axis(x, axis, matrix)
    return x


def _axes(node: OnnxNode) -> dict[int, Axis]:
    """Change of each axis that is named; lengths and scales are inputs but in the oldest form."""
    shape = node.shape()
    chosen = [node.axis(a) for a in node.attribute("axes", range(len(shape)))]
    first_scales = 2 if node.proto.op_type == "Resize" and node.opset >= 11 else 1
    scales = node.attribute("scales") if node.opset < 9 else node.array(first_scales)
    sizes = node.array(3) if first_scales == 2 else None
    if scales is not None and len(scales):
        # Lengths are made of single-precision scales in single precision, as everyone does: 10 x .7 is 7.
        lengths = [
            int(np.floor(np.float32(shape[a]) * np.float32(s))) for a, s in zip(chosen, scales, strict=True)
        ]
        exact = [Fraction(float(s)) for s in scales]
        return {a: (shape[a], n, s) for a, n, s in zip(chosen, lengths, exact, strict=True)}
    if sizes is None:
        raise RefusedNodeError("names neither scales nor sizes")
    ratios = [Fraction(int(n), shape[a]) for a, n in zip(chosen, sizes, strict=True)]
    policy = node.attribute("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return {a: (shape[a], int(n), r) for a, n, r in zip(chosen, sizes, ratios, strict=True)}
    ratio = min(ratios) if policy == "not_larger" else max(ratios)
    return {a: (shape[a], math.floor(shape[a] * ratio + Fraction(1, 2)), ratio) for a in chosen}


def _mode(node: OnnxNode) -> str:
    old = node.proto.op_type == "Upsample" or node.opset < 11
    return str("asymmetric" if old else node.attribute("coordinate_transformation_mode", "half_pixel"))


def _crops(node: OnnxNode) -> bool:
    return _mode(node) == "tf_crop_and_resize"


def _positions(node: OnnxNode, axis: Axis, which: int) -> list[Fraction]:
    """Places of the new entries among the old ones."""
    n, m, scale = axis
    mode, half = _mode(node), Fraction(1, 2)
    place: Callable[[int], Fraction]
    if mode == "asymmetric":
        place = lambda i: i / scale  # noqa: E731
    elif mode == "tf_half_pixel_for_nn":
        place = lambda i: (i + half) / scale  # noqa: E731
    elif mode == "align_corners":
        place = lambda i: Fraction(i * (n - 1), m - 1) if m > 1 else Fraction(0)  # noqa: E731
    elif mode == "pytorch_half_pixel":
        place = lambda i: (i + half) / scale - half if m > 1 else Fraction(0)  # noqa: E731
    elif mode == "half_pixel":
        place = lambda i: (i + half) / scale - half  # noqa: E731
    elif mode == "half_pixel_symmetric":
        offset = Fraction(n, 2) * (1 - m / (n * scale))
        place = lambda i: offset + (i + half) / scale - half  # noqa: E731
    elif mode == "tf_crop_and_resize":
        begin, end = _region(node, which)
        place = lambda i: (  # noqa: E731
            begin * (n - 1) + i * (end - begin) * (n - 1) / (m - 1) if m > 1 else (begin + end) * (n - 1) / 2
        )
    else:
        raise RefusedNodeError(f"is not known with the coordinates '{mode}'")
    return [place(i) for i in range(m)]


def _region(node: OnnxNode, which: int) -> tuple[Fraction, Fraction]:
    """Begin and end of the region of interest along an axis, as shares of its length."""
    roi = node.array(1)
    assert roi is not None
    axes = [node.axis(a) for a in node.attribute("axes", range(len(node.shape())))]
    at = axes.index(which)
    return Fraction(float(roi[at])), Fraction(float(roi[at + len(axes)]))


def _inside(node: OnnxNode, axes: dict[int, Axis]) -> Tensor | None:
    """Mask of the new entries whose places are in the tensor, over its last axes; the others take the
    extrapolation value."""
    if not _crops(node):
        return None
    mask = np.ones((), bool)
    for a, axis in axes.items():
        along = np.array([0 <= p <= axis[0] - 1 for p in _positions(node, axis, a)])
        mask = mask & along.reshape(-1, *(1,) * (len(node.shape()) - 1 - a))
    return None if mask.all() else torch.from_numpy(mask)


def _nearest(node: OnnxNode, axis: Axis, position: Fraction) -> int:
    old = node.proto.op_type == "Upsample" or node.opset < 11
    rounding = "floor" if old else node.attribute("nearest_mode", "round_prefer_floor")
    half = Fraction(1, 2)
    place = {
        "floor": math.floor(position),
        "ceil": math.ceil(position),
        "round_prefer_floor": math.ceil(position - half),
        "round_prefer_ceil": math.floor(position + half),
    }[rounding]
    return min(max(place, 0), axis[0] - 1)


def _matrix(node: OnnxNode, axis: Axis, which: int, *, cubic: bool) -> Tensor:
    """(m, n) weights of the old entries in each new one, float64; antialiased, the filter is as wide as a new
    entry."""
    n, m, scale = axis
    matrix = np.zeros((m, n))
    exclude, a = (
        bool(node.attribute("exclude_outside", 0)),
        Fraction(float(node.attribute("cubic_coeff_a", -0.75))),
    )
    narrowing = min(scale, Fraction(1)) if node.attribute("antialias", 0) else Fraction(1)
    reach = (2 if cubic else 1) / narrowing
    for row, position in enumerate(_positions(node, axis, which)):
        places = range(math.ceil(position - reach), math.floor(position + reach) + 1)
        distances = {place: abs(place - position) * narrowing for place in places}
        weights = {place: _cubic(d, a) if cubic else 1 - d for place, d in distances.items()}
        if exclude:
            weights = {place: w for place, w in weights.items() if 0 <= place < n}
        total = sum(weights.values())
        sums: dict[int, Fraction] = {}
        for place, weight in weights.items():
            place = min(max(place, 0), n - 1)
            sums[place] = sums.get(place, Fraction(0)) + weight / total
        for place, weight in sums.items():
            matrix[row, place] = float(weight)
    return torch.from_numpy(matrix)


def _cubic(d: Fraction, a: Fraction) -> Fraction:
    """Weight of a neighbour at a distance of at most 2 (Keys, 1981)."""
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
