"""The trained detectors inside the package mtcnn: PReLU with learned slopes, several heads, weights in Keras'
order."""

from __future__ import annotations

import importlib.util
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from gallery.detectors import NAMES, Detector, _unpickled, load_detector, load_weights
from tests.networks.architectures import POOLS
from tests.oracles.sampling import assert_sampled

# (network, pooling, half-width of the window, noise in the picture). On flat ground hundreds of maxima tie in
# one point. The three overlapping max-pools of O-Net leave decisions open in every window with more than a
# few cells.
ARRANGED = [
    ("pnet", "average", 0.15, 0.0),
    ("rnet", "average", 0.01, 0.0),
    ("onet", "average", 0.005, 0.0),
    ("pnet", "max", 0.15, 0.05),
    ("rnet", "max", 0.008, 0.5),
]


def _image(detector: Detector, noise: float) -> np.ndarray:
    """A bright oval with two dark spots on a grey ground; without noise hundreds of maxima over flat ground
    tie in one point."""
    _, height, width = detector.input_shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    oval = 1 / (1 + np.exp(8 * (x**2 / 0.5 + y**2 / 0.8 - 1)))
    spots = sum(np.exp(-((x - side * 0.3) ** 2 + (y + 0.25) ** 2) / 0.01) for side in (-1, 1))
    picture = np.stack([0.9 * oval - 0.8 * spots - 0.3 + shade for shade in (0.1, 0.0, -0.1)])
    return picture + np.random.default_rng(0).normal(0, noise, picture.shape)


def _keras(
    weights: list[np.ndarray], x: np.ndarray, pools: list[tuple[int, int, bool]], pooling: str
) -> np.ndarray:
    """The networks once more, as Keras lays them out: (batch, rows, columns, channels), windows by numpy."""
    reduce = {"average": np.nanmean, "max": np.nanmax}[pooling]
    arrays, steps = list(weights), iter(pools)
    while (
        len(arrays) >= 3 and arrays[2].shape[-1] == arrays[1].shape[-1] and arrays[2].shape != arrays[0].shape
    ):
        kernel, bias, slope = arrays[:3]
        del arrays[:3]
        x = _dense(x, kernel, bias)
        x = np.where(x > 0, x, slope * x)
        if (pool := next(steps, None)) is not None:
            side, stride, same = pool
            more = max(0, (-(-x.shape[1] // stride) - 1) * stride + side - x.shape[1]) if same else 0
            rim = (more // 2, more - more // 2)
            padded = np.pad(x, ((0, 0), rim, rim, (0, 0)), constant_values=np.nan)
            windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (1, 2))[
                :, ::stride, ::stride
            ]
            x = reduce(windows, axis=(-2, -1))
    return np.concatenate(
        [_dense(x, *arrays[i : i + 2]).reshape(len(x), -1) for i in range(0, len(arrays), 2)], axis=1
    )


def _dense(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    if kernel.ndim == 2:
        return (
            x.transpose(0, 2, 1, 3).reshape(len(x), -1) @ kernel + bias if x.ndim == 4 else x @ kernel + bias
        )
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    return np.einsum("byxcij,ijcd->byxd", windows, kernel) + bias


needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("mtcnn") is None, reason="mtcnn is not installed (pip install -e '.[dev]')"
)


@needs_weights
@pytest.mark.parametrize("name", NAMES)
def test_weights(name: str) -> None:
    weights = load_weights(name)
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in weights)
    assert len(weights) == {"pnet": 13, "rnet": 16, "onet": 21}[name]
    detector = load_detector(name)
    assert sum(p.numel() for p in detector.parameters()) == sum(array.size for array in weights)
    slopes = torch.cat([m.weight.flatten() for m in detector.modules() if isinstance(m, nn.PReLU)])
    assert (slopes < 0).any() and (slopes > 0).any(), "learned slopes have either sign"


@needs_weights
@pytest.mark.parametrize("pooling", POOLS)
@pytest.mark.parametrize("name", NAMES)
def test_layout(name: str, pooling: str) -> None:
    detector = load_detector(name, POOLS[pooling]).double()
    x = np.random.default_rng(0).normal(0, 0.5, (3, *detector.input_shape))
    pools = {
        "pnet": [(2, 2, True)],
        "rnet": [(3, 2, True), (3, 2, False)],
        "onet": [(3, 2, True), (3, 2, False), (2, 2, True)],
    }
    expected = _keras(
        [array.astype(float) for array in load_weights(name)], x.transpose(0, 2, 3, 1), pools[name], pooling
    )
    with torch.no_grad():
        np.testing.assert_allclose(detector(torch.from_numpy(x)).numpy(), expected, atol=1e-10)


@needs_weights
@pytest.mark.parametrize("name", NAMES)
def test_answers(name: str) -> None:
    detector = load_detector(name)
    noise = torch.randn(50, *detector.input_shape, generator=torch.Generator().manual_seed(0)) / 2
    with torch.no_grad():
        output, probabilities = detector(noise), detector.probabilities(noise)
    assert output.shape == (50, 16 if name == "onet" else 6)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(50))
    assert (probabilities[:, 1] < 0.5).float().mean() > 0.9, "noise is seldom a face"
    assert output[:, :4].abs().max() < 2, "boxes are corrected by shares of their size"


@needs_weights
@pytest.mark.parametrize(("name", "pooling", "radius", "noise"), ARRANGED)
def test_arrangement(name: str, pooling: str, radius: float, noise: float) -> None:
    detector = load_detector(name, POOLS[pooling])
    program = sv.load_program(detector, input_shape=detector.input_shape)
    assert program.fidelity is not None and program.fidelity.float64 is not None
    assert program.fidelity.float64 < 1e-12
    request = (
        program,
        sv.Plane.at(_image(detector, noise), seed=1),
        sv.Window.box(-radius, radius, -radius, radius),
    )
    arr = sv.arrange(*request, certify="off")
    assert arr.status is sv.Status.COMPLETE, "no decision is close"
    proven = sv.arrange(*request)
    assert proven.stats.proven > 0
    np.testing.assert_array_equal(proven.pattern_hash, arr.pattern_hash)
    arr.check()
    sampled = assert_sampled(arr, detector, count=200)
    assert arr.n_cells > 20 and sampled.cells > 10 and sampled.stages > 1, (arr.n_cells, sampled)


def test_only_arrays_are_read(tmp_path: Path) -> None:
    lz4 = pytest.importorskip("lz4.frame")
    path = tmp_path / "pnet.lz4"
    path.write_bytes(lz4.compress(pickle.dumps([io.StringIO])))
    with pytest.raises(pickle.UnpicklingError, match=r"_io\.StringIO is no part of an array"):
        _unpickled(path)
