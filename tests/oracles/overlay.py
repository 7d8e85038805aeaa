"""The common refinement of two partitions by shapely, from the polygons of their cells alone."""

from __future__ import annotations

import numpy as np
import shapely

__all__ = ["overlaps", "variation_of_information"]


def overlaps(first: np.ndarray, second: np.ndarray, least: float = 1e-12) -> np.ndarray:
    """(F1, F2) areas that the cells of one partition have in common with those of the other; what is smaller
    is rounding."""
    one, other = shapely.STRtree(second).query(first, predicate="intersects")
    areas = np.zeros((len(first), len(second)))
    areas[one, other] = shapely.area(shapely.intersection(first[one], second[other]))
    areas[areas < least] = 0.0
    return areas


def variation_of_information(areas: np.ndarray) -> float:
    """By the entropies: 2 H(P, Q) - H(P) - H(Q)."""
    joint = areas / areas.sum()

    def entropy(shares: np.ndarray) -> float:
        shares = shares[shares > 0]
        return float(-(shares * np.log(shares)).sum())

    return 2 * entropy(joint.ravel()) - entropy(joint.sum(1)) - entropy(joint.sum(0))
