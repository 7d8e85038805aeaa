"""Distances between two partitions of one window, by area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

__all__ = ["PartitionDistance", "partition_distance"]


@dataclass(frozen=True)
class PartitionDistance:
    """Two partitions P and Q of one window, with p_ij the share of the window's area that lies in cell i of P
    and cell j of Q."""

    variation_of_information: float
    """H(P | Q) + H(Q | P), in nats: a metric, 0 where the partitions are one."""
    adjusted_rand_index: float
    """1 where the partitions are one, 0 on average where they have nothing to do with each other."""
    entropies: tuple[float, float]
    """H(P) and H(Q), in nats."""


def partition_distance(
    first: Int64[np.ndarray, "piece"], second: Int64[np.ndarray, "piece"], areas: Float64[np.ndarray, "piece"]
) -> PartitionDistance:
    """Compare two partitions, given by the cells that the pieces of a common refinement lie in.

    The adjusted Rand index is that of Hubert and Arabie for n points drawn independently and uniformly from
    the window, in the limit of many points, where shares of pairs are products of areas: with S = sum p_ij^2,
    P = sum p_i^2 and Q = sum q_j^2 it is

        (S - P Q) / ((P + Q) / 2 - P Q),

    and 1 where both partitions have one cell only.

    Parameters
    ----------
    first, second
        (F,) cell of each piece in either partition.
    areas
        (F,) area of each piece.

    References
    ----------
    M. Meila, "Comparing clusterings: an information based distance", Journal of Multivariate Analysis 98
    (2007), 873-895.
    L. Hubert, P. Arabie, "Comparing partitions", Journal of Classification 2 (1985), 193-218.

    Examples
    --------
    Halves of a window, against quarters: the entropies differ by log 2, and so do the partitions, which are
    nested.

    >>> halves, quarters = np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3])
    >>> found = partition_distance(halves, quarters, np.ones(4))
    >>> round(found.variation_of_information, 6), round(found.adjusted_rand_index, 12)
    (0.693147, 0.5)
    """
    pairs, which = np.unique(np.stack([first, second]), axis=1, return_inverse=True)
    joint = np.bincount(which.reshape(-1), weights=areas)
    joint = joint / areas.sum()
    pairs, joint = pairs[:, joint > 0], joint[joint > 0]
    p, q = (np.bincount(cells, weights=joint) for cells in pairs)
    own, other = p[pairs[0]], q[pairs[1]]
    # Not the logarithm of own / joint, which overflows where a share is subnormal.
    information = float(np.sum(joint * (np.log(own) + np.log(other) - 2 * np.log(joint))))
    together, apart = float(np.sum(joint**2)), float(np.sum(p**2) * np.sum(q**2))
    largest = float(np.sum(p**2) + np.sum(q**2)) / 2
    rand = 1.0 if largest == apart else (together - apart) / (largest - apart)
    return PartitionDistance(information, rand, (_entropy(p), _entropy(q)))


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(-np.sum(shares * np.log(shares)))
