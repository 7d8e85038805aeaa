"""Report of `splineviz compare` on stdout: a table of networks and one of pairs, or one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from splineviz.io.provenance import certificate_note

from .aligned import aligned
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.comparison import Comparison

    from .compare_options import CompareOptions
    from .place import Place

__all__ = ["print_comparison"]

SCHEMA = "splineviz.compare/1"


def print_comparison(comparison: Comparison, options: CompareOptions, place: Place, seconds: float) -> None:
    """Report a comparison and the files it went to."""
    files = [str(output) for output in options.outputs]
    if options.reporting.as_json:
        provenance = comparison.provenance({"seed": options.location.plane_seed, **place.extra})
        report = {**comparison.to_dict(), "seconds_total": seconds, "files": files, "provenance": provenance}
        say_json({"schema": SCHEMA, **report, **place.extra})
        return
    report = comparison.to_dict()
    lines = [*_models(report["models"]), ""]
    for pair in report["pairs"]:
        lines += [*_pair(pair, comparison.names), ""]
    lines += [
        f"seconds  {comparison.seconds:.2f} for the comparison, {seconds:.2f} in all",
        *(f"chosen   {said}" for said in place.said),
        *(f"written  {file}" for file in files),
    ]
    say(*lines)


def _models(models: Sequence[dict[str, Any]]) -> list[str]:
    rows = [("", "cells", "linear regions", "decision regions", "edge length by stage", "decisions")]
    rows += [
        (
            model["name"],
            f"{model['cells']:,}",
            f"{model['linear_regions']:,}",
            f"{model['decision_regions']:,}",
            "  ".join(f"{length:.4g}" for length in model["edge_length_per_stage"]),
            certificate_note(model["exact"]),
        )
        for model in models
    ]
    return aligned(rows)


def _pair(pair: dict[str, Any], names: Sequence[str]) -> list[str]:
    first, second = (names[k] for k in pair["models"])
    entropies = " and ".join(f"{entropy:.4f}" for entropy in pair["entropies"])
    rows = [
        ("overlay", f"{pair['overlay_cells']:,} cells; {certificate_note(pair['exact'])}"),
        (
            "variation of information",
            f"{pair['variation_of_information']:.4f} nats, of entropies {entropies}",
        ),
        ("adjusted Rand index", f"{pair['adjusted_rand_index']:.4f}"),
    ]
    if pair["agreement"] is not None:
        rows.append(("agreement of decisions", f"{100 * pair['agreement']:.2f} % of the area"))
    if (boundaries := pair["boundaries"]) is not None:
        rows.append(
            (
                "decision boundaries",
                f"mean distance {_within(boundaries['mean'])}, Hausdorff {_within(boundaries['hausdorff'])}",
            )
        )
    if (change := pair["change"]) is not None:
        rows.append(
            (
                "mean change of the map",
                f"gradient {change['gradient']:.4g}, output {_within(change['output'])}",
            )
        )
    for stage in [] if pair["units"] is None else pair["units"]["stages"]:
        moved = "" if stage["mean"] is None else f", moved {stage['mean']:.3g} on average"
        counted = f"{stage['both']:,} in both, {stage['only_first']:,} only before, "
        counted += f"{stage['only_second']:,} only after"
        rows.append((f"lines of stage {stage['stage']}", counted + moved))
    width = max(len(name) for name, _ in rows)
    return [
        f"{first} and {second}",
        *(f"  {name:<{width}}  {value}" for name, value in rows),
        *(f"  {n}" for n in pair["notes"]),
    ]


def _within(number: dict[str, float]) -> str:
    from splineviz.comparison.within import Within

    return str(Within(**number))
