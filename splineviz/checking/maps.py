"""Affine maps, kinks and linear regions against automatic differentiation."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splineviz.checking.claim import Claim
from splineviz.checking.evidence import Evidence, runs
from splineviz.checking.network import Network
from splineviz.checking.polygon_checks import narrow_cells
from splineviz.checking.report import Check, Verdict, judge

__all__ = ["check_continuity", "check_corners", "check_kink_sizes", "check_maps", "check_regions"]

_CLOSE = 1e-9  # relative to the maps compared
_STRAIGHT, _BENT = (
    1e-13,
    1e-9,
)  # the jump of a gradient, over the gradients, that is rounding, and that is none


def check_maps(claim: Claim, evidence: Evidence) -> Check:
    """Stored maps are those that automatic differentiation finds at a point of each cell, and give the output
    there."""
    name, sentence = "maps", "stored maps are derivatives, and give the output, inside each cell"
    if "affine" not in claim.derived or evidence.gradient is None or evidence.value is None:
        return Check(name, sentence, Verdict.SKIPPED, "cells", note="no affine maps in the file")
    stored = claim.derived["affine"]
    if stored.shape != (*evidence.value.shape, 3):
        return judge(
            name, f"{sentence}: shape {stored.shape}", "cells", claim.n_cells, bad=np.arange(claim.n_cells)
        )
    gradient = np.abs(stored[:, :, :2] - evidence.gradient).max((1, 2), initial=0.0)
    value = np.maximum(
        np.abs(_at(stored, claim.points) - evidence.value).max(1, initial=0.0) - evidence.error, 0.0
    )
    slope, size = _sizes(claim, evidence)
    off = np.maximum(gradient / slope, value / size)
    unsure = _unsure(evidence)
    bad, worst = np.flatnonzero(~(off <= _CLOSE) & ~unsure), off.max(initial=0.0, where=~unsure)
    return judge(
        name,
        sentence,
        "cells",
        claim.n_cells,
        bad=bad,
        unsure=np.flatnonzero(unsure),
        closeness=(worst, _CLOSE),
    )


def check_continuity(claim: Claim, evidence: Evidence) -> Check:
    """The maps on the two sides of an edge, found by differentiation, agree at both its ends, which may be
    off by the slack."""
    name, sentence = "continuity", "derived maps on both sides of an edge agree along it"
    if evidence.gradient is None or evidence.value is None:
        return Check(name, sentence, Verdict.SKIPPED, "edges", note="the last stage was not arranged")
    edges = np.flatnonzero(claim.inner)
    off = np.zeros(len(edges))
    size = _sizes(claim, evidence)[1]
    for some in runs(len(edges), 2**14):
        left, right = claim.edge_cells[edges[some]].T
        jump = np.linalg.norm(evidence.gradient[left] - evidence.gradient[right], axis=2).max(1, initial=0.0)
        allowed = evidence.error[left] + evidence.error[right] + claim.slack[claim.cell_window[left]] * jump
        for end in claim.edges[edges[some]].T:
            sides = [_extended(claim, evidence, cells, claim.vertices[end]) for cells in (left, right)]
            gap = np.abs(sides[0] - sides[1]).max(1, initial=0.0) - allowed
            off[some] = np.maximum(off[some], gap / np.maximum(size[left], size[right]))
    unsure, apart = _untold(claim, evidence)[claim.edge_cells[edges]].any(1), ~(off <= _CLOSE)
    return judge(
        name,
        sentence,
        "edges",
        len(edges),
        bad=edges[apart & ~unsure],
        unsure=edges[apart & unsure],
        closeness=(off.max(initial=0.0, where=~unsure), _CLOSE),
    )


def check_corners(claim: Claim, network: Network, evidence: Evidence) -> Check:
    """The output at every vertex is what the maps of the cells round it give: no kink hides in a cell,
    whatever made it. Within the slack of the vertex it may change by as much as the steepest of them does."""
    name, sentence = "corners", "the output at each corner is what the map derived inside gives"
    if evidence.gradient is None or evidence.value is None:
        return Check(name, sentence, Verdict.SKIPPED, "cells", note="the last stage was not arranged")
    output = np.empty((len(claim.vertices), evidence.value.shape[1]))
    window = np.zeros(len(claim.vertices), dtype=np.int64)
    window[claim.corner] = claim.cell_window[claim.side_cell]
    for rows in runs(len(output), network.rows):
        output[rows] = network.output(claim.lift(claim.vertices[rows], window[rows])[0])
    size, off = _sizes(claim, evidence)[1], np.zeros(claim.n_cells)
    steepest = np.zeros(len(claim.vertices))
    slopes = np.linalg.norm(evidence.gradient, axis=2).max(1, initial=0.0)
    np.maximum.at(steepest, claim.corner, slopes[claim.side_cell])
    allowed = 2 * claim.slack[window] * steepest
    for sides in runs(len(claim.corner), 2**16):
        cells, corner = claim.side_cell[sides], claim.corner[sides]
        gap = np.abs(_extended(claim, evidence, cells, claim.vertices[corner]) - output[corner]).max(
            1, initial=0.0
        )
        np.maximum.at(off, cells, (gap - 2 * evidence.error[cells] - allowed[corner]) / size[cells])
    unsure, apart = _untold(claim, evidence), ~(off <= _CLOSE)
    unsure[claim.side_cell[~np.isfinite(output[claim.corner]).all(1)]] = True  # the pass has overflowed there
    return judge(
        name,
        sentence,
        "cells",
        claim.n_cells,
        bad=np.flatnonzero(apart & ~unsure),
        unsure=np.flatnonzero(apart & unsure),
        closeness=(off.max(initial=0.0, where=~unsure), _CLOSE),
    )


def check_regions(claim: Claim, evidence: Evidence) -> Check:
    """Cells joined where the gradient does not jump, against the linear regions of the file."""
    name, sentence = "regions", "linear regions are cells joined where the derivative does not jump"
    stored = claim.derived.get("linear_regions")
    if evidence.gradient is None or stored is None:
        what = "no linear regions in the file"
        if evidence.gradient is not None:
            edges = _joined(claim, evidence)[0]
            found = _components(claim.n_cells, claim.edge_cells[edges]).max() + 1
            what += f"; by differentiation there are {found:,}"
        return Check(name, sentence, Verdict.SKIPPED, "cells", note=what)
    if not _are_labels(stored, claim.n_cells):
        return judge(
            name,
            f"{sentence}: not numbers 0, 1, ... for all cells",
            "cells",
            claim.n_cells,
            bad=np.arange(claim.n_cells),
        )
    straight, doubtful = _joined(claim, evidence)
    # What is neither clearly rounding nor clearly a jump is left as the file has it, and counted.
    left, right = claim.edge_cells[doubtful].T
    given = doubtful[stored[left] == stored[right]]
    found = _components(claim.n_cells, claim.edge_cells[np.concatenate([straight, given])])
    order = np.lexsort((stored, found))
    split = order[1:][(np.diff(found[order]) == 0) & (np.diff(stored[order]) != 0)]
    order = np.lexsort((found, stored))
    merged = order[1:][(np.diff(stored[order]) == 0) & (np.diff(found[order]) != 0)]
    sentence += f": {int(found.max()) + 1:,}"
    return judge(
        name,
        sentence,
        "cells",
        claim.n_cells,
        bad=np.concatenate([split, merged]),
        unsure=left,
        notes={"edges are left as they are stored": len(doubtful)},
    )


def check_kink_sizes(claim: Claim, evidence: Evidence) -> Check:
    """Stored kinks are the jumps of the derivative."""
    name, sentence = "kink sizes", "stored kinks are jumps of the derivative"
    stored = claim.derived.get("edge_jump")
    if evidence.gradient is None or stored is None:
        return Check(name, sentence, Verdict.SKIPPED, "edges", note="no kinks in the file")
    if stored.shape != (len(claim.edges),):
        return judge(
            name,
            f"{sentence}: shape {stored.shape}",
            "edges",
            len(claim.edges),
            bad=np.arange(len(claim.edges)),
        )
    edges, jump, size = _jumps(claim, evidence)
    off = np.abs(stored[edges] - jump) / size
    unsure = _unsure(evidence)[claim.edge_cells[edges]].any(1)
    bad = np.concatenate([edges[~(off <= _CLOSE) & ~unsure], np.flatnonzero((stored != 0) & ~claim.inner)])
    worst = off.max(initial=0.0, where=~unsure)
    return judge(
        name, sentence, "edges", len(edges), bad=bad, unsure=edges[unsure], closeness=(worst, _CLOSE)
    )


def _are_labels(stored: np.ndarray, n: int) -> bool:
    """Whether an array numbers n things by 0, 1, ..., each number at least once: the largest is how many
    kinds there are."""
    if stored.shape != (n,) or stored.dtype.kind != "i":
        return False
    kinds = np.unique(stored)
    return np.array_equal(kinds, np.arange(len(kinds)))


def _unsure(evidence: Evidence) -> np.ndarray:
    """(F,) cells whose pattern is not certain, so that the pass at their point may be of another; or whose
    map is beyond float64."""
    return np.asarray(evidence.patterns.unsure.any(1) | ~_is_finite(evidence))


def _untold(claim: Claim, evidence: Evidence) -> np.ndarray:
    """(F,) cells of which no pass tells the map: so narrow that their point may lie in another, and not
    derived again; or with a map beyond float64."""
    untold = ~_is_finite(evidence)
    narrow = narrow_cells(claim)
    untold[narrow] |= evidence.patterns.unsure[narrow].any(1)
    return untold


def _is_finite(evidence: Evidence) -> np.ndarray:
    assert evidence.value is not None
    assert evidence.gradient is not None
    finite = np.isfinite(evidence.value).all(1) & np.isfinite(evidence.gradient).all((1, 2))
    return np.asarray(finite)


def _at(maps: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(N, C) maps (N, C, 3) at points."""
    result: np.ndarray = maps[:, :, 0] * uv[:, :1] + maps[:, :, 1] * uv[:, 1:] + maps[:, :, 2]
    return result


