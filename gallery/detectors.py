"""The face detectors inside the PyPI package mtcnn (P-Net, R-Net, O-Net) as torch modules, without
TensorFlow.

The package is not imported, nor what it needs: its three files of weights are pickles of joblib, compressed
with lz4, and are read by an unpickler that knows arrays and nothing else. (The networks: Zhang et al. 2016,
arXiv 1604.02878.)
"""

from __future__ import annotations

import importlib.metadata
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["NAMES", "Detector", "load_detector", "load_weights"]

NAMES = ("pnet", "rnet", "onet")

_PACKAGE = "mtcnn"
_SIDE = {"pnet": 12, "rnet": 24, "onet": 48}
_POOLS: dict[str, tuple[tuple[int, int, bool], ...]] = {
    # side, stride, and whether the last windows reach beyond the map: Keras' padding "same" on these sizes
    "pnet": ((2, 2, True),),
    "rnet": ((3, 2, True), (3, 2, False)),
    "onet": ((3, 2, True), (3, 2, False), (2, 2, True)),
}


class Detector(nn.Module):
    """One of the three: convolutions, PReLUs and pools, in O-Net and R-Net a dense layer, then a linear layer
    for each question.

    The output is (batch, 6 or 16), for P-Net on images above 12 pixels with rows and columns: four numbers
    for the box, for O-Net ten for landmarks, and the logits of "no face" and "face". Pixels go in as (x -
    127.5) / 128, channels first.
    """

    def __init__(self, name: str, weights: list[np.ndarray], pool: type[nn.Module] = nn.MaxPool2d) -> None:
        super().__init__()
        arrays = iter(weights)
        self.body = nn.Sequential()
        pools = iter(_POOLS[name])
        self.input_shape = (3, _SIDE[name], _SIDE[name])
        n_hidden = {"pnet": 3, "rnet": 4, "onet": 5}[name]
        for i in range(1, n_hidden + 1):
            kernel, bias, slope = next(arrays), next(arrays), next(arrays)
            if kernel.ndim == 2:
                self.body.add_module("flatten", _Flatten())
            self.body.add_module(f"{'fc' if kernel.ndim == 2 else 'conv'}{i}", _layer(kernel, bias))
            self.body.add_module(f"prelu{i}", _prelu(slope))
            if (shape := next(pools, None)) is not None:
                side, stride, beyond = shape
                self.body.add_module(f"pool{i}", pool(side, stride, ceil_mode=beyond))
        rest = list(arrays)
        self.heads = nn.ModuleList(
            _layer(kernel, bias) for kernel, bias in zip(rest[::2], rest[1::2], strict=True)
        )
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        features = self.body(x)
        out = torch.cat([head(features) for head in self.heads], dim=1)
        return out.flatten(1) if out.shape[2:].numel() == 1 else out

    def probabilities(self, x: Tensor) -> Tensor:
        """(batch, 2, ...) of "no face" and "face"."""
        return torch.softmax(self(x)[:, -2:], dim=1)


class _Flatten(nn.Module):
    """Columns first, then rows, then channels: the order in which the dense layers were trained."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 2, 1).flatten(1)


def _layer(kernel: np.ndarray, bias: np.ndarray) -> nn.Module:
    """A layer from Keras' order: (rows, columns, inputs, outputs) or (inputs, outputs)."""
    height, width, n_in, n_out = kernel.shape if kernel.ndim == 4 else (0, 0, *kernel.shape)
    layer = nn.Conv2d(n_in, n_out, (height, width)) if height else nn.Linear(n_in, n_out)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(kernel.transpose((3, 2, 0, 1) if height else (1, 0)).copy()))
        assert layer.bias is not None
        layer.bias.copy_(torch.from_numpy(bias))
    return layer


def _prelu(slope: np.ndarray) -> nn.PReLU:
    layer = nn.PReLU(slope.size)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(slope.reshape(-1)))
    return layer


def load_detector(name: str, pool: type[nn.Module] = nn.MaxPool2d) -> Detector:
    """P-Net, R-Net or O-Net (`NAMES`) with the weights of the installed package.

    Raises
    ------
    ModuleNotFoundError
        If mtcnn or lz4 is not installed.
    """
    return Detector(name, load_weights(name), pool)


def load_weights(name: str) -> list[np.ndarray]:
    """The arrays of one network, in Keras' order of layers and axes."""
    try:
        files = importlib.metadata.files(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ModuleNotFoundError(
            f"the weights are in the package {_PACKAGE}, which is not installed", name=_PACKAGE
        ) from error
    path = next(Path(str(file.locate())) for file in files if file.name == f"{name}.lz4")
    return _unpickled(path)


def _unpickled(path: Path) -> list[np.ndarray]:
    import lz4.frame

    stream: Any = io.BytesIO(lz4.frame.decompress(path.read_bytes()))
    arrays = _unpickler()(str(path), stream, ensure_native_byte_order=True).load()
    if not (isinstance(arrays, list) and all(isinstance(array, np.ndarray) for array in arrays)):
        raise ValueError(f"{path.name} holds something else than a list of arrays")
    return arrays


def _unpickler() -> Callable[..., Any]:
    import pickle

    from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler

    known = {(kind.__module__, kind.__qualname__): kind for kind in (NumpyArrayWrapper, np.ndarray, np.dtype)}

    class Arrays(NumpyUnpickler):  # type: ignore[misc] # joblib has no types
        def find_class(self, module: str, name: str) -> type:
            try:
                return known[module, name]
            except KeyError:
                raise pickle.UnpicklingError(f"{module}.{name} is no part of an array") from None

    return Arrays
