"""Tiny trained networks, made on the spot from a seed, in the number formats that networks are deployed
in."""

from __future__ import annotations

from fractions import Fraction
from functools import cache, lru_cache

import numpy as np
import torch
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import nn

from splineviz.plane import Plane, Window
from tests.oracles.harness import Case
from tests.oracles.network import Linear, Network, Pointwise, linear, relu, sequential

__all__ = ["FORMATS", "digits", "flat"]

FORMATS = ("float32", "float16", "int8", "ternary", "pruned float32", "pruned int8")


def flat(form: str) -> st.SearchStrategy[Case]:
    """Two inputs: toy classes, or the first two principal components of digits."""
    return st.builds(
        _flat, st.just(form), st.integers(0, 15), st.sampled_from(["rings", "components"]), _zooms()
    )


def digits(form: str) -> st.SearchStrategy[Case]:
    """64 inputs, on the plane through three digits."""
    return st.builds(_digits, st.just(form), st.integers(0, 7), st.integers(0, 2**16), _zooms())


def _zooms() -> st.SearchStrategy[tuple[float, float, float]]:
    """Where a window lies within the data, from -1 to 1, and its size."""
    place = st.integers(-8, 8).map(lambda n: n / 8)
    return st.tuples(place, place, st.sampled_from([2.0, 1.0, 0.25]))


def _flat(form: str, seed: int, data: str, zoom: tuple[float, float, float]) -> Case:
    network = _quantised(_trained(data, seed), form)
    u, v, size = zoom
    windows = (_box(2 * u, 2 * v, 2 * size), Window.diamond(size))
    return Case(network, windows)


def _digits(form: str, seed: int, anchors: int, zoom: tuple[float, float, float]) -> Case:
    x, _ = _images()
    plane = Plane.through(
        *x[np.random.default_rng(anchors).choice(len(x), 3, replace=False)].double().numpy()
    )
    (x0, y0), (x1, y1) = plane.anchors.min(0), plane.anchors.max(0)
    u, v, size = zoom
    reach = 0.5 * max(x1 - x0, y1 - y0)
    return Case(
        _quantised(_trained("images", seed), form),
        (_box((x0 + x1) / 2 + u * reach, (y0 + y1) / 2 + v * reach, size * reach),),
        plane,
    )


def _box(u: float, v: float, size: float) -> Window:
    return Window.box(u - size, u + size, v - size, v + size)


def _rings(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    radius, angle = rng.uniform(0, 2, 120), rng.uniform(0, 2 * np.pi, 120)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return torch.tensor(points, dtype=torch.float32), torch.tensor((radius * 1.5).astype(np.int64))


@lru_cache(maxsize=1)
def _images() -> tuple[torch.Tensor, torch.Tensor]:
    x, y = load_digits(return_X_y=True)
    return torch.tensor(x[:300] / 16, dtype=torch.float32), torch.tensor(y[:300])


@lru_cache(maxsize=1)
def _components() -> tuple[torch.Tensor, torch.Tensor]:
    x, y = _images()
    centred = x - x.mean(0)
    return centred @ torch.linalg.svd(centred, full_matrices=False)[2][:2].T, y


@cache
def _trained(data: str, seed: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Weights and biases, float32, of a network with two hidden layers after sixty full-batch steps."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        x, y = {"rings": lambda: _rings(seed), "components": _components, "images": _images}[data]()
        module = nn.Sequential(
            nn.Linear(x.shape[1], 7),
            nn.ReLU(),
            nn.Linear(7, 6),
            nn.ReLU(),
            nn.Linear(6, 10 if data == "images" else 4),
        )
        optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
        for _ in range(60):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(x), y if data != "components" else y % 4).backward()
            optimizer.step()
    return tuple(
        (m.weight.detach().numpy(), m.bias.detach().numpy()) for m in module if isinstance(m, nn.Linear)
    )


def _quantised(weights: tuple[tuple[np.ndarray, np.ndarray], ...], form: str) -> Network:
    ops: list[Linear | Pointwise] = []
    for weight, bias in weights:
        if form.startswith("pruned"):
            weight = np.where(np.abs(weight) < np.median(np.abs(weight)), 0, weight)
        number = form.rsplit(maxsplit=1)[-1]
        if number == "float16":
            mix = linear(
                weight.astype(np.float16).astype(np.float64), bias.astype(np.float16).astype(np.float64)
            )
        elif number == "float32":
            mix = linear(weight.astype(np.float64), bias.astype(np.float64))
        else:
            levels = 127 if number == "int8" else 1
            # Biases in the same steps as weights, as integer arithmetic has them
            step = np.float32(np.abs(weight).max() / levels if levels > 1 else 1.2 * np.abs(weight).mean())
            table = [
                np.clip(np.rint(part / step), -128, 127) if levels > 1 else np.sign(np.rint(part / step))
                for part in (weight, bias)
            ]
            mix = linear(
                [[int(q) * Fraction(float(step)) for q in row] for row in table[0]],
                [int(q) * Fraction(float(step)) for q in table[1]],
            )
        ops += [mix, relu()]
    return sequential(weights[0][0].shape[1], ops[:-1])
