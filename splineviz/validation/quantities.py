"""Quantities that are compared: the proxy and the baselines on one side, the exact counts on the other, all
by plane and point."""

from __future__ import annotations

from itertools import product

import numpy as np
from jaxtyping import Float64

from splineviz.neighbourhoods.counts import UNCOUNTED
from splineviz.validation.study import Study

__all__ = [
    "BASELINES",
    "EXACT",
    "estimates",
    "exact_counts",
    "headline",
    "pairs",
    "proxy_name",
    "radius_names",
    "same_set",
]

EXACT = {"cells": "R", "cut": "n_cut", "regions": "linear regions"}
"""Exact counts, and how they are named in reports."""

BASELINES = {
    "first_order": "units with |z| < r |grad z|",
    "patterns": "distinct patterns",
    "distance": "mean |z|",
}


def proxy_name(directions: int) -> str:
    """Name of the proxy with so many directions."""
    return f"P = {directions}"


def headline(study: Study) -> str:
    """The proxy as it is used: with the most directions."""
    return proxy_name(study.directions[-1])


def same_set() -> str:
    """The proxy on the very set whose cells are counted."""
    return proxy_name(2)


def radius_names(study: Study) -> tuple[str, ...]:
    """Names of the radii: how each was asked for, and its value where that is not the same."""
    labels = zip(study.radius_labels, study.radii, strict=True)
    return tuple(
        label if label.startswith("r = ") else f"{label} (r = {radius:.4g})" for label, radius in labels
    )


def estimates(study: Study) -> dict[str, Float64[np.ndarray, "checkpoint radius plane point"]]:
    """Estimates of the frames that have a plane: the proxy for each P, and the baselines, which are the same
    on all planes of a point.

    Those that the network has none of, since its units have no breakpoint to be near, are left out.
    """
    shape = study.counted.shape
    found = {
        proxy_name(p): study.proxy(p)[:, :, : study.n_planes].astype(np.float64) for p in study.directions
    }
    by_point = {
        "first_order": study.first_order[:, :, None],
        "patterns": study.patterns[:, :, None],
        "distance": study.distance[:, None, None],
    }
    known = {BASELINES[name]: values for name, values in by_point.items() if not (values == UNCOUNTED).all()}
    return found | {name: np.broadcast_to(values, shape).astype(np.float64) for name, values in known.items()}


def exact_counts(study: Study) -> dict[str, Float64[np.ndarray, "checkpoint radius plane point"]]:
    """Exact counts by their names in reports, NaN where the count was given up."""
    return {name: study.exact(quantity) for quantity, name in EXACT.items()}


def pairs(study: Study) -> list[tuple[str, str]]:
    """Pairs of names that are compared: every estimate with R, the proxy with n_cut and linear regions,
    too."""
    names, (cells, *others) = list(estimates(study)), EXACT.values()
    proxies = [proxy_name(p) for p in study.directions]
    return [(name, cells) for name in names] + list(product(proxies, others))
