"""The level sets of a small implicit surface on a plane: exact, and by marching squares on grids.

A network of 3-64-64-64-1 is fitted to the signed distance of a torus within seconds, seed fixed. Its level
sets on a plane are found by `sv.decision_boundary`, without the cells that they do not touch; contours of values on grids, as
marching squares draws them, come close to them as grids grow, and lose what is thinner than a square.
"""

from __future__ import annotations

from pathlib import Path

import contourpy
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import nn

import splineviz as sv

HERE = Path(__file__).parent
LEVELS = (0.0, 0.1)
GRIDS = (16, 32, 64, 256)
STEPS, BATCH = 600, 1024
DETAIL = (0.28, 0.58, 0.12, 0.42)
"""u and v of the picture at the right"""


def signed_distance(x: torch.Tensor) -> torch.Tensor:
    """(n, 1) distance of points (n, 3) from a torus with the radii 0.6 and 0.22, negative inside."""
    ring = x[:, :2].norm(dim=1) - 0.6
    distance: torch.Tensor = torch.stack([ring, x[:, 2]], 1).norm(dim=1) - 0.22
    return distance[:, None]


def fitted() -> nn.Sequential:
    """The network, fitted by Adam."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(3, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, 1),
    )
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 3e-3 * 0.5 * (1.0 + np.cos(np.pi * step / STEPS))
        x = 2.0 * torch.rand(BATCH, 3) - 1.0
        loss = nn.functional.l1_loss(model(x), signed_distance(x))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return model.eval()


def contours(program: sv.Program, plane: sv.Plane, n: int, level: float) -> list[np.ndarray]:
    """Lines of marching squares on a grid of n x n points of the window [-1, 1]^2."""
    ticks = np.linspace(-1.0, 1.0, n)
    uv = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    values = program.forward(torch.from_numpy(plane.lift(uv))).reshape(n, n).numpy()
    found = contourpy.contour_generator(ticks, ticks, values, line_type="Separate").lines(level)
    return [line for line in found if isinstance(line, np.ndarray)]


def main() -> None:
    program = sv.load_program(fitted(), input_shape=(3,))
    directions = np.array([[1.0, 0.0, 0.0], [0.0, 0.8, 0.6]])
    plane = sv.Plane.at(np.array([0.0, 0.05, 0.03]), directions=directions)
    window = sv.Window.box(-1.0, 1.0, -1.0, 1.0)
    figure = Figure(figsize=(7.2, 3.7))
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for level, color in zip(LEVELS, ("#c8102e", "#777777"), strict=True):
        found = sv.decision_boundary(program, plane, window, level=level)
        print(f"level {level:g}: {found}")
        for ax in (left, right):
            ax.add_collection(
                LineCollection(list(found.segments), colors=color, linewidths=1.2, capstyle="round")
            )
        for n in GRIDS:
            lines = contours(program, plane, n, level)
            length = sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines)
            print(f"  grid of {n} x {n}: length {length:.6f}, exact {found.length:.6f}")
    for n, style in ((16, ":"), (32, "--")):
        for k, line in enumerate(contours(program, plane, n, LEVELS[0])):
            label = f"marching squares, {n} x {n}" if k == 0 else None
            right.plot(*line.T, style, color="#1f5fa8", linewidth=0.9, label=label)
    left.set(xlim=(-1, 1), ylim=(-1, 1), title="exact: level 0 (red), 0.1 (grey)")
    right.set(xlim=DETAIL[:2], ylim=DETAIL[2:], title="detail of level 0")
    right.legend(loc="lower right", fontsize=7, frameon=False)
    for ax in (left, right):
        ax.set_aspect("equal")
        ax.tick_params(labelsize=7)
        ax.title.set_size(9)
    figure.tight_layout()
    figure.savefig(HERE / "level-set.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
