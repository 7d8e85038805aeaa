"""Statements of an arrangement on itself and on its network: the size of its numbers, the name card, areas of
thin cells, the figures of the certificate; and by name those that no check can verify."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from splineviz.checking.claim import Claim
from splineviz.checking.polygon_checks import twice_areas
from splineviz.checking.report import Check, Verdict, judge
from splineviz.checking.settling import Settled
from splineviz.errors import InputError, SplinevizWarning
from splineviz.plane import Plane
from splineviz.program.program import Program

__all__ = [
    "NOT_VERIFIED",
    "check_card",
    "check_certificate",
    "check_numbers",
    "check_thin_areas",
    "not_verified",
]

_LARGEST = 1e100
"""Beyond, products of coordinates overflow"""

_CLOSE = 1e-9

_ENDS = ("COMPLETE", "UNDECIDED", "IN_DOUBT", "INCOMPLETE", "BATCH")

_COUNTS = ("decisions", "re_evaluated", "undecided", "zeros", "proven", "in_doubt")

NOT_VERIFIED: Mapping[str, str] = {
    "schema, version, extra": "what wrote the file, and what was noted beside it",
    "edge_against": "which of its two ends an edge is given from",
    "plane_anchors": "which points of the planes are marked",
    "pattern_hash": "beyond that patterns differ where hashes do",
    "name, names and source lines of stages": "how the network and its layers are called",
    "seconds, seconds_affine, batches": "how the work went",
    "decisions, proven, undecided, re_evaluated, zeros, largest_bound, certify": (
        "how many decisions were taken and proven on the way, and so whether the status is COMPLETE or "
        "UNDECIDED: cells are derived again instead"
    ),
}
"""Claims of a file that nothing can be held against, by name: what they say"""


def not_verified() -> Check:
    """The claims that are taken on trust, by name."""
    names = "; ".join(f"{name} ({what})" for name, what in NOT_VERIFIED.items())
    return Check("trust", "claims that no check can verify", Verdict.SKIPPED, "claims", note=names)


def check_numbers(claim: Claim) -> Check:
    """All numbers are such that arithmetic with them does not overflow."""
    size = np.zeros(len(claim.windows))
    for number, (plane, window) in enumerate(zip(claim.planes, claim.windows, strict=True)):
        for part in (plane.origin, plane.basis, window.vertices):
            size[number] = np.fmax(size[number], np.abs(part).max()) if np.isfinite(part).all() else np.inf
    largest = np.abs(claim.vertices).max(initial=0.0)
    bad = np.flatnonzero(~(np.maximum(size, largest) <= _LARGEST))
    sentence = "corners, windows and planes are numbers that do not overflow"
    return judge(
        "numbers", sentence, "windows", len(size), bad=bad, closeness=(max(size.max(), largest), _LARGEST)
    )


def check_card(claim: Claim, program: Program) -> Check:
    """The units that the file lists are those of the network."""
    bad = [
        stage.index
        for stage, told in zip(program.stages, claim.card["stages"], strict=False)
        if any(
            _plain(getattr(stage, name)) != _plain(told.get(name))
            for name in ("index", "kind", "shape", "breakpoints", "candidates")
        )
    ]
    whole = ("input_shape", "output_shape", "n_parameters", "cut_off")
    turned = not all(_has_layout(plane, program) for plane in claim.planes)
    if (
        turned
        or len(program.stages) != len(claim.card["stages"])
        or any(_plain(getattr(program, name)) != _plain(claim.card[name]) for name in whole)
    ):
        bad = list(range(len(program.stages))) or [0]
    sentence = "stages, shapes and parameters are those of the network"
    if turned:
        sentence += ", but a plane has another layout"
    return judge("card", sentence, "stages", len(program.stages), bad=np.array(bad, dtype=np.int64))


def _has_layout(plane: Plane, program: Program) -> bool:
    """Whether points of a plane are in the network's own layout, so that nothing is turned."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SplinevizWarning)
            return plane.for_inputs(program.input_shape) is plane
    except InputError:
        return False


def check_thin_areas(claim: Claim, settled: Settled) -> Check:
    """Areas that are given apart are those of the cells in exact arithmetic."""
    sentence = "areas of thin cells are those in exact arithmetic"
    if not len(claim.thin_cells):
        return Check("thin areas", sentence, Verdict.SKIPPED, "cells", note="no area is given apart")
    bad, unsure, worst = [], [], 0.0
    for cell, area in zip(claim.thin_cells.tolist(), claim.thin_areas.tolist(), strict=True):
        exact = settled.thin.get(cell)
        if not (math.isfinite(area) and area > 0):
            bad.append(cell)
        elif exact is None:
            unsure.append(cell)
        else:
            off = abs(Fraction(area) - exact) - Fraction(math.ulp(0.0))
            worst = max(worst, float(off / exact))
            if off > Fraction(_CLOSE) * exact:
                bad.append(cell)
    return judge(
        "thin areas",
        sentence,
        "cells",
        len(claim.thin_cells),
        bad=np.array(bad, dtype=np.int64),
        unsure=np.array(unsure, dtype=np.int64),
        closeness=(worst, _CLOSE),
    )


