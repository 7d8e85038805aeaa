"""What do many small arrangements cost, against plain float64 forward passes over their own vertices?

The checkpoints of a 2-32-32-32-1 network on one window, each alone and by `arrange_each`, in a process of its
own.
"""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import torch
from ours import forward
from probe import answer, request, summary
from torch import nn

import splineviz as sv

__all__ = ["measured"]


def measured(widths: list[int], n_networks: int, repetitions: int) -> dict[str, object]:
    """Seconds of each network: bound, arranged alone, arranged with others, and run forward right after that
    on its vertices."""
    plane, window = sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1)
    networks = [_network(seed, widths) for seed in range(n_networks)]
    traced = sv.load_program(networks[0])
    began = time.perf_counter()
    programs = [traced.rebind(network.state_dict()) for network in networks]
    binding = (time.perf_counter() - began) / n_networks
    arrangements = [sv.arrange(program, plane, window, jobs=1) for program in programs]
    points = [torch.from_numpy(np.ascontiguousarray(arr.vertices)) for arr in arrangements]
    cells = [arr.n_cells for arr in arrangements]
    together = [arr.n_cells for arr in sv.arrange_each(programs, plane, window)]
    assert cells == together
    del arrangements
    alone, each, passes = [], [], []
    for _ in range(repetitions):
        own, run = 0.0, 0.0
        for program, network, x in zip(programs, networks, points, strict=True):
            began = time.perf_counter()
            sv.arrange(program, plane, window, jobs=1)
            own += (ended := time.perf_counter()) - began
            forward(network, x, len(x))
            run += time.perf_counter() - ended
        began = time.perf_counter()
        for _arr in sv.arrange_each(programs, plane, window):
            pass
        each.append((time.perf_counter() - began) / n_networks)
        alone.append(own / n_networks)
        passes.append(run / n_networks)
    return {
        "widths": widths,
        "networks": n_networks,
        "cells": sum(cells),
        "vertices": sum(len(x) for x in points),
        "binding": binding,
        "alone": summary(alone),
        "each": summary(each),
        "forward": summary(passes),
        "ratio_alone": float(np.median(alone) / np.median(passes)),
        "ratio_each": float(np.median(each) / np.median(passes)),
    }


def _network(seed: int, widths: list[int]) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out).double(), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


def main() -> None:
    asked = request()
    answer(measured(asked["widths"], asked["networks"], asked["repetitions"]))


if __name__ == "__main__":
    main()
