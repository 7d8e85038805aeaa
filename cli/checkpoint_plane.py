"""The plane and the window on which the checkpoints of a network are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from splineviz.plane import Plane, Window

from .anchors import find_anchors
from .location import named_by_file, rows_named
from .options import DataSource, ModelSource
from .progress import note

if TYPE_CHECKING:
    from splineviz.data import Collection, Data
    from splineviz.program import Program
    from splineviz.program.checkpoints import Checkpoints

    from .animate_options import AnimateOptions
    from .lines_options import LinesOptions
    from .preprocessing import Preprocessing

__all__ = ["CheckpointPlane", "check_plane", "checkpoints_of"]


def check_plane(
    source: DataSource,
    points: tuple[int | str, ...] | None,
    box: tuple[float, float, float, float] | None,
) -> None:
    """Refuse contradictions between what names a plane, before anything is read."""
    choosing = source.choosing
    if points is not None and choosing:
        raise click.UsageError(f"--points and {choosing} exclude each other")
    if source.classes is not None and len(source.classes) != 3:
        raise click.UsageError(f"a plane goes through points of three classes, got {len(source.classes)}")
    if (choosing or points is not None) and source.data is None and not named_by_file(points):
        ways = f"{choosing} chooses among" if choosing else "--points are indices into"
        raise click.UsageError(f"{ways} --data FILE, which is missing")
    named = bool(choosing) or points is not None
    if source.data is not None and not named and box is None:
        raise click.UsageError(
            "say which of the data: --points I,J,K, --classes A,B,C, or --errors; or --box for a network "
            "with two inputs"
        )
    if not named and box is None:
        raise click.UsageError(
            "say where to look: --data FILE --points I,J,K, or --box for a network with two inputs"
        )


def checkpoints_of(options: AnimateOptions | LinesOptions, program: Program) -> Checkpoints:
    """The checkpoints that a command is given, as the weights of a network."""
    from splineviz.program.checkpoints import Checkpoints

    return Checkpoints(program, options.checkpoints, weights_key=options.weights_key)


@dataclass(frozen=True)
class CheckpointPlane:
    """A network, and the window of the plane on which its checkpoints are looked at.

    ``anchors`` are the points that the plane goes through, None where it is that of two inputs.
    """

    program: Program
    plane: Plane
    window: Window
    anchors: Data | None
    preprocessing: Preprocessing

    @classmethod
    def find(cls, options: AnimateOptions | LinesOptions, data: Collection | None) -> CheckpointPlane:
        """Read the network, and find the points; where --errors asks, the last checkpoint judges them."""
        network = ModelSource(model=options.model, reading=options.reading)
        found = find_anchors(
            data,
            rows_named(options.points),
            options.source,
            options.source.preprocessing(),
            lambda shapes: [network.program(shapes, quiet=True)],  # the checkpoints bring the weights
            count=3,
            seed=options.seed,
            judge=lambda programs: checkpoints_of(options, programs[0])[-1],
        )
        (program,), anchors = found.programs, found.points
        for choice in found.choice.chosen.values():
            note(choice["said"], options.reporting.quiet)
        plane = (
            Plane.identity()
            if anchors is None
            else Plane.through(*found.preprocessing.apply(anchors, program.input_shape))
        )
        box = options.box
        window = Window.around(plane, options.margin) if box is None else Window.box(*box)
        return cls(program, plane, window, anchors, found.preprocessing)