def check_certificate(claim: Claim, settled: Settled) -> Check:
    """The figures of the certificate contradict neither each other nor the cells."""
    wrong = list(_contradictions(claim, settled))
    sentence = "status and figures fit each other and the cells"
    if wrong:
        sentence += f", but {'; '.join(wrong)}"
    bad = np.arange(len(wrong))
    return judge("certificate", sentence, "figures", len(claim.stats) + 1, bad=bad)


def _contradictions(claim: Claim, settled: Settled) -> Iterator[str]:
    """A sentence for each figure that cannot be right."""
    stats = claim.stats
    if claim.status not in _ENDS:
        yield f"the status is {json.dumps(claim.status)}, not one of {', '.join(_ENDS)}"
    if stats.get("certify") not in ("full", "fast", "off"):
        yield f"certify is {stats.get('certify')!r}"
    malformed = [
        f"{name} is {stats.get(name)!r}, no count" for name in _COUNTS if not _is_count(stats.get(name))
    ]
    yield from malformed
    if not malformed:
        yield from _sums(claim)
        yield from _ends(claim)
    yield from _misplaced(claim, settled)


def _sums(claim: Claim) -> Iterator[str]:
    """A sentence for each sum of decisions that is none."""
    stats = claim.stats
    stages = {name: stats.get(f"{name}_per_stage", ()) for name in ("decisions", "proven")}
    wrong = [
        f"{name} by stage do not make up {stats[name]}"
        for name, parts in stages.items()
        if not all(map(_is_count, parts)) or sum(parts) != stats[name] or len(parts) != claim.n_stages
    ]
    yield from wrong
    if not wrong and any(proven > decisions for decisions, proven in zip(*stages.values(), strict=True)):
        yield "more are proven in a stage than decided"
    if max(stats["proven"], stats["re_evaluated"]) > stats["decisions"]:
        yield "more are proven or taken again than there are"
    if stats["certify"] == "off" and stats["proven"]:
        yield "decisions are proven though nothing was to be"
    if stats["certify"] != "off" and stats["undecided"] != stats["decisions"] - stats["proven"]:
        yield "those that are undecided are not those that are not proven"


def _ends(claim: Claim) -> Iterator[str]:
    """A sentence for each status, or number of cells in doubt, that the rest contradicts."""
    stats, status = claim.stats, claim.status
    expected = {"COMPLETE": (False, False), "UNDECIDED": (True, False), "IN_DOUBT": (None, True)}
    found = stats["undecided"] > 0, stats["in_doubt"] > 0
    if any(want not in (None, is_) for want, is_ in zip(expected.get(status, ()), found, strict=False)):
        yield f"the status is {status} with {stats['undecided']} undecided and {stats['in_doubt']} in doubt"
    if stats["in_doubt"] != len(claim.in_doubt):
        yield f"{stats['in_doubt']} cells are in doubt, and {len(claim.in_doubt)} are marked"
    share = stats.get("share_in_doubt")
    if not isinstance(share, float | int) or not 0 <= share <= 1 or (share > 0) > found[1]:
        yield f"the share in doubt is {share!r}"
    elif found[1] and abs(share - (expected_share := _share_in_doubt(claim))) > _CLOSE:
        yield f"the share in doubt is {share:g}, and those cells have {expected_share:g} of the windows"


def _share_in_doubt(claim: Claim) -> float:
    """Areas of the cells in doubt over those of the windows, at most 1; 1 where they have no finite areas."""
    twice, k = twice_areas(claim)
    thin = dict(zip(claim.thin_cells.tolist(), claim.thin_areas.tolist(), strict=True))
    whole = sum(window.area for window in claim.windows)
    if not all(map(math.isfinite, thin.values())) or not whole > 0:
        return 1.0
    unit, doubtful = Fraction(2) ** (k + 1), claim.in_doubt.tolist()
    areas = (Fraction(thin[cell]) if cell in thin else int(twice[cell]) / unit for cell in doubtful)
    return min(1.0, float(sum(map(abs, areas)) / Fraction(whole)))


def _misplaced(claim: Claim, settled: Settled) -> Iterator[str]:
    """A sentence where a corner is stored farther from its exact place than the certificate allows."""
    told = claim.stats.get("largest_displacement")
    if told is None:
        return
    if not (isinstance(told, float | int) and math.isfinite(told) and told >= 0):
        yield f"the largest displacement is {told!r}"
    elif settled.farthest > told * (1 + _CLOSE) + 2.0**-50 * np.abs(claim.vertices).max():
        yield f"corners are stored up to {settled.farthest:.1e} from their places, beyond {told:.1e}"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
