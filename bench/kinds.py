"""What `fast`, `full` and `off` give on each kind of network: the table of docs/certification.md, on stdout.

Small networks with random weights, one thread, so that it takes a minute; times are over those of ``off``.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

import splineviz as sv
from splineviz.choices import Certify

Request = tuple[sv.Program, sv.Plane, sv.Window]

REPEATS = 3
SLOPES = (1.3, -0.2, 1e-4, 1e-5)
"""Of a PReLU, channel by channel: values of very different sizes meet in the pool behind it"""


def requests() -> Iterator[tuple[str, Request]]:
    """A name and a request for each kind."""
    random = np.random.default_rng(0)
    plane = sv.Plane.through(*random.uniform(size=(3, 784)))
    yield "dense: 784-100x3-10, default initialisation", _on(_dense(784, 100, 100, 100, 10), plane)
    image = sv.Plane.through(*random.uniform(size=(3, 1, 8, 8)))
    yield "convolutional: two 3x3 layers with ReLU, 2x2 max-pool after the first", _on(_pools(), image)
    yield "deep: 2-10x14-1, He initialisation", _flat(_dense(2, *[10] * 14, 1, he=True))
    yield "whole weights: 2-8-8-8-1 of -2 ... 2", _flat(_whole(_dense(2, 8, 8, 8, 1)))
    yield "PReLU of slopes 1.3 ... 1e-5, then 3x3 max-pools", _flat(_steep(), 0.5)


def _dense(*widths: int, he: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
        if he:
            nn.init.kaiming_normal_(layers[-2].weight)  # type: ignore[arg-type]
    return nn.Sequential(*layers[:-1])


def _whole(net: nn.Sequential) -> nn.Sequential:
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randint(-2, 3, parameter.shape))
    return net


def _pools() -> nn.Sequential:
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8, 10))


def _steep() -> nn.Sequential:
    side, channels = 7, len(SLOPES)
    first, bend = nn.Linear(2, channels * side * side), nn.PReLU(channels)
    with torch.no_grad():
        bend.weight.copy_(torch.tensor(SLOPES))
        weight, bias = first.weight.view(channels, -1, 2), first.bias.view(channels, -1)
        for channel, slope in enumerate(SLOPES):
            if slope < 0.01:
                weight[channel] *= 0.05
                bias[channel] = -bias[channel].abs() - 1
    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    return nn.Sequential(first, nn.Unflatten(1, (channels, side, side)), bend, pool).double()


def _on(net: nn.Module, plane: sv.Plane) -> Request:
    return sv.load_program(net, input_shape=plane.input_shape), plane, sv.Window.around(plane)


def _flat(net: nn.Module, half: float = 1.0) -> Request:
    return (
        sv.load_program(net, input_shape=(2,)),
        sv.Plane.identity(),
        sv.Window.box(-half, half, -half, half),
    )


def _measured(request: Request, certify: Certify) -> tuple[float, sv.Arrangement]:
    seconds = []
    for _ in range(REPEATS):
        began = time.thread_time()
        arr = sv.arrange(*request, certify=certify, jobs=1)
        seconds.append(time.thread_time() - began)
    return min(seconds), arr


def _row(name: str, certify: Certify, arr: sv.Arrangement, ratio: float) -> str:
    stats, stages = arr.stats, len(arr.stats.decisions_per_stage)
    up_to = "none" if stats.proven_up_to is None else f"{stats.proven_up_to + 1} of {stages}"
    cells = name, f"`{certify}`", f"{arr.n_cells:,}", up_to, f"{stats.undecided:,}", f"{stats.in_doubt:,}"
    return f"| {' | '.join(cells)} | {ratio:.2f} |"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| network | `certify` | cells | stages proven | open decisions | cells in doubt | time |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, request in requests():
        found = {certify: _measured(request, certify) for certify in ("off", "fast", "full")}
        for certify in ("fast", "full", "off"):
            seconds, arr = found[certify]
            print(_row(name, certify, arr, seconds / found["off"][0]), flush=True)


if __name__ == "__main__":
    main()
