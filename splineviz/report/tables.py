"""The findings as tables of words: every number with its interval, every row with its sample size."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from splineviz.report.document import Table
from splineviz.validation.agreement import Agreement
from splineviz.validation.decomposition import TERMS
from splineviz.validation.findings import Findings
from splineviz.validation.measured import UNDEFINED, Measured
from splineviz.validation.quantities import EXACT, pairs
from splineviz.validation.study import Study
from splineviz.validation.training_curves import Course
from splineviz.validation.verdict import percent

__all__ = [
    "agreement_tables",
    "calibration_tables",
    "course_table",
    "direction_tables",
    "missed_tables",
    "plane_table",
    "summary_table",
    "terms_table",
    "ties_table",
    "trust_tables",
]

_CELLS = EXACT["cells"]


def summary_table(found: Findings) -> Table:
    """What a reader asks first, a row for each radius: agreement, ties, and what an exact count costs."""
    proxies = dict.fromkeys((found.headline, found.same_set))
    rows = []
    for radius, label in enumerate(found.radius_labels):
        taus = (str(found.agreement(radius, proxy).tau) for proxy in proxies)
        ties = [row.tied for row in found.ties if (row.radius, row.quantity) == (radius, _CELLS)]
        cost = found.costs[radius].exact_to_plain
        rows.append((label, *taus, _span(ties, percent), UNDEFINED if cost is None else f"{cost:.2g}"))
    return Table(
        "Kendall's tau-b of the proxy with the exact number of cells R, 95 % intervals",
        ("radius", *(f"tau-b, {proxy}" for proxy in proxies), "tied pairs of R", "time, exact / plain pass"),
        rows,
    )


def agreement_tables(study: Study, found: Findings) -> tuple[Table, ...]:
    """Tables of agreement: of every estimate with R; of the proxy with n_cut and linear regions."""
    several = study.n_checkpoints > 2
    head: tuple[str, ...] = ("radius", "estimate", "exact", "n", "tau-b within", "rho within")
    head += ("tau-b across", "rho across", "tau-b along points") if several else ()
    rows, notes = [], []
    for radius, (estimate, exact) in product(range(study.n_radii), pairs(study)):
        within = found.agreement(radius, estimate, exact)
        columns = [within.tau, within.spearman]
        if several:
            across = found.agreement(radius, estimate, exact, across=True)
            along = _only(found.along, radius, estimate, exact)
            columns += [across.tau, across.spearman, along.tau]
        label = found.radius_labels[radius]
        rows.append((label, estimate, exact, f"{within.tau.sample:,}", *map(str, columns)))
        notes += [f"{label}, {estimate} and {exact}: {value.note}" for value in columns[::2] if value.note]
    return (
        Table("Rank correlations with exact counts, 95 % intervals", head, rows, tuple(dict.fromkeys(notes))),
    )


def _only(rows: Iterable[Agreement], radius: int, estimate: str, exact: str) -> Agreement:
    return next(row for row in rows if (row.radius, row.estimate, row.exact) == (radius, estimate, exact))


def ties_table(study: Study, found: Findings) -> Table:
    """Ranges over the checkpoints."""
    head = ("radius", "quantity", "n at each checkpoint", "mean", "no cut", "tied pairs")
    rows = []
    for radius, quantity in product(range(study.n_radii), dict.fromkeys(row.quantity for row in found.ties)):
        there = [row for row in found.ties if (row.radius, row.quantity) == (radius, quantity)]
        spans = (
            _span([row.mean for row in there], "{:.3g}".format),
            *(_span([getattr(r, k) for r in there], percent) for k in ("zeros", "tied")),
        )
        rows.append(
            (
                found.radius_labels[radius],
                quantity,
                _span([row.sample for row in there], "{:,}".format),
                *spans,
            )
        )
    return Table("Zeros and ties, from the least to the largest checkpoint", head, rows)


def _span(values: list[float | int | None], form: object) -> str:
    assert callable(form)
    there = [value for value in values if value is not None]
    if not there:
        return UNDEFINED
    low, high = form(min(there)), form(max(there))
    return str(low) if low == high else f"{low} to {high}"


def course_table(study: Study, found: Findings) -> Table:
    """Significant moves of the mean curves."""
    head = (
        "radius",
        "quantity",
        "n, all checkpoints",
        "moves, with simultaneous 95 % intervals",
        "two descents",
    )
    rows = [
        (
            found.radius_labels[c.radius],
            c.quantity,
            f"{c.sample:,}",
            _moves(study, c),
            "yes" if c.double_descent else "no",
        )
        for c in sorted(found.courses, key=lambda c: c.radius)
    ]
    return Table("Do the mean curves turn?", head, rows)


def _moves(study: Study, course: Course) -> str:
    names = (
        [f"step {step:,}" for step in study.steps]
        if len(set(study.steps.tolist())) == len(study.steps)
        else list(study.names)
    )
    words = []
    for move in course.moves:
        c = move.change
        fall = (c.value or 0.0) < 0
        size = _negative(c) if fall else c
        words.append(
            f"{'falls' if fall else 'rises'} by {size} from {names[move.start]} to {names[move.end]}"
        )
    return "; ".join(words) or "no significant move"


def _negative(change: Measured) -> Measured:
    value, high, low = (None if v is None else -v for v in (change.value, change.low, change.high))
    return Measured(value, low, high, change.sample)


def calibration_tables(study: Study, found: Findings) -> tuple[Table, ...]:
    """Mean R where the proxy counts n, and how often counts agree exactly."""
    head = ("radius", "P", "n_sep", "n", "mean R", "n + 1", "1 + n + n(n - 1)/2")
    rows = [
        (
            found.radius_labels[b.radius],
            str(b.directions),
            str(b.low) if b.low == b.high else f"{b.low} to {b.high}",
            f"{b.cells.sample:,}",
            str(b.cells),
            f"{b.one_more:.3g}",
            f"{b.zaslavsky:.3g}",
        )
        for b in found.calibration
    ]
    names = ("one_cell", "all_found", "no_crossing", "equal", "beyond_zaslavsky")
    matches = [
        (found.radius_labels[m.radius], f"{m.sample:,}", *(percent(getattr(m, name)) for name in names))
        for m in found.matches
    ]
    titles = (
        "radius",
        "n",
        "R = 1",
        "n_sep = n_cut",
        "n_cut = R - 1",
        "n_sep = R - 1",
        "R above Zaslavsky of n_cut",
    )
    return (
        Table("Mean R by bins of the proxy, all checkpoints together", head, rows),
        Table("Neighbourhoods where counts are the same (P = 2, same set)", titles, matches),
    )


def terms_table(study: Study, found: Findings) -> Table:
    """Means, and shares of the whole of the radius."""
    by_place = {(t.radius, t.stage, t.term): t for t in found.terms if t.checkpoint is None}
    rows = []
    for radius, stage in product(range(study.n_radii), [None, *range(len(study.stages))]):
        terms = [by_place[radius, stage, term] for term in TERMS]
        cells = [f"{t.mean}; {percent(t.share.value)}" for t in terms]
        name = "all" if stage is None else study.stages[stage].label
        rows.append((found.radius_labels[radius], name, f"{terms[0].mean.sample:,}", *cells))
    head = ("radius", "stage", "n", "n_sep", "missed", "crossings", "coincident")
    return Table("Mean terms of R - 1 and their shares of it", head, rows)


def missed_tables(study: Study, found: Findings) -> tuple[Table, ...]:
    """Miss rates, and what they have to do with deformation."""
    rows = []
    for m in found.missed:
        if m.checkpoint is None:
            name = "all" if m.stage is None else str(m.stage)
            rate = str(m.rate) if m.rate.value is None else f"{_percents(m.rate)}"
            rows.append((found.radius_labels[m.radius], name, f"{m.rate.sample:,}", rate, f"{m.negative:,}"))
    tables = [
        Table(
            "Share of n_cut that the proxy misses, P = 2 on the same set",
            ("radius", "stage", "n", "missed", "counted beyond n_cut"),
            rows,
        )
    ]
    if found.stretch:
        stretched = [
            (
                str(s.stage),
                s.measure,
                str(s.spearman.sample),
                str(s.spearman) + (f" ({s.spearman.note})" if s.spearman.value is None else ""),
            )
            for s in found.stretch
        ]
        head = ("stage", "deformation of what enters it", "checkpoints x radii", "rho with the miss rate")
        tables.append(Table("Does deformation tell where the proxy misses?", head, stretched))
    return tuple(tables)


def _percents(rate: Measured) -> str:
    interval = (
        "" if rate.low is None or rate.high is None else f" [{percent(rate.low)}, {percent(rate.high)}]"
    )
    return percent(rate.value) + interval


def direction_tables(study: Study, found: Findings) -> tuple[Table, ...]:
    """The sweep over P, and the variance over frames."""
    swept = [
        (
            found.radius_labels[s.radius],
            str(s.directions),
            f"{s.mean.sample:,}",
            str(s.mean),
            str(s.ratio),
            f"{s.expected:.3f}",
            _over(s.ratio, s.expected),
        )
        for s in found.sweep
    ]
    head = ("radius", "P", "n", "mean n_sep", "over P = 2", "m_P / m_2", "normalised")
    varied = [
        (found.radius_labels[f.radius], f.quantity, str(f.frames), str(f.share), str(f.of_mean))
        for f in found.frames
    ]
    titles = (
        "radius",
        "quantity",
        "frames",
        "share of variance from the frame",
        "sd of the mean over frames, relative",
    )
    return Table("More directions", head, swept), Table("Other directions", titles, varied)


def _over(ratio: Measured, expected: float) -> str:
    value, low, high = (None if v is None else v / expected for v in (ratio.value, ratio.low, ratio.high))
    return str(Measured(value, low, high, ratio.sample))


def plane_table(study: Study, found: Findings) -> Table:
    """Table of how well k planes rank as the others do."""
    rows = [
        (found.radius_labels[p.radius], p.quantity, str(p.k), str(p.others), f"{p.tau.sample:,}", str(p.tau))
        for p in found.planes
    ]
    return Table(
        "Mean over k planes, or frames, against mean R over the others",
        ("radius", "quantity", "k", "others", "n", "tau-b within"),
        rows,
    )


def trust_tables(study: Study, found: Findings) -> tuple[Table, ...]:
    """Times, precision, proofs, time-outs."""
    times = [
        (
            found.radius_labels[c.radius],
            *(
                UNDEFINED if t is None else f"{1e3 * t:.3g} ms"
                for t in (c.exact, c.regions, c.proxy, c.plain)
            ),
            *(
                UNDEFINED if ratio is None else f"{ratio:.2g}"
                for ratio in (c.exact_to_plain, c.exact_to_proxy, c.proxy_to_plain)
            ),
        )
        for c in found.costs
    ]
    costs = (
        "radius",
        "exact, one plane",
        "linear regions on top",
        f"proxy, {found.headline}",
        "plain pass",
        "exact / plain",
        "exact / proxy",
        "proxy / plain",
    )
    signs = [
        (found.radius_labels[p.radius], str(p.stage), f"{p.differing:,}", f"{p.compared:,}", percent(p.share))
        for p in found.precision
    ]
    doubts = [
        (
            found.radius_labels[d.radius],
            *(
                f"{n:,}"
                for n in (d.neighbourhoods, d.given_up, d.in_doubt, d.decisions, d.undecided, d.zeros)
            ),
        )
        for d in found.doubts
    ]
    certain = (
        "radius",
        "neighbourhoods",
        "given up",
        "in doubt",
        "decisions",
        "undecided",
        f"exact zeros of the proxy, {found.headline}",
    )
    return (
        Table("Wall time of one neighbourhood", costs, times),
        Table(
            "Signs that float32 sees differently than float64",
            ("radius", "stage", "differing", "compared", "share"),
            signs,
        ),
        Table("What is not certain", certain, doubts),
    )
