"""Options that several commands share, and the types of their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

__all__ = [
    "Anchors",
    "Numbers",
    "common_options",
    "data_options",
    "model_options",
    "place_options",
    "reading_options",
]


class Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between them, as a tuple."""

    name = "numbers"

    def __init__(self, kind: type[int] | type[float], count: int | None = None) -> None:
        self.kind = kind
        self.count = count

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        parts = (
            value.split(",")
            if isinstance(value, str)
            else value
            if isinstance(value, list | tuple)
            else [value]
        )
        try:
            numbers = tuple(self.kind(part) for part in parts)
        except (TypeError, ValueError):
            self.fail(f"expected {self._wanted()}, got {value!r}", param, ctx)
        if self.count is not None and len(numbers) != self.count:
            self.fail(f"expected {self._wanted()}, got {len(numbers)}: {value!r}", param, ctx)
        return numbers

    def _wanted(self) -> str:
        kind = "whole numbers" if self.kind is int else "numbers"
        return f"{self.count if self.count is not None else 'some'} {kind} with commas between them"


def _set_debug(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value and isinstance(ctx.obj, dict):
        ctx.obj["debug"] = True


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--json, --quiet, --debug."""
    command = click.option(
        "--debug",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_set_debug,
        help="Show the traceback of an error.",
    )(command)
    command = click.option("--quiet", "-q", is_flag=True, help="No progress and no notes on stderr.")(command)
    return click.option(
        "--json", "as_json", is_flag=True, help="One JSON object on stdout instead of a table."
    )(command)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--input-shape and --logits: how a model is read."""
    shape = Numbers(int)
    command = click.option("--logits", is_flag=True, help="Cut off a last softmax, sigmoid or argmax.")(
        command
    )
    return click.option(
        "--input-shape",
        type=shape,
        metavar="N,N,...",
        help="Shape of one input, without batch; where the model does not tell it.",
    )(command)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument MODEL with --weights, --input-shape and --logits."""
    command = click.option(
        "--weights",
        type=click.Path(),
        metavar="FILE",
        help="State dict for MODEL: .pt, .npz, or .safetensors with that extra.",
    )(reading_options(command))
    return click.argument("model")(command)


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--data with --key and --labels, and what stands between the data and the network."""
    for option in (
        click.option(
            "--transform",
            metavar="MODULE:FUNCTION",
            help="Called on each data point before --mean and --std.",
        ),
        click.option(
            "--std",
            type=Numbers(float),
            default="1",
            metavar="S[,S..]",
            help="Divides the data, after --mean.",
        ),
        click.option(
            "--mean",
            type=Numbers(float),
            default="0",
            metavar="M[,M..]",
            help="Subtracted from the data; may be one a channel.",
        ),
        click.option(
            "--labels",
            metavar="FILE",
            help="Classes of the data points; by default the array y of the data file.",
        ),
        click.option(
            "--key", metavar="NAME", help="The array of the data file; by default x, or the only one."
        ),
        click.option(
            "--data",
            metavar="FILE",
            help="Data points: .npy, .npz or .pt, (n, ...). For demo, its own digits.",
        ),
    ):
        command = option(command)
    return command


class Anchors(click.ParamType[tuple[int | str, ...]]):
    """Three whole numbers, or three file names, as a tuple."""

    name = "points"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | str, ...]:
        parts = value.split(",") if isinstance(value, str) else list(value)
        if len(parts) != 3:
            self.fail(f"expected three points I,J,K, or three files, got {len(parts)}: {value!r}", param, ctx)
        try:
            return tuple(int(part) for part in parts)
        except ValueError:
            return tuple(str(part).strip() for part in parts)


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where to look: --points or --at, --margin or --box, and how the anchors are shown."""
    for option in (
        click.option("--class-names", metavar="A,B,...", help="Names of the classes, for the legend."),
        click.option(
            "--image-shape",
            type=Numbers(int),
            metavar="H,W",
            help="Shape of the thumbnails, where the data are flat.",
        ),
        click.option(
            "--box",
            type=Numbers(float, 4),
            metavar="U0,U1,V0,V1",
            help="The window itself, in plane coordinates.",
        ),
        click.option(
            "--margin",
            type=float,
            default=0.25,
            help="How far the window reaches beyond the points, over its longer side.",
        ),
        click.option("--seed", type=int, default=0, help="With --at: which random plane."),
        click.option(
            "--radius", type=float, metavar="R", help="With --at: the diamond of corners x ± R u, x ± R v."
        ),
        click.option(
            "--at",
            "at",
            type=int,
            metavar="INDEX",
            help="Instead: the neighbourhood of one data point, on a random plane.",
        ),
        click.option(
            "--points",
            type=Anchors(),
            metavar="I,J,K",
            help="Points for the plane: indices into --data, or three files A,B,C.",
        ),
    ):
        command = option(command)
    return command
