"""Verdict of a study, in sentences, each with its scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from splineviz.validation.decomposition import TERMS
from splineviz.validation.findings import Findings
from splineviz.validation.measured import UNDEFINED, Measured
from splineviz.validation.study import Study
from splineviz.validation.training_curves import Course

__all__ = ["percent", "reading", "verdict"]


def verdict(study: Study, found: Findings) -> list[str]:
    """The verdict first, then what it rests on; all of this study's points, checkpoints, radii and
    directions, and of no others."""
    return [
        _ranking(study, found),
        *_planes(study, found),
        *_across(study, found),
        _terms(found),
        *_cost(found),
        _certainty(study, found),
        f"Scope: {_population(study)}; {', '.join(found.radius_labels)}; {_frames(study)}. Intervals "
        f"are of {found.resamples:,}"
        " resamples of the points. Of other networks, data or radii, or of another run of the same "
        "training, this says nothing.",
    ]


def percent(share: float | None) -> str:
    """A share as it is printed.

    Examples
    --------
    >>> percent(0.1234), percent(0.9999), percent(1.0), percent(0.00004), percent(None)
    ('12.3 %', '99.99 %', '100 %', '0.004 %', 'undefined')
    """
    if share is None:
        return UNDEFINED
    near_one = 0.995 < share < 1
    return f"{100 * share:.{4 if near_one else 3}g} %"


def reading(course: Course) -> str:
    """The moves of a mean curve in words: ``falls, rises``, or ``makes no significant move``."""
    words = ["falls" if (move.change.value or 0) < 0 else "rises" for move in course.moves]
    return ", ".join(words) if words else "makes no significant move"


def _population(study: Study) -> str:
    data = study.design.get("data")
    points = f"{study.n_points:,} points" + (f" of {data}" if isinstance(data, str) and data else "")
    n = study.n_checkpoints
    return f"{points}, {study.model}, " + (f"{n} checkpoints" if n > 1 else "one state of it")


def _frames(study: Study) -> str:
    planes = f"{study.n_planes} plane{'s' * (study.n_planes > 1)} a point"
    kind = "shared by all points" if study.design.get("frame") == "shared" else "fresh for each point"
    frames = f"{study.n_frames} frame{'s' * (study.n_frames > 1)} {kind}"
    return f"{planes}, {frames}, P = {', '.join(map(str, study.directions))}"


def _ranking(study: Study, found: Findings) -> str:
    where = "Within a checkpoint" if study.n_checkpoints > 1 else "From point to point"
    used = _by_radius(found, lambda r: found.agreement(r, found.headline).tau)
    text = (
        f"{where} the proxy with {found.headline} ranks neighbourhoods as the number of cells does with "
        f"Kendall's tau-b {used}"
    )
    if found.headline != found.same_set:
        same = _by_radius(found, lambda r: found.agreement(r, found.same_set).tau)
        text += f"; with P = 2, on the very sets whose cells are counted, {same}"
    pairs = zip(found.matches, found.radius_labels, strict=True)
    shares = _listed([f"{percent(match.one_cell)} at {label}" for match, label in pairs])
    return f"{text}. Neighbourhoods of one cell, which are all tied: {shares}."


def _across(study: Study, found: Findings) -> list[str]:
    if study.n_checkpoints < 3:
        return []
    taus = _by_radius(found, lambda r: found.agreement(r, found.headline, across=True).tau)
    text = (
        f"Across the {study.n_checkpoints} checkpoints their means ({found.headline} and R) rank alike with "
        f"tau-b {taus}."
    )
    curves = {(course.radius, course.quantity): course for course in found.courses}
    turns = []
    for r, label in enumerate(found.radius_labels):
        exact, proxy = curves[r, "R"], curves[r, found.headline]
        turns.append(
            f"at {label} the mean of R {reading(exact)}, that of the proxy "
            f"{reading(proxy)}{_descent(exact, proxy)}"
        )
    return [text, f"Over training, {'; '.join(turns)}."]


def _descent(exact: Course, proxy: Course) -> str:
    both = exact.double_descent, proxy.double_descent
    if all(both):
        return " (both descend twice)"
    return {
        (True, False): " (only the exact count descends twice)",
        (False, True): " (only the proxy descends twice)",
    }.get(both, " (neither descends twice)")


def _terms(found: Findings) -> str:
    share = {(t.radius, t.term): t.share for t in found.terms if t.checkpoint is None and t.stage is None}
    names = {
        "n_sep": "are cuts that the proxy finds",
        "missed": "cuts that it misses",
        "crossings": "crossings and folds",
    }
    parts = []
    for r, label in enumerate(found.radius_labels):
        there = [
            f"{percent(share[r, term].value)} {names.get(term, term)}"
            for term in TERMS
            if share[r, term].value
        ]
        parts.append(f"at {label} " + (", ".join(there) or "there are none"))
    return f"Of the cells beyond the first, R - 1, with P = 2 on the same sets: {'; '.join(parts)}."


def _cost(found: Findings) -> list[str]:
    known = [
        (label, cost)
        for label, cost in zip(found.radius_labels, found.costs, strict=True)
        if cost.exact_to_plain is not None
    ]
    if not known:
        return []
    plain = _listed([f"{cost.exact_to_plain:.2g} at {label}" for label, cost in known])
    ours = _listed([f"{cost.exact_to_proxy:.2g}" for _, cost in known if cost.exact_to_proxy is not None])
    text = (
        f"Time of an exact count on one plane over a plain forward pass of the proxy's vertices "
        f"({found.headline}): {plain}"
    )
    return [text + (f"; over this package's own proxy: {ours}." if ours else ".")]


def _certainty(study: Study, found: Findings) -> str:
    decisions, undecided, in_doubt, given_up, all_ = (
        sum(getattr(doubt, name) for doubt in found.doubts)
        for name in ("decisions", "undecided", "in_doubt", "given_up", "neighbourhoods")
    )
    proof = (
        "all of them proven"
        if not undecided
        else f"{undecided:,} of them not proven, but resting on estimates"
    )
    if study.design.get("certify") == "off":
        proof = "none of them proven, as was asked for"
    left = (
        "none was given up"
        if not given_up
        else f"{given_up:,} were given up when a budget ended, and are left out"
    )
    if in_doubt:
        left += f"; cells of {in_doubt:,} contradict each other, so these counts are in doubt"
    return f"The exact counts of {all_:,} neighbourhoods took {decisions:,} decisions, {proof}; {left}."


def _by_radius(found: Findings, of: Callable[[int], Measured]) -> str:
    parts = []
    for r, label in enumerate(found.radius_labels):
        value = of(r)
        parts.append(f"{value} at {label}" + (f" ({value.note})" if value.value is None else ""))
    return _listed(parts)


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _planes(study: Study, found: Findings) -> list[str]:
    """Sentences on what one plane can tell of the others at all."""
    if not found.planes:
        return []
    tau = {(row.radius, row.quantity): row.tau for row in found.planes if row.k == 1}
    others = study.n_planes - 1
    of = "the other" if others == 1 else f"the {others} others"
    exact, proxy = (
        _by_radius(found, lambda r: tau[r, "R"]),
        _by_radius(found, lambda r: tau[r, found.headline]),
    )
    return [
        f"R on one plane ranks as R on {of} with tau-b {exact}, the proxy with {found.headline} in one "
        f"frame with {proxy}."
    ]
