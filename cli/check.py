"""`splineviz check`: the options and the command."""

from __future__ import annotations

from dataclasses import dataclass

import click

from .declaring import argument, generated, option, same
from .number_types import Numbers, WholeNumber
from .options import ModelSource, Ports, Reporting
from .value_types import ExactCells

_EPILOG = """\b
Examples
  splineviz slice demo -o cells.npz --affine && splineviz check cells.npz --model demo
  splineviz check cells.npz --model nets:make --weights net.pt --exact-cells all --json

\b
Exit codes: 0 everything holds, 6 something fails, 5 nothing fails and a part could not be verified, 4 \
bad input.
What each check proves, and what none of them can, is in docs/checking.md.
"""


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The request: a saved arrangement, its network, and how much is looked at."""

    file: str = argument()
    model: str = option(
        "--model",
        required=True,
        help="The network that was arranged: demo, an .onnx file, a .pt2 file, or module:factory with "
        "--weights.",
    )
    weights: str | None = same(ModelSource, "weights", help="Weights for --model, as for slice.")
    weights_key: str | None = same(ModelSource, "weights_key")
    ports: Ports
    output_index: tuple[int, ...] | None = option(
        "--output-index",
        type=Numbers(int),
        metavar="I[,J..]",
        help="The outputs that the arrangement was asked for.",
    )
    exact_cells: int | str = option(
        "--exact-cells",
        type=ExactCells(),
        default=2000,
        metavar="N|all",
        help="How many of the cells that float64 leaves open are derived again in exact arithmetic; all: "
        "every cell of the file.",
    )
    points: int = option(
        "--points", type=WholeNumber(min=1), default=2000, metavar="N", help="Random points to locate."
    )
    segments: int = option(
        "--segments", type=WholeNumber(min=1), default=32, metavar="N", help="Random segments to walk."
    )
    seed: int = option(
        "--seed", type=WholeNumber(min=0), default=0, help="Of the random points and segments."
    )
    reporting: Reporting


@click.command(
    "check",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Verify a saved arrangement from scratch, against its network.",
)
@generated(CheckOptions)
def command(options: CheckOptions) -> int:
    """Verify the arrangement in FILE (.npz) from scratch, by the network alone: none of the code that made it
    is used.

    Is it watertight, are its cells those of the network, are its maps the network's, is any kink or cell
    missing?
    """
    from .check_job import run_check

    return run_check(options)
