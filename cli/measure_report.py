"""Report of `splineviz measure` on stdout: a table for each measure, or one JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from splineviz.io.provenance import certificate_note, provenance
from splineviz.measures.result import COLUMNS, Measured, Quantity

from .aligned import aligned
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

    from .measure_options import MeasureOptions

__all__ = ["KINDS", "print_measures", "report_of"]

SCHEMA = "splineviz.measure/1"
KINDS = dict.fromkeys(COLUMNS, "string") | {"value": "float64", "error": "float64"}
"""Columns of the tables, with their types in Parquet"""


def report_of(
    options: MeasureOptions,
    arr: Arrangement,
    found: Sequence[Measured],
    extra: Mapping[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """Where the numbers come from, as every table carries it."""
    return {
        "schema": SCHEMA,
        "model": options.network.model,
        "cells": arr.n_cells,
        "status": arr.status.name.lower(),
        "measures": [one.measure for one in found],
        "provenance": provenance(arr, extra=extra),
        "seconds": seconds,
    }


def print_measures(report: Mapping[str, Any], found: Sequence[Measured], options: MeasureOptions) -> None:
    """Print the quantities, and the files that they went to."""
    files = [str(path) for path in options.outputs]
    if options.reporting.as_json:
        say_json({**report, "measures": [one.to_dict() for one in found], "files": files})
        return
    for one in found:
        say(*aligned([(one.measure, "of", "value", "error", "unit"), *map(_row, one.quantities)]), "")
    about = f"{report['cells']:,} cells of {report['model']}, {report['seconds']:.2f} s"
    say(f"{about}; {certificate_note(report['provenance']['exact'])}", *(f"written {path}" for path in files))


def _row(quantity: Quantity) -> tuple[str, ...]:
    value = f"{quantity.value:,}" if isinstance(quantity.value, int) else f"{quantity.value:.8g}"
    return quantity.name, quantity.of, value, _error(quantity.error), quantity.unit


def _error(error: float | None) -> str:
    """A proven bound in words."""
    if error is None:
        return ""
    return f"{error:.1e}" if error else "proven"
