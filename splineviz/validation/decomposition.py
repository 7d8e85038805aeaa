"""Sources of the cells: R - 1 = n_sep + missed + crossings + coincident, exactly, for each neighbourhood and
stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from splineviz.validation.study import Study

__all__ = ["TERMS", "Decomposition", "decompose"]

TERMS = ("n_sep", "missed", "crossings", "coincident")


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The four terms of each neighbourhood, by stage; zeros where the exact count was given up (not
    ``counted``).

    Insert the units of the stages in their order; unit i splits s_i cells, so that R - 1 = sum of s_i.

    Attributes
    ----------
    n_sep
        What the proxy finds with P = 2 on the same set.
    missed
        n_cut - n_sep: units that cut the set, but have one state at all of its vertices. Negative only where
        values at a vertex are exactly, or within rounding, at a breakpoint.
    crossings
        Sum of max(s_i - 1, 0): what units split beyond a first cell, by crossing others or by being folded.
    coincident
        Units with s_i >= 1, less n_cut: negative where units share a zero set, and the later draws nothing
        new.
    counted
        Whether the exact count was finished.
    """

    n_sep: Int64[np.ndarray, "checkpoint radius plane point stage"]
    missed: Int64[np.ndarray, "checkpoint radius plane point stage"]
    crossings: Int64[np.ndarray, "checkpoint radius plane point stage"]
    coincident: Int64[np.ndarray, "checkpoint radius plane point stage"]
    counted: Bool[np.ndarray, "checkpoint radius plane point"]


def decompose(study: Study) -> Decomposition:
    """The terms; that they add up to R - 1 is asserted for every neighbourhood.

    References
    ----------
    docs/validation.md, "The decomposition".
    """
    counted = study.counted
    there = counted[..., None]
    n_sep = np.where(there, study.n_sep[:, :, study.directions.index(2), : study.n_planes], 0).astype(
        np.int64
    )
    cells, cut, first = (
        np.where(there, counts, 0).astype(np.int64) for counts in (study.cells, study.cut, study.first)
    )
    before = np.concatenate([there.astype(np.int64), cells[..., :-1]], axis=-1)
    made = Decomposition(n_sep, cut - n_sep, cells - before - first, first - cut, counted)
    total = sum(getattr(made, term).sum(-1) for term in TERMS)
    assert (total == np.where(counted, cells[..., -1] - 1, 0)).all()
    assert (made.crossings >= 0).all(), "a unit that splits a cell makes at least one"
    return made
