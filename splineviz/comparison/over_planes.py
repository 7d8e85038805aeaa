"""Reproducibility of decisions over several planes."""

from __future__ import annotations

from collections.abc import Iterable

from splineviz.comparison.comparison_result import Comparison
from splineviz.comparison.decision_agreement import Reproducibility, agreements
from splineviz.errors import InputError

__all__ = ["reproducibility"]


def reproducibility(comparisons: Iterable[Comparison]) -> Reproducibility:
    """Mean share of the window on which two networks decide alike, over planes, and over pairs of networks.

    On one plane that is the area where both have the same class, over the area of the window: the
    reproducibility score of Somepalli et al., without a grid of samples. The intersection over union of a
    class is the area on which both decide for it, over that on which one of them does, on all planes
    together. Errors are proven where the overlays are.

    Parameters
    ----------
    comparisons
        One or several, of the same networks on different planes.

    Raises
    ------
    InputError
        If there are none, they are of different networks, or networks have different numbers of outputs.

    References
    ----------
    G. Somepalli, L. Fowl, A. Bansal, P. Yeh-Chiang, Y. Dar, R. Baraniuk, M. Goldblum and T. Goldstein, Can
    neural nets learn the same model twice? CVPR 2022, arXiv:2203.08124.

    Examples
    --------
    >>> import splineviz as sv
    >>> from torch import nn
    >>> nets = [nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3)) for _ in range(2)]
    >>> both = sv.compare(nets, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1), names=["one", "other"])
    >>> found = reproducibility([both])
    >>> found["agreement", "one and other"] == both.pair(0, 1).decisions.agreement
    True
    """
    given = list(comparisons)
    if not given:
        raise InputError("reproducibility is that of at least one comparison, got none")
    names = given[0].names
    for other in given[1:]:
        if other.names != names:
            raise InputError(
                f"comparisons are of different networks: {', '.join(names)}, and {', '.join(other.names)}"
            )
    pairs = [(names[pair.first], names[pair.second]) for pair in given[0].pairs]
    overlays = [[pair.overlay for pair in one.pairs] for one in given]
    return agreements(pairs, overlays, {"planes": [one.provenance() for one in given]})
