"""Data points for commands that look at many: read, limited, and refused where their scale is not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from splineviz.errors import InputError

from .options import DataSource

if TYPE_CHECKING:
    from .data import Data

__all__ = ["read_points", "scale_is_told"]


def read_points(source: DataSource, limit: int | None, *, scaled: bool) -> Data:
    """The first ``limit`` points of a file, by default the demo's; ``scaled`` says whether the request tells
    how integers come to the scale of the network."""
    data = source.read()
    if data is None:
        from splineviz import demo

        from .data import Data

        data = Data(demo.load_points(), demo.load_labels(), "the demo")
    if data.points.dtype.kind in "iub" and not scaled:
        raise InputError(
            f"{data.source} holds integers ({data.points.dtype}, {data.points.min()} to {data.points.max()}),"
            " and nothing says how they come to the scale of the network",
            hint="--std 255 for raw pixels, --mean and --std, or --transform; --std 1 if the network takes "
            "them as they are",
        )
    return data if limit is None else data.take(range(min(limit, len(data))))


def scale_is_told(ctx: click.Context) -> bool:
    """Tell whether the request says how data come to the scale of the network, be it by naming a default."""
    default = click.core.ParameterSource.DEFAULT
    return any(ctx.get_parameter_source(name) is not default for name in ("mean", "std", "transform"))
