"""The same numbers on an accelerator, and no number on its way to the host while batches are worked off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import splineviz as sv
from splineviz.estimators.baselines import distinct_patterns, first_order, mean_distance
from splineviz.estimators.deformation import deformation
from splineviz.estimators.density import density
from splineviz.estimators.precision import sign_disagreements
from splineviz.estimators.theory import moments
from splineviz.estimators.volume import volume
from tests.estimators.nets import Residual

Estimator = Callable[..., Any]


def results(estimator: Estimator, network: Residual, x: Tensor, **options: Any) -> list[np.ndarray]:
    found = estimator(network, x, **options)
    tables = vars(found).values() if hasattr(found, "__dict__") else [found]
    return [table for table in tables if isinstance(table, np.ndarray)]


ESTIMATORS: dict[str, Estimator] = {
    "proxy": partial(sv.local_complexity, radius=[0.05, 0.5], directions=[2, 10]),
    "proxy, fresh frames": partial(sv.local_complexity, radius=0.5, directions=10, frame="per-point"),
    "disagreements": partial(sign_disagreements, dtype="float32", radius=0.5, directions=10),
    "density": partial(density, sigma=0.5, samples=1, variant="gradient"),
    "moments": partial(moments, sigma=0.0),
    "volume": volume,
    "deformation": partial(deformation, radius=0.5, directions=5),
    "first order": partial(first_order, radius=0.5),
    "patterns": partial(distinct_patterns, radius=0.5),
    "distance": mean_distance,
}


@pytest.fixture
def network() -> Residual:
    torch.manual_seed(10)
    return Residual().double().eval()


class HostReads(TorchDispatchMode):
    """Counts what makes the host wait for the device."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket in (
            torch.ops.aten._local_scalar_dense,
            torch.ops.aten.nonzero,
            torch.ops.aten.masked_select,
        ):
            self.count += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_host_waits_for_the_device_as_often_for_many_batches_as_for_one(
    name: str, network: Residual, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = torch.randn(6, 2, 6, 6, dtype=torch.float64)
    copies: list[str] = []
    for method in ("cpu", "tolist"):  # numpy() is refused by what lies on a device
        real = getattr(Tensor, method)
        monkeypatch.setattr(
            Tensor, method, lambda self, *a, real=real, **k: (copies.append(""), real(self, *a, **k))[1]
        )
    counts = []
    for batch in (6, 2):
        copies.clear()
        with HostReads() as reads:
            ESTIMATORS[name](network, points, batch=batch)
        counts.append((reads.count, len(copies)))
    assert counts[0] == counts[1] and counts[0][1] > 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no accelerator")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_same_on_an_accelerator(name: str, network: Residual) -> None:
    points = torch.randn(16, 2, 6, 6, dtype=torch.float64)
    here, there = (results(ESTIMATORS[name], network, points, device=device) for device in ("cpu", "cuda"))
    assert here
    for one, other in zip(here, there, strict=True):
        # a sign at the edge of rounding
        assert (
            np.abs(one - other).sum() <= 2
            if one.dtype.kind == "i"
            else np.allclose(one, other, equal_nan=True)
        )
