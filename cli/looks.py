"""Options on how pictures look, declared once for all commands that draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from splineviz.choices import SHARED_COLORS, SHARED_EDGES, CellColor, EdgeStyle
from splineviz.errors import InputError

from .declaring import flag, option, same
from .number_types import Number, Numbers, WholeNumber

__all__ = ["ComparisonDrawing", "DataDrawing", "Drawing", "FrameDrawing"]


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Looks of the picture."""

    color: CellColor = option("--color", default="random", help="What the fills show.")
    cmap: str | None = option(
        "--cmap", metavar="NAME", help="Colour map of matplotlib for a quantity; by default a light cividis."
    )
    edges: EdgeStyle = option("--edges", default="stage", help="What the lines show.")
    boundary: bool = option("--boundary/--no-boundary", default=True, help="Draw the decision boundary.")
    level: float | None = option(
        "--level",
        metavar="X",
        help="Of a single output: draw where it equals X, in place of 0, as the boundary.",
    )
    valid_range: tuple[float, float] | None = option(
        "--valid-range",
        type=Numbers(float, 2),
        metavar="LO,HI",
        help="Shade where an entry of the data leaves this range.",
    )
    title: str | None = option("--title", help="A line above the picture.")
    legend: bool = option(
        "--legend/--no-legend", default=True, help="What colours and lines mean, and the points."
    )
    ticks: bool | None = option(
        "--ticks/--no-ticks",
        default=None,
        help="Plane coordinates on the axes; by default for networks with two inputs.",
    )
    width: float = option(
        "--width",
        type=Number(min=1, max=100),
        default=5.5,
        metavar="INCHES",
        help="Of the picture.",
    )
    dpi: int = option("--dpi", type=WholeNumber(min=10), default=300, metavar="N", help="Pixels per inch.")
    text: bool = flag("--text", help="Keep letters in .svg as text, which needs the font, and not as shapes.")

    @property
    def style(self) -> dict[str, Any]:
        """Keywords of :func:`splineviz.render.save_figure`, without those that the data decide."""
        names = ("color", "cmap", "edges", "boundary", "level", "title", "legend", "ticks", "width", "dpi")
        return {name: getattr(self, name) for name in (*names, "text")}

    def check(self, outputs: Sequence[Path]) -> None:
        """Refuse contradictions, and options that no output heeds."""
        low, high = self.valid_range or (0.0, 1.0)
        if not -math.inf < low < high < math.inf:
            raise InputError(f"--valid-range must be two finite numbers low < high, got {low:g},{high:g}")
        if self.level is not None and not (math.isfinite(self.level) and self.boundary):
            raise click.UsageError("--level X is a finite number, and is drawn as the boundary")
        if self.text and not any(path.suffix.lower() == ".svg" for path in outputs):
            raise click.UsageError("--text is for -o FILE.svg")


@dataclass(frozen=True, kw_only=True)
class DataDrawing(Drawing):
    """Looks of a picture with points of the data."""

    overlay_data: int | None = option(
        "--overlay-data",
        type=WholeNumber(min=1),
        metavar="N",
        help="Draw the N data points nearest to the plane.",
    )

    def check(self, outputs: Sequence[Path], *, has_data: bool = True) -> None:
        """Refuse contradictions, options that no output heeds, and points of data that are missing."""
        super().check(outputs)
        if self.overlay_data is not None and not has_data:
            raise click.UsageError("--overlay-data draws points of --data FILE, which is missing")


@dataclass(frozen=True, kw_only=True)
class ComparisonDrawing(DataDrawing):
    """Looks of several networks on one scale."""

    color: CellColor = same(
        Drawing,
        "color",
        default="norm",
        type=click.Choice(SHARED_COLORS),
        help="What the fills show, on one scale for all.",
    )
    edges: EdgeStyle = same(Drawing, "edges", type=click.Choice(SHARED_EDGES))
    width: float = same(Drawing, "width", default=7.2)


@dataclass(frozen=True, kw_only=True)
class FrameDrawing(DataDrawing):
    """Looks of the frames of an animation, on one scale."""

    color: CellColor = same(Drawing, "color", type=click.Choice(SHARED_COLORS))
    edges: EdgeStyle = same(Drawing, "edges", type=click.Choice(SHARED_EDGES))
    title: str | None = same(Drawing, "title", help="Before the step, above each frame.")
    width: float = same(Drawing, "width", help="Of a frame.")
    dpi: int = same(Drawing, "dpi", default=110)
