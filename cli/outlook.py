"""Outlook on a slice, told before it begins: cells, time, memory; what makes it long, and what to try."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from .aligned import aligned
from .place import Place
from .progress import note
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.engine.forecast import Forecast
    from splineviz.neighbourhoods.ties import Ties
    from splineviz.program import Program

    from .slice_options import SliceOptions

__all__ = ["advise", "print_estimate", "tell_if_long"]

SCHEMA = "splineviz.forecast/1"

_LONG = 20.0
"""Seconds from which on a slice is announced"""
_WORTH = 60.0
"""Budget in seconds below which none of it is spent on an estimate"""
_QUICK, _THOROUGH = 2.0, 8.0
"""Seconds for an estimate before a slice, and for one that was asked for"""
_MANY = 100
"""Ties at one point that are worth a word"""
_COMMON = 0.1
"""Share of the entries of a point from which on one value is its background"""


def tell_if_long(options: SliceOptions, program: Program, place: Place) -> bool:
    """Say before a long slice what it will take, and what to try; returns whether there was cause."""
    limit = options.budget.seconds
    if options.reporting.quiet or (limit is not None and limit < _WORTH):
        return False
    from splineviz.engine.forecast import NoForecastError

    try:
        ahead = _forecast(options, program, place, _QUICK)
    except NoForecastError as error:
        note(f"no estimate of the number of cells: {error.message}", quiet=False)
        advise(options, program, place)
        return True
    if ahead.seconds < _LONG:
        return False
    note(f"this slice has {_cells(ahead)} and takes {_time(ahead)}", quiet=False)
    advise(options, program, place)
    return True


def print_estimate(options: SliceOptions, program: Program, place: Place) -> None:
    """Report on stdout what a slice will take."""
    ahead, tied = _forecast(options, program, place, _THOROUGH), _ties(program, place)
    if options.reporting.as_json:
        rows = [{"point": name, "tied": [asdict(ties) for ties in found]} for name, _, found in tied]
        report = {
            "schema": SCHEMA,
            **asdict(ahead),
            "exact": ahead.exact,
            "chosen": place.chosen,
            "ties": rows,
        }
        say_json(report)
    else:
        sample = (
            "the window itself was arranged"
            if ahead.exact
            else f"{ahead.sampled:,} cells of copies of the window at {ahead.scale:.2g} of its size"
        )
        rows_ = [
            ("cells", _cells(ahead)),
            ("time", _time(ahead)),
            ("memory", f"about {_size(ahead.memory)} for the result, and up to --max-memory for the work"),
            *(("chosen", said) for said in place.said),
            ("from", f"{sample}, in {ahead.spent:.1f} s"),
        ]
        say(*aligned(rows_))
    if ahead.seconds >= _LONG:
        advise(options, program, place)


def advise(options: SliceOptions, program: Program, place: Place) -> None:
    """Say on stderr what makes a window hopeless or slow, where that is known, and what to try."""
    tied = [(name, share, found) for name, share, found in _ties(program, place) if _total(found) >= _MANY]
    for name, share, found in tied:
        worst = max(found, key=lambda ties: ties.n_tied)
        over = (
            f" over its constant background ({share:.0%} of its entries are equal)"
            if share >= _COMMON
            else ""
        )
        note(f"{worst} at {name}{over}: all their lines pass through it", options.reporting.quiet)
    tries = []
    if options.location.cells is None:
        tries.append("--cells 20000 for a window of about so many cells")
    if not options.location.local and place.plane.anchors.size:
        tries.append("--at INDEX --radius auto for the neighbourhood of one point")
    elif options.location.local and "radius" not in place.chosen:
        if tied:
            reach = float(np.abs(place.window.vertices).max())
            tries.append(f"--jitter {max(1e-3, reach):.1g} to move the point off its ties")
        tries.append("--radius auto for the radius that 100 units cut")
    if len(program.stages) > 1 and options.stage != 0:
        tries.append("--stage N for fewer stages")
    if options.budget.seconds is None:
        tries.append("--seconds S for a part of it")
    if tries:
        note("try " + "; ".join(tries), options.reporting.quiet)


def _forecast(options: SliceOptions, program: Program, place: Place, seconds: float) -> Forecast:
    from splineviz.engine.forecast import forecast

    budget = options.budget
    how: dict[str, Any] = {"certify": budget.certify, "max_memory": budget.max_memory, "jobs": budget.jobs}
    how |= {"stage": options.stage, "seconds": seconds, "device": budget.device}
    return forecast(program, place.plane, place.window, **how)


def _ties(program: Program, place: Place) -> list[tuple[str, float, list[Ties]]]:
    """For each anchor its name, the share of its entries that are equal, and the units that tie there."""
    from splineviz.neighbourhoods.ties import ties_at

    anchors = place.plane.anchors
    names = ["the point"] if len(anchors) == 1 else [f"anchor {letter}" for letter in "ABC"[: len(anchors)]]
    low, high = place.window.vertices.min(0), place.window.vertices.max(0)
    reach, found = float(np.linalg.norm(high - low)), []
    for name, uv in zip(names, anchors, strict=True):
        if ((low <= uv) & (uv <= high)).all():
            counts = np.unique(place.plane.lift(uv), return_counts=True)[1]
            share = float(counts.max() / counts.sum()) if counts.max() > 1 else 0.0
            found.append((name, share, ties_at(program, place.plane, uv, reach)))
    return found


def _total(found: list[Ties]) -> int:
    return sum(ties.n_tied for ties in found)


def _cells(ahead: Forecast) -> str:
    if ahead.exact:
        return f"{ahead.cells:,.0f} cells"
    low, high = _rounded(ahead.low), _rounded(ahead.high)
    return f"about {_rounded(ahead.cells)} cells ({low} to {high})"


def _rounded(number: float) -> str:
    """Two digits of a large number.

    Examples
    --------
    >>> _rounded(10631605.0), _rounded(432450.9), _rounded(87.2)
    ('11,000,000', '430,000', '87')
    """
    return f"{float(f'{number:.2g}'):,.0f}"


def _time(ahead: Forecast) -> str:
    return ("longer than " if ahead.at_least else "about ") + _duration(ahead.seconds)


def _duration(seconds: float) -> str:
    """Seconds in the unit that suits them.

    Examples
    --------
    >>> _duration(0.31), _duration(70.0), _duration(42417.0), _duration(9e6)
    ('0.31 s', '70 s', '12 hours', '100 days')
    """
    for size, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{float(f'{seconds / size:.2g}'):,.0f} {name}"
    return f"{float(f'{seconds:.2g}'):g} s"


def _size(memory: float) -> str:
    for size, name in ((2**30, "GB"), (2**20, "MB")):
        if memory >= size:
            return f"{float(f'{memory / size:.2g}'):g} {name}"
    return f"{max(1.0, memory / 1024):.0f} KB"
