"""The measurements as a page of Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["to_markdown"]

_INTRODUCTION = """# Benchmark

Made by `make bench`, from the same run as [bench.json](bench.json). Every workload is a ReLU network with torch's default
initialisation, seed 0, on the window [-1, 1]^2; 784 inputs are restricted to the plane through three random points; coefficients
are rounded to float32, so that both tools are given the same function. One thread each, kernels warm, medians.
"""


def to_markdown(report: dict[str, Any]) -> str:
    sections = [
        _INTRODUCTION,
        _machine(report["machine"]),
        _times(report["workloads"]),
        _structure(report["workloads"]),
    ]
    sections += [
        _patterns(report["workloads"]),
        _lazy(report["workloads"], report["pictures"] or ()),
        _second_looks(report["workloads"]),
        _small(report["small"]),
        _scaling(report["scaling"]),
        _roofline(report["roofline"]),
        _boundaries(report.get("boundaries", [])),
        _waiting(report),
        _bars(report["bars"]),
    ]
    return "\n".join(section for section in sections if section)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _seconds(summary: dict[str, Any]) -> str:
    value = float(summary["median"])
    return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return f"{machine['cpu']}, {machine['cores']} cores; {versions}; {machine['date']}.\n"


def _times(results: Sequence[dict[str, Any]]) -> str:
    head = [
        "network",
        "cells",
        "splineviz",
        "regioncam",
        "faster",
        "forward, at once",
        "ratio",
        "forward, batched",
        "ratio",
    ]
    head += [
        "over unproven",
        "in affine nodes",
        "peak memory",
        "over last hidden layer",
        "regioncam's memory",
    ]
    rows = []
    for result in results:
        ours, theirs = result["splineviz"], result["regioncam"]
        ran = "seconds" in theirs
        faster = f"{theirs['seconds']['median'] / ours['seconds']['median']:.1f}x" if ran else "-"
        rows.append([result["name"], _number(ours["cells"]), _seconds(ours["seconds"])])
        rows[-1].append(_seconds(theirs["seconds"]) if ran else "-")
        rows[-1].append(faster)
        for forward in (ours["forward"], ours["forward_batched"]):
            rows[-1] += [_seconds(forward["seconds"]), f"{forward['ratio']:.2f}"]
        rows[-1].append(f"{ours['uncertified']['ratio']:.2f}")
        rows[-1] += [
            f"{ours['affine_share']:.0%}",
            _megabytes(ours["memory"]["peak_bytes"]),
            f"{ours['memory']['ratio']:.2f}",
        ]
        rows[-1].append(_megabytes(theirs["peak_bytes"]) if ran else "-")
    reasons = [
        f"regioncam on {r['name']}: {r['regioncam']['reason']}."
        for r in results
        if "reason" in r["regioncam"]
    ]
    note = (
        "The forward passes are calls of the network, in float64, on the vertices of the arrangement: "
        "all at once, and in "
        "batches of 1,024, which spares the processor fresh memory. They are run in turn with "
        "arranging. In affine nodes: the "
        "share of splineviz's time that is the network's own products. Over unproven: its time over "
        'that with `certify="off"`.\n'
    )
    return "\n".join(
        ["## Time and memory\n", _table(head, rows), note, *(reason + "\n" for reason in reasons)]
    )


def _structure(results: Sequence[dict[str, Any]]) -> str:
    head = [
        "network",
        "cells",
        "vertices",
        "edges",
        "linear regions",
        "decisions",
        "re-evaluated",
        "undecided",
        "certified",
        "smallest cell",
    ]
    keys = [
        "cells",
        "vertices",
        "edges",
        "linear_regions",
        "decisions",
        "re_evaluated",
        "undecided",
        "certified",
        "smallest_cell",
    ]
    rows = [[r["name"], *(_number(r["splineviz"][key]) for key in keys)] for r in results]
    return "## What was found\n\n" + _table(head, rows)


def _patterns(results: Sequence[dict[str, Any]]) -> str:
    head = [
        "network",
        "splineviz",
        "regioncam's faces",
        "their patterns",
        "only splineviz",
        "largest area",
        "only regioncam",
    ]
    rows = []
    for result in results:
        patterns, theirs = result["splineviz"]["patterns"], result["regioncam"]
        other = patterns["regioncam"]
        if other is not None:
            counts = [patterns["distinct"], theirs["cells"], other["distinct"], other["only_splineviz"]]
            counts += [other["largest_area_only_splineviz"], other["only_regioncam"]]
            rows.append([result["name"], *(_number(count) for count in counts)])
    if not rows:
        return ""
    note = (
        "Totals hide errors that cancel, so sets of patterns are compared: those stored with our "
        "cells, and those of a float64 "
        "forward pass at the mean of the corners of each face of regioncam. The window has area 4.\n"
    )
    return f"## Patterns\n\n{note}\n" + _table(head, rows)


def _lazy(results: Sequence[dict[str, Any]], pictures: Sequence[dict[str, Any]]) -> str:
    rows, drawn = [], {picture["name"]: next(iter(picture["seconds"].values())) for picture in pictures}
    for r in results:
        ours, theirs = r["splineviz"], r["regioncam"]
        rows.append(
            [
                r["name"],
                _seconds(ours["seconds_affine_maps"]),
                _alone(theirs.get("seconds_affine_maps")),
                _seconds(ours["seconds_linear_regions"]),
                _alone(drawn.get(r["name"])),
                _alone(theirs.get("seconds_png")),
            ]
        )
    head = [
        "network",
        "affine maps",
        "regioncam's",
        "then linear regions",
        "PNG (processor time)",
        "regioncam's",
    ]
    note = (
        "regioncam's affine maps are the last layer and `face_outputs`, in float32; its PNG is `write_png`, "
        "1,000 pixels wide. Where its cells alone take longer than is waited for, nothing more is asked of it. "
        "It has no linear regions, proofs, Jacobians, points located, distances nor files of cells.\n"
    )
    return f"## Computed on first use\n\n{note}\n" + _table(head, rows)


def _alone(seconds: float | None) -> str:
    return "-" if seconds is None else _seconds({"median": seconds})


def _second_looks(results: Sequence[dict[str, Any]]) -> str:
    looked = [(r["name"], r["second_looks"]) for r in results if r["second_looks"]]
    if not looked:
        return ""
    names = list(looked[0][1]["ratios"])
    head = ["network", "cells", "arranging", *(name.replace("_", " ") for name in names)]
    rows = [
        [name, _number(looks["cells"]), _seconds(looks["arranging"])]
        + [f"{looks['ratios'][look]:.2f}" for look in names]
        for name, looks in looked
    ]
    note = (
        "In the order in which they are asked for, with all inputs of the network; arranging = 1. "
        f"`locate` is given {looked[0][1]['points']:,} points; what follows affine maps finds them at hand.\n"
    )
    return f"## Second looks\n\n{note}\n" + _table(head, rows)


def _small(small: dict[str, Any]) -> str:
    head = ["network", "networks", "cells each", "alone", "ratio", "`arrange_each`", "ratio", "forward"]
    row = [
        "-".join(map(str, small["widths"])),
        _number(small["networks"]),
        _number(small["cells"] / small["networks"]),
        _seconds(small["alone"]),
        f"{small['ratio_alone']:.2f}",
        _seconds(small["each"]),
        f"{small['ratio_each']:.2f}",
        _seconds(small["forward"]),
    ]
    note = (
        "Each with weights of its own, on one window; the forward pass is that of each network at its own "
        f"vertices, right after it was arranged alone. Binding weights takes {_alone(small['binding'])} each, "
        "not counted here.\n"
    )
    return f"## Many small networks\n\n{note}\n" + _table(head, [row])


def _scaling(scaling: dict[str, dict[str, Any]]) -> str:
    if not scaling:
        return ""
    phases = ["first stages", "excerpts", "batches", "joins", "last joins", "result", "rest"]
    head = ["network", "cells", "batches", "workers", "time", "processor time", *phases]
    rows, told = [], []
    for name, found in scaling.items():
        for jobs, run in found["workers"].items():
            shares = (run["phases"].get(phase, 0.0) / run["processor"]["median"] for phase in phases)
            rows.append([name, _number(found["cells"]), _number(found["batches"]), jobs])
            rows[-1] += [_seconds(run["seconds"]), _seconds(run["processor"])]
            rows[-1] += [f"{share:.0%}" for share in shares]
        told.append(
            f"{name}: {found['speedup']:.2f} times faster with two workers; {found['serial_share']:.0%} is "
            f"serial, which allows {found['expected']['2']:.2f} times with two and, extrapolated by Amdahl's "
            f"law, {found['expected']['16']:.1f} with 16."
        )
    note = (
        "Shares of processor time by phase. First stages (until there are batches), last joins and the result "
        "are serial: nothing runs beside them. Each batch is joined by one thread, while others go on.\n"
    )
    return f"## Scaling\n\n{note}\n" + _table(head, rows) + "\n" + "\n".join(line + "\n" for line in told)


def _roofline(roofline: dict[str, Any]) -> str:
    bandwidth = roofline["machine"]["bytes_a_second"]
    rate = roofline["machine"]["operations_a_second"]
    rows = []
    for name, phase in roofline["phases"].items():
        least = max(phase["bytes"] / bandwidth, phase["operations"] / rate)
        rows.append(
            [
                name,
                _alone(phase["seconds"]),
                _megabytes(phase["bytes"]),
                f"{phase['operations'] / 1e9:.3g}" if phase["operations"] else "-",
                f"{phase['bytes'] / bandwidth / phase['seconds']:.0%}",
                f"{phase['operations'] / rate / phase['seconds']:.0%}" if phase["operations"] else "-",
                f"{phase['seconds'] / least:.1f}",
            ]
        )
    head = [
        "phase",
        "processor time",
        "moved at least",
        "Gflop",
        "of a copy",
        "of a product",
        "over the least",
    ]
    note = (
        f"{roofline['workload']}, one thread, processor time. A copy of memory moves {bandwidth / 1e9:.1f} GB "
        f"a second here, a product of matrices takes {rate / 1e9:.1f} Gflop a second, both measured in the "
        "same process. Moved at least: every array that a phase reads or writes, once. Gflop: those of the "
        "plain algorithm, though interpolated products and cells that share products spare some of them. The "
        "last column tells how far a phase is from the larger of the two times.\n"
    )
    return f"## Roofline by hand\n\n{note}\n" + _table(head, rows)


def _boundaries(boundaries: Sequence[dict[str, Any]]) -> str:
    if not boundaries:
        return ""
    rows = [
        [found["name"], _number(found["cells"]), _number(found["segments"][1])]
        + [f"{found[way]:.3g} s" for way in ("whole", "alone")]
        + [f"{found['ratio']:.1f}"]
        for found in boundaries
    ]
    head = ["network", "cells", "segments", "arranged, then its boundary", "boundary alone", "ratio"]
    return "## The decision boundary alone\n\nProcessor time.\n\n" + _table(head, rows)


def _waiting(report: dict[str, Any]) -> str:
    rows = []
    for picture in report["pictures"] or ():
        seconds, name = picture["seconds"], f"PNG of {picture['cells']:,} cells"
        first, rest = seconds["first"], {style: s for style, s in seconds.items() if style != "first"}
        rows.append([f"{name}, the first, with its decision boundary", f"{first:.3g} s (processor)"])
        told = ", ".join(f"{style} {s:.2g}" for style, s in rest.items())
        rows.append([f"{name}: {told}", f"at most {max(rest.values()):.3g} s (processor)"])
        rows.append([f"{name}: memory beside the arrangement", _megabytes(picture["peak_bytes"])])
    if cold := report["cold_start"]:
        rows.append(["`splineviz --help`", _seconds(cold["help"])])
        rows.append(["`splineviz slice demo -o x.png`, new process", _seconds(cold["demo"])])
        rows.append(
            [
                "the same, the very first time: no compiled kernels, no list of fonts",
                _seconds(cold["demo_first_time"]),
            ]
        )
    return "## Waiting\n\n" + _table(["what", "time"], rows) if rows else ""


def _bars(bars: Sequence[dict[str, Any]]) -> str:
    verdict = {True: "yes", False: "**no**", None: "not measured"}
    rows = [
        [
            bar["what"],
            bar["workload"],
            f"{bar['sense']} {_number(bar['limit'])}",
            "" if bar["aim"] is None else _number(bar["aim"]),
            _number(bar["measured"]),
            verdict[bar["passed"]],
        ]
        for bar in bars
    ]
    return "## Bars\n\n" + _table(["bar", "network", "wanted", "aim", "measured", "reached"], rows)
