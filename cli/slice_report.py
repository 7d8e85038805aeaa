"""Report of `splineviz slice` on stdout: a short table, or one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from splineviz.io.provenance import certificate, certificate_note, certificate_of, provenance

from .aligned import aligned
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.io.totals import Totals

    from .place import Place
    from .slice_options import SliceOptions
    from .value_types import Output

__all__ = ["print_slice", "print_totals"]

SCHEMA = "splineviz.slice/1"


def print_slice(
    arr: Arrangement, options: SliceOptions, place: Place, seconds: float, *, regions: bool
) -> None:
    """Report one arrangement and the files it went to, its ``regions`` too if there was time for them."""
    extra = _extra(options, place)
    _print(_report(arr, options.outputs, seconds, extra, regions=regions), options, place)


def print_totals(totals: Totals, options: SliceOptions, place: Place, seconds: float) -> None:
    """Report what the batches of a stream add up to.

    Numbers that only the whole would tell are null in JSON, and no row of the table.
    """
    assert totals.last is not None
    info, extra = totals.last.info, _extra(options, place)
    report = {
        "schema": SCHEMA,
        "cells": totals.cells,
        "linear_regions": None,
        "decision_regions": None,
        "vertices": None,
        "edges": None,
        "status": totals.status.name.lower(),
        "message": totals.status.told(totals.in_doubt, totals.share_in_doubt),
        "area": totals.area,
        "covered": totals.covered,
        "exact": certificate_of(totals, totals.smallest_cell),
        "cells_per_stage": totals.cells_per_stage,
        "batches": totals.batches,
        "seconds": totals.seconds,
        "seconds_total": seconds,
        "cut_off": None if info is None else info.cut_off,
        "files": [str(output) for output in options.outputs],
        "provenance": totals.provenance(extra),
    }
    _print(report, options, place)


def _extra(options: SliceOptions, place: Place) -> dict[str, Any]:
    """Entries of the card beside its own: what chance had a part in, and what was chosen."""
    seed = options.location.plane_seed
    return {**({} if seed is None else {"seed": seed}), **place.extra}


def _print(report: dict[str, Any], options: SliceOptions, place: Place) -> None:
    report = {**report, **place.extra}
    if options.reporting.as_json:
        say_json(report)
    else:
        say(*_table(report, place.said))


def _report(
    arr: Arrangement, outputs: Sequence[Output], seconds: float, extra: dict[str, Any], *, regions: bool
) -> dict[str, Any]:
    stats = arr.stats
    told = regions and arr.has_outputs
    return {
        "schema": SCHEMA,
        "cells": arr.n_cells,
        "linear_regions": arr.n_linear_regions if told else None,
        "decision_regions": arr.n_decision_regions if told else None,
        "vertices": arr.n_vertices,
        "edges": arr.n_edges,
        "status": arr.status.name.lower(),
        "message": arr.verdict,
        "area": float(arr.areas.sum()),
        "covered": arr.covered,
        "exact": certificate(arr),
        "cells_per_stage": list(stats.cells_per_stage),
        "batches": stats.batches,
        "seconds": stats.seconds,
        "seconds_total": seconds,
        "cut_off": arr.info.cut_off if arr.info is not None else None,
        "files": [str(output) for output in outputs],
        "provenance": provenance(arr, extra=extra),
    }


def _table(report: dict[str, Any], chosen: Sequence[str]) -> list[str]:
    regions, streamed = report["linear_regions"], report["vertices"] is None
    unknown = "not known before the last stage, or where time was up before"
    whole = [
        ("linear regions", unknown if regions is None else f"{regions:,}"),
        *([] if regions is None else [("decision regions", f"{report['decision_regions']:,}")]),
        ("vertices", f"{report['vertices'] or 0:,}"),
        ("edges", f"{report['edges'] or 0:,}"),
    ]
    rows = [
        ("cells", f"{report['cells']:,}"),
        *([] if streamed else whole),
        ("area", f"{report['area']:.6g}, {_share(report['covered'])} of the window"),
        ("cells per stage", "  ".join(f"{k}: {n:,}" for k, n in enumerate(report["cells_per_stage"]))),
        ("status", report["message"]),
        ("decisions", certificate_note(report["exact"])),
        ("seconds", f"{report['seconds']:.2f} for the arrangement, {report['seconds_total']:.2f} in all"),
        *([("cut off", f"{report['cut_off']}: the outputs are what enters it")] if report["cut_off"] else []),
        *(("chosen", said) for said in chosen),
        *(("written", path) for path in report["files"]),
    ]
    return aligned(rows)


def _share(part: float) -> str:
    """A share in percent; 100 is said of all only.

    Examples
    --------
    >>> _share(1.0), _share(0.99999), _share(0.0)
    ('100 %', '99.9 %', '0.0 %')
    """
    return "100 %" if part > 1 - 1e-9 else f"{min(99.9, 100 * part):.1f} %"
