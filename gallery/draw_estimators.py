"""Draw `gallery/estimators.png`: the density of kinks beside exact cells, and how the proxy depends on what is asked.

Above, the network of the demo on the plane through its three digits: its cells, and the density (Theorem 2, in-plane gradients).
Below, a random network of width 100 and depth 18 with LeakyReLU(0.01): the proxy falls as the neighbourhood leaves the origin,
saturates in the number of directions, and grows with the radius.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

import splineviz as sv
from splineviz.estimators.density import density

TARGET = Path(__file__).with_name("estimators.png")
SIDE = 90


def draw_slice(cells: Axes, heat: Axes) -> None:
    """The exact cells of the demo's slice, and the density on a grid."""
    program, digits = sv.load_program("demo"), sv.demo.load_points()
    plane = sv.Plane.through(*digits)
    window = sv.Window.around(plane)
    sv.draw(sv.arrange(program, plane, window), cells, color="none", edges="plain", boundary=False)
    x0, x1, y0, y1 = window.bounds
    u, v = np.meshgrid(np.linspace(x0, x1, SIDE), np.linspace(y0, y1, SIDE))
    points = plane.lift(np.stack([u, v], -1).reshape(-1, 2))
    found = density(program, points, sigma=0.1, samples=5, basis=plane.basis).totals.reshape(SIDE, SIDE)
    image = heat.imshow(found, origin="lower", extent=(x0, x1, y0, y1), cmap="cividis", interpolation="bilinear")
    heat.figure.colorbar(image, ax=heat, label="kinks per length, $\\sigma$ = 0.1")
    heat.set(title="density of kinks", xticks=[], yticks=[])
    cells.set_title("exact cells")


def random_network() -> sv.Program:
    torch.manual_seed(0)
    layers = [layer for _ in range(17) for layer in (nn.Linear(100, 100), nn.LeakyReLU(0.01))]
    network = nn.Sequential(*layers, nn.Linear(100, 1))
    for module in network:
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight)
            nn.init.normal_(module.bias, std=0.1)
    return sv.load_program(network)


def draw_trends(by_distance: Axes, by_radius: Axes) -> None:
    """The proxy over the distance from the origin, and over radius and directions."""
    program = random_network()
    way = torch.randn(30, 100)
    way /= way.norm(dim=1, keepdim=True)
    directions, distances = [2, 10, 25, 50, 100], [0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0]
    far = [sv.local_complexity(program, way * d, radius=0.1, directions=directions).totals[0].mean(1) for d in distances]
    for p, values in zip(directions, np.array(far).T, strict=True):
        by_distance.plot(distances, values, marker=".", label=f"P = {p}")
    by_distance.set(xlabel="distance of the centre from the origin", ylabel="proxy, mean of 30 points", title="r = 0.1")
    by_distance.legend(fontsize=7)
    radii, some = [0.01, 0.03, 0.1, 0.3], [1, 2, 5, 10, 25, 50, 100]
    for radius, values in zip(radii, sv.local_complexity(program, way, radius=radii, directions=some).totals.mean(2), strict=True):
        by_radius.loglog(some, values, marker=".", label=f"r = {radius}")
    by_radius.set(xlabel="directions P", ylabel="proxy, mean of 30 points", title="distance 1")
    by_radius.legend(fontsize=7)


if __name__ == "__main__":
    figure = Figure(figsize=(9, 8), layout="constrained")
    (above_left, above_right), (below_left, below_right) = figure.subplots(2, 2)
    draw_slice(above_left, above_right)
    draw_trends(below_left, below_right)
    figure.savefig(TARGET, dpi=110, metadata={"Software": None})
