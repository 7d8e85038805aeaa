"""Command lines drawn at random, with the files that they name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.soak.materials import Materials

__all__ = ["COMMANDS", "Request", "draw_request"]

WRITING_SCRIPTS = ("arrays", "recorder", "stream", "study")
OUT = "out"
"""The folder of everything that a command writes"""


@dataclass(frozen=True)
class Request:
    """One command line."""

    arguments: tuple[str, ...]
    timed: bool = False
    """Under a limit of time, so that it may get further one time than another"""

    @property
    def command(self) -> str:
        return self.arguments[0]

    @property
    def outputs(self) -> tuple[str, ...]:
        """What follows each -o."""
        pairs = zip(self.arguments, self.arguments[1:], strict=False)
        return tuple(value for option, value in pairs if option == "-o")

    @property
    def writes(self) -> bool:
        """True where there is something to write."""
        return bool(
            self.outputs or "--work" in self.arguments or set(WRITING_SCRIPTS) & set(self.arguments[1:2])
        )


def draw_request(make: Materials) -> Request:
    """A command with random options; its files are written."""
    command = make.one_of(*COMMANDS)
    arguments = ["slice" if command == "boundary" else command, *COMMANDS[command](make)]
    if command != "python":
        arguments += ["--json"] if make.happens(0.3) else []
        wrong = make.one_of("--no-such-option", "-o", "--margin=much", "stray")
        arguments += [wrong] if make.happens(0.03) else []
    return Request(tuple(arguments), timed="--seconds" in arguments)


def _outputs(make: Materials, names: Sequence[str], most: int = 3) -> list[str]:
    count = int(make.rng.integers(1, most + 1))
    chosen = [names[int(k)] for k in make.rng.permutation(len(names))[:count]]
    return [word for name in chosen for word in ("-o", f"{OUT}/{name}")]


def _options(make: Materials, share: float, **choices: Sequence[str]) -> list[str]:
    """Each option with this probability, at one of its values; without values it is a flag."""
    words = []
    for name, values in choices.items():
        if make.happens(share):
            words += [f"--{name.replace('_', '-')}", *([make.one_of(*values)] if values else [])]
    return words


def _jobs(make: Materials) -> list[str]:
    return ["--jobs", make.one_of("1", "1", "1", "1", "2")]


_LIMITS = {
    "max_cells": ("1", "7", "30", "100000"),
    "max_memory": ("1M", "20M", "1G"),
    "seconds": ("0.000001", "0.01", "0.5", "60"),
    "certify": ("full", "fast", "off"),
}


def _slice(make: Materials) -> list[str]:
    if make.happens(0.25):
        words = ["nets:two", f"--box={make.one_of('-1,1,-1,1', '-5,5,-5,5', '0,1e-9,0,1e-9', '1,0,0,1')}"]
    else:
        words = [*make.network(), *make.data()]
        words += make.one_of(
            "--points 0,1,2", "--points 3,1,-1", "--at 2 --radius 0.5", "--at 1", "--points 0,1,99"
        ).split()
    words += _options(make, 0.15, margin=("0", "1.5"), stage=("0", "1", "9"), decisions=(), affine=())
    words += _options(make, 0.2, **_LIMITS)
    words += _options(
        make, 0.1, color=("norm", "class", "area", "kink", "none"), title=("a title",), cells=("5", "40")
    )
    if make.happens(0.1):
        return [*words, make.one_of("--count", "--estimate")]
    kinds = (
        "a.png",
        "a.svg",
        "a.pdf",
        "a.html",
        "a.npz",
        "a.npz",
        "a.geojson",
        "a.parquet",
        "shards/",
        "a.txt",
    )
    return [*words, *_outputs(make, kinds), "--dpi", "60"]


def _boundary(make: Materials) -> list[str]:
    if make.happens(0.4):
        words = ["nets:two", "--box=-2,2,-2,2", *_options(make, 0.3, level=("0", "0.5", "1e9"))]
    else:
        words = [*make.network(), *make.data(), "--points", "0,1,2"]
    words += ["--only", "boundary", *_options(make, 0.2, **_LIMITS)]
    return [*words, *_outputs(make, ("b.png", "b.svg", "b.pdf", "b.csv", "b.json", "b.geojson", "b.npz"))]


def _measure(make: Materials) -> list[str]:
    saved = make.happens(0.4)
    words = [make.arrangement()] if saved else [*make.network(), *make.data(), "--points", "0,1,2"]
    words += [] if saved else _options(make, 0.2, **_LIMITS)
    metrics = ("regions", "boundary", "folds", "integrals", "graph", "topology")
    for metric in make.rng.permutation(metrics)[: int(make.rng.integers(0, 3))]:
        words += ["--metric", str(metric)]
    words += _options(
        make, 0.2, truth=("0", "9", "0,1,2"), tolerance=("1e-9", "0.1"), polygon=("0,0,1,0,0,1",)
    )
    return [*words, *_outputs(make, ("m.csv", "m.json", "m.parquet"))]


def _estimate(make: Materials) -> list[str]:
    words = [*make.network(), *make.data(int(make.rng.choice([1, 12, 600])))]
    for metric in make.rng.permutation(
        ("lc", "density", "rank", "variation", "volume", "walk", "first-order", "distance", "exact")
    )[:2]:
        words += ["--metric", str(metric)]
    words += _options(
        make, 0.2, radius=("0.1,1", "0"), directions=("2", "3,6"), seed=("1", "7"), batch=("1", "50")
    )
    return [*words, *_outputs(make, ("e.csv", "e.json", "e.parquet"))]


def _validate(make: Materials) -> list[str]:
    words = [make.checkpoints(2), "--model", "nets:six"] if make.happens(0.4) else make.network()
    words += [*make.data(8), "--frames", "1", "--planes", "1", "--radii", make.one_of("0.3", "0.3,1")]
    words += ["--medians", "0", *_jobs(make), "--examples", make.one_of("0", "0", "1")]
    words += _options(
        make, 0.15, certify=("full", "off"), seconds=("0.000001", "60"), fail_below=("tau=2", "tau=-1")
    )
    if make.happens(0.6):
        words += ["--work", f"{OUT}/work"]
        if make.happens(0.2):
            return [*words, "--shard", make.one_of("1/2", "2/2", "3/2")]
    return [*words, *_outputs(make, ("v.html", "v.md", "v.json", "v.npz", "v.csv", "v.parquet"), 2)]


def _animate(make: Materials) -> list[str]:
    words = [make.checkpoints(3), "--model", "nets:six", *make.data(), "--points", "0,1,2", *_jobs(make)]
    words += ["--width", "300", *_options(make, 0.2, color=("class", "area"), max_cells=("5",), title=("t",))]
    words += _options(make, 0.3, cache=(f"{OUT}/cache",), lc_points=("3",))
    return [
        *words,
        *_outputs(make, ("m.webp", "m.apng", "m.gif", "m.html", "frames/", "frames2/%03d.svg"), 2),
    ]


def _compare(make: Materials) -> list[str]:
    if make.happens(0.5):
        make.checkpoints(2)
        words = ["run/step-000.pt", "run/step-001.pt", "--model", "nets:six"]
    else:
        words = ["nets:six", *(["nets:two"] if make.happens(0.1) else make.network()[:1])]
    words += [*make.data(), "--points", "0,1,2", *_options(make, 0.2, **_LIMITS)]
    words += _options(make, 0.3, difference=("map", "decisions", "edges"), color=("norm", "class", "area"))
    return [*words, *_outputs(make, ("c.png", "c.svg", "c.pdf", "c.html"), 2)]


def _check(make: Materials) -> list[str]:
    other = make.happens(0.2)
    words = [make.arrangement(), "--model", "nets:skipping" if other else "nets:six"]
    return [
        *words,
        *_options(make, 0.3, points=("1", "200"), segments=("1", "8"), exact_cells=("0", "3", "all")),
    ]


def _draw(make: Materials) -> list[str]:
    words = [
        make.arrangement(),
        *_options(make, 0.3, color=("norm", "area", "class", "stage"), width=("1", "3")),
    ]
    return [
        *words,
        *_options(make, 0.1, window=("0", "5"), text=()),
        *_outputs(make, ("d.png", "d.svg", "d.pdf", "d.html")),
        "--dpi",
        "60",
    ]


def _inspect(make: Materials) -> list[str]:
    return make.network()


def _python(make: Materials) -> list[str]:
    return [make.one_of(*WRITING_SCRIPTS, "segment"), *make.network()[:1]]


COMMANDS: dict[str, Callable[[Materials], list[str]]] = {
    "slice": _slice,
    "boundary": _boundary,
    "measure": _measure,
    "estimate": _estimate,
    "validate": _validate,
    "animate": _animate,
    "compare": _compare,
    "check": _check,
    "draw": _draw,
    "inspect": _inspect,
    "python": _python,
}
"""What draws the arguments of each command; boundary is a slice of it alone, python a script that uses the package
itself"""
