"""Entries in the order of their values."""

from __future__ import annotations

import torch

from .shared import MAP, ROWS, VECTOR, Functions, Modules

MODULES: Modules = {}
FUNCTIONS: Functions = {
    "sort": (lambda m, x: x.sort(1).values + x.sort(-1, descending=True)[0], ROWS),
    "sort of maps": (lambda m, x: torch.sort(x, dim=2, stable=True).values, MAP),
    "sort of one": (lambda m, x: x[:, :1].sort(1).values, VECTOR),
    "sort of many": (lambda m, x: (x[:, None] * m.table).flatten(1).sort(1).values, VECTOR),
    "pairs in order": (lambda m, x: x.reshape(x.shape[0], -1, 2).sort(-1).values.flatten(1), ROWS),
    "topk": (
        lambda m, x: x.topk(2, 1).values - x.topk(2, 2, largest=False)[0].sum((1, 2), keepdim=True),
        ROWS,
    ),
    "topk of one": (lambda m, x: x.topk(1).values + x.topk(1, largest=False).values, ROWS),
    "topk of all": (lambda m, x: x.topk(4).values, ROWS),
    "topk of many": (lambda m, x: (x[:, None] * m.table + m.row).flatten(1).topk(5, 1).values, VECTOR),
    "kthvalue": (lambda m, x: x.kthvalue(2, 1).values + x.kthvalue(3, -1, keepdim=True)[0].sum(1), ROWS),
    "median": (lambda m, x: x.median(1).values + x.median(2, keepdim=True)[0].sum(1), ROWS),
    "median of many": (
        lambda m, x: (x[:, None] * m.table).flatten(1).nanmedian(1, keepdim=True).values,
        VECTOR,
    ),
    "aminmax": (
        lambda m, x: torch.aminmax(x, dim=1).max - torch.aminmax(x, dim=2, keepdim=True)[0][:, 0],
        ROWS,
    ),
    "extremes so far": (lambda m, x: x.cummax(1).values + torch.cummin(x, 2)[0], ROWS),
    "quantile": (lambda m, x: x.quantile(0.3, 1) + x.nanquantile(0.75, 2, keepdim=True).sum(1), ROWS),
    "quantile between": (lambda m, x: x.quantile(0.5, 2) + x.quantile(1.0, 1)[:, :1], ROWS),
    "quantile of entries": (
        lambda m, x: torch.stack(
            [x.quantile(0.4, 1, interpolation=how) for how in ("lower", "higher", "midpoint", "nearest")], 1
        ),
        ROWS,
    ),
}
