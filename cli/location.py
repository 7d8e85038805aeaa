"""Options that say where to look: points, the plane through them, and the window."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from splineviz.errors import InputError
from splineviz.showing import in_line

from .declaring import option
from .number_types import AboveZero, Numbers, WholeNumber
from .options import DataSource
from .value_types import Anchors, AutoRadius, RadiusType

if TYPE_CHECKING:
    import numpy as np

    from splineviz.data import Collection, Data
    from splineviz.program import Program

    from .anchors import FoundAnchors
    from .preprocessing import Preprocessing

__all__ = [
    "Location",
    "captions",
    "class_names",
    "named_by_file",
    "read_points_of",
    "rows_named",
    "thumbnails",
]


@dataclass(frozen=True, kw_only=True)
class Location:
    """Data, which of them the plane is made from, the window, and what the anchors are called.

    ``on_demo`` says whether the demo's network is asked for, whose digits then are the data unless others are
    given.
    """

    source: DataSource
    points: tuple[int | str, ...] | None = option(
        "--points",
        reads="file",
        type=Anchors(),
        metavar="I,J,K",
        help="Points for the plane: indices into --data, below 0 from the end, or I:L for I,J,K; or three "
        "files A,B,C, arrays or pictures.",
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
        "auto that of 100, or by default that of fewer where the network is small.",
    )
    cells: int | None = option(
        "--cells",
        type=WholeNumber(min=1),
        metavar="N",
        help="Shrink the window about its centre, or with --at about the point, until it holds about N "
        "cells.",
    )
    jitter: float | None = option(
        "--jitter",
        type=AboveZero(),
        metavar="J",
        help="Move the points off the data: add to every entry, as the network takes it, normal noise of "
        "this standard deviation, the same for all points.",
    )
    seed: int = option(
        "--seed",
        type=WholeNumber(min=0),
        default=0,
        help="With --at: which random plane. With --jitter: which perturbation. With --classes or --errors: "
        "which points. Of data sets that draw by chance: which draw.",
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

    def has_data(self, *, on_demo: bool) -> bool:
        """Tell whether there are data beside the points of the plane."""
        return self.source.data is not None or self.embedded(on_demo=on_demo)

    def check(self, *, on_demo: bool) -> None:
        """Refuse contradictions before anything is computed."""
        data, choosing = self.source.data, self.source.choosing
        ways = {"--at": self.at is not None, "--points": self.points is not None, choosing: bool(choosing)}
        if several := [way for way, used in ways.items() if used][1:]:
            first = next(way for way, used in ways.items() if used)
            raise click.UsageError(f"{first} and {several[0]} exclude each other")
        if self.source.classes and len(self.source.classes) != (1 if self.local else 3):
            raise click.UsageError(
                f"a plane goes through points of three classes, or with --radius round one; got "
                f"{len(self.source.classes)}"
            )
        if not self.local and self.radius is not None:
            raise click.UsageError("--at INDEX and --radius R belong together")
        if self.cells is not None and isinstance(self.radius, AutoRadius):
            raise click.UsageError("--radius auto and --cells exclude each other: each chooses the window")
        if self.box is not None and isinstance(self.radius, AutoRadius):
            raise click.UsageError("--radius auto and --box exclude each other")
        has_points = data is not None or named_by_file(self.points) or self.embedded(on_demo=on_demo)
        named = self.at is not None or self.points is not None or bool(choosing)
        if not has_points and named:
            verb = f"{choosing} chooses among" if choosing else "--points and --at are indices into"
            raise click.UsageError(f"{verb} --data FILE, which is missing")
        if self.jitter is not None and not (named or self.embedded(on_demo=on_demo)):
            raise click.UsageError("--jitter moves the points of --points or --at, which are missing")
        if not has_points and self.box is None:
            raise click.UsageError(
                "say where to look: --data FILE --points I,J,K, or --box for a network with two inputs"
            )
        if data is not None and not named and self.box is None:
            raise click.UsageError(
                "say which of the data: --points I,J,K, --classes A,B,C, --errors, or --at INDEX --radius R"
            )

    @property
    def local(self) -> bool:
        """True for the neighbourhood of one point, false for a plane through three."""
        if self.at is not None:
            return True
        several = self.source.classes is not None and len(self.source.classes) > 1
        return (
            bool(self.source.choosing) and not several and (self.radius is not None or not self.source.errors)
        )

    def read(self, *, on_demo: bool) -> Collection | None:
        """The points that the request can name."""
        if self.embedded(on_demo=on_demo):
            from .data_points import demo_points

            return demo_points(self.source.limit)
        names = class_names(self.class_names, on_demo=on_demo)
        return read_points_of(self.points, self.source, self.seed, names)

    def find(
        self,
        data: Collection | None,
        preprocessing: Preprocessing,
        load: Callable[[Sequence[tuple[int, ...]]], Sequence[Program]],
        *,
        on_demo: bool,
    ) -> FoundAnchors:
        """The points that the plane is made from, and the networks, which are told their shapes."""
        from .anchors import find_anchors

        how: dict[str, Any] = {"count": 1 if self.local else 3, "seed": self.seed}
        return find_anchors(data, self._rows(on_demo=on_demo), self.source, preprocessing, load, **how)

    def _rows(self, *, on_demo: bool) -> list[int]:
        """Indices in the data that the request names."""
        if self.at is not None:
            return [self.at]
        if self.points is None and not self.source.choosing and self.embedded(on_demo=on_demo):
            return [0, 1, 2]
        return rows_named(self.points)

    @property
    def plane_seed(self) -> int | None:
        """The seed, where chance had a part."""
        chance = self.local or self.jitter is not None or bool(self.source.choosing)
        return self.seed if chance else None


def read_points_of(
    points: tuple[int | str, ...] | None,
    source: DataSource,
    seed: int,
    class_names: Sequence[str] | None,
) -> Collection | None:
    """The data, or the points that are named as one file each."""
    if points is None or not named_by_file(points):
        return source.read(seed, class_names)
    from splineviz.data import read_point_files

    return read_point_files([str(path) for path in points])


def rows_named(points: tuple[int | str, ...] | None) -> list[int]:
    """Indices of three points that are named by index or as files."""
    if points is None:
        return []
    return [0, 1, 2] if named_by_file(points) else [int(row) for row in points]


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
                f"--image-shape {image_shape} does not fit points of {anchors.points[0].size} values",
                hint=f"lengths whose product is {anchors.points[0].size}",
            )
        return [point.reshape(image_shape) for point in anchors.points]
    shape = anchors.points[0].shape
    pictured = len(shape) == 2 or (len(shape) == 3 and (shape[0] in (1, 3) or shape[2] in (1, 3)))
    return list(anchors.points) if pictured and min(sorted(shape)[-2:]) >= 4 else None


def captions(anchors: Data, names: Sequence[str] | None) -> list[str]:
    """A line for each anchor: its class, or its place in the data."""
    if anchors.labels is None:
        return [f"#{row}" for row in anchors.rows]
    known = anchors.class_names if names is None else dict(enumerate(names))
    return [in_line(known.get(label, f"class {label}")) for label in anchors.labels.tolist()]
