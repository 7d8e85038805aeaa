"""Options that say where to look: points, the plane through them, and the window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from splineviz.errors import InputError

from .declaring import option
from .options import DataSource
from .value_types import Anchors, AutoRadius, Numbers, RadiusType

if TYPE_CHECKING:
    import numpy as np

    from .data import Data

__all__ = ["Location", "captions", "class_names", "named_by_file", "thumbnails"]


@dataclass(frozen=True, kw_only=True)
class Location:
    """Data, which of them the plane is made from, the window, and what the anchors are called.

    ``on_demo`` says whether the demo's network is asked for, whose digits then are the data unless others are
    given.
    """

    source: DataSource
    points: tuple[int | str, ...] | None = option(
        "--points",
        type=Anchors(),
        metavar="I,J,K",
        help="Points for the plane: indices into --data, or three files A,B,C.",
    )
    at: int | None = option(
        "--at",
        metavar="INDEX",
        help="Instead: the neighbourhood of one data point, on a random plane.",
    )
    radius: float | AutoRadius | None = option(
        "--radius",
        type=RadiusType(),
        metavar="R",
        help="With --at: the diamond of corners x ± R u, x ± R v. auto:N is the smallest that N units cut, "
        "auto that of 100.",
    )
    cells: int | None = option(
        "--cells",
        type=click.IntRange(min=1),
        metavar="N",
        help="Shrink the window about its centre, or with --at about the point, until it holds about N "
        "cells.",
    )
    jitter: float | None = option(
        "--jitter",
        type=click.FloatRange(min=0, min_open=True),
        metavar="J",
        help="Move the points off the data: add to every entry, as the network takes it, normal noise of "
        "this standard deviation, the same for all points.",
    )
    seed: int = option(
        "--seed", default=0, help="With --at: which random plane. With --jitter: which perturbation."
    )
    margin: float = option(
        "--margin", default=0.25, help="How far the window reaches beyond the points, over its longer side."
    )
    box: tuple[float, float, float, float] | None = option(
        "--box",
        type=Numbers(float, 4),
        metavar="U0,U1,V0,V1",
        help="The window itself, in plane coordinates.",
    )
    image_shape: tuple[int, ...] | None = option(
        "--image-shape",
        type=Numbers(int),
        metavar="H,W",
        help="Shape of the thumbnails, where the data are flat.",
    )
    class_names: str | None = option(
        "--class-names", metavar="A,B,...", help="Names of the classes, for the legend."
    )

    def embedded(self, *, on_demo: bool) -> bool:
        """Tell whether the points are the demo's own digits."""
        return on_demo and self.source.data is None and not named_by_file(self.points)

    def check(self, *, on_demo: bool) -> None:
        """Refuse contradictions before anything is computed."""
        data = self.source.data
        if self.at is not None and self.points is not None:
            raise click.UsageError("--at and --points exclude each other")
        if (self.at is None and self.radius is not None) or (
            self.at is not None and self.radius is None and self.box is None and self.cells is None
        ):
            raise click.UsageError("--at INDEX and --radius R belong together")
        if self.cells is not None and isinstance(self.radius, AutoRadius):
            raise click.UsageError("--radius auto and --cells exclude each other: each chooses the window")
        if self.box is not None and isinstance(self.radius, AutoRadius):
            raise click.UsageError("--radius auto and --box exclude each other")
        has_points = data is not None or named_by_file(self.points) or self.embedded(on_demo=on_demo)
        if not has_points and (self.at is not None or self.points is not None):
            raise click.UsageError("--points and --at are indices into --data FILE, which is missing")
        named = self.at is not None or self.points is not None or self.embedded(on_demo=on_demo)
        if self.jitter is not None and not named:
            raise click.UsageError("--jitter moves the points of --points or --at, which are missing")
        if not has_points and self.box is None:
            raise click.UsageError(
                "say where to look: --data FILE --points I,J,K, or --box for a network with two inputs"
            )
        if data is not None and self.at is None and self.points is None and self.box is None:
            raise click.UsageError("say which of the data: --points I,J,K, or --at INDEX --radius R")

    def read(self, *, on_demo: bool) -> Data | None:
        """Read the points that the request can name."""
        from .data import Data, read_literal

        if self.embedded(on_demo=on_demo):
            from splineviz import demo

            return Data(demo.load_points().reshape(-1, *demo.IMAGE_SHAPE), demo.load_labels(), "the demo")
        if self.points is not None and named_by_file(self.points):
            return read_literal([str(path) for path in self.points])
        return self.source.read()

    def rows(self, *, on_demo: bool) -> list[int]:
        """Indices of the anchors, from which the plane is made, in the data."""
        if self.at is not None:
            return [self.at]
        if self.points is None:
            return [0, 1, 2] if self.embedded(on_demo=on_demo) else []
        return [0, 1, 2] if named_by_file(self.points) else [int(row) for row in self.points]

    @property
    def plane_seed(self) -> int | None:
        """The seed, where chance had a part."""
        return self.seed if self.at is not None or self.jitter is not None else None


def named_by_file(points: tuple[int | str, ...] | None) -> bool:
    """Tell whether the points are given as one file each, and not as indices into the data."""
    return points is not None and isinstance(points[0], str)


def class_names(given: str | None, *, on_demo: bool) -> list[str] | None:
    """Names of the classes, by number, as the user gives them; the demo's are known."""
    if given is not None:
        return [name.strip() for name in given.split(",")]
    if on_demo:
        from splineviz import demo

        return list(demo.CLASS_NAMES)
    return None


def thumbnails(image_shape: tuple[int, ...] | None, anchors: Data) -> Sequence[np.ndarray] | None:
    """The data as they lie in the file where they are images; otherwise the picture decides by the network's
    input shape."""
    if image_shape is not None:
        if math.prod(image_shape) != anchors.points[0].size:
            raise InputError(
                f"--image-shape {image_shape} does not fit points of {anchors.points[0].size} values"
            )
        return list(anchors.points.reshape(len(anchors), *image_shape))
    shape = anchors.points.shape[1:]
    pictured = len(shape) == 2 or (len(shape) == 3 and (shape[0] in (1, 3) or shape[2] in (1, 3)))
    return list(anchors.points) if pictured and min(sorted(shape)[-2:]) >= 4 else None


def captions(rows: Sequence[int], anchors: Data, names: Sequence[str] | None) -> list[str]:
    """A line for each anchor: its class, or its place in the data."""
    if anchors.labels is None:
        return [f"#{row}" for row in rows]
    classes = [int(label) for label in anchors.labels]
    return [names[c] if names is not None and 0 <= c < len(names) else f"class {c}" for c in classes]
