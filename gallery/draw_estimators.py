"""Draw `gallery/estimators.png`: the density of kinks beside exact cells, and how the proxy depends on what
is asked.

Above, the network of the demo on the plane through its three digits: its cells, and the density (Theorem 2,
in-plane gradients). Below, figure 17 of "Deep network partition density exhibits double descent" once more:
random networks of width 100 and depth 18 with LeakyReLU(0.01), 784 inputs; the proxy falls as the
neighbourhood moves from the origin to (10, ..., 10), saturates in the number of directions, and grows with
the radius. Lines are means over networks and frames; the bands of the first and the last hold the middle nine
tenths.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

import splineviz as sv
from splineviz.estimators.density import density

TARGET = Path(__file__).with_name("estimators.png")
SIDE = 90
FRAMES = 10


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
    image = heat.imshow(
        found, origin="lower", extent=(x0, x1, y0, y1), cmap="cividis", interpolation="bilinear"
    )
    heat.figure.colorbar(image, ax=heat, label="kinks per length, $\\sigma$ = 0.1")
    heat.set(title="density of kinks", xticks=[], yticks=[])
    cells.set_title("exact cells")


def random_networks(count: int) -> list[sv.Program]:
    """As torch initialises them."""
    made = []
    for seed in range(count):
        torch.manual_seed(seed)
        layers = [
            layer for k in range(17) for layer in (nn.Linear(100 if k else 784, 100), nn.LeakyReLU(0.01))
        ]
        made.append(sv.load_program(nn.Sequential(*layers, nn.Linear(100, 10))))
    return made


def draw_trends(by_directions: Axes, by_radius: Axes) -> None:
    """The proxy over the way from the origin to (10, ..., 10), for some directions at r = 5, and some radii
    at P = 20."""
    shifts = np.linspace(0, 10, 11)
    centres = np.repeat(shifts, FRAMES)[:, None] * np.ones(784)
    networks = random_networks(5)
    for axes, name, radii, directions in (
        (by_directions, "P", [5.0], [2, 10, 25, 50, 100, 200]),
        (by_radius, "r", [0.5, 1.5, 5.0, 15.0, 50.0], [20]),
    ):
        counted = np.stack(
            [
                sv.local_complexity(
                    network, centres, radius=radii, directions=directions, frame="per-point", seed=k
                ).totals
                for k, network in enumerate(networks)
            ]
        )
        series = (
            counted.reshape(len(networks), -1, len(shifts), FRAMES)
            .transpose(1, 2, 0, 3)
            .reshape(-1, len(shifts), 5 * FRAMES)
        )
        colours = colormaps["viridis_r"](np.linspace(0.15, 1, len(series)))
        for value, rows, colour in zip(radii if len(radii) > 1 else directions, series, colours, strict=True):
            axes.plot(shifts, rows.mean(1), color=colour, marker=".", label=f"{name} = {value:g}")
        for k in (0, -1):
            axes.fill_between(
                shifts, *np.percentile(series[k], [5, 95], axis=1), color=colours[k], alpha=0.25, linewidth=0
            )
        axes.set(xlabel="each coordinate of the centre", ylabel="proxy, of 1,700 units", ylim=(0, None))
        axes.legend(fontsize=7, ncols=2)
    by_directions.set_title("random networks of depth 18, r = 5")
    by_radius.set_title("the same, P = 20")


if __name__ == "__main__":
    figure = Figure(figsize=(9, 8), layout="constrained")
    (above_left, above_right), (below_left, below_right) = figure.subplots(2, 2)
    draw_slice(above_left, above_right)
    draw_trends(below_left, below_right)
    figure.savefig(TARGET, dpi=110, metadata={"Software": None})
