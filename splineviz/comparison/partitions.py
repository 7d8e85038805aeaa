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

    and 1 where both partitions have one cell only. Where one cell fills nearly all of the window, or the
    partitions are nearly one, only differences are left of this; so it is computed as

        1 - ((P - S) + (Q - S)) / ((1 - P) Q + (1 - Q) P),

    where every term in brackets is a sum of products of small shares.

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
    within = [_beside(cells, joint) for cells in pairs]  # of the cell of P, and of Q, that a part lies in
    information = sum(_information(joint, rest) for rest in within)
    beside_p, beside_q = (_beside(np.zeros(len(shares), dtype=np.int64), shares) for shares in (p, q))
    # Pairs of points that one partition parts, and the other does not, of those that would be by chance.
    by_one = sum(float(joint @ rest) for rest in within)
    by_chance = float(p @ beside_p) * float(q @ q) + float(q @ beside_q) * float(p @ p)
    rand = 1.0 if by_chance == 0 else 1.0 - by_one / by_chance
    entropies = _information(p, beside_p), _information(q, beside_q)
    return PartitionDistance(information, rand, entropies)


def _information(shares: np.ndarray, beside: np.ndarray) -> float:
    """Sum of s log((s + b) / s): how much it tells of a point of a set, to say in which of its parts it lies.

    A part that is nearly all of its set counts by what is beside it, since its share is rounded to 1.
    """
    shares, beside = shares[shares > 0], beside[shares > 0]
    small = shares < beside
    # Not the logarithm of the ratio where the share is small, as it overflows where that is subnormal.
    told = np.log(shares + beside) - np.log(shares)
    told[~small] = np.log1p(beside[~small] / shares[~small])
    return float(shares @ told)


def _beside(sets: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Sum of the other shares of the set that a share belongs to, with a small relative error.

    A sum of all but the largest of a set needs no difference; those of the others are at least half of the
    whole, which no difference spoils.
    """
    order = np.lexsort((shares, sets))
    largest = order[np.diff(sets[order], append=-1) != 0]
    without_largest = shares.copy()
    without_largest[largest] = 0.0
    rest: np.ndarray = np.bincount(sets, weights=shares)[sets] - shares
    rest[largest] = np.bincount(sets, weights=without_largest)[sets[largest]]
    return rest
