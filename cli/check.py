"""`splineviz check`: the options, and nothing else."""

from __future__ import annotations

from typing import Any

import click

from .options import Numbers, common_options

_EPILOG = """\b
Examples
  splineviz slice demo -o cells.npz && splineviz check cells.npz --model demo
  splineviz check cells.npz --model nets:make --weights net.pt --exact-cells all --json

\b
Exit codes: 0 everything holds, 6 something fails, 5 nothing fails and a part could not be verified, 4 bad input.
What each check proves, and what none of them can, is in docs/checking.md.
"""


class ExactCells(click.ParamType[int | str]):
    """A whole number of cells, or all."""

    name = "cells"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if value == "all":
            return "all"
        try:
            number = int(value)
        except ValueError:
            number = -1
        if number < 0:
            self.fail(f"expected a whole number of cells, or all, got {value!r}", param, ctx)
        return number


@click.command(
    "check",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Verify a saved arrangement from scratch, against its network.",
)
@click.argument("file")
@click.option(
    "--model",
    required=True,
    help="The network that was arranged: demo, an .onnx file, a .pt2 file, or module:factory with --weights.",
)
@click.option(
    "--weights",
    type=click.Path(),
    metavar="FILE",
    help="State dict for --model: .pt, or .safetensors with that extra.",
)
@click.option(
    "--output-index",
    type=Numbers(int),
    metavar="I[,J..]",
    help="The outputs that the arrangement was asked for.",
)
@click.option(
    "--exact-cells",
    type=ExactCells(),
    default=2000,
    metavar="N|all",
    help="How many of the cells that float64 leaves open are derived again in exact arithmetic; all: "
    "every cell of the file.",
)
@click.option(
    "--points", type=click.IntRange(min=1), default=2000, metavar="N", help="Random points to locate."
)
@click.option(
    "--segments", type=click.IntRange(min=1), default=32, metavar="N", help="Random segments to walk."
)
@click.option("--seed", type=int, default=0, help="Of the random points and segments.")
@common_options
def command(**given: Any) -> int:
    """Verify the arrangement in FILE (.npz) from scratch, by the network alone: none of the code that made it
    is used.

    Is it watertight, are its cells those of the network, are its maps the network's, is any kink or cell
    missing?
    """
    from .check_job import run_check

    return run_check(given.pop("file"), **given)
