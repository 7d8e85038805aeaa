"""regioncam on one network, in a process of its own: how long, how much memory, and a point inside each face
that it finds."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import regioncam
from probe import PeakMemory, answer, request, summary
from torch import nn
from workloads import Workload, make_network

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


def points_inside(found: regioncam.Regioncam) -> np.ndarray:
    """(faces, 2) the mean of the corners of each face, which is convex."""
    corners = [[vertex.__index__() for vertex in face.vertices] for face in found.faces]
    counts = np.array([len(ids) for ids in corners])
    at = found.vertex_inputs.astype(np.float64)[np.concatenate(corners)]
    return np.asarray(np.add.reduceat(at, np.cumsum(counts) - counts) / counts[:, None])


def main() -> None:
    asked = request()
    layers = hidden_layers(make_network(Workload(**asked["workload"])))
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
    answer({**size, "seconds": summary(seconds), "cpu_over_wall": threads, "peak_bytes": peak})


if __name__ == "__main__":
    main()
