"""The loss on a plane of weights: cross-entropy of a small network on 24 digits, with every kink in its place.

``python gallery/landscape.py`` trains it in a second and writes landscape.png and landscape.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import splineviz as sv

HERE = Path(__file__).parent
POINTS, CLASSES = 24, 4


def trained(seed: int = 0, steps: int = 60) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A small network, trained for a moment on 64 digits of four classes; the digits, and their classes."""
    torch.manual_seed(seed)
    digits = load_digits(n_class=CLASSES)
    x, y = torch.from_numpy(digits.data[:64] / 16), torch.from_numpy(digits.target[:64])
    layers = (nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, CLASSES))
    net = nn.Sequential(*layers).double()
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    return net, x, y


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the loss on a plane of weights.")
    parser.add_argument("--quick", action="store_true", help="six digits in place of 24")
    parser.add_argument("-o", "--output", type=Path, default=HERE, metavar="FOLDER")
    given = parser.parse_args()
    torch.set_num_threads(1)
    net, x, y = trained()
    n = 6 if given.quick else POINTS
    plane = sv.weight_plane(net, "2", data=x[:n].numpy(), labels=y[:n].numpy())
    arr = sv.arrange(plane.program, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    found = sv.loss_landscape(arr, plane, loss="cross-entropy")
    given.output.mkdir(parents=True, exist_ok=True)
    found.save_figure(given.output / "landscape.png", title=f"Weights of the second layer, {n} digits")
    (given.output / "landscape.json").write_text(
        json.dumps(found.to_dict(), indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
