"""The embedded demo: a small network trained on real MNIST digits, and three of the digits it never saw.

`gallery/train_demo.py` made `demo.npz`; nothing is fetched when it is read.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

if TYPE_CHECKING:
    from torch import nn

__all__ = ["CLASS_NAMES", "IMAGE_SHAPE", "attribution", "load_labels", "load_network", "load_points"]

CLASS_NAMES = tuple("0123456789")
IMAGE_SHAPE = (28, 28)


@cache
def _content() -> dict[str, np.ndarray]:
    with (
        files(__package__).joinpath("demo.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as content,
    ):
        return dict(content)


def load_network() -> nn.Sequential:
    """The classifier 784-200-200-200-10 with ReLU, float32, in evaluation mode; it takes (batch, 784) pixels
    in [0, 1]."""
    import torch
    from torch import nn

    content = _content()
    layers: list[nn.Module] = []
    weights = {
        name: torch.from_numpy(content[name].copy())
        for name in content
        if name.endswith((".weight", ".bias"))
    }
    for position in sorted(int(name.split(".")[0]) for name in weights if name.endswith(".weight")):
        n_out, n_in = weights[f"{position}.weight"].shape
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    network.load_state_dict(weights)
    return network.eval()


def load_points() -> Float32[np.ndarray, "anchor dim"]:
    """Three test digits of three classes, all classified correctly: (3, 784) pixels in [0, 1].

    Examples
    --------
    >>> load_points().shape
    (3, 784)
    """
    return _content()["pixels"] / np.float32(255)


def load_labels() -> Int64[np.ndarray, "anchor"]:
    """The classes of the three digits, (3,)."""
    return _content()["labels"].copy()


def attribution() -> str:
    """Text on where the digits and the network come from."""
    return str(_content()["attribution"])
