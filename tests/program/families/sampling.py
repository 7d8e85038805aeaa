"""Pooling by averages, and interpolation."""

from __future__ import annotations

from torch import nn
from torch.nn import functional

from .shared import MAP, ROWS, VOLUME, Functions, Modules

MODULES: Modules = {
    "average pool 3d": (lambda: nn.AvgPool3d(2, padding=1, ceil_mode=True), VOLUME),
    "average pool 3d divided": (
        lambda: nn.AvgPool3d(2, padding=1, count_include_pad=False, divisor_override=5),
        VOLUME,
    ),
    "average pool ceiled": (
        lambda: nn.AvgPool2d((3, 2), stride=(2, 2), ceil_mode=True, count_include_pad=False),
        MAP,
    ),
    "average pool 1d ceiled": (
        lambda: nn.AvgPool1d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
        ROWS,
    ),
    "adaptive pool 3d": (lambda: nn.AdaptiveAvgPool3d((2, 1, 2)), VOLUME),
    "adaptive pool kept axis": (lambda: nn.AdaptiveAvgPool2d((None, 2)), MAP),
    "global pool": (lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)), MAP),
    "nearest": (lambda: nn.Upsample(scale_factor=2), MAP),
    "nearest by size": (lambda: nn.Upsample(size=(7, 3)), MAP),
    "nearest exact": (lambda: nn.Upsample(size=(8, 9), mode="nearest-exact"), MAP),
    "nearest exact 1d": (lambda: nn.Upsample(scale_factor=1.7, mode="nearest-exact"), ROWS),
    "nearest exact 3d": (lambda: nn.Upsample(size=(3, 2, 5), mode="nearest-exact"), VOLUME),
    "nearest 1d": (lambda: nn.Upsample(scale_factor=1.5), ROWS),
    "nearest 3d": (lambda: nn.Upsample(size=(2, 5, 3)), VOLUME),
    "linear 1d": (lambda: nn.Upsample(scale_factor=2.5, mode="linear"), ROWS),
    "linear 1d aligned": (lambda: nn.Upsample(size=7, mode="linear", align_corners=True), ROWS),
    "bilinear": (lambda: nn.Upsample(scale_factor=(1.5, 2.0), mode="bilinear"), MAP),
    "bilinear aligned": (
        lambda: nn.Upsample(scale_factor=(1.5, 2.0), mode="bilinear", align_corners=True),
        MAP,
    ),
    "bilinear down": (lambda: nn.Upsample(size=(3, 4), mode="bilinear"), MAP),
    "bicubic": (lambda: nn.Upsample(size=(8, 7), mode="bicubic"), MAP),
    "bicubic aligned": (lambda: nn.Upsample(scale_factor=2, mode="bicubic", align_corners=True), MAP),
    "trilinear": (lambda: nn.Upsample(scale_factor=(2, 1.5, 1), mode="trilinear"), VOLUME),
    "trilinear aligned": (lambda: nn.Upsample(size=(4, 3, 5), mode="trilinear", align_corners=True), VOLUME),
}
FUNCTIONS: Functions = {
    "interpolate recomputed": (
        lambda m, x: functional.interpolate(
            x, scale_factor=1.7, mode="bilinear", recompute_scale_factor=True
        ),
        MAP,
    ),
    "interpolate antialiased": (
        lambda m, x: functional.interpolate(x, size=(3, 4), mode="bilinear", antialias=True),
        MAP,
    ),
    "interpolate cubic antialiased": (
        lambda m, x: functional.interpolate(x, size=(4, 3), mode="bicubic", antialias=True),
        MAP,
    ),
    "interpolate to another map": (lambda m, x: functional.interpolate(x[..., :2], x.shape[2:]) + x, MAP),
    "area": (lambda m, x: functional.interpolate(x, size=(4, 2), mode="area"), MAP),
    "mean of all": (lambda m, x: x.mean((1, 2, 3)) + x.mean((-1, -2)).sum(1), MAP),
    "cumulative sum": (lambda m, x: x.cumsum(1) - x.cumsum(-1), ROWS),
    "sums without nan": (lambda m, x: x.nansum(1) + x.nanmean(1), ROWS),
}
