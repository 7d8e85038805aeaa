"""The networks whose proofs are measured, each with a plane and windows of any size on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from detectors import Detector, load_detector
from digits import digits, photographs, settled, train
from resnet import ResNet20, unsettle
from torch import Tensor, nn

import splineviz as sv
from splineviz.demo import load_network, load_points

__all__ = ["SLICES", "Slice"]

_MEAN, _STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@dataclass(frozen=True)
class Slice:
    """Networks, one or two to be compared, and windows of a scale of choice on one plane or on many."""

    networks: tuple[nn.Module, ...]
    planes: tuple[sv.Plane, ...]
    window: Callable[[float], sv.Window]

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.planes[0].input_shape


def _round(point: Any, *networks: nn.Module) -> Slice:
    return Slice(networks, (sv.Plane.at(point, seed=0),), sv.Window.diamond)


def _between(points: Any, *networks: nn.Module) -> Slice:
    """On the plane through three points, round the middle of them; at scale 1 all three are in the window."""
    plane = sv.Plane.through(*points)
    middle = plane.anchors.mean(0)
    reach = np.abs(plane.anchors - middle).max()

    def window(scale: float) -> sv.Window:
        (x0, y0), (x1, y1) = middle - scale * reach, middle + scale * reach
        return sv.Window.box(x0, x1, y0, y1)

    return Slice(networks, (plane,), window)


class DigitCNN(nn.Module):
    """Convolution, batch-norm, relu and max-pool, a residual block, a max-pool, a linear head."""

    def __init__(self, side: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(_normed(1, width), nn.ReLU(), nn.MaxPool2d(2))
        self.block = nn.Sequential(_normed(width, width), nn.ReLU(), _normed(width, width))
        self.head = nn.Sequential(
            nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(width * (side // 4) ** 2, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        logits: Tensor = self.head(x + self.block(x))
        return logits


def _normed(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out))


def _dense(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _trained_on(side: int, network: nn.Module, file: Path, epochs: int) -> tuple[nn.Module, Tensor]:
    """A network trained on digits, and the digits."""
    x, y = digits(side)
    return settled(network, file, partial(train, x=x, y=y, epochs=epochs)), x


def cnn(how: dict[str, Any], folder: Path) -> Slice:
    """The plane through three digits, the diamond round one, or diamonds round many."""
    network, x = _trained_on(
        how["side"], DigitCNN(how["side"], how["width"]), folder / "cnn.pt", how["epochs"]
    )
    if how["where"] == "three":
        return _between(x[:3].double(), network)
    planes = tuple(sv.Plane.at(digit, seed=0) for digit in x[: how.get("points", 1)].double())
    return Slice((network,), planes, sv.Window.diamond)


def mlp(how: dict[str, Any], folder: Path) -> Slice:
    """A dense network trained on digits, on the plane through three of them."""
    widths = [how["side"] ** 2, *how["widths"], 10]
    network, x = _trained_on(how["side"], _dense(widths), folder / "mlp.pt", how["epochs"])
    return _between(x[:3].double(), network)


def he(how: dict[str, Any], folder: Path) -> Slice:
    """A dense network initialised as He et al. do, small biases, on a plane of its input."""
    network = _dense(how["widths"])
    for layer in network:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.normal_(layer.bias, std=0.1)
    return _round(np.random.default_rng(0).standard_normal(how["widths"][0]), network.eval())


def resnet(how: dict[str, Any], folder: Path) -> Slice:
    """ResNet-20 with random weights on a random image; or with those of a file, on a picture of CIFAR-10 out of
    an array x of pixels, or else on a photograph."""
    network: nn.Module = ResNet20(how["width"])
    if how.get("weights") is None:
        image = np.random.default_rng(0).standard_normal((3, how["side"], how["side"]))
        return _boxed(_round(image, unsettle(network)))
    state = torch.load(how["weights"], map_location="cpu", weights_only=True)
    state = state.get("state_dict", state)
    network.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
    if how.get("data") is None:
        pixels = photographs(how["side"], 1)[0]
    else:
        with np.load(how["data"]) as arrays:
            pixels = arrays["x"][0].transpose(2, 0, 1)
    return _round((pixels / 255 - _MEAN[:, None, None]) / _STD[:, None, None], network.eval())


def _boxed(found: Slice) -> Slice:
    return Slice(found.networks, found.planes, lambda half: sv.Window.box(-half, half, -half, half))


def detector(how: dict[str, Any], folder: Path) -> Slice:
    """A face detector of the package mtcnn: P-Net on the plane through three photographs, the others round a
    point where "face" and "no face" tie."""
    network = load_detector(how["name"])
    pixels = (photographs(network.input_shape[1], 3) - 127.5) / 128
    if how["name"] == "pnet":
        return _between(pixels, network)
    return _round(_undecided(network, pixels[0]), network)


def _undecided(network: Detector, start: np.ndarray) -> np.ndarray:
    """A point where the two classes tie, on the way from a picture to one that is a face to the network."""
    network = network.double()

    def lead(x: Tensor) -> Tensor:
        logits: Tensor = network(x[None])[0, -2:]
        return logits[1] - logits[0]

    low = torch.from_numpy(start)
    high = low.clone().requires_grad_()
    while lead(high) < 0:
        (slope,) = torch.autograd.grad(lead(high), high)
        high = (high + 0.1 * slope / slope.norm()).detach().requires_grad_()
    with torch.no_grad():
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if lead(middle) > 0 else (middle, high)
    network.float()
    return high.detach().numpy()


def generator(how: dict[str, Any], folder: Path) -> Slice:
    """Transposed convolutions with batch-norm, from 16 numbers to a picture; random weights."""
    widths = how["widths"]
    layers: list[nn.Module] = [nn.Unflatten(1, (16, 1, 1)), nn.ConvTranspose2d(16, widths[0], 4, bias=False)]
    for n_in, n_out in pairwise(widths):
        layers += [nn.BatchNorm2d(n_in), nn.ReLU(), nn.ConvTranspose2d(n_in, n_out, 4, 2, 1, bias=False)]
    network = unsettle(nn.Sequential(*layers, nn.Flatten()))
    return _round(np.random.default_rng(0).standard_normal(16), network)


def pair(how: dict[str, Any], folder: Path) -> Slice:
    """Two checkpoints of a dense network, an epoch apart, on the plane through three digits."""
    x, y = digits(how["side"])
    networks, training = [], None
    for epoch in range(2):
        network = _dense([how["side"] ** 2, *how["widths"], 10])
        if training is not None:
            network.load_state_dict(training.state_dict())
        training = settled(network, folder / f"epoch-{epoch}.pt", partial(train, x=x, y=y, epochs=1))
        networks.append(training)
    return _between(x[:3].double(), *networks)


def demo(how: dict[str, Any], folder: Path) -> Slice:
    """The network and the three digits of the gallery's pictures."""
    return _between(load_points(), load_network())


SLICES: dict[str, Callable[[dict[str, Any], Path], Slice]] = {
    f.__name__: f for f in (cnn, mlp, he, resnet, detector, generator, pair, demo)
}
