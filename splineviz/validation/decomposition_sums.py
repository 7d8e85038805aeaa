"""The four terms of R - 1 summed up by radius, checkpoint and stage; the miss rate beside the deformation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64
from scipy import stats

from splineviz.validation.cluster_bootstrap import ratio
from splineviz.validation.decomposition import TERMS, Decomposition
from splineviz.validation.measured import Measured
from splineviz.validation.ranks import why_undefined
from splineviz.validation.study import Study

__all__ = ["Missed", "Stretch", "Term", "missed", "stretch", "terms_of"]


@dataclass(frozen=True)
class Term:
    """One term of the mean of R - 1 at one radius, over the neighbourhoods that were counted."""

    radius: int
    checkpoint: int | None
    """None: all of them together."""
    stage: int | None
    """None: all of them together."""
    term: str
    mean: Measured
    share: Measured
    """Share of the whole R - 1, all stages together."""


@dataclass(frozen=True)
class Missed:
    """The share of cuts that the proxy misses on the same set: sum of n_cut - n_sep over sum of n_cut."""

    radius: int
    checkpoint: int | None
    stage: int | None
    rate: Measured
    negative: int
    """Neighbourhoods where the proxy counts more than there are: values at a vertex that are, up to rounding,
    at a breakpoint."""


@dataclass(frozen=True)
class Stretch:
    """Does deformation explain the misses? Spearman's rho over the pairs of a checkpoint and a radius, for
    one stage."""

    stage: int
    measure: str
    spearman: Measured


def terms_of(
    study: Study, parts: Decomposition, weights: Float64[np.ndarray, "resample point"]
) -> list[Term]:
    """Terms of all checkpoints of each radius together, then of each; of these all stages together, then
    each."""
    rows = []
    for radius, checkpoint, stage in _groups(study):
        at = _at(checkpoint), radius
        held = parts.counted[at].reshape(-1, study.n_points)
        whole = np.sum([_by_point(getattr(parts, term), at, None) for term in TERMS], axis=0)
        for term in TERMS:
            some = _by_point(getattr(parts, term), at, stage)
            mean = ratio(some, held.sum(0), weights, int(held.sum()), "nothing was counted").measured()
            share = ratio(some, whole, weights, int(held.sum()), "every neighbourhood is one cell").measured()
            rows.append(Term(radius, checkpoint, stage, term, mean, share))
    return rows


def missed(
    study: Study, parts: Decomposition, weights: Float64[np.ndarray, "resample point"]
) -> list[Missed]:
    """Shares of the cuts that the proxy misses, in the order of the terms."""
    rows = []
    for radius, checkpoint, stage in _groups(study):
        at = _at(checkpoint), radius
        lost = _by_point(parts.missed, at, stage)
        sample = int(parts.counted[at].sum())
        rate = ratio(
            lost, lost + _by_point(parts.n_sep, at, stage), weights, sample, "nothing is cut"
        ).measured()
        each = parts.missed[at] if stage is None else parts.missed[(*at, ..., stage)]
        rows.append(
            Missed(
                radius,
                checkpoint,
                stage,
                rate,
                int(((each < 0).any(-1) if stage is None else each < 0).sum()),
            )
        )
    return rows


def stretch(study: Study, rates: list[Missed]) -> list[Stretch]:
    """The miss rate of each stage beside the size and the unevenness of the neighbourhood that enters it.

    Size: mean eccentricity over that at the input's stage. Unevenness: diameter over mean eccentricity, 1 for
    a regular figure.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        sizes = {
            "size": study.eccentricity / study.eccentricity[..., :1],
            "unevenness": study.diameter / study.eccentricity,
        }
    rate_of = {(m.checkpoint, m.radius, m.stage): m.rate.value for m in rates}
    rows = []
    for stage, (measure, size) in product(range(1, len(study.stages)), sizes.items()):
        places = [(c, r) for c in range(study.n_checkpoints) for r in range(study.n_radii)]
        pairs = [
            (size[c, r, stage], rate)
            for c, r in places
            if (rate := rate_of[_name(study, c), r, stage]) is not None
        ]
        x, y = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
        reason = why_undefined(x, y) if np.isfinite(x).all() else "the deformation is not known"
        value = None if reason else float(stats.spearmanr(x, y).statistic)
        rows.append(Stretch(stage, measure, Measured(value, None, None, len(x), reason)))
    return rows


def _groups(study: Study) -> list[tuple[int, int | None, int | None]]:
    stages: list[int | None] = [None, *range(len(study.stages))]
    # of a single checkpoint there is nothing to put together
    checkpoints: list[int | None] = [None, *(range(study.n_checkpoints) if study.n_checkpoints > 1 else [])]
    return list(product(range(study.n_radii), checkpoints, stages))


def _name(study: Study, checkpoint: int) -> int | None:
    return checkpoint if study.n_checkpoints > 1 else None


def _at(checkpoint: int | None) -> int | slice:
    return slice(None) if checkpoint is None else checkpoint


def _by_point(values: np.ndarray, at: tuple[int | slice, int], stage: int | None) -> np.ndarray:
    """(point,) sums over planes, and over what is not told apart."""
    there = values[at].sum(-1) if stage is None else values[at][..., stage]
    summed: np.ndarray = there.reshape(-1, there.shape[-1]).sum(0)
    return summed
