"""Data points for commands that look at many: read, limited, and refused where their scale is not told."""

from __future__ import annotations

import click

from splineviz.errors import InputError

from .data import Data, read_data

__all__ = ["read_points", "scale_is_told"]


def read_points(
    path: str | None, key: str | None, labels: str | None, limit: int | None, *, scaled: bool
) -> Data:
    """The first ``limit`` points of a file, by default the demo's; ``scaled``: whether the request says how
    integers are scaled."""
    if path is not None:
        data = read_data(path, key, labels)
    else:
        from splineviz import demo

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
    """Whether the request says how data come to the scale of the network, be it by naming a default."""
    default = click.core.ParameterSource.DEFAULT
    return any(ctx.get_parameter_source(name) is not default for name in ("mean", "std", "transform"))
