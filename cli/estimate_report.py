"""Outputs of `splineviz estimate`: a table with a row for each point, and a summary with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splineviz.estimators.metrics.bounds_metric import Inequality
from splineviz.estimators.metrics.metric import Column
from splineviz.estimators.metrics.summary import summary
from splineviz.io.rows import written_rows

from .aligned import aligned
from .declaring import values
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.data import Data
    from splineviz.program import Origin

    from .estimate_options import EstimateOptions

__all__ = ["print_estimate", "report_of", "written_table"]

SCHEMA = "splineviz.estimate/1"
_TOLD = (
    *("frame", "sigma", "samples", "noise", "variant", "epsilon", "eta", "weight_decay", "seed", "dtype"),
    *("mean", "std", "transform", "logits", "limit"),
)
_KINDS = {
    "point": "int64",
    "label": "int64",
    "metric": "string",
    "stage": "string",
    "radius": "float64",
    "directions": "int64",
    "value": "float64",
    "exact_zeros": "int64",
}


def report_of(
    options: EstimateOptions,
    network: Origin,
    data: Data,
    columns: Sequence[Column],
    bounds: Sequence[Inequality],
    seconds: float,
) -> dict[str, Any]:
    """The summary, and where everything came from."""
    import splineviz

    asked = values(options)
    return {
        "schema": SCHEMA,
        "version": splineviz.__version__,
        "model": options.network.model,
        "digest": network.digest,
        "data": data.source,
        "points": len(data),
        "options": {name: asked[name] for name in _TOLD},
        "summary": [asdict(summary(column, options.settings.seed)) for column in columns],
        "bounds": [asdict(bound) for bound in bounds],
        "seconds": seconds,
        "files": [str(path) for path in options.outputs],
    }


def written_table(
    path: Path, report: dict[str, Any], columns: Sequence[Column], data: Data
) -> AbstractContextManager[None]:
    """Write a row for each point and column; the file appears when the block ends without an error.

    The report goes into a file beside a CSV table, into the schema of a Parquet one, or into the object of
    JSON.
    """
    card = {name: value for name, value in report.items() if name != "files"}
    kinds = _KINDS | ({"label": "string"} if data.class_names else {})
    return written_rows(path, kinds, _rows(report, columns, data), card)


def _rows(report: dict[str, Any], columns: Sequence[Column], data: Data) -> Iterator[tuple[Any, ...]]:
    labels = [None] * len(data) if data.labels is None else _words(data.labels.tolist(), data.class_names)
    for column in columns:
        values = column.values.tolist()
        zeros = [None] * len(values) if column.zeros is None else column.zeros.tolist()
        # a walk has a value fewer than there are points
        for point, label, value, zero in zip(data.rows.tolist(), labels, values, zeros, strict=False):
            yield point, label, column.metric, column.stage, column.radius, column.directions, value, zero
    for bound in report["bounds"]:  # of all points together
        for side in ("left", "right"):
            yield None, None, f"bound {bound['name']} {bound['form']}", side, None, None, bound[side], None


def _words(labels: Sequence[int], names: Mapping[int, str]) -> Sequence[int | str]:
    """Class numbers, or their names where there are any."""
    return [names.get(label, str(label)) for label in labels] if names else labels


def print_estimate(report: dict[str, Any], *, as_json: bool) -> None:
    """Print the summary on stdout."""
    if as_json:
        say_json(report)
    else:
        say(*_lines(report))


def _lines(report: dict[str, Any]) -> list[str]:
    lines = []
    for table in (_summary_table(report), _bounds_table(report)):
        lines += [*aligned(table), ""] if len(table) > 1 else []
    lines.append(f"{report['points']:,} points of {report['data']}, {report['seconds']:.2f} s")
    return [*lines, *(f"written {path}" for path in report["files"])]


def _summary_table(report: dict[str, Any]) -> list[tuple[str, ...]]:
    head = ("metric", "stage", "radius", "P", "mean", "95 % interval", "median", "zeros", "exact zeros")
    return [head, *(_summary_row(entry) for entry in report["summary"])]


def _summary_row(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        entry["metric"],
        entry["stage"],
        "" if entry["radius"] is None else f"{entry['radius']:g}",
        "" if entry["directions"] is None else str(entry["directions"]),
        f"{entry['mean']:.4g}",
        _span(entry["interval"]),
        f"{entry['median']:.4g}",
        f"{100 * entry['share_of_zeros']:.3g}%",
        "" if entry["exact_zeros"] is None else f"{entry['exact_zeros']:,}",
    )


def _bounds_table(report: dict[str, Any]) -> list[tuple[str, ...]]:
    head = ("bound", "form", "left", "95 % interval", "right", "95 % interval", "left <= right")
    return [head, *(_bound_row(bound) for bound in report["bounds"])]


def _bound_row(bound: dict[str, Any]) -> tuple[str, ...]:
    sides = [
        part
        for side in ("left", "right")
        for part in (f"{bound[side]:.4g}", _span(bound[f"{side}_interval"]))
    ]
    holds = "an order" if bound["holds"] is None else "yes" if bound["holds"] else "no"
    return bound["name"], bound["form"], *sides, holds


def _span(interval: Sequence[float] | None) -> str:
    return "-" if interval is None else "{:.4g} .. {:.4g}".format(*interval)