def _extended(claim: Claim, evidence: Evidence, cells: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(N, C) the output that the pass inside each cell predicts elsewhere."""
    assert evidence.value is not None
    assert evidence.gradient is not None
    step = (uv - claim.points[cells])[:, None, :]
    result: np.ndarray = evidence.value[cells] + (evidence.gradient[cells] * step).sum(2)
    return result


def _sizes(claim: Claim, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """(F,) how large derivatives and outputs are, to compare deviations with: those of a cell, or a
    thousandth of the largest."""
    assert evidence.value is not None
    assert evidence.gradient is not None
    slope = np.abs(evidence.gradient).max((1, 2), initial=0.0)
    value = np.abs(evidence.value).max(1, initial=0.0)
    largest = (size.max(initial=0.0, where=np.isfinite(size)) for size in (slope, value))
    least = (max(1e-3 * size, np.finfo(float).tiny) for size in largest)
    return tuple(np.fmax(size, low) for size, low in zip((slope, value), least, strict=True))


def _jumps(claim: Claim, evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inner edges, the Frobenius norm of the jump of the derivative across each, and the size of the two
    derivatives."""
    assert evidence.gradient is not None
    edges = np.flatnonzero(claim.inner)
    norm = np.linalg.norm(evidence.gradient, axis=(1, 2))
    jump, size = np.empty(len(edges)), np.empty(len(edges))
    for some in runs(len(edges), 2**14):
        left, right = claim.edge_cells[edges[some]].T
        jump[some] = np.linalg.norm(evidence.gradient[left] - evidence.gradient[right], axis=(1, 2))
        size[some] = np.maximum(norm[left], norm[right])
    return edges, jump, np.maximum(size, np.finfo(float).tiny)


def _joined(claim: Claim, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Edges without a jump, and edges of which rounding does not tell."""
    edges, jump, size = _jumps(claim, evidence)
    open_ = ((jump > _STRAIGHT * size) & (jump < _BENT * size)) | _unsure(evidence)[
        claim.edge_cells[edges]
    ].any(1)
    return edges[(jump <= _STRAIGHT * size) & ~open_], edges[open_]


def _components(n: int, pairs: np.ndarray) -> np.ndarray:
    graph = coo_array((np.ones(len(pairs), dtype=np.int32), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
