"""`splineviz draw`: the options and the command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from splineviz.errors import InputError
from splineviz.files import PAGE, PICTURES, check_writable

from .declaring import argument, generated, option, same
from .location import Location
from .looks import Drawing
from .number_types import WholeNumber
from .options import Reporting
from .outputs import check_outputs

__all__ = ["DrawOptions", "command"]

_EPILOG = """\b
Examples
  splineviz slice demo -o cells.npz --affine
  splineviz draw cells.npz --color norm -o norm.png
  splineviz draw cells.npz --color class --class-names 3,5,8 --no-legend --width 3.3 --text -o paper.svg
"""


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """The request: a saved arrangement, pictures and pages of it, and their looks."""

    file: str = argument(reads="file")
    outputs: tuple[Path, ...] = option(
        "-o",
        "--output",
        multiple=True,
        required=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Where to draw; the suffix decides: .png .svg .pdf, or .html, a page to look closely at. May be "
        "repeated.",
    )
    window: int = option(
        "--window",
        type=WholeNumber(min=0),
        default=0,
        metavar="N",
        help="Which window of the file, counted from 0.",
    )
    drawing: Drawing
    image_shape: tuple[int, ...] | None = same(Location, "image_shape")
    class_names: str | None = same(Location, "class_names")
    reporting: Reporting

    def check(self) -> None:
        """Refuse contradictions, and outputs that cannot be written, before anything is read."""
        self.drawing.check(self.outputs)
        for path in self.outputs:
            if path.suffix.lower() not in (*PICTURES, PAGE):
                raise InputError(
                    f"unknown suffix {path.suffix!r} of {path}, expected one of "
                    f"{', '.join((*PICTURES, PAGE))}"
                )
            check_writable(path)
        check_outputs(self, self.outputs)


@click.command(
    "draw",
    epilog=_EPILOG,
    context_settings={"show_default": True},
    short_help="Draw a saved arrangement again, in another style.",
)
@generated(DrawOptions)
def command(options: DrawOptions) -> int:
    """Draw the arrangement in FILE (.npz), which splineviz slice or sv.save has written. The network is not
    needed.

    Fills and lines that show the function (norm, class, kink, volume, value, the decision boundary) need the
    affine maps in the file: write it with slice --affine, or sv.save(..., affine=True).
    """
    from .draw_job import run_draw

    return run_draw(options)
