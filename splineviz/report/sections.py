"""The sections of a report and what they say in words."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version

import splineviz
from splineviz.report import tables
from splineviz.report.document import Document, Section, Table
from splineviz.report.figures import pictures
from splineviz.validation.findings import Findings
from splineviz.validation.study import Study
from splineviz.validation.verdict import verdict

__all__ = ["document_of"]

_DEFINITIONS = (
    "Neighbourhood: conv{x ± r v_1, ..., x ± r v_P} of a point x, v_p orthonormal. Exact counts "
    "are on the diamond of P ="
    " 2; plane k is spanned by the first two directions of frame k.",
    "n_sep, the proxy: units (entries of what enters a nonlinearity; not the outputs) whose state "
    "is not the same at all 2P"
    " vertices. n_cut: units whose state differs between two cells. R: cells, maximal sets of one "
    "activation pattern with an"
    " inner point. Linear regions: cells joined across edges where the output's affine map does not change.",
    "R - 1 = n_sep + missed + crossings + coincident, exactly, for every neighbourhood: missed = "
    "n_cut - n_sep; crossings ="
    " what units split beyond a first cell, when they are inserted in order; coincident corrects "
    "for units that share a zero"
    " set.",
    "Within: over the neighbourhoods of one checkpoint, then the mean over checkpoints. Across: "
    "over the checkpoints, of"
    " the mean curves. Along points: over the checkpoints for each point by itself, then the mean "
    "over points. They are not"
    " pooled: pooling inflates.",
    "Intervals: percentiles 2.5 and 97.5 of the statistic in resamples of the points, each drawn "
    "with all of its planes,"
    " frames, radii and checkpoints. Resamples of points know nothing of other trainings. n "
    "counts neighbourhoods unless the"
    " head says otherwise.",
    "A move of a mean curve: from one checkpoint to a later one, larger than the simultaneous 95 "
    "% interval of all such"
    " differences and than a tenth of the curve's range; listed is the longest alternation of "
    "rises and falls. Two descents:"
    " a fall, a rise, a fall.",
    "m_P: expected largest of P standard normal variables in absolute value. For small r the "
    "proxy with P directions is m_P"
    " / m_2 times that with 2, in the mean over random frames.",
    "Undefined: a correlation where one side is constant, or with fewer than 3 distinct pairs.",
)


def document_of(study: Study, found: Findings) -> Document:
    """Everything a report holds; figures are drawn when they are written."""
    sections = (
        Section(
            "agreement",
            "Rank agreement",
            _agreement(study),
            (*tables.agreement_tables(study, found), tables.ties_table(study, found)),
        ),
        *_training(study, found),
        Section(
            "calibration", "What R is where the proxy counts n", (), tables.calibration_tables(study, found)
        ),
        Section("terms", "Where the cells come from", (), (tables.terms_table(study, found),)),
        Section("missed", "What the proxy misses", (), tables.missed_tables(study, found)),
        Section("directions", "The choice of directions", (), tables.direction_tables(study, found)),
        *_planes(study, found),
        Section("trust", "Cost and certainty", (), tables.trust_tables(study, found)),
        *_examples(study),
        Section("definitions", "Scope and definitions", _DEFINITIONS),
        _made(study, found),
    )
    title = f"Local complexity of {study.model}: the proxy against exact counts"
    summary = tables.summary_table(found)
    return Document(title, summary, tuple(verdict(study, found)), sections, tuple(pictures(study, found)))


def _agreement(study: Study) -> tuple[str, ...]:
    per_plane = "every pair of a point and a plane" if study.n_planes > 1 else "every point"
    text = (
        f"A neighbourhood is {per_plane}; the proxy is that of the same frame. Baselines are the same on all "
        f"planes of a point."
    )
    several = (
        " Correlations within each single checkpoint are in the JSON." if study.n_checkpoints > 1 else ""
    )
    return (f"{text}{several}",)


def _training(study: Study, found: Findings) -> tuple[Section, ...]:
    if study.n_checkpoints < 2:
        return ()
    return (Section("training", "Over training", (), (tables.course_table(study, found),)),)


def _planes(study: Study, found: Findings) -> tuple[Section, ...]:
    if not found.planes:
        return ()
    text = (
        "The exact count on k planes is itself an estimate of the mean over all planes. The other "
        "planes stand for that mean; as"
        " they are few, they lower all numbers of one k alike."
    )
    return (Section("planes", "How many planes", (text,), (tables.plane_table(study, found),)),)


def _examples(study: Study) -> tuple[Section, ...]:
    if not study.examples:
        return ()
    text = "Exact cells on the diamond of P = 2; edges coloured by stage, the decision boundary in red."
    return (Section("examples", "Neighbourhoods of best and worst agreement", (text,)),)


def _made(study: Study, found: Findings) -> Section:
    """Section that tells how to do it again: everything that the design says, the versions, the seeds."""
    packages = {"splineviz": splineviz.__version__, "python": platform.python_version()}
    packages |= {name: version(name) for name in ("numpy", "scipy", "matplotlib")}
    rows = [
        (name, _said(value))
        for name, value in sorted(study.design.items())
        if name not in ("command", "versions")
    ]
    rows += [("model", study.model), ("program digest", study.digest)]
    rows += [("bootstrap", f"{found.resamples:,} resamples of points, seed {found.seed}")]
    rows += [
        ("versions, counts", _said(study.design.get("versions", {}))),
        ("versions, report", _said(packages)),
    ]
    given = [
        ("radius", f"{label}: {r!r}")
        for label, r in zip(study.radius_labels, study.radii.tolist(), strict=True)
    ]
    stages = [(f"stage {s.index}", f"{s.name}, {s.kind}, {s.n_units:,} units") for s in study.stages]
    table = Table("Design", ("what", "value"), [*rows, *given, *stages])
    return Section("made", "How this was made", (), (table,), code=str(study.design.get("command", "")))


def _said(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(entry)}" for name, entry in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_said, value))
    return value if isinstance(value, str) else json.dumps(value)
