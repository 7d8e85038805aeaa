"""regioncam on one network, in a process of its own: how long, how much memory, and a point inside each face
that it finds."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import regioncam
from probe import PeakMemory, answer, request, seconds_of, summary
from torch import nn
from workloads import Workload, make_network

PIXELS = 1000
"""Width of a picture, about as many as splineviz's"""

Layers = list[tuple[np.ndarray, np.ndarray]]


def hidden_layers(network: nn.Sequential) -> Layers:
    """Weights as regioncam wants them, without the last layer: it makes no cells, and splineviz does not run
    it either."""
    linear = [
        module
        for module, after in pairwise(network)
        if isinstance(module, nn.Linear) and isinstance(after, nn.ReLU)
    ]
    arrays = [
        (module.weight.detach().float().numpy(), module.bias.detach().float().numpy()) for module in linear
    ]
    return [(np.ascontiguousarray(weight.T), bias) for weight, bias in arrays]


def regions(layers: Layers) -> regioncam.Regioncam:
    found = regioncam.Regioncam(size=1)
    for weight, bias in layers:
        found.linear(weight, bias)
        found.relu()
    return found


def maps_and_picture(network: nn.Sequential, layers: Layers, folder: str) -> dict[str, float]:
    """Seconds of the affine map of every face, and of a picture, each in a partition of its own."""
    last = network[-1]
    assert isinstance(last, nn.Linear)
    weight = np.ascontiguousarray(last.weight.detach().float().numpy().T)
    bias = last.bias.detach().float().numpy()
    found = regions(layers)

    def maps() -> None:
        found.linear(weight, bias)
        assert len(found.face_outputs) == found.num_faces

    return {
        "seconds_affine_maps": seconds_of(maps),
        "seconds_png": seconds_of(lambda: found.write_png(str(Path(folder, "regions.png")), size=PIXELS)),
    }


def points_inside(found: regioncam.Regioncam) -> np.ndarray:
    """(faces, 2) the mean of the corners of each face, which is convex."""
    corners = [[vertex.__index__() for vertex in face.vertices] for face in found.faces]
    counts = np.array([len(ids) for ids in corners])
    at = found.vertex_inputs.astype(np.float64)[np.concatenate(corners)]
    return np.asarray(np.add.reduceat(at, np.cumsum(counts) - counts) / counts[:, None])


def main() -> None:
    asked = request()
    network = make_network(Workload(**asked["workload"]))
    layers = hidden_layers(network)
    regions(hidden_layers(make_network(Workload("warm-up", (2, 8, 8, 1)))))
    memory = PeakMemory()
    began, cpu = time.perf_counter(), time.process_time()
    found = regions(layers)
    seconds = [time.perf_counter() - began]
    threads = (time.process_time() - cpu) / seconds[0]
    peak = memory.above()
    np.save(asked["points"], points_inside(found))
    size = {"cells": found.num_faces, "vertices": found.num_vertices, "edges": found.num_edges}
    del found
    while len(seconds) < asked["repetitions"] and sum(seconds) < asked["patience"]:
        start = time.perf_counter()
        regions(layers)
        seconds.append(time.perf_counter() - start)
    more: dict[str, float] = {}
    if sum(seconds) < asked["patience"]:
        more = maps_and_picture(network, layers, asked["folder"])
    answer({**size, **more, "seconds": summary(seconds), "cpu_over_wall": threads, "peak_bytes": peak})


if __name__ == "__main__":
    main()
