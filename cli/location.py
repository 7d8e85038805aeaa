"""Where a command looks: the points that its options name, the plane through them, and the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import numpy as np

from splineviz.errors import InputError
from splineviz.plane import Plane, Window

from .data import Data, Preprocessing, read_data, read_literal

if TYPE_CHECKING:
    from splineviz.program import Program

__all__ = ["Location", "captions", "class_names", "thumbnails"]


@dataclass(frozen=True)
class Location:
    """Options that name points, plane and window, under their own names."""

    data: str | None
    key: str | None
    labels: str | None
    points: tuple[int | str, ...] | None
    at: int | None
    radius: float | None
    seed: int
    margin: float
    box: tuple[float, float, float, float] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    transform: str | None
    image_shape: tuple[int, ...] | None
    class_names: str | None

    @property
    def on_demo(self) -> bool:
        """Whether the demo's network is asked for, whose digits then are the data unless others are given."""
        raise NotImplementedError

    @property
    def embedded(self) -> bool:
        """Whether the points are the demo's own digits."""
        return self.on_demo and self.data is None and not self._literal

    @property
    def _literal(self) -> bool:
        return self.points is not None and isinstance(self.points[0], str)

    def check_place(self) -> None:
        """Refuse contradictions before anything is computed."""
        if self.at is not None and self.points is not None:
            raise click.UsageError("--at and --points exclude each other")
        if (self.at is None and self.radius is not None) or (
            self.at is not None and self.radius is None and self.box is None
        ):
            raise click.UsageError("--at INDEX and --radius R belong together")
        has_points = self.data is not None or self._literal or self.embedded
        if not has_points and (self.at is not None or self.points is not None):
            raise click.UsageError("--points and --at are indices into --data FILE, which is missing")
        if not has_points and self.box is None:
            raise click.UsageError(
                "say where to look: --data FILE --points I,J,K, or --box for a network with two inputs"
            )
        if self.data is not None and self.at is None and self.points is None and self.box is None:
            raise click.UsageError("say which of the data: --points I,J,K, or --at INDEX --radius R")

    def read(self) -> Data | None:
        """All points that the request can name."""
        if self.embedded:
            from splineviz import demo

            return Data(demo.load_points().reshape(-1, *demo.IMAGE_SHAPE), demo.load_labels(), "the demo")
        if self._literal:
            assert self.points is not None
            return read_literal([str(path) for path in self.points])
        return None if self.data is None else read_data(self.data, self.key, self.labels)

    def rows(self) -> list[int]:
        """Which of them the plane is made from."""
        if self.at is not None:
            return [self.at]
        if self.points is None:
            return [0, 1, 2] if self.embedded else []
        return [0, 1, 2] if self._literal else [int(row) for row in self.points]

    @property
    def plane_seed(self) -> int | None:
        """The seed, where chance had a part."""
        return self.seed if self.at is not None else None

    def find(
        self, program: Program, preprocessing: Preprocessing, anchors: Data | None
    ) -> tuple[Plane, Window]:
        """The plane and the window."""
        if anchors is None:
            plane = Plane.identity()
        else:
            points = preprocessing.apply(anchors.points, program.input_shape)
            plane = Plane.at(points[0], seed=self.seed) if self.at is not None else Plane.through(*points)
        if self.box is not None:
            return plane, Window.box(*self.box)
        return plane, Window.around(plane, self.margin) if self.radius is None else Window.diamond(
            self.radius
        )

    def names_of_classes(self) -> list[str] | None:
        """By class number, where they are known."""
        return class_names(self.class_names, on_demo=self.on_demo)

    def thumbnails(self, anchors: Data) -> Sequence[np.ndarray] | None:
        """Images of the anchors, where they are some."""
        return thumbnails(self.image_shape, anchors)

    def captions(self, anchors: Data) -> list[str]:
        """A line for each anchor."""
        return captions(self.rows(), anchors, self.names_of_classes())


def class_names(given: str | None, *, on_demo: bool) -> list[str] | None:
    """What the user calls the classes, by number; those of the demo are known."""
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
        if int(np.prod(image_shape)) != anchors.points[0].size:
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
