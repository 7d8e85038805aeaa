"""Random points, each in the cell that its pattern says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from splineviz.checking.claim import Claim
from splineviz.checking.evidence import Evidence, Patterns, packed, runs
from splineviz.checking.network import Network
from splineviz.checking.report import Check, judge

__all__ = ["check_points", "random_points"]

_NUMBERS = 2**23


def random_points(
    claim: Claim, n: int, rng: np.random.Generator, window: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) points, uniform in windows that are given or drawn uniformly, and their windows."""
    window = rng.integers(len(claim.windows), size=n) if window is None else window
    points = np.empty((n, 2))
    for number in np.unique(window):
        rows = np.flatnonzero(window == number)
        corners = claim.windows[number].vertices
        # Triangles round the first corner, by their areas, and a uniform point of one.
        a, b = corners[1:-1] - corners[0], corners[2:] - corners[0]
        area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        which = rng.choice(len(a), size=len(rows), p=area / area.sum())
        s, t = rng.random((2, len(rows), 1))
        s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
        points[rows] = corners[0] + s * a[which] + t * b[which]
    return points, window


def check_points(
    claim: Claim, network: Network, evidence: Evidence, polygons: np.ndarray, n: int, rng: np.random.Generator
) -> Check:
    """The pattern at a random point is that of the cell whose polygon it lies in."""
    points, window = random_points(claim, n, rng)
    tree = shapely.STRtree(polygons)
    at, cell = tree.query(shapely.points(points), predicate="intersects")
    rows = claim.cell_window[cell] == window[at]
    at, cell = at[rows], cell[rows]
    found = at
    patterns = _patterns(claim, network, points, window)
    differ = np.zeros(len(at), dtype=bool)
    for some in runs(len(at), max(1, _NUMBERS // max(1, patterns.n_columns))):
        unlike, open_ = patterns.same_as(at[some], evidence.patterns, cell[some])
        differ[some] = (unlike & ~open_).any(1)
    # By rounding a point may lie on the other side of an edge than its pattern says.
    at, cell = at[differ], cell[differ]
    away = shapely.distance(shapely.boundary(polygons[cell]), shapely.points(points[at]))
    bad = [at[away > claim.slack[window[at]]]]
    if claim.covers:
        missed = np.setdiff1d(np.arange(n), found)
        nearest = tree.nearest(shapely.points(points[missed]))
        bad.append(
            missed[
                shapely.distance(polygons[nearest], shapely.points(points[missed]))
                > claim.slack[window[missed]]
            ]
        )
    offenders = np.concatenate(bad)
    note = (
        ""
        if not len(offenders)
        else f"the first at uv = {points[offenders[0]].tolist()} of window {window[offenders[0]]}"
    )
    sentence = "a random point has the pattern of the cell that it lies in"
    return replace(judge("points", sentence, "points", len(np.unique(found)), bad=offenders), note=note)


def _patterns(claim: Claim, network: Network, points: np.ndarray, window: np.ndarray) -> Patterns:
    parts = []
    for rows in runs(len(points), network.rows):
        readings, *_ = network.read(*claim.lift(points[rows], window[rows]))
        parts.append(packed(network.layout, readings, len(rows)))
    on, unsure = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Patterns(on, unsure, int(network.layout.first_column[-1]))
