"""The options of `splineviz animate`, and their contradictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splineviz.choices import Certify

from .checkpoint_plane import check_plane
from .declaring import argument, flag, option, same
from .location import Location, class_names, read_points_of
from .looks import FrameDrawing
from .number_types import AboveZero, Number, WholeNumber
from .options import DataSource, ModelSource, Reading, Reporting, WorkLimits
from .outputs import check_outputs

if TYPE_CHECKING:
    from splineviz.data import Collection

__all__ = ["AnimateOptions"]


@dataclass(frozen=True, kw_only=True)
class AnimateOptions:
    """The request: checkpoints, a window of a plane, outputs, and how frames look."""

    checkpoints: str = argument(reads="weights")
    model: str = option(
        "--model",
        reads="file",
        required=True,
        metavar="MODEL",
        help="The network: module:factory, an .onnx or .pt2 file.",
    )
    weights_key: str | None = same(
        ModelSource,
        "weights_key",
        help="The entry of each file that holds the weights, where several would do: ema, say.",
    )
    reading: Reading
    outputs: tuple[str, ...] = option(
        "-o",
        "--output",
        multiple=True,
        required=True,
        metavar="FILE",
        type=str,
        help="Where to write; the suffix decides: .webp .apng .gif .html .mp4; frames/%04d.png or .svg, or "
        "FOLDER/, for single frames. May be repeated.",
    )
    source: DataSource
    points: tuple[int | str, ...] | None = same(Location, "points")
    margin: float = same(Location, "margin")
    box: tuple[float, float, float, float] | None = same(Location, "box")
    radius: float = option("--radius", default=0.05, metavar="R", help="Of local complexity at the points.")
    lc_points: int | None = option(
        "--lc-points",
        type=WholeNumber(min=1),
        metavar="N",
        help="Local complexity at the first N of --data, not the anchors.",
    )
    seed: int = option(
        "--seed",
        type=WholeNumber(min=0),
        default=0,
        help="Of the directions of local complexity, and of --classes and --errors.",
    )
    image_shape: tuple[int, ...] | None = same(Location, "image_shape")
    class_names: str | None = same(Location, "class_names")
    drawing: FrameDrawing
    duration: float | None = option(
        "--duration",
        type=AboveZero(),
        metavar="S",
        help="Seconds; by default half one a frame.",
    )
    max_cells: int | None = same(WorkLimits, "max_cells", help="Of one frame: stop after so many cells.")
    certify: Certify = same(WorkLimits, "certify", help="As in splineviz slice.")
    max_memory: int | None = same(WorkLimits, "max_memory")
    jobs: int | None = same(WorkLimits, "jobs", help="Checkpoints at a time; by default as many as cores.")
    cache: str | None = option(
        "--cache",
        type=click.Path(),
        metavar="FOLDER",
        help="For what is computed; by default .splineviz-cache beside -o.",
    )
    follow: bool = flag(
        "--follow", help="Go on: write anew when there are more checkpoints, until interrupted."
    )
    idle: float | None = option(
        "--idle",
        type=Number(min=0),
        metavar="S",
        help="With --follow: stop when none came for so many seconds.",
    )
    reporting: Reporting

    def check(self) -> None:
        """Refuse contradictions before anything is read."""
        self.drawing.check(list(map(Path, self.outputs)), has_data=self.source.data is not None)
        check_plane(self.source, self.points, self.box)
        if self.lc_points is not None and self.source.data is None:
            raise click.UsageError("--lc-points are the first of --data FILE, which is missing")
        if self.idle is not None and not self.follow:
            raise click.UsageError("--idle belongs to --follow")
        self._check_outputs()

    def _check_outputs(self) -> None:
        from splineviz.animation.outputs import Target

        targets = [Target.of(output) for output in self.outputs]
        frames = (frame for target in targets for frame in target.frames)
        check_outputs(self, (target.name for target in targets), frames)

    def read(self) -> Collection | None:
        """The points that the request can name."""
        return read_points_of(self.points, self.source, self.seed, self.names_of_classes)

    @property
    def names_of_classes(self) -> list[str] | None:
        """Names by class number, where they are known."""
        return class_names(self.class_names, on_demo=self.model == "demo")

    @property
    def how(self) -> dict[str, Any]:
        """Keywords of :func:`splineviz.animate` beside the looks of frames."""
        alike = ("radius", "seed", "max_cells", "certify", "max_memory", "jobs", "cache")
        return {**{name: getattr(self, name) for name in alike}, "seconds": self.duration}
