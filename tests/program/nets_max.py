"""Small networks with maxima, for the differential tests of every operation."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from .nets import Call, Case

__all__ = ["CASES"]

_V, _I, _M, _B = (4,), (3, 4), (2, 6, 5), (1, 3, 4, 3)
_MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "max pool": (lambda: nn.MaxPool2d(2), _M),
    "max pool overlapping": (lambda: nn.MaxPool2d(3, stride=2, padding=1), _M),
    "max pool dense": (lambda: nn.MaxPool2d(3, stride=1, padding=1), _M),
    "max pool uneven": (lambda: nn.MaxPool2d((3, 2), stride=(1, 2), dilation=(2, 1), padding=(1, 0)), _M),
    "max pool ceil": (lambda: nn.MaxPool2d(2, ceil_mode=True), _M),
    "max pool ceil padded": (lambda: nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), _M),
    "max pool of one map": (lambda: nn.MaxPool2d(2), (6, 5)),
    "max pool 1d": (lambda: nn.MaxPool1d(2, stride=1), _I),
    "max pool 1d dilated": (lambda: nn.MaxPool1d(2, dilation=2, padding=1), _I),
    "max pool 3d": (lambda: nn.MaxPool3d(2, stride=1), _B),
    "max pool 3d padded": (lambda: nn.MaxPool3d((2, 3, 1), stride=(2, 1, 2), padding=(1, 1, 0)), _B),
    "adaptive max pool": (lambda: nn.AdaptiveMaxPool2d((4, 2)), _M),
    "adaptive max pool global": (lambda: nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten()), _M),
    "adaptive max pool 1d": (lambda: nn.AdaptiveMaxPool1d(3), _I),
    "adaptive max pool 3d": (lambda: nn.AdaptiveMaxPool3d((2, 3, 2)), _B),
    "max pool behind relu": (
        lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6, 2)),
        _M,
    ),
}
_FUNCTIONS: dict[str, tuple[Callable[[Call, Tensor], Tensor], tuple[int, ...]]] = {
    "max pool values": (lambda m, x: functional.max_pool2d(x, 2, return_indices=True)[0], _M),
    "max pool values 1d": (lambda m, x: functional.max_pool1d(x, 2, return_indices=True)[0], _I),
    "max pool values 3d": (lambda m, x: functional.max_pool3d(x, 2, return_indices=True)[0], _B),
    "adaptive max pool values": (
        lambda m, x: functional.adaptive_max_pool2d(x, 2, return_indices=True)[0],
        _M,
    ),
    "maximum": (lambda m, x: torch.maximum(x, x.flip(1) * 2), _V),
    "minimum": (lambda m, x: torch.minimum(x, x.flip(1) - 1), _V),
    "fmax fmin": (lambda m, x: torch.fmax(x, -x) + torch.fmin(x, x.flip(1)), _V),
    "max min": (lambda m, x: torch.max(x, x.flip(1)) - torch.min(x, x.sum(1, keepdim=True)), _V),
    "maximum broadcast": (lambda m, x: torch.maximum(x[:, :, :1], x[:, :1]), _I),
    "maximum of itself": (lambda m, x: torch.maximum(x, x), _V),
    "amax": (lambda m, x: x.amax(1) + x.amax((2, 3))[:, :1, None], _M),
    "amax kept": (lambda m, x: x.amax((1, 3), keepdim=True) - x.amin(-1, keepdim=True), _M),
    "max over axis": (lambda m, x: x.max(1, keepdim=True).values + x.max(dim=-1, keepdim=True)[0], _I),
    "min over axis": (lambda m, x: torch.min(x, 2)[0], _I),
    "clamp by activations": (lambda m, x: torch.clamp(x, min=x.flip(1) - 1, max=x.sum(1, keepdim=True)), _V),
    "clamp by one activation": (
        lambda m, x: x.clamp(max=x.flip(1)) + x.clamp_min(x.flip(1) * 2) + x.clamp_max(-x),
        _V,
    ),
    "clamp by activation and number": (lambda m, x: torch.clamp(x, min=m.row, max=x.flip(1)), _V),
    "maxout": (lambda m, x: functional.linear(x, m.table.t()[:, :2]).view(x.shape[0], 2, 2).amax(2), (2,)),
}


def _seeded(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    def seeded() -> nn.Module:
        torch.manual_seed(0)
        return make().eval()

    return seeded


def _call(function: Callable[[Call, Tensor], Tensor]) -> Callable[[], nn.Module]:
    return lambda: Call(
        function, row=torch.tensor([0.5, -2.0, 4.0, 0.25]), table=torch.arange(12.0).reshape(3, 4) - 5.0
    )


CASES = [Case(name, _seeded(make), shape) for name, (make, shape) in _MODULES.items()]
CASES += [Case(name, _call(function), shape) for name, (function, shape) in _FUNCTIONS.items()]
