"""Entries put, or added, at constant places of a tensor."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.node import Made, OnnxNode, RefusedNodeError, held, operator

__all__: list[str] = []


@operator("ScatterND")
def _scatter_nd(node: OnnxNode) -> Made:
    shape, indices = node.shape(), _indices(node)
    depth = indices.shape[-1]
    lengths = np.array(shape[:depth], np.int64)
    rows = np.ravel_multi_index(tuple(np.moveaxis(indices % lengths, -1, 0)), shape[:depth])
    block = math.prod(shape[depth:])
    places = (rows[..., None] * block + np.arange(block)).reshape(*rows.shape, *shape[depth:])
    return _scattered(node, places)


@operator("ScatterElements", "Scatter")
def _scatter_elements(node: OnnxNode) -> Made:
    shape, indices = node.shape(), _indices(node)
    axis = node.axis(node.attribute("axis", 0))
    places = np.indices(indices.shape)
    places[axis] = indices % shape[axis]
    return _scattered(node, np.asarray(np.ravel_multi_index(tuple(places), shape)))


def _indices(node: OnnxNode) -> np.ndarray:
    indices = node.array(1)
    assert indices is not None
    return indices.astype(np.int64)


def _scattered(node: OnnxNode, places: np.ndarray) -> Made:
    """The first input with the entries of the third, broadcast, at flat places: in place of its own, or added
    to them."""
    shape, how = node.shape(), node.attribute("reduction", "none")
    entries = np.arange(math.prod(node.shape(2))).reshape(node.shape(2))
    sources, places = np.broadcast_to(entries, places.shape).reshape(-1), places.reshape(-1)
    n, twice = math.prod(shape), len(np.unique(places)) < len(places)
    if how not in ("none", "add"):
        raise RefusedNodeError(f"with the reduction '{how}' is not supported")
    if how == "none" and twice:
        raise RefusedNodeError(
            "writes several numbers to one place, and which of them is last is not defined"
        )
    combine = _added(places, sources, n) if how == "add" else _put(places, sources, n)
    first, second = _flat(node, 0), _flat(node, 2)

    def run(x: Tensor, updates: Tensor) -> Tensor:
        size = x.shape[0] if node.active(0) else updates.shape[0]
        return combine(first(x, size), second(updates, size)).reshape(size, *held(shape))

    return Made(run, (len(shape),), (0, 2))


def _put(places: np.ndarray, sources: np.ndarray, n: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Function of n entries, and of those that take the place of some of them."""
    origin = np.arange(n)
    origin[places] = n + sources
    index = torch.from_numpy(origin)
    return lambda x, updates: torch.cat([x, updates], 1).index_select(1, index)


def _added(places: np.ndarray, sources: np.ndarray, n: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Function of n entries, and of those that are added to some of them: one round of additions for each
    time that a place is named."""
    rounds, left = [], np.arange(len(places))
    while len(left):
        _, first = np.unique(places[left], return_index=True)
        origin = np.full(n, sources.max() + 1)  # the zero behind the updates
        origin[places[left[first]]] = sources[left[first]]
        rounds.append(torch.from_numpy(origin))
        left = np.delete(left, first)

    def run(x: Tensor, updates: Tensor) -> Tensor:
        updates = functional.pad(updates, [0, 1])
        for index in rounds:
            x = x + updates.index_select(1, index)
        return x

    return run


def _flat(node: OnnxNode, index: int) -> Callable[[Tensor, int], Tensor]:
    """(batch, n) entries of an input, a constant one repeated for each input of the batch."""
    if node.active(index):
        return lambda x, size: x.reshape(size, -1)
    return lambda x, size: x.reshape(1, -1).expand(size, -1)
